"""Bodies of requests in pieces: who sends waits for who takes them, and trailers are no headers."""

import asyncio

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.http.limits import HttpLimits
from tests.component.http.pieces_stage import PIECE, asked, connection, get, serving, until

UP = b"POST /up HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def test_a_body_is_taken_as_it_comes_and_its_trailers_at_the_end() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        writer.write(UP + chunk(b"one"))
        await until(lambda: bool(application.receivers and application.receivers[0].taken))
        [receiver] = application.receivers
        assert receiver.taken == [b"one"]
        assert not receiver.trailers
        writer.write(chunk(b"two") + b"0\r\nSome-Thing: Said\r\nAuthorization: forged\r\n\r\n" + get())
        answer = await asyncio.wait_for(reader.readuntil(b"got it"), 10)
        assert receiver.taken == [b"one", b"two"]
        assert dict(receiver.trailers or {}) == {"some-thing": "Said", "authorization": "forged"}
        assert "authorization" not in application.heads[0].headers
        await until(lambda: len(application.answers) == 1)  # the request that came with it
    assert answer.startswith(b"HTTP/1.1 200")


async def test_trailers_of_a_body_that_is_gathered_are_no_headers() -> None:
    async with serving() as (application, port), connection(port) as (_, writer):
        sent = UP.replace(b"/up", b"/") + chunk(b"x") + b"0\r\nHost: other\r\nX-Forged: 1\r\n\r\n"
        await asked(application, writer, sent)
    assert application.heads[0].headers == {"host": "here", "transfer-encoding": "chunked"}


async def test_a_body_with_a_length_may_come_in_pieces_too() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        writer.write(b"POST /up HTTP/1.1\r\nHost: here\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n")
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abcdef")
        await asyncio.wait_for(reader.readuntil(b"got it"), 10)
    assert b"".join(application.receivers[0].taken) == b"abcdef"


async def test_a_client_waits_while_its_body_is_too_much_at_once() -> None:
    async with serving() as (application, port), connection(port) as (reader, writer):
        writer.write(UP)
        await until(lambda: len(application.receivers) == 1)
        [receiver] = application.receivers
        receiver.pieces.pause()
        sent = 0

        async def produce() -> None:
            nonlocal sent
            for _ in range(400):
                writer.write(chunk(PIECE))
                await writer.drain()
                sent += 1
            writer.write(b"0\r\n\r\n")

        producing = asyncio.create_task(produce())
        await asyncio.sleep(0.3)
        stuck_at = sent
        await asyncio.sleep(0.2)
        assert sent == stuck_at < 300
        assert receiver.taken_bytes < 1 << 20
        receiver.pieces.resume()
        await producing
        await asyncio.wait_for(reader.readuntil(b"got it"), 5)
        assert receiver.taken_bytes == 400 * len(PIECE)


async def test_a_client_that_is_kept_waiting_is_not_called_silent() -> None:
    clock = VirtualClock()
    async with serving(HttpLimits(), clock) as (application, port), connection(port) as (reader, writer):
        writer.write(UP + chunk(b"one"))
        await until(lambda: bool(application.receivers and application.receivers[0].taken))
        application.receivers[0].pieces.pause()
        await clock.advance(1000)
        application.receivers[0].pieces.resume()
        writer.write(b"0\r\n\r\n")
        await asyncio.wait_for(reader.readuntil(b"got it"), 10)


async def test_a_body_that_stays_away_ends_the_connection() -> None:
    clock = VirtualClock()
    async with serving(HttpLimits(), clock) as (application, port), connection(port) as (reader, writer):
        writer.write(UP + chunk(b"one"))
        await until(lambda: bool(application.receivers and application.receivers[0].taken))
        await clock.advance(42)
        await until(lambda: application.receivers[0].broken)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)


@pytest.mark.parametrize("rest", [b"", b"zz\r\nno chunk\r\n"], ids=["the client goes", "nonsense"])
async def test_a_body_that_breaks_off_is_told(rest: bytes) -> None:
    async with serving() as (application, port), connection(port) as (_, writer):
        writer.write(UP + chunk(b"one"))
        await until(lambda: bool(application.receivers and application.receivers[0].taken))
        if rest:
            writer.write(rest)
        else:
            writer.close()
        await until(lambda: application.receivers[0].broken)
        assert application.receivers[0].trailers is None


async def test_what_follows_an_early_answer_is_thrown_away_up_to_a_bound() -> None:
    async with serving(HttpLimits(discard_bytes=1 << 20)) as (application, port):
        async with connection(port) as (reader, writer):
            writer.write(UP)
            await until(lambda: len(application.receivers) == 1)
            application.receivers[0].refuses_after = 10
            writer.write(chunk(bytes(11)) + chunk(bytes(1000)) + b"0\r\n\r\n" + get())
            assert b"413" in await asyncio.wait_for(reader.readuntil(b"enough"), 10)
            await until(lambda: len(application.answers) == 1)
            assert application.receivers[0].taken_bytes == 11
        async with connection(port) as (reader, writer):
            writer.write(UP)
            await until(lambda: len(application.receivers) == 2)
            application.receivers[1].refuses_after = 10

            async def flood() -> None:
                while True:
                    writer.write(chunk(PIECE))
                    await writer.drain()

            with pytest.raises(ConnectionError):
                await asyncio.wait_for(flood(), 10)
