"""The HTTP client against a server that behaves, and one that doesn't: an answer, or words, and nothing left open."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import pytest

from lampion.clock.clock import SystemClock
from lampion.clock.virtual import VirtualClock
from lampion.endpoints.address import Origin
from lampion.endpoints.errors import ServiceUnreachable
from lampion.endpoints.exchange import ANSWER_BYTES, HEAD_BYTES, HttpAnswer
from lampion.endpoints.http_client import HttpClient, TimeLimits

REQUEST = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n\r\n{}"
CERTIFICATE = Path(__file__).parent / "localhost.pem"
"""For the name localhost, its own authority, valid for a hundred years; its key is in it, as nobody relies on it."""


class Server:
    """Answers each request with the next of `answers`, as bytes; closes after one that says so or is empty."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers
        self.requests = 0
        self.opened = 0
        self.open = 0
        self.hold = asyncio.Event()
        self.hold.set()
        self.talking: set[asyncio.Task[None]] = set()

    async def start(self, listener: socket.socket) -> asyncio.Server:
        return await asyncio.start_server(self._accept, sock=listener)

    async def close(self) -> None:
        """Waits for clients to be gone, which is theirs to see to."""
        async with asyncio.timeout(5):
            await asyncio.gather(*self.talking)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talking.add(asyncio.get_running_loop().create_task(self._talk(reader, writer)))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.open += 1
        try:
            while True:
                await reader.readexactly(len(REQUEST))
                self.requests += 1
                await self.hold.wait()
                told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                writer.write(told)
                await writer.drain()
                if not told or b"close" in told:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def serving(*answers: bytes) -> AsyncIterator[tuple[Server, Origin]]:
    server = Server(list(answers))
    listener = socket.create_server(("127.0.0.1", 0))
    origin = Origin("127.0.0.1", listener.getsockname()[1], is_tls=False)
    running = await server.start(listener)
    try:
        yield server, origin
    finally:
        running.close()
        server.hold.set()
        await server.close()


def client(limits: TimeLimits | None = None, ca_bundle: Path | None = None) -> HttpClient:
    return HttpClient(SystemClock(), ca_bundle=ca_bundle, limits=limits)


async def closed(server: Server) -> None:
    async with asyncio.timeout(5):
        while server.open:
            await asyncio.sleep(0.005)


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-Name: value\r\n\r\nok"


async def test_a_connection_is_used_again_and_closed_at_the_end() -> None:
    async with serving(OK) as (server, origin):
        http = client()
        for _ in range(5):
            answer = await http.send(origin, REQUEST)
        assert answer == HttpAnswer(200, {"content-length": "2", "x-name": "value"}, b"ok")
        assert (server.requests, server.opened) == (5, 1)
        await http.close()
        await closed(server)


async def test_requests_at_once_have_connections_of_their_own_and_not_all_are_kept() -> None:
    async with serving(OK) as (server, origin):
        http = client()
        server.hold.clear()
        asked = [asyncio.create_task(http.send(origin, REQUEST)) for _ in range(20)]
        async with asyncio.timeout(5):
            while server.requests < 20:
                await asyncio.sleep(0.005)
        server.hold.set()
        assert {answer.body for answer in await asyncio.gather(*asked)} == {b"ok"}
        assert server.opened == 20
        async with asyncio.timeout(5):
            while server.open != 16:
                await asyncio.sleep(0.005)
        await http.close()
        await closed(server)


async def test_an_unused_connection_is_closed_after_a_while() -> None:
    async with serving(OK) as (server, origin):
        clock = VirtualClock()
        http = HttpClient(clock, limits=TimeLimits(idle_seconds=10))
        await http.send(origin, REQUEST)
        await clock.advance(9.9)
        await http.send(origin, REQUEST)
        assert server.opened == 1
        await clock.advance(9.9)
        assert server.open == 1
        await clock.advance(0.2)
        await closed(server)
        assert clock.pending == 0


