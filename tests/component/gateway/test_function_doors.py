"""A sandbox's door: nothing while nobody knocks, served from the first connection on, gone with the sandbox."""

import asyncio
import socket

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.gateway.function_doors import FunctionDoors
from lampion.http.application import Exchange
from lampion.http.message import Request, RequestHead, Response

REQUEST = b"GET /here HTTP/1.1\r\nHost: x\r\n\r\n"


class Application:
    def accept(self, head: RequestHead) -> int | Response:
        return 1000

    def too_large(self, head: RequestHead) -> Response:
        return Response(413, b"")

    def start(self, request: Request, exchange: Exchange) -> None:
        exchange.respond(Response(200, request.head.path.encode()))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def doors(clock: VirtualClock) -> FunctionDoors:
    made = FunctionDoors(clock)
    made.lead_to(Application())
    return made


def listening() -> tuple[socket.socket, int]:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    return listener, listener.getsockname()[1]


async def ask(port: int) -> tuple[bytes, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    async with asyncio.timeout(5):
        answer = await reader.readuntil(b"/here")
    return answer, writer


async def test_an_idle_door_costs_no_task_and_no_timer(doors: FunctionDoors, clock: VirtualClock) -> None:
    before = asyncio.all_tasks()
    listener, port = listening()
    door = doors.open(listener)
    assert asyncio.all_tasks() == before
    assert clock.pending == 0
    await door.close()
    assert asyncio.all_tasks() == before
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_the_first_connection_and_later_ones_are_served(doors: FunctionDoors, clock: VirtualClock) -> None:
    listener, port = listening()
    door = doors.open(listener)
    (first, one), (second, other) = await ask(port), await ask(port)
    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 200 ")
    assert clock.pending == 1, "one timer checks all connections of a door"
    for writer in (one, other):
        writer.close()
        await writer.wait_closed()
    await clock.advance(2)
    assert clock.pending == 0, "with the last connection goes the timer"
    await door.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_door_takes_only_its_share_of_connections(doors: FunctionDoors) -> None:
    (listener, port), (other_listener, other_port) = listening(), listening()
    door, other = doors.open(listener), doors.open(other_listener)
    held = [await ask(port) for _ in range(64)]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    answer, another = await ask(other_port)
    assert answer.startswith(b"HTTP/1.1 200 ")
    for one in (writer, another, *(made for _, made in held)):
        one.close()
    await door.close()
    await other.close()


async def test_close_cuts_what_is_open(doors: FunctionDoors) -> None:
    listener, port = listening()
    door = doors.open(listener)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    async with asyncio.timeout(5):
        await reader.readuntil(b"/here")
        await door.close()
        assert await reader.read() == b""
    writer.close()
