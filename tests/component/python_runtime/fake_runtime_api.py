"""A scripted Runtime API: hands out the given events and keeps what the runtime posts, byte for byte."""

import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:table"
ACCEPTED = "202 Accepted"
DEADLINE_MS = 4_102_444_800_000


@dataclass(frozen=True, slots=True)
class Event:
    """One invocation as `next` answers it; a header set to None is left out."""

    body: bytes = b"{}"
    headers: Mapping[str, str | None] = field(default_factory=dict)

    is_chunked: bool = False

    def encode(self) -> bytes:
        headers: dict[str, str | None] = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": REQUEST_ID,
            "Lambda-Runtime-Invocation-Id": "invocation-1",
            "Lambda-Runtime-Deadline-Ms": str(DEADLINE_MS),
            "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
            **self.headers,
        }
        lines = [f"{name}: {value}\r\n" for name, value in headers.items() if value is not None]
        head = "HTTP/1.1 200 OK\r\n" + "".join(lines)
        if not self.is_chunked:
            return f"{head}Content-Length: {len(self.body)}\r\n\r\n".encode() + self.body
        chunks = [self.body[begin : begin + 7] for begin in range(0, len(self.body), 7)]
        body = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + body + b"0\r\nTrailer: x\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Post:
    """What the runtime posted; names of headers and trailers in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    trailers: Mapping[str, str] = field(default_factory=dict)


class FakeRuntimeApi:
    """Serves on a free loopback port while entered. After the last event `exhausted` is set and `next` waits."""

    def __init__(
        self,
        events: Sequence[Event],
        *,
        post_status: str = ACCEPTED,
        closes_after_each_post: bool = False,
        piece_bytes: int | None = None,
    ) -> None:
        """`piece_bytes` sends every answer in pieces of that size."""
        self.posts: list[Post] = []
        self.gets: list[Post] = []
        self.connections = 0
        self.exhausted = threading.Event()
        self.reads: list[bytes] = []
        self._events = list(events)
        self._post_status = post_status
        self._closes_after_each_post = closes_after_each_post
        self._piece_bytes = piece_bytes
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Go away: no listener, no connection. Idempotent."""
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        with self._lock:
            connections, self._open = self._open, []
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the runtime was quicker

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        reader = _Reader(connection, self.reads)
        with connection:
            try:
                while (request := reader.request()) is not None:
                    self._send(connection, self._answer(*request))
                    if request[0] == "POST" and self._closes_after_each_post:
                        return
            except (OSError, EOFError):
                return  # a request that breaks off is none

    def _send(self, connection: socket.socket, answer: bytes) -> None:
        size = self._piece_bytes or len(answer) or 1
        for begin in range(0, len(answer), size):
            connection.sendall(answer[begin : begin + size])
            if self._piece_bytes:
                time.sleep(0.0005)  # so that the pieces aren't joined on their way

    def _answer(self, method: str, request: Post) -> bytes:
        with self._lock:
            if method == "POST":
                self.posts.append(request)
                return f"HTTP/1.1 {self._post_status}\r\nContent-Length: 0\r\n\r\n".encode()
            self.gets.append(request)
            if self._events:
                return self._events.pop(0).encode()
        self.exhausted.set()
        return b""


class _Reader:
    """Requests out of a byte stream; knows Content-Length, chunks and `Expect: 100-continue`."""

    def __init__(self, connection: socket.socket, reads: list[bytes]) -> None:
        self._connection = connection
        self._reads = reads
        self._pending = b""

    def request(self) -> tuple[str, Post] | None:
        try:
            head = self._until(b"\r\n\r\n").decode("latin-1")
        except EOFError:
            return None
        request_line, *lines = head.split("\r\n")
        method, path, _ = request_line.split(" ")
        headers = _named(lines)
        if headers.get("expect") == "100-continue":
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding") == "chunked":
            return method, Post(path, headers, self._chunks(), self._trailers())
        return method, Post(path, headers, self._exactly(int(headers.get("content-length", "0"))))

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._until(b"\r\n"), 16):
            body += self._exactly(size)
            self._until(b"\r\n")
        return body

    def _trailers(self) -> Mapping[str, str]:
        lines = []
        while line := self._until(b"\r\n"):
            lines.append(line.decode("latin-1"))
        return _named(lines)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._pending:
            self._receive()
        part, _, self._pending = self._pending.partition(mark)
        return part

    def _exactly(self, size: int) -> bytes:
        while len(self._pending) < size:
            self._receive()
        part, self._pending = self._pending[:size], self._pending[size:]
        return part

    def _receive(self) -> None:
        received = self._connection.recv(1 << 20)
        if not received:
            raise EOFError
        self._reads.append(received[:4096])
        self._pending += received


def _named(lines: Sequence[str]) -> dict[str, str]:
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
