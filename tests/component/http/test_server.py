"""The HTTP room: whatever bytes come, a bounded cost, and an answer or a closed socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from lampion.clock.clock import SystemClock
from lampion.clock.virtual import VirtualClock
from lampion.http.application import Exchange
from lampion.http.limits import HttpLimits
from lampion.http.message import Request, RequestHead, Response
from lampion.http.server import HttpServer

REFUSED = Response(403, b"refused")
TOO_LARGE = Response(413, b"too large")


class Echo:
    """Answers with the body; /refuse is refused by its head, /hold waits for `release`."""

    def __init__(self) -> None:
        self.started: list[Request] = []
        self.held: list[Exchange] = []
        self.disconnected = 0

    def accept(self, head: RequestHead) -> int | Response:
        return REFUSED if head.path == "/refuse" else 1000

    def too_large(self, head: RequestHead) -> Response:
        return TOO_LARGE

    def start(self, request: Request, exchange: Exchange) -> None:
        self.started.append(request)
        if request.head.path == "/hold":
            self.held.append(exchange)
            exchange.on_disconnect(self._count_disconnect)
        else:
            exchange.respond(Response(200, request.body or request.head.path.encode()))

    def _count_disconnect(self) -> None:
        self.disconnected += 1


@asynccontextmanager
async def serving(
    limits: HttpLimits | None = None, clock: VirtualClock | None = None
) -> AsyncIterator[tuple[Echo, int]]:
    echo = Echo()
    server = HttpServer(echo, clock or SystemClock(), limits)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    await server.start(listener)
    try:
        yield echo, port
    finally:
        await server.close(grace_seconds=0)


async def talk(port: int, sent: bytes, *, finish: bool = True) -> bytes:
    """Send `sent`, read until the server closes or nothing comes for a moment."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    if finish:
        await writer.drain()
    received = b""
    try:
        while chunk := await asyncio.wait_for(reader.read(65536), 0.3 if received else 10):
            received += chunk
    except (TimeoutError, ConnectionError):
        pass
    writer.close()
    return received


