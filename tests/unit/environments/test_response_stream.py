"""The stream between a runtime and a caller: nothing lost, nothing doubled, never more than a bound."""

import asyncio
from random import Random

import pytest

from lampion.environments.response_stream import HELD_BYTES, ResponseStream


@pytest.mark.parametrize("seed", range(200))
async def test_whatever_the_order_nothing_is_lost_and_little_is_held(seed: int) -> None:
    random = Random(seed)
    stream = ResponseStream()
    pieces = [random.randbytes(random.choice((1, 7, 1000, HELD_BYTES // 3))) for _ in range(random.randrange(40))]
    abandon_at = random.choice((None, random.randrange(41)))
    async with asyncio.timeout(5):
        most_held, taken = await asyncio.gather(write(stream, pieces, random), read(stream, abandon_at, random))
    assert b"".join(pieces).startswith(taken)
    assert stream.is_abandoned or taken == b"".join(pieces)
    assert most_held < HELD_BYTES + HELD_BYTES // 3


async def write(stream: ResponseStream, pieces: list[bytes], random: Random) -> int:
    """All of them, as a runtime would; the most bytes that were held."""
    most_held = 0
    stream.begin("x/y")
    for piece in pieces:
        while stream.is_full:
            room = asyncio.Event()
            stream.when_room(room.set)
            await room.wait()
        stream.write(piece)
        most_held = max(most_held, stream.held_bytes)
        await others(random)
    if random.random() < 0.5:
        stream.end()
    stream.finish()
    return most_held


async def read(stream: ResponseStream, abandon_at: int | None, random: Random) -> bytes:
    assert await stream.begun()
    taken: list[bytes] = []
    while len(taken) != abandon_at:
        data = await stream.read()
        if not data:
            return b"".join(taken)
        taken.append(data)
        await others(random)
    stream.abandon()
    return b"".join(taken)


async def others(random: Random) -> None:
    """Let others run, or not."""
    for _ in range(random.randrange(3)):
        await asyncio.sleep(0)


async def test_an_invocation_that_ends_without_streaming_has_not_begun() -> None:
    stream = ResponseStream()
    waiting = asyncio.create_task(stream.begun())
    await asyncio.sleep(0)
    assert not waiting.done()
    stream.finish()
    assert await waiting is False
    assert await stream.read() == b""
    assert not stream.has_ended


async def test_what_is_written_after_the_reader_left_is_dropped() -> None:
    stream = ResponseStream()
    stream.begin(None)
    stream.write(bytes(HELD_BYTES))
    called: list[int] = []
    stream.when_room(lambda: called.append(1))
    assert stream.is_full
    stream.abandon()
    assert called == [1]
    stream.write(bytes(HELD_BYTES))
    assert (stream.is_full, await stream.read()) == (False, b"")


async def test_room_is_told_once() -> None:
    stream = ResponseStream()
    stream.begin(None)
    called: list[int] = []
    stream.when_room(lambda: called.append(1))
    for _ in range(2):
        stream.write(b"x")
        await stream.read()
    assert called == [1]
