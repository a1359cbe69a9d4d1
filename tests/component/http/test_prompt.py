"""A message that comes in parts is acknowledged at each, so that its sender goes on at once."""

import asyncio
import socket
import time

import pytest

from lampion.http.limits import SANDBOX_SOCKET
from tests.component.http.test_server import request, serving

DELAYED_SECONDS = 0.035
"""The kernel's own delay of an acknowledgement is 40 ms."""


def ask_in_parts(port: int, *parts: bytes) -> list[float]:
    """How long each of some requests took on one connection, whose parts wait for one another's acknowledgement."""
    seconds = []
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        for _ in range(20):
            began = time.monotonic()
            for part in parts:
                connection.sendall(part)
            received = b""
            while not received.endswith(b"end"):
                received += connection.recv(65536)
            seconds.append(time.monotonic() - began)
    return seconds


@pytest.mark.parametrize("body", [(b"the end",), (b"the ", b"end"), (b"x" * 900, b"end")], ids=["one", "two", "more"])
async def test_a_head_and_its_body_may_come_one_by_one(body: tuple[bytes, ...]) -> None:
    whole = request(body=b"".join(body))
    head, end, _ = whole.partition(b"\r\n\r\n")
    async with serving(SANDBOX_SOCKET) as (_, port):
        seconds = await asyncio.to_thread(ask_in_parts, port, head[:30], head[30:] + end, *body)
    assert min(seconds[10:]) < DELAYED_SECONDS, "the first ones of a connection are never delayed"
    assert sum(seconds) < 20 * DELAYED_SECONDS
