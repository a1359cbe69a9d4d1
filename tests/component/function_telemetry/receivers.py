"""Who listens for telemetry, played by the test: well behaved, or as it says."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def accept(writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


def answering(*answers: bytes | Answer) -> Answer:
    """One after the other; the last one for ever."""
    left = list(answers)

    async def answer(writer: asyncio.StreamWriter) -> None:
        following = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(following, bytes):
            writer.write(following)
        else:
            await following(writer)

    return answer


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def say_nothing(writer: asyncio.StreamWriter) -> None:
    """Until the other side gives up."""
    await writer.wait_closed()


class Receiver:
    """Listens on loopback; keeps the requests, and the events of those that it has accepted."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.heads: list[str] = []
        self.bodies: list[Any] = []
        self.connections = 0
        self.port = 0

    @property
    def events(self) -> list[Any]:
        return [event for body in self.bodies for event in body]

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                self.heads.append(head)
                self.bodies.append(body)
                await self.answer(writer)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, port: int = 0) -> AsyncIterator[int]:
    """Serves every connection by `serve`, which is called off at the end; gives the port."""
    serving: set[asyncio.Task[Any]] = set()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(attend, "127.0.0.1", port, limit=16 * 1024 * 1024)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)
        await asyncio.sleep(0)


@asynccontextmanager
async def receiving(answer: Answer = accept, port: int = 0) -> AsyncIterator[Receiver]:
    receiver = Receiver(answer)
    async with listening(receiver.serve, port) as receiver.port:
        yield receiver


class Loopback:
    """Connects as a sandbox does, and remembers all connections."""

    def __init__(self) -> None:
        self.made: list[socket.socket] = []

    async def __call__(self, port: int) -> socket.socket:
        made = socket.socket()
        made.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
        except BaseException:
            made.close()
            raise
        self.made.append(made)
        return made


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


async def never(condition: Callable[[], bool]) -> None:
    """Not within the time in which it would be, were it so."""
    for _ in range(20):
        await asyncio.sleep(0.002)
        assert not condition()
