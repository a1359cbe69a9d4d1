"""The OCI runtime's command line: where it is, and how it is told to pass descriptors on."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lampion.sandbox.driver import SandboxError

INSTALL: Final = "apt-get install crun"
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HELP_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class OciRuntime:
    """`argv`: the program with its options. `passing`: those that pass descriptors 3 and 4 on to a container."""

    argv: tuple[str, ...]
    passing: tuple[str, ...]


def find_runtime(command: tuple[str, ...]) -> OciRuntime:
    """`command` is a name or path and options. Raises SandboxError that says what is missing."""
    program = shutil.which(command[0], path=_PATH)
    if program is None:
        raise SandboxError(f"there is no OCI runtime {command[0]}")
    words = passing_options(_help_of(program))
    if words is None:
        raise SandboxError(f"{command[0]} can't pass descriptors on to a container (run --preserve-fds or --pass-fd)")
    return OciRuntime((str(Path(program).absolute()), *command[1:]), words)


def passing_options(help_text: str) -> tuple[str, ...] | None:
    """From what `run --help` says. crun and runc name a number, runsc each descriptor."""
    if "-preserve-fds" in help_text:
        return ("--preserve-fds", "2")
    if "-pass-fd" in help_text:
        return ("--pass-fd", "3:3", "--pass-fd", "4:4")
    return None


def _help_of(program: str) -> str:
    """crun and runc answer the option, runsc the command."""
    texts = []
    for words in (("run", "--help"), ("help", "run")):
        try:
            done = subprocess.run(
                [program, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_HELP_SECONDS,
                check=False,
                env={"PATH": _PATH},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SandboxError(f"the OCI runtime {program} doesn't run: {error}") from error
        texts.append(done.stdout + done.stderr)
    return "\n".join(texts)
