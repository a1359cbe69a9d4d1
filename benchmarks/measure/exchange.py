"""One large request or answer after the other over one connection, with as little work of ours as can be."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.measure.post import Post

ANSWER_SECONDS = 60.0
_HEAD_END = b"\r\n\r\n"
_PRELUDE = struct.Struct(">II")
_AROUND_HEADERS = 12
_CHECKSUM_BYTES = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """Seconds from the first byte sent to the last one received; `first_seconds` to that of what was looked for."""

    status: int
    body: bytes
    seconds: float
    first_seconds: float | None = None


class Exchange:
    """A connection. `room_bytes` bounds an answer with its head."""

    def __init__(self, connection: socket.socket, room_bytes: int) -> None:
        self._socket = connection
        self._buffer = bytearray(room_bytes)

    def ask(self, post: Post) -> Answer:
        """An answer with a Content-Length."""
        began = self._send(post)
        received, head_end, end = 0, -1, 0
        while head_end < 0 or received < end:
            received += self._receive(received)
            if head_end < 0 and (head_end := self._buffer.find(_HEAD_END, 0, received)) >= 0:
                head_end += len(_HEAD_END)
                end = head_end + _content_length(bytes(self._buffer[:head_end]))
        return self._answer(head_end, received, time.perf_counter() - began)

    def ask_for_stream(self, post: Post, looked_for: bytes) -> Answer:
        """An answer in chunks, whose body is told without their frames; `looked_for` is near its beginning."""
        began = self._send(post)
        received, first_seconds = 0, None
        while not (received >= len(_END) and self._buffer[received - len(_END) : received] == _END):
            received += self._receive(received)
            if first_seconds is None and self._buffer.find(looked_for, 0, received) >= 0:
                first_seconds = time.perf_counter() - began
        seconds = time.perf_counter() - began
        head_end = self._buffer.find(_HEAD_END) + len(_HEAD_END)
        body = b"".join(_chunks(memoryview(self._buffer)[head_end:received]))
        return Answer(int(self._buffer[9:12]), body, seconds, first_seconds)

    def _send(self, post: Post) -> float:
        fields = {"Host": urlsplit(post.url).netloc, **post.headers, "Content-Length": str(len(post.body))}
        lines = [f"POST {post.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        head = "\r\n".join(lines).encode()
        began = time.perf_counter()
        self._socket.sendall(head)
        self._socket.sendall(post.body)
        return began

    def _receive(self, at: int) -> int:
        count = self._socket.recv_into(memoryview(self._buffer)[at:])
        if count == 0:
            raise ConnectionError("the answer ended early, or is too long")
        return count

    def _answer(self, head_end: int, received: int, seconds: float) -> Answer:
        return Answer(int(self._buffer[9:12]), bytes(memoryview(self._buffer)[head_end:received]), seconds)


_END = b"\r\n0\r\n\r\n"


@contextmanager
def connected(url: str, room_bytes: int) -> Iterator[Exchange]:
    """A connection for requests to `url`."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=ANSWER_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Exchange(connection, room_bytes)


def _content_length(head: bytes) -> int:
    return int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])


def _chunks(body: memoryview) -> Iterator[memoryview]:
    at = 0
    while True:
        line_end = at + bytes(body[at : at + 20]).index(b"\r\n")
        length = int(bytes(body[at:line_end]), 16)
        if length == 0:
            return
        yield body[line_end + 2 : line_end + 2 + length]
        at = line_end + 2 + length + 2


def events(stream: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Headers, as they are, and payload of each message of an event stream."""
    view, at = memoryview(stream), 0
    while at < len(view):
        length, headers_length = _PRELUDE.unpack_from(view, at)
        headers_end = at + _AROUND_HEADERS + headers_length
        yield bytes(view[at + _AROUND_HEADERS : headers_end]), bytes(view[headers_end : at + length - _CHECKSUM_BYTES])
        at += length
