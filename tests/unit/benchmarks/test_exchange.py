"""Large answers are read whole, streams are taken apart, and what isn't right is told."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from benchmarks.measure.exchange import Answer, connected, events
from benchmarks.raw_functions import FIRST_PIECE, PIECE_BYTES
from benchmarks.workloads.stream_64mb import is_right
from lampion.aws.event_stream import encode_headers, message


@dataclass(frozen=True)
class Post:
    url: str
    target: str = "/x"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"event"


@contextmanager
def answering(*pieces: bytes) -> Iterator[str]:
    """Reads one request and sends these bytes, in so many writes; then closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                seen = b""
                while not seen.endswith(b"event"):
                    seen += connection.recv(65_536)
                for piece in pieces:
                    connection.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def event(name: str, payload: bytes) -> bytes:
    return message(encode_headers({":event-type": name}), payload)


def test_an_answer_is_read_to_its_length_however_it_comes():
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc"
    with answering(head, b"def") as url, connected(url, 1000) as exchange:
        answer = exchange.ask(Post(url))

    assert (answer.status, answer.body) == (200, b"abcdef")
    assert answer.seconds > 0


@pytest.mark.parametrize("room_bytes", [30, 1000])
def test_an_answer_that_ends_early_or_has_no_room_is_no_answer(room_bytes):
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 600\r\n\r\nabc"
    with answering(head) as url, connected(url, room_bytes) as exchange, pytest.raises(ConnectionError):
        exchange.ask(Post(url))


def test_a_stream_is_told_without_its_frames():
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    body = chunked(b"look: here", b"x" * 300, b"\r\n0\r\n\r\n is no end")
    with answering(head, body) as url, connected(url, 1000) as exchange:
        answer = exchange.ask_for_stream(Post(url), b"here")

    assert (answer.status, answer.body) == (200, b"look: here" + b"x" * 300 + b"\r\n0\r\n\r\n is no end")
    assert answer.first_seconds is not None
    assert 0 < answer.first_seconds <= answer.seconds


WHOLE = event("PayloadChunk", FIRST_PIECE) + event("PayloadChunk", b"x" * PIECE_BYTES)


@pytest.mark.parametrize(
    ("status", "body", "right"),
    [
        (200, WHOLE + event("InvokeComplete", b"{}"), True),
        (500, WHOLE + event("InvokeComplete", b"{}"), False),
        (200, WHOLE, False),
        (200, WHOLE + event("InvokeComplete", b'{"ErrorCode": "Runtime.Error"}'), False),
        (200, event("PayloadChunk", FIRST_PIECE) + event("InvokeComplete", b"{}"), False),
    ],
)
def test_a_stream_is_right_when_all_of_it_is_there_and_its_end_says_so(status, body, right):
    assert is_right(Answer(status, body, 1.0), 1) is right


def test_messages_are_taken_apart():
    assert [payload for _, payload in events(event("A", b"one") + event("B", b""))] == [b"one", b""]
