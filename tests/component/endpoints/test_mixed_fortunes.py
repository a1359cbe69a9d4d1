"""Many requests at once against a server of many moods: each gets its own answer or an error, none another's."""

import asyncio
import random
import socket

import pytest

from lampion.clock.clock import SystemClock
from lampion.endpoints.address import Origin
from lampion.endpoints.errors import ServiceUnreachable
from lampion.endpoints.http_client import HttpClient, TimeLimits

REQUESTS = 150
MOODS = ("well", "well", "well", "chunked", "slow", "late", "cut", "silent close", "close after", "extra", "garbage")


class Moody:
    """Echoes the request's number in the mood that the seed draws; counts its connections."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._talking: set[asyncio.Task[None]] = set()
        self.open = 0

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._talking.add(asyncio.get_running_loop().create_task(self._talk(reader, writer)))

    async def gone(self) -> None:
        async with asyncio.timeout(10):
            await asyncio.gather(*self._talking)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while await self._answer((await reader.readuntil(b"\r\n\r\n")).split(b" ")[1][1:], writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def _answer(self, number: bytes, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        mood = self._random.choice(MOODS)
        whole = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(number), number)
        match mood:
            case "chunked":
                pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in number)
                writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n")
            case "slow":
                for position in range(0, len(whole), 7):
                    writer.write(whole[position : position + 7])
                    await asyncio.sleep(0)
            case "late":
                await asyncio.sleep(0.3)  # after the client's patience
                writer.write(whole)
            case "cut":
                writer.write(whole[: self._random.randrange(len(whole))])
            case "extra":
                writer.write(whole + whole.replace(number, b"x" * len(number)))
            case "garbage":
                writer.write(b"\x16\x03\x01 what?\r\n\r\n")
            case "silent close":
                return False
            case _:
                writer.write(whole)
        return mood not in {"cut", "close after", "garbage"}


@pytest.mark.parametrize("seed", range(6))
async def test_nobody_gets_the_answer_to_anothers_request(seed: int) -> None:
    moody = Moody(seed)
    listener = socket.create_server(("127.0.0.1", 0))
    server = await asyncio.start_server(moody.accept, sock=listener)
    origin = Origin("127.0.0.1", listener.getsockname()[1], is_tls=False)
    http = HttpClient(SystemClock(), limits=TimeLimits(answer_seconds=0.15))
    turns = asyncio.Semaphore(12)

    async def ask(number: int) -> bool:
        async with turns:
            try:
                answer = await http.send(origin, b"GET /%d HTTP/1.1\r\nhost: here\r\n\r\n" % number)
            except ServiceUnreachable:
                return False
            assert answer.body == b"%d" % number
            return True

    answered = await asyncio.gather(*(ask(number) for number in range(REQUESTS)))
    assert REQUESTS // 3 < sum(answered) < REQUESTS, f"seed {seed}: both fortunes are to be seen"
    await http.close()
    server.close()
    await moody.gone()
    assert moody.open == 0
