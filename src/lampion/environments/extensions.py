"""The extensions of one environment: which are registered, for which events, and where each stands. Pure: no I/O.

`Extensions` is made with the names of the external ones, for one sandbox. `for extension in extensions` gives all, the
external ones first; `find(identifier)` is the one that a request names. `is_open` tells whether anybody can still
register: until the runtime is ready; `is_initialized` whether all of Init is over, and with it the time to subscribe to
anything. An `Extension` has `name`, `identifier`, `is_external`, `events`, `state` and `error_type`. What is refused is
a `Refused` with AWS's error type and message, for an answer with status 403. Message texts and states are those of
AWS's runtime interface emulator.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

MOST_EXTENSIONS: Final = 10


class Event(StrEnum):
    """What an extension can register for."""

    INVOKE = "INVOKE"
    SHUTDOWN = "SHUTDOWN"


class State(StrEnum):
    """Where an extension stands, in the words of the log line EXTENSION."""

    STARTED = "Started"
    REGISTERED = "Registered"
    READY = "Ready"
    RUNNING = "Running"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"
    SHUTDOWN_FAILED = "ShutdownFailed"
    EXITED = "Exited"
    LAUNCH_ERROR = "LaunchError"


class Move(StrEnum):
    """What can happen to an extension."""

    REGISTER = "register"
    NEXT = "next"
    EVENT = "event"
    INIT_ERROR = "init error"
    EXIT_ERROR = "exit error"
    EXITED = "exited"
    KILLED = "killed"
    NOT_LAUNCHED = "not launched"


_STATES: Final = MappingProxyType(
    {
        (State.STARTED, Move.REGISTER): State.REGISTERED,
        (State.STARTED, Move.NOT_LAUNCHED): State.LAUNCH_ERROR,
        (State.REGISTERED, Move.NEXT): State.READY,
        (State.REGISTERED, Move.INIT_ERROR): State.INIT_ERROR,
        (State.REGISTERED, Move.EXIT_ERROR): State.EXIT_ERROR,
        (State.READY, Move.EVENT): State.RUNNING,
        (State.READY, Move.EXIT_ERROR): State.EXIT_ERROR,
        (State.RUNNING, Move.NEXT): State.READY,
        (State.RUNNING, Move.EXIT_ERROR): State.EXIT_ERROR,
        (State.RUNNING, Move.EXITED): State.EXITED,
        (State.RUNNING, Move.KILLED): State.SHUTDOWN_FAILED,
        (State.INIT_ERROR, Move.INIT_ERROR): State.INIT_ERROR,  # only the first one counts
        (State.EXIT_ERROR, Move.EXIT_ERROR): State.EXIT_ERROR,
    }
)
_WANTED: Final = MappingProxyType(
    {
        Move.REGISTER: State.REGISTERED,
        Move.NEXT: State.READY,
        Move.INIT_ERROR: State.INIT_ERROR,
        Move.EXIT_ERROR: State.EXITED,
    }
)
"""Where a call would have led, as AWS's refusals say it."""


class Refused(Exception):
    """A call of an extension that AWS answers with 403; `error_type` and the message go into the answer."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message


class UnknownExtension(Refused):
    """The identifier is well formed and nobody's."""

    def __init__(self, identifier: str) -> None:
        super().__init__("Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")


@dataclass(slots=True, eq=False)
class Extension:
    """One extension. An external one is a process of its own, an internal one a part of the runtime's."""

    name: str
    identifier: str
    is_external: bool
    state: State = State.STARTED
    events: tuple[Event, ...] = ()
    error_type: str | None = None  # of what it reported, or of why it wasn't launched

    def move(self, move: Move, called: str | None = None) -> None:
        """Raises Refused when that can't happen now; `called` is how the message calls the extension."""
        following = _STATES.get((self.state, move))
        if following is None:
            wanted = _WANTED.get(move, move)
            raise Refused(
                "Extension.InvalidExtensionState",
                f"State transition from {self.state} to {wanted} failed for extension {called or self.identifier}."
                " Error: State transition is not allowed",
            )
        self.state = following

    def report(self, move: Move, error_type: str) -> None:
        """It reports an error, by INIT_ERROR or EXIT_ERROR; the first one stands. Raises Refused."""
        self.move(move)
        self.error_type = self.error_type or error_type


