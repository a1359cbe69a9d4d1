"""The part that an environment's extensions have in its phases: what they are sent, and when all of them are done.

Their side is called by the Runtime API's door, the other by the session. No I/O, no clock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from lampion.environments.endings import Dispatch, Ending, ExtensionEnded, TimedOut
from lampion.environments.extensions import (
    MOST_EXTENSIONS,
    Event,
    Extension,
    Extensions,
    Move,
    Refused,
    TooManyExtensions,
)
from lampion.environments.failures import process_end
from lampion.sandbox.companions import NotStarted
from lampion.sandbox.driver import Exit

EXTENSIONS_DIRECTORY: Final = "/opt/extensions"
_CRASH: Final = "Extension.Crash"
_LAUNCH_ERROR: Final = "Extension.LaunchError"
_REPORTED: Final = {Move.INIT_ERROR: "Extension.InitError", Move.EXIT_ERROR: "Extension.ExitError"}
_PERMISSION_DENIED: Final = 13


class ShutdownReason(StrEnum):
    """Why the environment ends, as AWS spells it in the event."""

    SPINDOWN = "spindown"
    TIMEOUT = "timeout"
    FAILURE = "failure"


def shutdown_reason(ending: Ending) -> ShutdownReason:
    """When that is why."""
    return ShutdownReason.TIMEOUT if isinstance(ending, TimedOut) else ShutdownReason.FAILURE


class Shutdown(msgspec.Struct, frozen=True):
    """The event SHUTDOWN; after the deadline, milliseconds since the epoch, everything is killed."""

    reason: ShutdownReason
    deadline_epoch_ms: int


Deliver = Callable[[Dispatch | Shutdown], None]


def _nobody_waits() -> None:
    pass


@dataclass(slots=True)
class ExtensionFlow:
    """Of one sandbox. `on_registered` is called when all external extensions are, `on_ready` whenever all registered
    ones wait for an event, `on_end` when a process has ended.
    """

    extensions: Extensions
    on_registered: Callable[[], object] = _nobody_waits
    on_ready: Callable[[], object] = _nobody_waits
    on_end: Callable[[], object] = _nobody_waits
    fatal: str | None = None  # what kind of error an extension reported first
    is_shutting_down: bool = False
    over: set[str | None] = field(default_factory=set)  # names of external ones that have ended; None is the runtime's
    _waiting: dict[Extension, Deliver] = field(default_factory=dict)

    # -- the extensions' side --

    def register(self, name: str, events: Sequence[str]) -> Extension:
        """Raises Refused."""
        extension = self.extensions.register(name, events)
        if extension.is_external and self.extensions.are_registered:
            self.on_registered()
        return extension

    def next(self, extension: Extension, deliver: Deliver) -> None:
        """It is done with what it had; `deliver` gets the next event. Raises Refused."""
        extension.move(Move.NEXT)
        self._waiting[extension] = deliver
        if self.extensions.are_ready:
            self.on_ready()

    def report(self, extension: Extension, move: Move, error_type: str) -> None:
        """It can't go on, and is about to exit. Raises Refused."""
        extension.report(move, error_type)
        self.fatal = self.fatal or _REPORTED[move]

    # -- the session's side --

    def invoke(self, dispatch: Dispatch) -> None:
        """Tell those who registered for it of an invocation."""
        self._send(Event.INVOKE, dispatch)

    def shut_down(self, shutdown: Shutdown) -> None:
        """Tell those who registered for it of the end."""
        self._send(Event.SHUTDOWN, shutdown)

    def ended(self, name: str | None, how: Exit | NotStarted) -> ExtensionEnded | Exit:
        """A process has: what that means for what the environment does. No name is the runtime's."""
        self.over.add(name)
        self.on_end()
        if name is None:
            ending = how if isinstance(how, Exit) else Exit(127)
            return ending if self.fatal is None else ExtensionEnded(self.fatal, process_end(ending))
        extension = self.extensions.external(name)
        if isinstance(how, NotStarted):
            extension.error_type = "PermissionDenied" if how.error_number == _PERMISSION_DENIED else "UnknownError"
            _settle(extension, Move.NOT_LAUNCHED)
            return ExtensionEnded(_LAUNCH_ERROR, f"fork/exec {EXTENSIONS_DIRECTORY}/{name}: {how.reason}")
        if self.is_shutting_down:
            _settle(extension, Move.EXITED if how == Exit(0) else Move.KILLED)
        return ExtensionEnded(self.fatal or _CRASH, process_end(how))

    def _send(self, event: Event, content: Dispatch | Shutdown) -> None:
        for extension in self.extensions.subscribed(event):
            deliver = self._waiting.pop(extension, None)
            if deliver is not None:
                extension.move(Move.EVENT)
                deliver(content)


def too_many(error: TooManyExtensions, new_identifier: Callable[[], str]) -> tuple[Extensions, ExtensionEnded]:
    """None of them is started; the first that is too much is to blame."""
    extensions = Extensions(new_identifier, error.names[: MOST_EXTENSIONS + 1])
    excess = extensions.external(error.names[MOST_EXTENSIONS])
    excess.error_type = "TooManyExtensions"
    excess.move(Move.NOT_LAUNCHED)
    return extensions, ExtensionEnded(_LAUNCH_ERROR, str(error))


def _settle(extension: Extension, move: Move) -> None:
    """It has come to its end in any case; its state tells so only where AWS's does."""
    try:
        extension.move(move)
    except Refused:
        return