def request(path: str = "/", *headers: str, method: str = "POST", body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n"
    return (head + "".join(f"{header}\r\n" for header in headers) + "\r\n").encode("latin-1") + body


async def test_a_request_gets_its_answer_and_the_connection_stays_open() -> None:
    async with serving() as (_, port):
        answer = await talk(port, request(body=b"one") + request(body=b"two"))
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert answer.index(b"one") < answer.index(b"two")


async def test_connection_close_is_honoured() -> None:
    async with serving() as (_, port):
        answer = await talk(port, request("/", "Connection: close", body=b"bye"))
    assert b"Connection: close\r\n" in answer
    assert answer.endswith(b"bye")


async def test_pipelined_answers_keep_the_order_of_their_requests() -> None:
    async with serving() as (echo, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/hold") + request(body=b"second"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        echo.held[0].respond(Response(200, b"first"))
        received = await asyncio.wait_for(reader.readuntil(b"second"), 10)
        writer.close()
    assert received.index(b"first") < received.index(b"second")


async def test_head_answers_have_no_body_but_its_length() -> None:
    async with serving() as (_, port):
        answer = await talk(port, request("/path", method="HEAD"))
    assert b"Content-Length: 5\r\n" in answer
    assert not answer.endswith(b"/path")


async def test_headers_that_come_twice_are_joined_each_as_its_kind_is() -> None:
    async with serving() as (echo, port):
        await talk(port, request("/", "X-A: 1", "Cookie: a=1", "X-A: 2", "Cookie: b=2; c=3"))
    headers = echo.started[0].head.headers
    assert (headers["x-a"], headers["cookie"]) == ("1,2", "a=1; b=2; c=3")


async def test_a_chunked_body_arrives_whole() -> None:
    async with serving() as (_, port):
        sent = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        answer = await talk(port, sent)
    assert answer.endswith(b"abcde")


async def test_expect_continue_is_answered_before_the_body_is_sent() -> None:
    async with serving() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"ok")
        assert (await asyncio.wait_for(reader.readuntil(b"ok"), 10)).startswith(b"HTTP/1.1 200 OK")
        writer.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(request("/refuse"), 403, id="refused by its head, no body"),
        pytest.param(request("/refuse", body=b"x" * 5000), 403, id="refused by its head, body swallowed"),
        pytest.param(request(body=b"x" * 1001), 413, id="announced body over the allowance"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"3e9\r\n"
            + b"x" * 1001
            + b"\r\n0\r\n\r\n",
            413,
            id="chunked body over the allowance",
        ),
    ],
)
async def test_a_refused_request_is_answered_once_and_the_connection_goes_on(sent: bytes, status: int) -> None:
    async with serving() as (echo, port):
        answer = await talk(port, sent + request(body=b"next"))
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"HTTP/1.1 ") == 2
    assert answer.endswith(b"next")
    assert [seen.body for seen in echo.started] == [b"next"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"\x00\x01\x02\x03\r\n\r\n", 400, id="not HTTP"),
        pytest.param(b"GET / HTTP/1.1\nHost: here\n\n", 400, id="bare line feeds"),
        pytest.param(b"GET  / HTTP/9.9\r\n\r\n", 400, id="nonsense version"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            id="both lengths: request smuggling",
        ),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, id="two lengths"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, id="negative length"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n", 400, id="length not a number"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, id="two hosts"),
        pytest.param(request("/", "A: b\r\n c"), 400, id="folded header"),
        pytest.param(request("/", "X: " + "y" * 70_000), 431, id="header too large"),
        pytest.param(request("/" + "y" * 70_000), 431, id="target too large"),
        pytest.param(request("/", *(f"x{n}: y" for n in range(300))), 431, id="too many headers"),
    ],
)
async def test_malformed_and_oversized_requests_are_refused_and_closed(sent: bytes, status: int) -> None:
    async with serving() as (echo, port):
        answer = await talk(port, sent + request(body=b"smuggled"), finish=False)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in answer
    assert b"smuggled" not in [seen.body for seen in echo.started]


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"GET / HTTP/1.1\r\nX: ", id="value"),
        pytest.param(b"GET / HTTP/1.1\r\nX", id="name"),
        pytest.param(b"GET / HTTP/1.1\r\nA: b\r\nX: ", id="value of a later one"),
        pytest.param(request(body=b"before") + b"GET / HTTP/1.1\r\nX: ", id="value, after another request"),
        pytest.param(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: ", id="trailer"),
    ],
)
async def test_a_header_that_never_ends_is_refused_once_it_is_too_large(begun: bytes) -> None:
    async with serving() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        for _ in range(5):
            writer.write(b"y" * 30_000)
            await asyncio.sleep(0.05)
            if reader.at_eof():
                break
        received = await asyncio.wait_for(reader.read(), 10)
        assert b"HTTP/1.1 431 " in received
        writer.close()


