"""The load: a process that sends signed event invocations and notes what was answered. And who starts it.

It lives longer than the servers do: for each it is told an address, and sends until its connections are gone.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import uvloop

from lampion.aws.sigv4_sign import Signer
from tests.chaos.events.functions import BEHAVIOURS

_CONNECTIONS: Final = 16
_SYNCHRONOUS: Final = "succeeding"
_SYNCHRONOUS_PAUSE_SECONDS: Final = 0.005
SYNCHRONOUS_MARK: Final = "sync"
"""What the numbers of synchronous invocations begin with."""


class Sent(NamedTuple):
    """One event that was sent. `status` is 0, and `request_id` "", when there was no answer."""

    name: str
    n: str
    status: int
    request_id: str

    @property
    def was_accepted(self) -> bool:
        return self.status == 202


def read_log(path: Path) -> Iterator[Sent]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Sent(*json.loads(line))


class Load:
    """The process."""

    def __init__(self, log: Path, *, rate: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.events.load", str(log), str(rate)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, server: Any, label: str) -> None:
        """Events go to that server from now on; their numbers begin with `label`."""
        told = [server.url, server.region, server.access_key_id, server.secret_access_key, label]
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        self._expect("begun")

    def ended(self) -> None:
        """Wait until the server's death has reached every connection, and what it had answered is on disk."""
        self._expect("ended")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _expect(self, word: str) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == f"{word}\n", "the load has died"


# -- in the process --


@dataclass(frozen=True, slots=True)
class _Door:
    """Where to send, and who signs."""

    host: str
    signer: Signer
    label: str

    def request(self, name: str, payload: bytes, kind: str, now: float) -> bytes:
        path = f"/2015-03-31/functions/{name}/invocations"
        headers = {"host": self.host, "x-amz-invocation-type": kind}
        headers |= self.signer.sign("POST", path, "", headers, payload, now) | {"content-length": str(len(payload))}
        lines = [f"POST {path} HTTP/1.1", *(f"{header}: {value}" for header, value in headers.items())]
        return "\r\n".join((*lines, "", "")).encode() + payload


class _Answer(NamedTuple):
    status: int
    request_id: str


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> _Answer:
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    await reader.readexactly(int(headers.get("content-length", 0)))
    return _Answer(int(head[0].split()[1]), headers["x-amzn-requestid"])


class _Sender:
    """Sends to one server after another."""

    def __init__(self, log: Path, rate: int) -> None:
        self._log = log.open("a", encoding="utf-8")
        self._pause_seconds = _CONNECTIONS / rate
        self._names, self._weights = _shares()

    async def send_until_it_dies(self, door: _Door) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(_CONNECTIONS):
                group.create_task(self._events(door, number))
            group.create_task(self._synchronous(door))
        self._log.flush()
        os.fsync(self._log.fileno())

    async def _events(self, door: _Door, number: int) -> None:
        chance = random.Random(f"{door.label} {number}")
        reader, writer = await _connect(door)
        due, count = time.monotonic() + chance.random() * self._pause_seconds, 0
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                due, count = max(due + self._pause_seconds, time.monotonic() - 0.1), count + 1
                name, n = chance.choices(self._names, self._weights)[0], f"{door.label}-{number}-{count}"
                answer = _Answer(0, "")
                try:
                    payload = json.dumps({"n": n}).encode()
                    answer = await _exchange(reader, writer, door.request(name, payload, "Event", time.time()))
                finally:
                    self._log.write(json.dumps(Sent(name, n, *answer)) + "\n")
        await _close(writer)

    async def _synchronous(self, door: _Door) -> None:
        """Somebody waits for answers meanwhile."""
        reader, writer = await _connect(door)
        payload = json.dumps({"n": f"{SYNCHRONOUS_MARK}-{door.label}"}).encode()
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                request = door.request(_SYNCHRONOUS, payload, "RequestResponse", time.time())
                await _exchange(reader, writer, request)
                await asyncio.sleep(_SYNCHRONOUS_PAUSE_SECONDS)
        await _close(writer)


def _shares() -> tuple[list[str], list[int]]:
    shares: Mapping[str, int] = {name: one.weight for name, one in BEHAVIOURS.items() if one.weight}
    return list(shares), list(shares.values())


async def _connect(door: _Door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = door.host.partition(":")
    return await asyncio.open_connection(host, int(port))


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def main(log: Path, rate: int) -> None:
    """Until stdin ends."""
    sender = _Sender(log, rate)
    for line in sys.stdin:
        url, region, access_key_id, secret_access_key, label = json.loads(line)
        door = _Door(url.removeprefix("http://"), Signer(access_key_id, secret_access_key, region), label)
        print("begun", flush=True)
        with suppress(ExceptionGroup):  # it was gone before there was a connection
            uvloop.run(sender.send_until_it_dies(door))
        print("ended", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
