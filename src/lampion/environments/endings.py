"""What goes to a runtime for one invocation, and the ways in which that can end. Values only."""

from typing import TYPE_CHECKING

import msgspec

from lampion.domain.invocation import Invocation
from lampion.domain.limits import SYNC_RESPONSE_BYTES
from lampion.sandbox.driver import Exit

if TYPE_CHECKING:
    from lampion.environments.response_stream import ResponseStream


class Dispatch(msgspec.Struct, frozen=True):
    """An invocation as handed to the runtime; the deadline is in milliseconds since the epoch.

    `stream` is where an answer in pieces goes, for a caller who takes it so.
    """

    invocation: Invocation
    deadline_epoch_ms: int
    stream: "ResponseStream | None" = None


class Answer(msgspec.Struct, frozen=True):
    """What the runtime posted: a response, or with `error_type` an error."""

    payload: bytes
    error_type: str | None = None


class ResponseTooLarge(msgspec.Struct, frozen=True):
    """The runtime posted more than an answer may hold."""

    most_bytes: int = SYNC_RESPONSE_BYTES


class Truncated(msgspec.Struct, frozen=True):
    """The runtime broke off in the middle of its answer."""


class Answered(msgspec.Struct, frozen=True):
    """The runtime streamed all of an answer, and then didn't come to its next invocation: `end` says why."""

    answer: Answer
    end: "TimedOut | Exit"


class TimedOut(msgspec.Struct, frozen=True):
    """Nothing was posted in time."""


class NotStarted(msgspec.Struct, frozen=True):
    """There is nothing that could run: what an image names can't be started."""

    error_type: str
    message: str


Ending = Answer | ResponseTooLarge | Truncated | TimedOut | NotStarted | Exit
