"""What goes to a runtime for one invocation, and the ways in which that can end. Values only."""

from dataclasses import dataclass

from lampion.domain.invocation import Invocation
from lampion.sandbox.driver import Exit


@dataclass(frozen=True, slots=True)
class Dispatch:
    """An invocation as handed to the runtime; the deadline is in milliseconds since the epoch."""

    invocation: Invocation
    deadline_epoch_ms: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the runtime posted: a response, or with `error_type` an error."""

    payload: bytes
    error_type: str | None = None


@dataclass(frozen=True, slots=True)
class ResponseTooLarge:
    """The runtime posted more than an answer may hold."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nothing was posted in time."""


Ending = Answer | ResponseTooLarge | TimedOut | Exit
