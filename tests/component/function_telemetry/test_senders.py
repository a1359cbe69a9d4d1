"""A connection to a subscriber that has ended is made anew, and what can't be known to be lost isn't sent twice."""

import asyncio
from functools import partial

import pytest

from lampion.endpoints.exchange import ConnectionFailed
from lampion.function_telemetry.senders import HttpSender, TcpSender
from lampion.function_telemetry.subscription import Destination, Protocol
from tests.component.function_telemetry.receivers import OK, Loopback, answering, hang_up, listening, receiving, until


async def ok_and_close(writer: asyncio.StreamWriter) -> None:
    writer.write(OK)
    await writer.drain()
    writer.transport.close()


async def test_a_kept_connection_that_was_closed_meanwhile_costs_no_batch() -> None:
    async with receiving(answering(ok_and_close, OK)) as receiver:
        sender = HttpSender(Destination(Protocol.HTTP, receiver.port), Loopback())
        await sender.send([b"1"])
        await asyncio.sleep(0.05)  # it ends
        await sender.send([b"2"])
        assert (receiver.bodies, receiver.connections) == ([[1], [2]], 2)
        sender.close()


async def test_a_batch_that_a_subscriber_breaks_off_at_is_tried_once_more_on_a_connection_of_its_own() -> None:
    async with receiving(answering(hang_up, OK)) as receiver:
        sender = HttpSender(Destination(Protocol.HTTP, receiver.port), Loopback())
        await sender.send([b"1"])
        assert (receiver.bodies, receiver.connections) == ([[1], [1]], 2)
        sender.close()


async def test_an_answer_that_breaks_off_is_no_reason_to_send_again() -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        writer.write(OK[:-2])
        await writer.drain()
        writer.transport.close()

    async with receiving(half) as receiver:
        sender = HttpSender(Destination(Protocol.HTTP, receiver.port), Loopback())
        with pytest.raises(ConnectionFailed):
            await sender.send([b"1"])
        assert receiver.bodies == [[1]]
        sender.close()


async def test_a_connection_that_its_answer_ends_is_given_up_at_once() -> None:
    ended: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(b"[1]"))
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        ended.append(await reader.read())

    async with listening(serve) as port:
        await HttpSender(Destination(Protocol.HTTP, port), Loopback()).send([b"1"])
        await until(lambda: ended == [b""])


async def test_lines_go_over_another_connection_when_theirs_was_closed() -> None:
    received: list[bytes] = []

    async def one_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"nobody asked for this")
        received.append(await reader.readline())

    async with listening(one_line) as port:
        loopback = Loopback()
        sender = TcpSender(Destination(Protocol.TCP, port), loopback)
        for count in (1, 2):
            await sender.send([b"%d" % count])
            await until(partial(has_come, received, count))
            await asyncio.sleep(0.05)  # it ends
        assert received == [b"1\n", b"2\n"]
        assert len(loopback.made) == 2
        sender.close()


def has_come(received: list[bytes], count: int) -> bool:
    return len(received) == count