async def test_a_large_header_may_come_in_small_pieces() -> None:
    async with serving() as (echo, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        for sent in (b"GET / HTTP/1.1\r\nX: ", *(b"y" * 15_000,) * 4, b"\r\n\r\n"):
            writer.write(sent)
            await asyncio.sleep(0.02)
        await _until(lambda: bool(echo.started))
        writer.close()
    assert echo.started[0].head.headers["x"] == "y" * 60_000


async def test_requests_that_come_in_parts_add_nothing_to_one_another() -> None:
    async with serving(HttpLimits(header_bytes=200)) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for sent in (request(body=b"one"), request(body=b"two")) * 6:
            for part in (sent[:-3], sent[-3:]):
                writer.write(part)
                await asyncio.sleep(0.01)
            assert (await asyncio.wait_for(reader.readuntil(sent[-3:]), 10)).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_what_came_before_a_head_in_the_same_piece_is_not_of_it() -> None:
    async with serving(HttpLimits(header_bytes=200)) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = request(body=b"z" * 999) + request(body=b"last")
        end_of_method = sent.rindex(b"OST")
        for part in (sent[:end_of_method], sent[end_of_method : end_of_method + 1], sent[end_of_method + 1 :]):
            writer.write(part)
            await asyncio.sleep(0.02)
        assert (await asyncio.wait_for(reader.readuntil(b"last"), 10)).count(b"HTTP/1.1 200 ") == 2
        writer.close()


async def test_a_client_that_leaves_is_noticed() -> None:
    async with serving() as (echo, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/hold"))
        await _until(lambda: bool(echo.held))
        writer.transport.abort()
        await _until(lambda: echo.disconnected == 1)
        echo.held[0].respond(Response(200, b"nobody hears this"))


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        pytest.param(b"", 75, id="says nothing"),
        pytest.param(b"POST / HTT", 10, id="never ends its head"),
        pytest.param(request(body=b"12345")[:-1], 40, id="never ends its body"),
    ],
)
async def test_a_silent_client_is_cut_off_after_its_phase_allows(sent: bytes, seconds: float) -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        await asyncio.sleep(0.05)
        await clock.advance(seconds - 2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        await clock.advance(4)
        assert await _is_cut(reader)
        writer.close()


async def test_a_trickling_head_buys_no_time() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for byte in b"GET / HTTP/1":
            writer.write(bytes([byte]))
            await asyncio.sleep(0.005)
            await clock.advance(1)
        assert await _is_cut(reader)
        writer.close()


async def test_each_answer_gives_its_client_all_the_time_for_the_next_request() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in (b"one", b"two", b"three"):
            writer.write(request(body=body))
            assert (await asyncio.wait_for(reader.readuntil(body), 10)).startswith(b"HTTP/1.1 200 ")
            await clock.advance(74)
        await clock.advance(3)
        assert await _is_cut(reader)
        writer.close()


async def test_an_answer_that_takes_long_is_not_its_clients_silence() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as (echo, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/hold"))
        await _until(lambda: bool(echo.held))
        await clock.advance(900)
        echo.held[0].respond(Response(200, b"at last"))
        assert (await asyncio.wait_for(reader.readuntil(b"at last"), 10)).startswith(b"HTTP/1.1 200 ")
        await clock.advance(74)
        writer.write(request(body=b"more"))
        assert (await asyncio.wait_for(reader.readuntil(b"more"), 10)).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_what_comes_whole_needs_no_room_among_unfinished_bodies() -> None:
    async with serving(HttpLimits(held_bytes=10)) as (_, port):
        assert (await talk(port, request(body=b"z" * 999))).endswith(b"z" * 999)


async def test_connections_over_the_limit_are_cut() -> None:
    async with serving(HttpLimits(connections=2)) as (_, port):
        open_ones = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for _, writer in open_ones:
            writer.write(request(body=b"in"))
        await asyncio.sleep(0.05)
        assert await talk(port, request(body=b"out"), finish=False) == b""
        for _, writer in open_ones:
            writer.close()


async def test_unfinished_bodies_of_all_connections_are_bounded_together() -> None:
    async with serving(HttpLimits(held_bytes=1500)) as (_, port):
        unfinished = request(body=b"x" * 999)[:-1]
        _, first = await asyncio.open_connection("127.0.0.1", port)
        first.write(unfinished)
        await asyncio.sleep(0.05)
        assert (await talk(port, unfinished, finish=False)).startswith(b"HTTP/1.1 503 ")
        first.transport.abort()
        await asyncio.sleep(0.05)
        assert (await talk(port, request(body=b"y" * 999))).endswith(b"y" * 999)


async def test_closing_lets_a_running_request_finish() -> None:
    echo = Echo()
    server = HttpServer(echo, SystemClock())
    listener = socket.create_server(("127.0.0.1", 0))
    await server.start(listener)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
    writer.write(request("/hold"))
    await _until(lambda: bool(echo.held))
    closing = asyncio.create_task(server.close(grace_seconds=5))
    await asyncio.sleep(0.05)
    echo.held[0].respond(Response(200, b"finished"))
    assert (await asyncio.wait_for(reader.read(), 10)).endswith(b"finished")
    await closing
    writer.close()


async def _is_cut(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(1), 10) == b""
    except ConnectionError:
        return True


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_client_has_one_address_whatever_socket_it_comes_by() -> None:
    """Policies that deny it by aws:SourceIp know no other."""
    echo = Echo()
    server = HttpServer(echo, SystemClock())
    try:
        listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    except OSError:
        pytest.skip("this machine has no IPv6")
    await server.start(listener)
    try:
        await talk(listener.getsockname()[1], request())
    finally:
        await server.close(grace_seconds=0)
    assert echo.started[0].head.client == "127.0.0.1"
