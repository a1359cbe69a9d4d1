"""What the launcher tells the server (launcher.c), as values. Pure."""

import re
import signal
from dataclasses import dataclass
from typing import Final

from lampion.sandbox.companions import NotStarted
from lampion.sandbox.driver import DirectoryRefused, Exit, ProgramError, SandboxError, WorkingDirectoryError


@dataclass(frozen=True, slots=True)
class Prepared:
    """The sandbox can be given to a function; its listening sockets came along (connection.Listeners)."""


@dataclass(frozen=True, slots=True)
class Running:
    """The function's process has what it needs and runs."""


@dataclass(frozen=True, slots=True)
class Watching:
    """The function's process may go on to where its snapshot is taken."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """The snapshot has been taken: it can be copied."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A socket of the sandbox's network came along, as was ordered; or none, when it can have no more."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The snapshot's process has died."""


@dataclass(frozen=True, slots=True)
class Refused:
    """No snapshot can be taken; the sandbox ends."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A step failed; the launcher undoes the ones before it."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing of the sandbox exists any more."""

    exit: Exit
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class ProcessEnded:
    """One process of a sandbox with companions has ended, or couldn't be started; number 0 is the function's."""

    number: int
    how: Exit | NotStarted


Message = Prepared | Running | Offered | Watching | Sealed | Lost | Refused | Failed | ProcessEnded | Ended
MESSAGE_BYTES: Final = 1024
SHARED_STEP: Final = "file-system"
"""The launcher's step that takes the directory that a sandbox shares (launcher.c)."""
_PLAIN: Final[dict[str, Message]] = {
    "prepared": Prepared(),
    "running": Running(),
    "watching": Watching(),
    "sealed": Sealed(),
    "lost": Lost(),
    "socket": Offered(),
}
_NOT_EXECUTED: Final = re.compile(r"exec .*: ([^:]+)", re.DOTALL)
_NOT_ENTERED: Final = re.compile(r"working-directory .*: ([^:]+)", re.DOTALL)
_PROCESS: Final = re.compile(r"process (\d+) (code|signal|error) (\d+) oom (\d+)")
_ENDED: Final = re.compile(r"exit (code|signal) (\d+) oom (\d+) peak (-?\d+) killed ([01])")


def error_of(failure: str, about: str = "") -> SandboxError:
    """What a step's failure is to who wanted the sandbox; the last step executes the function's program."""
    if failure.startswith(f"{SHARED_STEP} "):
        return DirectoryRefused(about + failure)
    if (match := _NOT_ENTERED.fullmatch(failure)) is not None:
        return WorkingDirectoryError(match[1], about + failure)
    match = _NOT_EXECUTED.fullmatch(failure)
    return SandboxError(about + failure) if match is None else ProgramError(match[1], about + failure)


def parse_message(raw: bytes) -> Message:
    """A message that nobody expects is a failure too: the launcher is then not the one that belongs to us."""
    text = raw.decode("utf-8", "replace")
    if text in _PLAIN:
        return _PLAIN[text]
    if text.startswith("refused "):
        return Refused(text.removeprefix("refused "))
    if text.startswith("error "):
        return Failed(text.removeprefix("error "))
    process = _PROCESS.fullmatch(text)
    if process is not None:
        return ProcessEnded(int(process[1]), _end_of_process(process[2], int(process[3]), int(process[4])))
    match = _ENDED.fullmatch(text)
    if match is None:
        return Failed(f"unknown message {text!r}")
    number, oom_kills, peak, is_killed = int(match[2]), int(match[3]), int(match[4]), match[5] == "1"
    if match[1] == "code":
        return Ended(Exit(number), peak)
    # A SIGKILL that the server itself ordered is no sign of too much memory, whatever happened before.
    out_of_memory = number == signal.SIGKILL and oom_kills > 0 and not is_killed
    return Ended(Exit(None, number, out_of_memory), peak)


def _end_of_process(kind: str, number: int, oom_kills: int) -> Exit | NotStarted:
    if kind == "error":
        return NotStarted(number)
    if kind == "code":
        return Exit(number)
    return Exit(None, number, out_of_memory=number == signal.SIGKILL and oom_kills > 0)
