"""What a container image's function runs: command, environment and directory, of the image and of ImageConfig. Pure.

Texts are AWS's, as those who got them published.
"""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from lampion.code.images.manifests import ImageConfig
from lampion.domain.function import Document
from lampion.environments.endings import CannotStart, NoProgram
from lampion.sandbox.driver import ProgramError, WorkingDirectoryError

_USUAL_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BOOTSTRAPS: Final = ("/var/runtime/bootstrap", "/var/task/bootstrap", "/opt/bootstrap")
_INVALID_ENTRYPOINT: Final = "Runtime.InvalidEntrypoint"
_INVALID_WORKING_DIRECTORY: Final = "Runtime.InvalidWorkingDir"

IsProgram = Callable[[str], bool]
"""Whether an absolute path of the image names something that may be executed."""


class LaunchFailed(CannotStart):
    """The image names something that can't be started. `line` is what the log says of it."""

    def __init__(self, ending: NoProgram, line: str) -> None:
        super().__init__(ending)
        self.line = line


@dataclass(frozen=True, slots=True)
class ImageProgram:
    """An image as the function has it: what ImageConfig names wins over what the image names."""

    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    working_directory: str
    environment: Mapping[str, str]

    @property
    def handler(self) -> str:
        """_HANDLER, which the clients of AWS's base images are given as their argument as well."""
        return self.command[0] if self.command else ""

    def argv(self, environ: Mapping[str, str], is_program: IsProgram) -> tuple[str, ...]:
        """The command line, its program with its path. Raises LaunchFailed."""
        words = (*self.entrypoint, *self.command)
        if not words:
            found = next(filter(is_program, _BOOTSTRAPS), None)
            if found is None:
                raise self.failed(_INVALID_ENTRYPOINT, f"Couldn't find valid bootstrap(s): [{' '.join(_BOOTSTRAPS)}]")
            return (found,)
        program, *arguments = words
        if "/" in program:
            return (posixpath.join(self.working_directory, program), *arguments)
        places = environ.get("PATH", "").split(":")
        paths = (posixpath.join(self.working_directory, place, program) for place in places)
        found = next(filter(is_program, paths), None)
        if found is None:
            raise self.failed(_INVALID_ENTRYPOINT, f'exec: "{program}": executable file not found in $PATH')
        return (found, *arguments)

    def check(self) -> None:
        """Raises LaunchFailed for a working directory or a command that can't be one."""
        if any("\0" in word for word in (*self.entrypoint, *self.command)):
            raise self.failed(_INVALID_ENTRYPOINT, "invalid argument")
        if not self.working_directory.startswith("/") or "\0" in self.working_directory:
            raise self.failed(
                _INVALID_WORKING_DIRECTORY,
                f"the working directory '{self.working_directory}' is invalid, it needs to be an absolute path",
            )

    def explained(self, error: ProgramError | WorkingDirectoryError, program: str) -> LaunchFailed:
        """Why the sandbox couldn't start `program`."""
        reason = error.problem[:1].lower() + error.problem[1:]
        if isinstance(error, ProgramError):
            return self.failed(_INVALID_ENTRYPOINT, f"fork/exec {program}: {reason}")
        return self.failed(_INVALID_WORKING_DIRECTORY, f"chdir {self.working_directory}: {reason}")

    def foreign(self, program: str) -> LaunchFailed:
        """`program` is for another processor than the function's."""
        return self.failed(_INVALID_ENTRYPOINT, f"fork/exec {program}: exec format error")

    def failed(self, error_type: str, problem: str) -> LaunchFailed:
        line = (
            f"IMAGE\tLaunch error: {problem}\tEntrypoint: [{','.join(self.entrypoint)}]"
            f"\tCmd: [{','.join(self.command)}]\tWorkingDir: [{self.working_directory}]"
        )
        return LaunchFailed(NoProgram(error_type, problem), line)


def image_program(config: ImageConfig, override: Document | None) -> ImageProgram:
    """`override`: the function's ImageConfig."""
    said = override or {}
    environment = dict(word.partition("=")[::2] for word in config.environment)
    environment.setdefault("PATH", _USUAL_PATH)
    directory = said.get("WorkingDirectory") or config.working_directory or "/"
    return ImageProgram(
        entrypoint=tuple(said.get("EntryPoint") or config.entrypoint),
        command=tuple(said.get("Command") or config.command),
        working_directory=posixpath.normpath(directory).replace("//", "/"),
        environment={name: value for name, value in environment.items() if name},
    )
