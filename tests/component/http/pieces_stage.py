"""An application that gives and takes bodies in pieces, and clients for it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from lampion.clock.clock import Clock, SystemClock
from lampion.http.application import Body, Exchange
from lampion.http.limits import HttpLimits
from lampion.http.message import BodyPieces, Request, RequestHead, Response
from lampion.http.server import HttpServer

PIECE = bytes(64 * 1024)


class Receiver:
    """Keeps what comes."""

    def __init__(self, pieces: BodyPieces, exchange: Exchange) -> None:
        self.pieces = pieces
        self.exchange = exchange
        self.taken: list[bytes] = []
        self.trailers: Mapping[str, str] | None = None
        self.broken = False
        self.refuses_after: int | None = None

    @property
    def taken_bytes(self) -> int:
        return sum(map(len, self.taken))

    def take(self, piece: bytes) -> None:
        self.taken.append(piece)
        if self.refuses_after is not None and self.taken_bytes > self.refuses_after:
            self.pieces.discard()
            self.exchange.respond(Response(413, b"enough"))

    def finish(self, trailers: Mapping[str, str]) -> None:
        self.trailers = trailers
        self.exchange.respond(Response(200, b"got it"))

    def break_off(self) -> None:
        self.broken = True


class Pieces:
    """/up takes the body in pieces; everything else is answered in pieces, by the test."""

    def __init__(self) -> None:
        self.receivers: list[Receiver] = []
        self.answers: list[Exchange] = []
        self.heads: list[RequestHead] = []
        self.disconnected = 0

    def accept(self, head: RequestHead) -> int | Body:
        self.heads.append(head)
        return Body.IN_PIECES if head.path == "/up" else 1000

    def too_large(self, head: RequestHead) -> Response:
        return Response(413)

    def start(self, request: Request, exchange: Exchange) -> None:
        exchange.on_disconnect(self._disconnect)
        if request.pieces is None:
            self.answers.append(exchange)
            return
        receiver = Receiver(request.pieces, exchange)
        self.receivers.append(receiver)
        request.pieces.receive(receiver)

    def _disconnect(self) -> None:
        self.disconnected += 1


@asynccontextmanager
async def serving(limits: HttpLimits | None = None, clock: Clock | None = None) -> AsyncIterator[tuple[Pieces, int]]:
    application = Pieces()
    server = HttpServer(application, clock or SystemClock(), limits)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    await server.start(listener)
    try:
        yield application, port
    finally:
        await server.close(grace_seconds=0)


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=64 * 1024)
    try:
        yield reader, writer
    finally:
        writer.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def asked(application: Pieces, writer: asyncio.StreamWriter, sent: bytes) -> Exchange:
    """The exchange of a request, when it has come."""
    expected = len(application.answers) + 1
    writer.write(sent)
    await until(lambda: len(application.answers) == expected)
    return application.answers[-1]


def get(*headers: str, version: str = "1.1", method: str = "GET") -> bytes:
    return "\r\n".join((f"{method} / HTTP/{version}", "Host: here", *headers, "", "")).encode()
