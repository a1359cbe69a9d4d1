"""Answers in pieces: who writes waits for who reads, and learns when nobody does."""

import asyncio
import socket

import pytest

from lampion.clock.clock import SystemClock
from lampion.clock.virtual import VirtualClock
from lampion.http.application import AnswerBody, ClientGone
from lampion.http.limits import HttpLimits
from lampion.http.message import Response
from lampion.http.server import HttpServer
from tests.component.http.pieces_stage import PIECE, Pieces, asked, connection, get, serving, until


async def send(body: AnswerBody, *pieces: bytes) -> None:
    for piece in pieces:
        await body.write(piece)
    body.end()


async def test_an_answer_in_pieces_is_chunked_and_the_connection_stays_open() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        for _ in range(2):
            exchange = await asked(application, writer, get())
            body = exchange.begin(Response(201, headers=[("X-Its", "own")]))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 201 Created\r\n")
            assert b"\r\nX-Its: own\r\n" in head
            assert b"\r\nTransfer-Encoding: chunked\r\n" in head
            assert b"Content-Length" not in head
            await body.write(b"one")
            assert await reader.readexactly(8) == b"3\r\none\r\n"
            await send(body, b"", b"x" * 17)
            assert await reader.readexactly(28) == b"11\r\n" + b"x" * 17 + b"\r\n0\r\n\r\n"


async def test_a_client_of_http_1_0_gets_the_pieces_until_the_connection_ends() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        exchange = await asked(application, writer, get("Connection: keep-alive", version="1.0"))
        await send(exchange.begin(Response(200)), b"one", b"two")
        head, _, body = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
    assert body == b"onetwo"
    assert b"Transfer-Encoding" not in head
    assert b"Connection: close" in head


async def test_connection_close_is_honoured() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        exchange = await asked(application, writer, get("Connection: close"))
        await send(exchange.begin(Response(200)), b"one")
        answer = await asyncio.wait_for(reader.read(), 10)
    assert answer.endswith(b"3\r\none\r\n0\r\n\r\n")


async def test_a_head_has_no_pieces() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        exchange = await asked(application, writer, get(method="HEAD"))
        await send(exchange.begin(Response(200)), b"one")
        (await asked(application, writer, get())).respond(Response(200, b"next"))
        answer = await asyncio.wait_for(reader.readuntil(b"next"), 10)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert b"one" not in answer
    assert b"0\r\n\r\n" not in answer


async def test_pipelined_answers_keep_their_order() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        writer.write(get() * 3)
        await until(lambda: len(application.answers) == 3)
        application.answers[2].respond(Response(200, b"third"))
        second = application.answers[1].begin(Response(200))
        sending = asyncio.create_task(send(second, b"second"))
        first = application.answers[0].begin(Response(200))
        await first.write(b"first-a")
        await asyncio.sleep(0.05)
        assert not sending.done()
        await send(first, b"first-b")
        answers = await asyncio.wait_for(reader.readuntil(b"third"), 10)
        await sending
    assert [answers.index(word) for word in (b"first-a", b"first-b", b"second", b"third")] == sorted(
        answers.index(word) for word in (b"first-a", b"first-b", b"second", b"third")
    )
    assert answers.index(b"0\r\n\r\nHTTP") < answers.index(b"second")


async def test_an_answer_that_ends_before_its_turn_is_whole() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        writer.write(get() * 2)
        await until(lambda: len(application.answers) == 2)
        application.answers[1].begin(Response(202)).end()
        application.answers[0].respond(Response(200, b"first"))
        answers = await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 10)
    assert answers.index(b"first") < answers.index(b"202 Accepted")


async def test_who_writes_waits_for_a_client_that_reads_slowly() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        body = (await asked(application, writer, get())).begin(Response(200))
        written = 0

        async def produce() -> None:
            nonlocal written
            for _ in range(400):
                await body.write(PIECE)
                written += 1
            body.end()

        producing = asyncio.create_task(produce())
        await asyncio.sleep(0.3)
        stuck_at = written
        await asyncio.sleep(0.2)
        assert written == stuck_at
        assert 0 < stuck_at < 300  # the kernel's buffers and ours
        received = 0
        while not producing.done() or received < 400 * len(PIECE):
            received += len(await asyncio.wait_for(reader.read(1 << 20), 5))
        assert written == 400


