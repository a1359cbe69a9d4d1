"""What serves functions of each language inside a sandbox: a new language is one row here. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import lampion
from lampion.environments.environ import RUNTIME_DIRECTORY, STANDARD_VARIABLES
from lampion.sandbox.spec import Mount, Template, WorkerStart

_RUNTIMES: Final = Path(lampion.__file__).parent / "runtimes"


@dataclass(frozen=True, slots=True)
class RuntimeProgram:
    """A bootstrap of ours below runtimes/, and how it is started: for a function, or to wait for one.

    `read_at_start`: the variables that take effect only when a process starts. A function that sets one of them can't
    be given a process that waits.
    """

    directory: str
    arguments: tuple[str, ...]
    waiting_arguments: tuple[str, ...]
    start: WorkerStart
    read_at_start: re.Pattern[str]

    @property
    def mount(self) -> Mount:
        return Mount(_RUNTIMES / self.directory, RUNTIME_DIRECTORY)

    def argv(self, executable: str) -> tuple[str, ...]:
        """To serve the function of its environment."""
        return (executable, *self.arguments)

    def template(self, executable: str, mounts: tuple[Mount, ...]) -> Template:
        """Sandboxes in which it waits."""
        return Template(
            worker=(executable, *self.waiting_arguments),
            start=self.start,
            environ=tuple(sorted(STANDARD_VARIABLES.items())),
            mounts=mounts,
        )

    def can_wait(self, environ: Mapping[str, str]) -> bool:
        """Whether a process that waited serves a function of this environment as one started for it would."""
        names = environ.keys() | STANDARD_VARIABLES.keys()
        return not any(
            self.read_at_start.fullmatch(name) and environ.get(name) != STANDARD_VARIABLES.get(name) for name in names
        )


_BY_THE_C_LIBRARY: Final = "LD_.*|LANG|LANGUAGE|LC_.*|MALLOC_.*|GLIBC_TUNABLES|OPENSSL_.*"

_PROGRAMS: Final = MappingProxyType(
    {
        "python": RuntimeProgram(
            directory="python",
            arguments=("-S", f"{RUNTIME_DIRECTORY}/bootstrap.py"),
            waiting_arguments=("-S", f"{RUNTIME_DIRECTORY}/bootstrap.py", "--zygote"),
            start=WorkerStart.FORK,
            read_at_start=re.compile(f"PYTHON(?!PATH$).*|{_BY_THE_C_LIBRARY}"),
        ),
    }
)


def runtime_program(runtime: str) -> RuntimeProgram:
    """The program of a runtime such as python3.13."""
    language = re.match("[a-z]+", runtime)
    return _PROGRAMS[language[0] if language else ""]
