"""What a function streams to its URL: the head of an HTTP response first if it sends one, then the body as it comes.

Docs: Lambda developer guide, "Response streaming for Lambda functions"; AWS's Node.js runtime, `HttpResponseStream`.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from lampion.function_url.response import Malformed, Prelude, prelude_of_json
from lampion.http.application import BrokenOff
from lampion.invoke.streaming import HTTP_HEAD_END, HTTP_INTEGRATION, StreamedInvocation

Pieces = AsyncGenerator[bytes]

_HEAD_BYTES_MAX: Final = 1024 * 1024
_UNKNOWN_TYPE: Final = "application/octet-stream"


async def streamed_response(streamed: StreamedInvocation) -> tuple[Prelude, Pieces]:
    """The head, and the rest of the stream. Raises Malformed for a head that is none, and then reads no more."""
    content_type = streamed.content_type or _UNKNOWN_TYPE
    if content_type.partition(";")[0].strip().lower() != HTTP_INTEGRATION:
        return Prelude(200, [("Content-Type", content_type)]), _rest(streamed, b"", streamed.pieces())
    pieces = streamed.pieces()
    try:
        head, body = await _head(pieces)
        return prelude_of_json(head, content_type=_UNKNOWN_TYPE), _rest(streamed, body, pieces)
    except Malformed:
        streamed.abandon()
        await pieces.aclose()
        raise


async def _head(pieces: Pieces) -> tuple[bytes, bytes]:
    """The bytes before the end of the head, and those of the body that came with them. Raises Malformed."""
    read = b""
    async for piece in pieces:
        searched = max(0, len(read) - len(HTTP_HEAD_END) + 1)
        read += piece
        end = read.find(HTTP_HEAD_END, searched)
        if end >= 0:
            return read[:end], read[end + len(HTTP_HEAD_END) :]
        if len(read) > _HEAD_BYTES_MAX:
            break
    raise Malformed


async def _rest(streamed: StreamedInvocation, first: bytes, pieces: Pieces) -> Pieces:
    """Raises BrokenOff when the function fails in the middle: the client can be told of it in no other way."""
    if first:
        yield first
    async with aclosing(pieces):
        async for piece in pieces:
            yield piece
    if not streamed.is_abandoned and streamed.failure is not None:
        raise BrokenOff