class TooManyExtensions(Exception):
    """There are more programs to be extensions than an environment may have; `names` are all of them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__("ErrTooManyExtensions")
        self.names = names


class Extensions:
    """All extensions of one environment."""

    def __init__(self, new_identifier: Callable[[], str], external: Iterable[str] = ()) -> None:
        """`external` are the names of those that are started as processes, in this order."""
        self._new_identifier = new_identifier
        self._by_name: dict[str, Extension] = {}
        self._by_identifier: dict[str, Extension] = {}
        self.is_open = True
        self.is_initialized = False
        for name in external:
            self._add(name, is_external=True)

    def __iter__(self) -> Iterator[Extension]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def external(self, name: str) -> Extension:
        """The process of that name. Raises KeyError."""
        return self._by_name[name]

    @property
    def has_external(self) -> bool:
        return any(extension.is_external for extension in self)

    @property
    def has_internal(self) -> bool:
        return any(not extension.is_external for extension in self)

    @property
    def are_registered(self) -> bool:
        """Whether every external one is."""
        return all(extension.state is not State.STARTED for extension in self)

    @property
    def are_ready(self) -> bool:
        """Whether every one waits for an event."""
        return all(extension.state is State.READY for extension in self)

    def subscribed(self, event: Event) -> list[Extension]:
        return [extension for extension in self if event in extension.events]

    def register(self, name: str, events: Sequence[str]) -> Extension:
        """An external one by the name of its file; any other name makes an internal one. Raises Refused."""
        if not name:
            raise Refused("Extension.InvalidExtensionName", "Empty extension name")
        known = self._by_name.get(name)
        is_external = known is not None and known.is_external
        wanted = tuple(dict.fromkeys(_event(event, is_external=is_external) for event in events))
        if not is_external:
            known = self._new_internal(name, known)
        assert known is not None
        known.move(Move.REGISTER, name)
        known.events = wanted
        return known

    def close(self) -> None:
        """Nobody can register any more."""
        self.is_open = False

    def find(self, identifier: str | None) -> Extension:
        """The one that a request comes from. Raises Refused, UnknownExtension among them."""
        if not identifier:
            raise Refused("Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
        try:
            canonical = str(uuid.UUID(identifier))
        except ValueError:
            raise Refused("Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier") from None
        extension = self._by_identifier.get(canonical)
        if extension is None:
            raise UnknownExtension(canonical)
        return extension

    def _new_internal(self, name: str, known: Extension | None) -> Extension:
        if not self.is_open:
            raise Refused("Extension.RegistrationClosed", "Extension registration closed already")
        if len(self._by_name) >= MOST_EXTENSIONS:
            raise Refused("Extension.TooManyExtensions", f"Extension limit ({MOST_EXTENSIONS}) reached")
        if known is not None:
            raise Refused("Extension.InvalidExtensionState", "Extension with this name already registered")
        return self._add(name, is_external=False)

    def _add(self, name: str, *, is_external: bool) -> Extension:
        extension = Extension(name, self._new_identifier(), is_external)
        self._by_name[name] = extension
        self._by_identifier[extension.identifier] = extension
        return extension


def _event(name: str, *, is_external: bool) -> Event:
    if name == Event.SHUTDOWN and not is_external:
        raise Refused("Extension.InvalidEventType", f"{name}: ShutdownEventNotSupportedForInternalExtension")
    try:
        return Event(name)
    except ValueError:
        raise Refused("Extension.InvalidEventType", f"{name}: ErrorInvalidEventType") from None
