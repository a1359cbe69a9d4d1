"""InvokeWithResponseStream byte by byte, without an SDK."""

import json
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import pytest

from tests.conformance.test_response_streams import streaming
from tests.deployment import functions
from tests.live_server import LiveServer


@dataclass(frozen=True)
class Message:
    headers: dict[str, str]
    payload: bytes


def decode(data: bytes) -> Iterator[Message]:
    """Messages of an event stream, written from its specification."""
    while data:
        length, headers_length, prelude_crc = struct.unpack(">III", data[:12])
        assert zlib.crc32(data[:8]) == prelude_crc
        assert zlib.crc32(data[: length - 4]) == struct.unpack(">I", data[length - 4 : length])[0]
        rest, headers = data[12 : 12 + headers_length], {}
        while rest:
            end = 1 + rest[0]
            assert rest[end] == 7, "a string"
            value_end = end + 3 + int.from_bytes(rest[end + 1 : end + 3], "big")
            headers[rest[1:end].decode()] = rest[end + 3 : value_end].decode()
            rest = rest[value_end:]
        yield Message(headers, data[12 + headers_length : length - 4])
        data = data[length:]


@pytest.fixture
def server(start_server: Callable[..., LiveServer]) -> LiveServer:
    return start_server("--auth", "open")


@contextmanager
def asked(server: LiveServer, name: str, *steps: list[object], version: str = "1.1") -> Iterator[BinaryIO]:
    """The answer's bytes; the connection ends with the block."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    body = json.dumps(steps).encode()
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(
            f"POST /2021-11-15/functions/{name}/response-streaming-invocations HTTP/{version}\r\n"
            f"Host: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        with connection.makefile("rb") as reader:
            yield reader


def head_of(reader: BinaryIO) -> tuple[str, dict[str, str]]:
    status = reader.readline().decode().strip()
    lines = iter(lambda: reader.readline().decode().strip(), "")
    return status, {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def chunks_of(reader: BinaryIO) -> Iterator[bytes]:
    while size := int(reader.readline(), 16):
        yield reader.read(size)
        assert reader.readline() == b"\r\n"
    assert reader.readline() == b"\r\n"


def test_each_message_is_a_chunk(server: LiveServer) -> None:
    with functions(server.client(), "wire") as made:
        name = streaming(made)
        error = {"errorType": "E"}
        with asked(server, name, ["write", "one"], ["sleep", 0.1], ["write", "two"], ["fail", "E", error]) as reader:
            status, headers = head_of(reader)
            assert status == "HTTP/1.1 200 OK"
            assert headers["content-type"] == "application/vnd.amazon.eventstream"
            assert headers["x-amz-executed-version"] == "$LATEST"
            assert headers["transfer-encoding"] == "chunked"
            assert "content-length" not in headers
            assert len(headers["x-amzn-requestid"]) == 36
            messages = [next(decode(chunk)) for chunk in chunks_of(reader)]
    chunk = {":message-type": "event", ":event-type": "PayloadChunk", ":content-type": "application/octet-stream"}
    assert messages[:2] == [Message(chunk, b"one"), Message(chunk, b"two")]
    assert messages[2].headers == {
        ":message-type": "event",
        ":event-type": "InvokeComplete",
        ":content-type": "application/json",
    }
    assert json.loads(messages[2].payload) == {"ErrorCode": "E", "ErrorDetails": json.dumps(error)}
    assert len(messages) == 3


def test_a_client_of_http_1_0_reads_to_the_end(server: LiveServer) -> None:
    with functions(server.client(), "wire") as made:
        name = streaming(made)
        with asked(server, name, ["write", "one"], version="1.0") as reader:
            _, headers = head_of(reader)
            messages = list(decode(reader.read()))
    assert "transfer-encoding" not in headers
    assert [message.payload for message in messages] == [b"one", b"{}"]


def test_clients_that_go_away_leave_nothing_behind(server: LiveServer) -> None:
    """Of the server's descriptors; what they had asked for runs to its end."""
    assert server.process is not None
    client = server.client()
    with functions(client, "wire") as made:
        name = streaming(made, Timeout=30)
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
        for _ in range(5):
            with asked(server, name, ["blocks", 200], ["sleep", 0.2]) as reader:
                head_of(reader)
            until_free(client, name)
        with asked(server, name, ["write", "x"], ["sleep", 1], ["write", "y"]) as reader:
            head_of(reader)  # the function is silent when its caller goes
        until_free(client, name)
    assert "Traceback" not in server.output


def until_free(client: "object", name: str) -> None:
    end = time.monotonic() + 20
    while True:
        running = [start_or_none(client, name) for _ in range(3)]
        answers = [list(stream["EventStream"]) for stream in running if stream is not None]
        if len(answers) == 3:
            return
        assert time.monotonic() < end, "an invocation never ended"
        time.sleep(0.05)


def start_or_none(client: "object", name: str) -> "dict[str, list[object]] | None":
    try:
        answer: dict[str, list[object]] = client.invoke_with_response_stream(  # type: ignore[attr-defined]
            FunctionName=name, Payload=json.dumps([["write", "x"], ["sleep", 0.3]])
        )
    except client.exceptions.TooManyRequestsException:  # type: ignore[attr-defined]
        return None
    return answer
