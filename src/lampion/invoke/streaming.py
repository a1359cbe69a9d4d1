"""A caller's side of an invocation whose answer it takes in pieces: what both doors that stream use.

streamed = await invoker.invoke_streamed(target, function, invocation)    # raises what `invoke` raises
streamed.content_type                      # of the function's stream; None when it doesn't stream
async for piece in streamed.pieces(): ...  # bounded: the function waits for who takes them
streamed.failure                           # known when the pieces are over
await streamed.ended()                     # the outcome: a function may go on after the end of its stream
streamed.abandon()                         # at any time: nobody takes them, `pieces` ends; the function goes on
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from lampion.domain.invocation import Outcome
from lampion.environments.failures import EXIT_ERROR, OUT_OF_MEMORY, TRUNCATED_RESPONSE
from lampion.environments.response_stream import ResponseStream

HTTP_INTEGRATION: Final = "application/vnd.awslambda.http-integration-response"
"""The content type of a stream that begins with an HTTP response's head: JSON, then `HTTP_HEAD_END`, then the body."""

HTTP_HEAD_END: Final = bytes(8)

_PIECE_BYTES: Final = 64 * 1024  # of an answer that the function gave whole
_BREAKING_OFF: Final = frozenset((EXIT_ERROR, OUT_OF_MEMORY, TRUNCATED_RESPONSE))


@dataclass(frozen=True, slots=True)
class StreamFailure:
    """How a stream failed: the error's type, and the error as the function or the platform reports it, in JSON."""

    code: str
    details: str | None


def failure_of(outcome: Outcome, *, has_begun: bool) -> StreamFailure | None:
    """What a caller learns of a failure; None where there is none. Pure.

    Of a stream that breaks off because the process ended, it learns no more than that; the log has the rest.
    """
    if outcome.function_error is None:
        return None
    code = outcome.error_type or outcome.function_error
    if has_begun and code in _BREAKING_OFF:
        return StreamFailure(TRUNCATED_RESPONSE, None)
    return StreamFailure(code, outcome.payload.decode("utf-8", "replace"))


class StreamedInvocation:
    """One invocation that has begun to answer, or has ended."""

    def __init__(self, stream: ResponseStream, executed_version: str, running: "asyncio.Task[Outcome]") -> None:
        self.executed_version = executed_version
        self._stream = stream
        self._running = running

    @property
    def content_type(self) -> str | None:
        """What the function says of its stream; None when it doesn't stream."""
        return self._stream.content_type

    @property
    def is_streamed(self) -> bool:
        """Whether the function streams; else it answers all at once, or failed before it began."""
        return self._stream.has_begun

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The answer, none of it empty; without that of a failure. Raises what ended the invocation on our side."""
        while piece := await self._stream.read():
            yield piece
        if self._stream.is_abandoned or self._stream.has_ended:
            return
        outcome = await self.ended()
        if outcome.function_error is None:
            for start in range(0, len(outcome.payload), _PIECE_BYTES):
                yield outcome.payload[start : start + _PIECE_BYTES]

    @property
    def is_abandoned(self) -> bool:
        return self._stream.is_abandoned

    async def ended(self) -> Outcome:
        """How the invocation ended. Raises what ended it on our side."""
        return await asyncio.shield(self._running)

    @property
    def failure(self) -> StreamFailure | None:
        """What went wrong, as far as the function is concerned; known when its pieces are over."""
        if self._stream.has_ended:
            return None
        return failure_of(self._running.result(), has_begun=self.is_streamed)

    def abandon(self) -> None:
        """The caller is gone: what the function answers from now on is dropped."""
        self._stream.abandon()
