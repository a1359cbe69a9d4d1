"""Answers in pieces through the gateway: cut where they fail, and closed when their client is gone."""

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lampion.aws.model import load_service
from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.gateway.gateway import Gateway
from lampion.http.message import Request, RequestHead, StreamedResponse
from lampion.http.server import HttpServer

REQUEST = b"GET /any HTTP/1.1\r\nHost: x\r\n\r\n"


class Streams:
    """A door that answers each request with one piece, then waits; after `close` no more comes."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.closed = asyncio.Event()
        self.is_finished = False
        self._failure = failure

    def accept(self, head: RequestHead) -> int:
        return 0

    def too_large(self, head: RequestHead) -> Exception:
        return ValueError()

    async def serve(self, request: Request, request_id: str) -> StreamedResponse:
        return StreamedResponse(200, {"X-Its": "own"}, self._pieces(), self.closed.set)

    async def _pieces(self) -> AsyncGenerator[bytes]:
        try:
            yield b"one"
            if self._failure is not None:
                raise self._failure
            await self.closed.wait()
        finally:
            self.is_finished = True


@asynccontextmanager
async def asked(door: Streams) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client that has the first piece."""
    gateway = Gateway(
        service=load_service("lambda"),
        aws_api=door,
        registry=door,
        registry_api=door,
        function_urls=door,
        own={},
        rng=SystemRng(),
    )
    server = HttpServer(gateway, SystemClock())
    listener = socket.create_server(("127.0.0.1", 0))
    await server.start(listener)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
    try:
        writer.write(REQUEST)
        await asyncio.wait_for(reader.readuntil(b"3\r\none\r\n"), 5)
        yield reader, writer
    finally:
        writer.close()
        await server.close(grace_seconds=0)


async def test_pieces_end_when_their_client_is_gone() -> None:
    door = Streams()
    async with asked(door) as (_, writer):
        assert not door.closed.is_set()
        writer.close()
        await asyncio.wait_for(door.closed.wait(), 5)
        async with asyncio.timeout(5):
            while not door.is_finished:
                await asyncio.sleep(0.005)


async def test_pieces_that_end_are_an_answer_that_is_complete() -> None:
    door = Streams()
    async with asked(door) as (reader, _):
        door.closed.set()
        assert await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 5) == b"0\r\n\r\n"


async def test_pieces_that_fail_cut_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    door = Streams(RuntimeError("unforeseen"))
    with caplog.at_level(logging.ERROR):
        async with asked(door) as (reader, _):
            try:
                rest = await asyncio.wait_for(reader.read(), 5)
            except ConnectionResetError:
                rest = b""
    assert rest == b""
    assert "an answer broke off" in caplog.text
    assert door.closed.is_set()
