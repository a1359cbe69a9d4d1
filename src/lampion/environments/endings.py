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
    end: "End"


class ExtensionEnded(msgspec.Struct, frozen=True):
    """The process of an extension ended, or didn't start: `error_type` and `reason` are AWS's words for it."""

    error_type: str
    reason: str


class Finished(msgspec.Struct, frozen=True):
    """How long an invocation took with what extensions did for it, and how long that was after the answer."""

    duration_ms: float
    extensions_ms: float


class TimedOut(msgspec.Struct, frozen=True):
    """Nothing was posted in time."""


class NoProgram(msgspec.Struct, frozen=True):
    """The function has no program of its own that can be run, though its runtime asks for one."""

    error_type: str
    message: str


End = TimedOut | NoProgram | Exit | ExtensionEnded
"""Why a sandbox is of no use any more, or why there is none."""

Ending = Answer | ResponseTooLarge | Truncated | End


class CannotStart(Exception):
    """Raised in place of a sandbox when the function is to blame that there is none."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(str(ending))
        self.ending = ending