async def test_a_client_that_goes_away_is_told_to_who_writes() -> None:
    async with serving() as (application, port), connection(port) as (_, writer):
        body = (await asked(application, writer, get())).begin(Response(200))
        await body.write(b"one")
        writer.close()
        await until(lambda: application.disconnected == 1)
        with pytest.raises(ClientGone):
            await body.write(b"two")


async def test_a_client_that_goes_away_wakes_who_waits_for_room() -> None:
    async with serving() as (application, port), connection(port) as (_, writer):
        body = (await asked(application, writer, get())).begin(Response(200))

        async def produce() -> None:
            while True:
                await body.write(PIECE)

        producing = asyncio.create_task(produce())
        await asyncio.sleep(0.2)
        assert not producing.done()
        writer.transport.abort()
        with pytest.raises(ClientGone):
            await asyncio.wait_for(producing, 5)


async def test_a_client_that_has_everything_is_no_disconnect() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        await send((await asked(application, writer, get())).begin(Response(200)), b"one")
        await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 10)
        writer.close()
        await asyncio.sleep(0.1)
        assert application.disconnected == 0


async def test_an_aborted_answer_ends_without_the_last_chunk() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        body = (await asked(application, writer, get())).begin(Response(200))
        await body.write(b"one")
        await asyncio.wait_for(reader.readuntil(b"one\r\n"), 10)
        body.abort()
        try:
            rest = await asyncio.wait_for(reader.read(), 10)
        except ConnectionResetError:
            rest = b""
    assert rest == b""


async def test_a_client_that_takes_nothing_for_too_long_is_cut() -> None:
    clock = VirtualClock()
    limits = HttpLimits(write_silence_seconds=60)
    async with serving(limits, clock) as (application, port), connection(port) as (_, writer):
        body = (await asked(application, writer, get())).begin(Response(200))

        async def produce() -> None:
            while True:
                await body.write(PIECE)

        producing = asyncio.create_task(produce())
        await asyncio.sleep(0.2)
        await clock.advance(59)
        assert not producing.done()
        await clock.advance(3)
        with pytest.raises(ClientGone):
            await asyncio.wait_for(producing, 5)


async def test_a_server_that_stops_waits_for_the_answer_for_a_while() -> None:
    application = Pieces()
    server = HttpServer(application, SystemClock())
    listener = socket.create_server(("127.0.0.1", 0))
    await server.start(listener)
    async with connection(listener.getsockname()[1]) as (reader, writer):
        body = (await asked(application, writer, get())).begin(Response(200))
        await body.write(b"one")
        closing = asyncio.create_task(server.close(grace_seconds=5))
        await asyncio.sleep(0.1)
        await send(body, b"two")
        answer = await asyncio.wait_for(reader.read(), 10)
        await closing
    assert answer.endswith(b"two\r\n0\r\n\r\n")


async def test_an_answer_of_known_size_says_it_and_has_no_chunks() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        for _ in range(2):
            exchange = await asked(application, writer, get())
            body = exchange.begin(Response(206, headers=[("X-Its", "own")]), 6)
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"\r\nContent-Length: 6\r\n" in head
            assert b"Transfer-Encoding" not in head
            await send(body, b"one", b"two")
            assert await reader.readexactly(6) == b"onetwo"


async def test_a_head_tells_the_size_of_what_it_does_not_get() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        for _ in range(2):
            exchange = await asked(application, writer, get(method="HEAD"))
            await send(exchange.begin(Response(200), 1_000_000))
            assert b"\r\nContent-Length: 1000000\r\n" in await reader.readuntil(b"\r\n\r\n")


async def test_an_answer_of_known_size_keeps_a_connection_of_http_1_0() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        exchange = await asked(application, writer, get("Connection: keep-alive", version="1.0"))
        await send(exchange.begin(Response(200), 3), b"one")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Connection: close" not in head
        assert await reader.readexactly(3) == b"one"
