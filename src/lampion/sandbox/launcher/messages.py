"""What the launcher tells the server (launcher.c), as values. Pure."""

import re
import signal
from dataclasses import dataclass
from typing import Final

from lampion.sandbox.driver import CannotStart, Exit, SandboxError


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


Message = Prepared | Running | Watching | Sealed | Lost | Refused | Failed | Ended
MESSAGE_BYTES: Final = 1024
_PLAIN: Final[dict[str, Message]] = {
    "prepared": Prepared(),
    "running": Running(),
    "watching": Watching(),
    "sealed": Sealed(),
    "lost": Lost(),
}
_NOT_STARTED: Final = re.compile(r"(exec|working-directory) (.+): ([^:]+)", re.DOTALL)
_ENDED: Final = re.compile(r"exit (code|signal) (\d+) oom (\d+) peak (-?\d+) killed ([01])")


def parse_message(raw: bytes) -> Message:
    """A message that nobody expects is a failure too: the launcher is then not the one that belongs to us."""
    text = raw.decode("utf-8", "replace")
    if text in _PLAIN:
        return _PLAIN[text]
    if text.startswith("refused "):
        return Refused(text.removeprefix("refused "))
    if text.startswith("error "):
        return Failed(text.removeprefix("error "))
    match = _ENDED.fullmatch(text)
    if match is None:
        return Failed(f"unknown message {text!r}")
    number, oom_kills, peak, is_killed = int(match[2]), int(match[3]), int(match[4]), match[5] == "1"
    if match[1] == "code":
        return Ended(Exit(number), peak)
    # A SIGKILL that the server itself ordered is no sign of too much memory, whatever happened before.
    out_of_memory = number == signal.SIGKILL and oom_kills > 0 and not is_killed
    return Ended(Exit(None, number, out_of_memory), peak)


def as_error(failure: str) -> SandboxError:
    """What a step's failure means for whoever waits for the sandbox."""
    match = _NOT_STARTED.fullmatch(failure)
    return SandboxError(failure) if match is None else CannotStart(*match.groups())
