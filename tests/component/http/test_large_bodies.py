"""Large bodies, which come past the parser: whole, in their order, within the bounds of all bodies."""

import asyncio
import random
import socket
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from lampion.clock.clock import SystemClock
from lampion.clock.virtual import VirtualClock
from lampion.http.large_body import LARGE_BYTES
from lampion.http.limits import HttpLimits
from lampion.http.message import Response
from lampion.http.server import HttpServer
from lampion.http.tls import server_context
from tests.component.http.test_server import Echo, request, talk
from tests.tls import CERTIFICATE, KEY

MIB = 1024 * 1024
SIZES = (LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES + 1, 2 * LARGE_BYTES + 1, 3 * MIB + 7, 9 * MIB)


class LargeEcho(Echo):
    def accept(self, head: Any) -> int | Response:
        return 64 * MIB


@asynccontextmanager
async def serving(
    limits: HttpLimits | None = None, clock: VirtualClock | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[LargeEcho, HttpServer, int]]:
    echo = LargeEcho()
    server = HttpServer(echo, clock or SystemClock(), limits)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    await server.start(listener, tls)
    try:
        yield echo, server, port
    finally:
        await server.close(grace_seconds=0)


async def answer_to(reader: asyncio.StreamReader) -> bytes:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert head.startswith(b"HTTP/1.1 200 "), head
    return await asyncio.wait_for(reader.readexactly(int(head.partition(b"Length: ")[2].split(b"\r\n")[0])), 5)


async def echoes(port: int, rng: random.Random, context: ssl.SSLContext | None = None) -> None:
    """Bodies of all sizes on one connection, the next one's head always sent with the end of the one before."""
    bodies = [body for size in SIZES for body in (rng.randbytes(size), b"little")]
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, limit=16 * MIB, ssl=context, server_hostname="localhost" if context else None
    )
    sent = b"".join(request(body=body) for body in bodies)

    async def send() -> None:
        at = 0
        while at < len(sent):
            piece = sent[at : at + rng.choice((1, 1000, 70_000, MIB, 5 * MIB))]
            writer.write(piece)
            await writer.drain()
            at += len(piece)

    sending = asyncio.create_task(send())
    for body in bodies:
        assert await answer_to(reader) == body
    await sending
    writer.close()


@pytest.mark.parametrize("seed", range(3))
async def test_large_and_small_bodies_in_turn_arrive_whole(seed: int) -> None:
    async with serving() as (echo, server, port):
        await echoes(port, random.Random(seed))
        assert server.usage.held_bytes == 0
    assert {type(one.body) for one in echo.started} == {bytes}


async def test_over_tls_too() -> None:
    async with serving(tls=server_context(CERTIFICATE, KEY)) as (_, server, port):
        await echoes(port, random.Random(3), ssl.create_default_context(cafile=CERTIFICATE))
        assert server.usage.held_bytes == 0


async def test_a_large_body_is_answered_after_what_was_asked_before() -> None:
    async with serving() as (echo, _, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4 * MIB)
        large = b"x" * (2 * MIB)
        writer.write(request("/hold") + request(body=large))
        await until(lambda: len(echo.started) == 2)
        echo.held[0].respond(Response(200, b"first"))
        assert await answer_to(reader) == b"first"
        assert await answer_to(reader) == large
        writer.close()


async def test_what_follows_the_last_request_is_not_served() -> None:
    async with serving() as (echo, _, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/hold", "Connection: close", body=b"x" * 2 * MIB) + request(body=b"too late"))
        await until(lambda: bool(echo.started))
        await asyncio.sleep(0.05)
        assert [len(one.body) for one in echo.started] == [2 * MIB]
        writer.transport.abort()


async def test_memory_is_taken_for_what_came_and_not_for_what_is_claimed() -> None:
    async with serving() as (_, server, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        tracemalloc.start()
        try:
            writer.write(request(body=b"x" * 60 * MIB)[: 700 * 1024])
            await until(lambda: server.usage.held_bytes >= 700 * 1024 - 200)
            await asyncio.sleep(0.05)
            taken = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert 700 * 1024 - 200 <= server.usage.held_bytes <= 4 * 700 * 1024
        assert taken < server.usage.held_bytes + 2 * MIB
        writer.transport.abort()
        await until(lambda: server.usage.held_bytes == 0 and server.usage.connections == 0)


async def test_large_bodies_of_all_connections_are_bounded_together() -> None:
    async with serving(HttpLimits(held_bytes=5 * MIB)) as (echo, server, port):
        unfinished = request(body=b"x" * 4 * MIB)[:-1]
        _, first = await asyncio.open_connection("127.0.0.1", port)
        first.write(unfinished)
        await until(lambda: server.usage.held_bytes >= 4 * MIB - 1)
        assert (await talk(port, unfinished, finish=False)).startswith(b"HTTP/1.1 503 ")
        await until(lambda: server.usage.held_bytes < 5 * MIB)
        first.write(b"x")
        await until(lambda: len(echo.started) == 1)
        assert (await talk(port, request(body=b"y" * 3 * MIB))).endswith(b"y" * 3 * MIB)
        first.transport.abort()


async def test_a_client_that_stops_in_the_middle_is_cut_off_after_its_time() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as (_, server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(body=b"x" * 3 * MIB)[:-1])
        await until(lambda: server.usage.held_bytes >= 3 * MIB - 1)
        await clock.advance(40 + 3 * MIB / (16 * 1024) - 3)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        await clock.advance(5)
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(1), 10) == b""
        await until(lambda: server.usage.held_bytes == 0)
        writer.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)
