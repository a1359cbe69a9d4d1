"""Batches on their way to subscribers that take them, and to those that don't. Sockets are real, time isn't."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.function_telemetry.buffer import BATCHES
from lampion.function_telemetry.delivery import PATIENCE_SECONDS, Delivery
from lampion.function_telemetry.subscription import (
    TELEMETRY,
    Buffering,
    Destination,
    Protocol,
    Stream,
    Subscription,
)
from tests.component.function_telemetry.receivers import (
    OK,
    Loopback,
    Receiver,
    accept,
    answering,
    hang_up,
    listening,
    never,
    receiving,
    say_nothing,
    until,
)

LIMITS = Buffering(max_items=1000, max_bytes=262_144, timeout_ms=1000)


def subscription(port: int, protocol: Protocol = Protocol.HTTP, **more: Any) -> Subscription:
    destination = Destination(protocol, port, **more)
    return Subscription(TELEMETRY, "2022-12-13", tuple(Stream), destination, LIMITS)


def event(number: int, size: int = 0) -> bytes:
    return json.dumps({"type": "function", "record": number, "more": "x" * size}).encode()


@asynccontextmanager
async def delivering(receiver: Receiver, **more: Any) -> AsyncIterator[tuple[Delivery, VirtualClock]]:
    clock = VirtualClock()
    delivery = Delivery(subscription(receiver.port, **more), clock)
    connect = Loopback()
    delivery.attach(connect)
    try:
        yield delivery, clock
    finally:
        await delivery.detach()
        await until(lambda: all(made.fileno() < 0 for made in connect.made))
        assert clock.pending == 0


async def numbers_in(receiver: Receiver, count: int) -> list[int]:
    await until(lambda: len(receiver.events) >= count)
    return [found["record"] for found in receiver.events]


async def test_a_batch_comes_when_its_first_event_has_waited_long_enough() -> None:
    async with receiving() as receiver, delivering(receiver, target="/a?b", host="sandbox:1") as (delivery, clock):
        for number in range(3):
            delivery.offer(event(number))
        await clock.advance(0.999)
        await never(lambda: receiver.events != [])
        await clock.advance(0.001)
        assert await numbers_in(receiver, 3) == [0, 1, 2]
        assert receiver.heads[0].startswith("POST /a?b HTTP/1.1\r\nHost: sandbox:1\r\n")
        assert "Content-Type: application/json\r\n" in receiver.heads[0]


async def test_a_full_batch_comes_at_once_and_connections_are_kept() -> None:
    async with receiving() as receiver, delivering(receiver, method="PUT") as (delivery, _):
        for number in range(2500):
            delivery.offer(event(number))
            if number % 1000 == 999:
                await until(lambda so_far=number + 1: len(receiver.events) == so_far)  # type: ignore[misc]
        assert [len(body) for body in receiver.bodies] == [1000, 1000]
        assert receiver.connections == 1
        assert receiver.heads[0].startswith("PUT / ")


async def test_lines_come_over_tcp() -> None:
    received = bytearray()

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            received.extend(piece)

    receiver = Receiver(accept)
    async with (
        listening(read) as receiver.port,
        delivering(receiver, protocol=Protocol.TCP) as (delivery, clock),
    ):
        for batch in range(3):
            for number in range(2):
                delivery.offer(event(2 * batch + number))
            await clock.advance(1)
            await until(lambda so_far=2 * batch + 2: received.count(b"\n") == so_far)  # type: ignore[misc]
        assert [json.loads(line)["record"] for line in received.splitlines()] == list(range(6))


REDIRECT = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n"
TO_THE_END = b"HTTP/1.0 200 OK\r\n\r\nOK"


async def _and_close(writer: asyncio.StreamWriter) -> None:
    writer.write(TO_THE_END)
    writer.close()


@pytest.mark.parametrize("answer", [NO_CONTENT, CHUNKED, _and_close], ids=["no content", "chunks", "no length"])
async def test_every_success_is_an_acceptance(answer: Any) -> None:
    async with receiving(answering(answer)) as receiver, delivering(receiver) as (delivery, clock):
        for number in range(3):
            delivery.offer(event(number))
            await clock.advance(1)
            assert await numbers_in(receiver, number + 1) == list(range(number + 1))
        await clock.advance(60)
        await never(lambda: len(receiver.events) > 3)


@pytest.mark.parametrize(
    "answer",
    [
        REDIRECT,
        b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 200_000,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
        hang_up,
    ],
    ids=["redirect", "500", "404", "nonsense", "endless head", "endless body", "interim", "hangs up"],
)
async def test_what_isnt_accepted_is_sent_again_until_it_is_and_the_order_stays(answer: Any) -> None:
    async with receiving(answering(answer, answer, OK)) as receiver, delivering(receiver) as (delivery, clock):
        delivery.offer(event(0))
        await clock.advance(1)
        delivery.offer(event(1))
        while len(receiver.bodies) < 4:
            await clock.advance(0.1)
            await asyncio.sleep(0.002)
        assert [[found["record"] for found in body] for body in receiver.bodies[:4]] == [[0], [0], [0], [1]]


async def test_tries_come_at_longer_and_longer_intervals() -> None:
    async with receiving(answering(REDIRECT)) as receiver, delivering(receiver) as (delivery, clock):
        delivery.offer(event(0))
        await clock.advance(1)
        counts = []
        for _ in range(30):
            await until(lambda: clock.pending > 0)
            await asyncio.sleep(0.01)
            await clock.advance(1)
            counts.append(len(receiver.bodies))
        assert counts[0] <= 6
        assert counts[-1] - counts[-11] <= 3  # one in five seconds


async def test_a_listener_that_comes_later_gets_everything() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    clock, connect = VirtualClock(), Loopback()
    delivery = Delivery(subscription(port), clock)
    delivery.attach(connect)
    delivery.offer(event(0))
    await clock.advance(1)
    await asyncio.sleep(0.02)
    async with receiving(port=port) as receiver:
        await clock.advance(1)
        assert await numbers_in(receiver, 1) == [0]
    await delivery.detach()


@pytest.mark.parametrize("protocol", list(Protocol))
async def test_who_never_reads_costs_a_buffer_and_nobody_waits(protocol: Protocol) -> None:
    async def ignore(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(60)

    receiver = Receiver(accept)
    async with listening(ignore) as receiver.port, delivering(receiver, protocol=protocol) as (delivery, clock):
        for number in range(40_000):
            delivery.offer(event(number, 100))
            if number % 1000 == 0:
                await asyncio.sleep(0)
        assert not delivery.has_room
        assert delivery.held_bytes <= BATCHES * LIMITS.max_bytes + 1000
        for _ in range(5):
            await clock.advance(PATIENCE_SECONDS)
            await asyncio.sleep(0.01)
        assert delivery.held_bytes <= BATCHES * LIMITS.max_bytes + 1000


async def test_who_was_slow_learns_how_much_was_dropped() -> None:
    async with receiving(answering(say_nothing, OK)) as receiver, delivering(receiver) as (delivery, clock):
        for number in range(3000):
            delivery.offer(event(number))
            await asyncio.sleep(0)
        await until(lambda: len(receiver.bodies) == 1)
        await clock.advance(PATIENCE_SECONDS)
        for _ in range(20):
            await clock.advance(1)
            await asyncio.sleep(0.005)
        numbers = [found["record"] for found in receiver.events[1000:]]
        assert numbers[:2000] == list(range(2000))
        told = receiver.events[3000]
        assert told["type"] == "platform.logsDropped"
        assert told["record"]["droppedRecords"] == 1000


async def test_frozen_times_dont_count() -> None:
    async with receiving(answering(say_nothing)) as receiver, delivering(receiver) as (delivery, clock):
        delivery.offer(event(0))
        await clock.advance(1)
        await until(lambda: len(receiver.bodies) == 1)
        delivery.pause()
        await clock.advance(3600)
        await never(lambda: len(receiver.bodies) > 1)
        delivery.resume()
        await clock.advance(PATIENCE_SECONDS - 0.01)
        await never(lambda: len(receiver.bodies) > 1)
        await clock.advance(0.1)
        await until(lambda: len(receiver.bodies) == 2)


async def test_nothing_is_sent_while_frozen_and_what_is_due_is_sent_then() -> None:
    async with receiving() as receiver, delivering(receiver) as (delivery, clock):
        delivery.offer(event(0))
        await clock.advance(0.5)
        delivery.pause()
        await clock.advance(3600)
        delivery.offer(event(1))
        await never(lambda: receiver.bodies != [])
        delivery.resume()
        assert await numbers_in(receiver, 2) == [0, 1]


async def test_at_the_end_everything_is_sent_at_once() -> None:
    async with receiving() as receiver, delivering(receiver) as (delivery, _):
        delivery.offer(event(0))
        delivery.hurry()
        assert await numbers_in(receiver, 1) == [0]
        delivery.offer(event(1))
        assert await numbers_in(receiver, 2) == [0, 1]


async def test_at_the_end_there_is_no_time_for_long_pauses() -> None:
    async with receiving(answering(REDIRECT)) as receiver, delivering(receiver) as (delivery, clock):
        delivery.offer(event(0))
        for _ in range(30):
            await clock.advance(1)
            await asyncio.sleep(0.002)
        tried = len(receiver.bodies)
        await clock.advance(0.1)
        await never(lambda: len(receiver.bodies) > tried)
        receiver.answer = accept
        delivery.hurry()
        await asyncio.sleep(0.01)
        await clock.advance(0.05)
        await until(lambda: len(receiver.bodies) > tried)


async def test_what_one_sandbox_didnt_get_comes_to_the_next() -> None:
    async with receiving(answering(say_nothing)) as receiver, delivering(receiver) as (delivery, clock):
        delivery.offer(event(0))
        await clock.advance(1)
        await until(lambda: len(receiver.bodies) == 1)
        delivery.offer(event(1))
        await delivery.detach()
        receiver.answer = accept
        delivery.offer(event(2))
        delivery.attach(Loopback())
        await clock.advance(1)
        await until(lambda: len(receiver.events) == 4)
        assert [found["record"] for found in receiver.events] == [0, 0, 1, 2]


async def test_a_new_destination_counts_at_once() -> None:
    async with (
        receiving(answering(say_nothing)) as old,
        receiving() as new,
        delivering(old) as (delivery, clock),
    ):
        delivery.offer(event(0))
        await clock.advance(1)
        await until(lambda: len(old.bodies) == 1)
        delivery.offer(event(1))
        delivery.change(subscription(new.port))
        await asyncio.sleep(0.01)
        await clock.advance(2)
        assert await numbers_in(new, 2) == [0, 1]
