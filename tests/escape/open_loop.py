"""Requests that leave on schedule, whatever the answers do, and how long the server took over each.

Callers of a real server have processors of their own. These share them with it, so their own waiting isn't counted:
a request's time is from when it was sent to when the kernel had the last byte of the answer (SO_TIMESTAMPNS).
"""

import asyncio
import math
import socket
import struct
from dataclasses import dataclass

from lampion.clock.clock import SystemClock
from tests.live_server import LiveServer

_CLOCK = SystemClock()
_PATIENCE_SECONDS = 10.0
_SO_TIMESTAMPNS = 35  # Linux on x86-64 and arm64; Python has no name for it
_TIMESPEC = struct.Struct("=qq")
_CHUNK_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Round:
    """What the callers saw."""

    latencies_ms: tuple[float, ...]
    errors: tuple[str, ...]
    """What came instead of the right answer."""

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf


class Caller:
    """Kept connections to one function on a server that checks no signatures."""

    def __init__(self, server: LiveServer, name: str) -> None:
        host, _, port = server.url.removeprefix("http://").partition(":")
        self._address = (host, int(port))
        path = f"/2015-03-31/functions/{name}/invocations"
        self._request = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        self._idle: list[socket.socket] = []

    async def round(self, rate: float, seconds: float) -> Round:
        """`rate` requests a second for `seconds`."""
        beginning = _CLOCK.monotonic()
        calls = []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, beginning + number / rate - _CLOCK.monotonic()))
            calls.append(asyncio.create_task(self._call()))
        outcomes = await asyncio.gather(*calls)
        taken = tuple(1000 * outcome for outcome in outcomes if isinstance(outcome, float))
        return Round(taken, tuple(outcome for outcome in outcomes if isinstance(outcome, str)))

    async def _call(self) -> float | str:
        """Seconds that the right answer took; anything else as text."""
        began = _CLOCK.monotonic()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                connection = self._kept() or await self._connect()
                sent_at = _CLOCK.now()
                await asyncio.get_running_loop().sock_sendall(connection, self._request)
                answer, received_at = await _answer(connection)
        except (OSError, TimeoutError, EOFError, ValueError) as error:
            return f"{error!r} after {_CLOCK.monotonic() - began:.3f} s"
        self._idle.append(connection)
        head = answer.lower()
        is_right = head.startswith(b"http/1.1 200") and b"x-amz-function-error" not in head and b"ok" in answer
        return received_at - sent_at if is_right else repr(answer[:400])

    async def _connect(self) -> socket.socket:
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        await asyncio.get_running_loop().sock_connect(connection, self._address)
        return connection

    def _kept(self) -> socket.socket | None:
        """A connection that is still open: the server closes those that have been idle for long."""
        while self._idle:
            connection = self._idle.pop()
            try:
                connection.recv(1, socket.MSG_PEEK)
            except BlockingIOError:
                return connection
            except OSError:
                pass
            connection.close()
        return None

    def close(self) -> None:
        for connection in self._idle:
            connection.close()


async def _answer(connection: socket.socket) -> tuple[bytes, float]:
    """The whole answer, and the time of day at which its last byte was there. Raises EOFError when it breaks off."""
    received, at = b"", 0.0
    while not _is_whole(received):
        await _readable(connection)
        chunk, ancillary, _, _ = connection.recvmsg(_CHUNK_BYTES, socket.CMSG_SPACE(_TIMESPEC.size))
        if not chunk:
            raise EOFError
        received += chunk
        ((_, _, stamp),) = ancillary
        seconds, nanoseconds = _TIMESPEC.unpack(stamp)
        at = seconds + nanoseconds / 1e9
    return received, at


async def _readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    is_readable = asyncio.Event()
    loop.add_reader(connection, is_readable.set)
    try:
        await is_readable.wait()
    finally:
        loop.remove_reader(connection)


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    return bool(end) and len(body) == int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
