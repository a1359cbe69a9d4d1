"""A request in work: its answer, whole or in pieces. The connection writes what it holds when its turn comes."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from lampion.http.application import ClientGone
from lampion.http.message import Response


class Line(Protocol):
    """The connection, as far as an answer needs it."""

    @property
    def is_gone(self) -> bool: ...

    @property
    def is_full(self) -> bool:
        """Whether the client has to take something first."""

    def flush(self) -> None:
        """Write what is ready of the answers whose turn has come."""

    def write(self, parts: Sequence[bytes]) -> None: ...

    def abort(self) -> None: ...


class OpenExchange(msgspec.Struct, eq=False):
    """One request's way back (http.application.Exchange). `is_old`: for a client of HTTP/1.0, which knows no chunks."""

    line: Line
    close: bool
    head_only: bool = False
    is_old: bool = False
    response: Response | None = None
    body: "StreamedBody | None" = None
    disconnected: Callable[[], object] | None = None

    def respond(self, response: Response) -> None:
        if self.response is None:
            self.response = response
            self.disconnected = None  # what would be called then may hold this exchange, and with it the answer
            self.line.flush()

    def begin(self, head: Response, size_bytes: int | None = None) -> "StreamedBody":
        assert self.response is None
        self.response = head if size_bytes is None else _sized(head, size_bytes)
        self.close = self.close or (self.is_old and size_bytes is None)
        is_chunked = not self.is_old and size_bytes is None
        self.body = StreamedBody(self.line, is_chunked=is_chunked, is_sent=not self.head_only)
        self.line.flush()
        return self.body

    def on_disconnect(self, action: Callable[[], object]) -> None:
        self.disconnected = action

    def disconnect(self) -> None:
        if self.body is not None:
            self.body.wake()
        is_complete = self.response is not None and (self.body is None or self.body.is_over)
        if not is_complete and self.disconnected is not None:
            self.disconnected()


def _sized(head: Response, size_bytes: int) -> Response:
    pairs = head.headers.items() if isinstance(head.headers, dict) else head.headers
    assert not isinstance(pairs, str)
    return Response(head.status, headers=[*pairs, ("Content-Length", str(size_bytes))])


class StreamedBody:
    """An answer's body in pieces (http.application.AnswerBody). Chunks, for all but clients of HTTP/1.0."""

    __slots__ = ("_line", "_turn", "has_turn", "is_chunked", "is_over", "is_sent")

    def __init__(self, line: Line, *, is_chunked: bool, is_sent: bool) -> None:
        self._line = line
        self.is_chunked = is_chunked
        self.is_sent = is_sent  # it isn't when only the head was asked for
        self.has_turn = False
        self.is_over = False
        self._turn: asyncio.Future[None] | None = None

    async def write(self, piece: bytes) -> None:
        while not self.has_turn or self._line.is_full:
            if self._line.is_gone:
                raise ClientGone
            self._turn = asyncio.get_running_loop().create_future()
            await self._turn
        if self._line.is_gone:
            raise ClientGone
        if not piece or not self.is_sent:
            return
        self._line.write((b"%x\r\n" % len(piece), piece, b"\r\n") if self.is_chunked else (piece,))

    def end(self) -> None:
        self.is_over = True
        self._line.flush()

    def abort(self) -> None:
        self.is_over = True
        self._line.abort()

    def take_turn(self) -> None:
        self.has_turn = True
        self.wake()

    def wake(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None and not turn.done():
            turn.set_result(None)

    @property
    def last_part(self) -> bytes:
        """What tells the client that it has everything."""
        return b"0\r\n\r\n" if self.is_chunked and self.is_sent else b""
