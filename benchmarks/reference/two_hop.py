"""The two-hop reference: the least an invoke can be when a front process hands the event to another process.

FROZEN: results of different days are compared through it, so a change here makes all earlier ratios worthless
(a test pins this file's SHA-256). uvloop + httptools in front, two pipes to each of 16 forked workers that decode the
event, call a handler and encode its answer. No sandbox, no authentication, no logs, no timeouts, nothing durable.

    python two_hop.py PORT

A frame on a pipe is a 4-byte little-endian length and that many bytes. To the worker: 36 bytes of request id and the
event. From the worker: the answer. One invoke per worker at a time; invokes that find no idle worker wait in order.
"""

import asyncio
import json
import os
import signal
import struct
import sys
from collections import deque
from typing import Any, NoReturn, cast

import httptools
import uvloop

WORKERS = 16
MAX_EVENT_BYTES = 60_000  # an event fits into a pipe's 64 KiB, so that the front's writes never block
REQUEST_ID_BYTES = 36
LENGTH = struct.Struct("<I")

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Amz-Executed-Version: $LATEST\r\n"
    b"x-amzn-RequestId: %b\r\nContent-Length: %d\r\n\r\n%b"
)
TOO_LARGE = b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\n\r\n"


class RequestIds:
    """Random version 4 UUIDs, cut from a block so that not every request asks the kernel."""

    def __init__(self) -> None:
        self._ready: list[bytes] = []

    def take(self) -> bytes:
        if not self._ready:
            digits = os.urandom(16 * 256).hex()
            self._ready = [self._format(digits[start : start + 32]) for start in range(0, len(digits), 32)]
        return self._ready.pop()

    @staticmethod
    def _format(digits: str) -> bytes:
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}".encode()


class Context:
    """What the handler gets beside the event."""

    __slots__ = ("aws_request_id",)

    def __init__(self, aws_request_id: str) -> None:
        self.aws_request_id = aws_request_id


def handler(event: Any, context: Context) -> Any:
    return event


def read_frame(fd: int) -> bytes:
    data = os.read(fd, 65536)
    if not data:
        return b""
    end = LENGTH.size + LENGTH.unpack_from(data)[0]
    while len(data) < end:
        data += os.read(fd, 65536)
    return data[LENGTH.size : end]


def work(requests: int, answers: int) -> NoReturn:
    """The life of a worker: until the front has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while frame := read_frame(requests):
        context = Context(frame[:REQUEST_ID_BYTES].decode())
        answer = json.dumps(handler(json.loads(frame[REQUEST_ID_BYTES:]), context)).encode()
        os.write(answers, LENGTH.pack(len(answer)) + answer)
    os._exit(0)


class Worker:
    """The front's side of one worker."""

    __slots__ = ("answers", "connection", "request_id", "requests")

    def __init__(self, requests: int, answers: int) -> None:
        self.requests = requests
        self.answers = answers
        self.request_id = b""
        self.connection: Connection | None = None


def start_workers() -> list[Worker]:
    """Before the event loop exists: a worker inherits nothing but its own two pipe ends."""
    workers: list[Worker] = []
    for _ in range(WORKERS):
        requests_read, requests_write = os.pipe()
        answers_read, answers_write = os.pipe()
        if os.fork() == 0:
            for fd in (
                requests_write,
                answers_read,
                *(fd for other in workers for fd in (other.requests, other.answers)),
            ):
                os.close(fd)
            work(requests_read, answers_write)
        os.close(requests_read)
        os.close(answers_write)
        workers.append(Worker(requests_write, answers_read))
    return workers


class Front:
    """Gives each event to an idle worker, the most recently used first."""

    def __init__(self, workers: list[Worker]) -> None:
        self._idle = list(workers)
        self._waiting: deque[tuple[Connection, bytes]] = deque()
        self._request_ids = RequestIds()
        loop = asyncio.get_running_loop()
        for worker in workers:
            loop.add_reader(worker.answers, self._answered, worker)

    def invoke(self, connection: "Connection", event: bytes) -> None:
        if self._idle:
            self._send(self._idle.pop(), connection, event)
        else:
            self._waiting.append((connection, event))

    def _send(self, worker: Worker, connection: "Connection", event: bytes) -> None:
        worker.connection = connection
        worker.request_id = self._request_ids.take()
        os.write(worker.requests, LENGTH.pack(REQUEST_ID_BYTES + len(event)) + worker.request_id + event)

    def _answered(self, worker: Worker) -> None:
        answer = read_frame(worker.answers)
        connection = worker.connection
        if not answer or connection is None:
            raise SystemExit("a worker has died")
        request_id = worker.request_id
        if self._waiting:
            self._send(worker, *self._waiting.popleft())
        else:
            self._idle.append(worker)
        connection.answer(ANSWER % (request_id, len(answer), answer))


class Connection(asyncio.Protocol):
    def __init__(self, front: Front) -> None:
        self._front = front
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        event, self._body = self._body, b""
        if len(event) > MAX_EVENT_BYTES:
            self._transport.write(TOO_LARGE)
        else:
            self._front.invoke(self, event)

    def answer(self, response: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(response)


async def serve(port: int, workers: list[Worker]) -> None:
    front = Front(workers)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(front), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), start_workers()))
