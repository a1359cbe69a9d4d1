"""What goes to a runtime for one invocation, and the ways in which that can end. Values only."""

import msgspec

from lampion.domain.invocation import Invocation
from lampion.sandbox.driver import Exit


class Dispatch(msgspec.Struct, frozen=True):
    """An invocation as handed to the runtime; the deadline is in milliseconds since the epoch."""

    invocation: Invocation
    deadline_epoch_ms: int


class Answer(msgspec.Struct, frozen=True):
    """What the runtime posted: a response, or with `error_type` an error."""

    payload: bytes
    error_type: str | None = None


class ResponseTooLarge(msgspec.Struct, frozen=True):
    """The runtime posted more than an answer may hold."""


class TimedOut(msgspec.Struct, frozen=True):
    """Nothing was posted in time."""


Ending = Answer | ResponseTooLarge | TimedOut | Exit