@pytest.mark.parametrize(
    ("told", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 200, b"abcde"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\nx", 201, b"x"),
        (b"HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 301, b""),
        (b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy", 503, b"busy"),
    ],
)
async def test_kinds_of_answers_after_which_the_connection_goes_on(told: bytes, status: int, body: bytes) -> None:
    async with serving(told) as (server, origin):
        http = client()
        for _ in range(2):
            answer = await http.send(origin, REQUEST)
            assert (answer.status, answer.body) == (status, body)
            assert "x-a" not in answer.headers
        assert (server.requests, server.opened) == (2, 1)
        await http.close()


@pytest.mark.parametrize(
    "told",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\nend",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nend",
        b"HTTP/1.1 200 OK\r\nconnection: CLOSE\r\ncontent-length: 3\r\n\r\nend",  # which the server leaves to us
        b"HTTP/1.0 200 OK\r\nx: close\r\n\r\nend",
    ],
)
async def test_an_answer_may_end_with_its_connection(told: bytes) -> None:
    async with serving(told) as (server, origin):
        http = client()
        assert (await http.send(origin, REQUEST)).body == b"end"
        assert (await http.send(origin, REQUEST)).body == b"end"
        assert server.opened == 2
        await http.close()
        await closed(server)


async def test_a_connection_that_was_closed_meanwhile_costs_no_request() -> None:
    """The server promises to go on and closes at the next request, without a byte."""
    async with serving(OK, b"", OK) as (server, origin):
        http = client()
        assert (await http.send(origin, REQUEST)).body == b"ok"
        assert (await http.send(origin, REQUEST)).body == b"ok"
        assert (server.requests, server.opened) == (3, 2)
        await http.close()


async def test_a_request_is_sent_again_once_only() -> None:
    async with serving(OK, b"") as (server, origin):
        http = client()
        await http.send(origin, REQUEST)
        with pytest.raises(ServiceUnreachable, match="closed before the answer's end"):
            await http.send(origin, REQUEST)
        assert server.requests == 3
        with pytest.raises(ServiceUnreachable):
            await http.send(origin, REQUEST)
        assert server.requests == 4
        await closed(server)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\nx: close\r\n\r\nhalf", "closed before the answer's end"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx: close\r\n\r\n5\r\nab", "closed before the answer's end"),
        (b"HTTP/1.1 200 OK\r\nx: close\r\ncont", "closed before the answer's end"),
        (b"SSH-2.0-server close\r\n\r\n", "no HTTP answer"),
        (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nzz", "no HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"x" * HEAD_BYTES + b"\r\n", "head is too long"),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n" % (1 << 30) + b"x" * ANSWER_BYTES + b"x",
            "long",
        ),
    ],
)
async def test_what_is_no_whole_answer_is_none(told: bytes, words: str) -> None:
    async with serving(OK, told) as (server, origin):
        http = client(TimeLimits(answer_seconds=5))
        await http.send(origin, REQUEST)
        with pytest.raises(ServiceUnreachable, match=words):
            await http.send(origin, REQUEST)
        assert server.requests == 2, "what has begun to be answered isn't sent again"
        await closed(server)
        await http.close()


async def test_bytes_that_nobody_asked_for_are_no_answer_to_the_next_request() -> None:
    async with serving(OK + b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong", OK) as (server, origin):
        http = client()
        assert (await http.send(origin, REQUEST)).body == b"ok"
        assert (await http.send(origin, REQUEST)).body == b"ok"
        assert server.opened == 2
        await http.close()


async def test_no_answer_in_time_is_said_and_the_connection_closed() -> None:
    async with serving(OK) as (server, origin):
        http = client(TimeLimits(answer_seconds=0.05))
        server.hold.clear()
        with pytest.raises(ServiceUnreachable, match=r"no answer within 0\.05 s"):
            await http.send(origin, REQUEST)
        server.hold.set()
        await closed(server)
        assert (await http.send(origin, REQUEST)).body == b"ok"
        assert server.opened == 2
        await http.close()


async def test_a_request_that_is_given_up_leaves_no_connection_behind() -> None:
    async with serving(OK) as (server, origin):
        http = client()
        server.hold.clear()
        asked = asyncio.create_task(http.send(origin, REQUEST))
        async with asyncio.timeout(5):
            while not server.requests:
                await asyncio.sleep(0.005)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        server.hold.set()
        await closed(server)


async def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    with pytest.raises(ServiceUnreachable, match=r"(?i)refused|connect"):
        await client().send(Origin("127.0.0.1", free, is_tls=False), REQUEST)
    with pytest.raises(ServiceUnreachable, match=r"(?i)name|host|resolution"):
        await client().send(Origin("nowhere.invalid", 80, is_tls=False), REQUEST)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        origin = Origin("127.0.0.1", listener.getsockname()[1], is_tls=False)
        with pytest.raises(ServiceUnreachable, match="no connection within 0 s"):
            await client(TimeLimits(connect_seconds=0)).send(origin, REQUEST)


class TlsServer:
    """In a thread with plain sockets: asyncio's own server leaks connections whose handshake fails."""

    def __init__(self) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(CERTIFICATE)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._stopping = False
        self.port = self._listener.getsockname()[1]
        self.requests = self.opened = self.refused = 0
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                plain, _ = self._listener.accept()
                self._talk(plain)

    def _talk(self, plain: socket.socket) -> None:
        with plain:
            plain.settimeout(5)
            try:
                connection = self._context.wrap_socket(plain, server_side=True)
            except OSError:
                self.refused += 1
                return
            with connection:
                self.opened += 1
                while connection.recv(65536):
                    self.requests += 1
                    connection.sendall(OK)


async def test_tls_is_verified() -> None:
    with TlsServer() as server:
        origin = Origin("localhost", server.port, is_tls=True)
        trusting = client(ca_bundle=CERTIFICATE)
        assert (await trusting.send(origin, REQUEST)).body == b"ok"
        assert (await trusting.send(origin, REQUEST)).body == b"ok"
        assert (server.opened, server.requests) == (1, 2)
        await trusting.close()
        with pytest.raises(ServiceUnreachable, match="certificate is not trusted"):
            await client().send(origin, REQUEST)
        with pytest.raises(ServiceUnreachable, match=r"certificate is not trusted.*127\.0\.0\.1"):
            await client(ca_bundle=CERTIFICATE).send(Origin("127.0.0.1", server.port, is_tls=True), REQUEST)
        with pytest.raises(ServiceUnreachable, match="can't be read: No such file"):
            await client(ca_bundle=Path("/nowhere/ca.pem")).send(origin, REQUEST)
        assert (server.opened, server.requests) == (1, 2)
