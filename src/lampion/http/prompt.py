"""Acknowledging what has come at once, to who sends the rest of a message only then.

A client that writes a head and its body one by one, and leaves Nagle's algorithm on, has the body wait for the head's
acknowledgement; the kernel gives that after 40 ms, for it hopes to send it with an answer.
"""

import asyncio
import socket
from typing import Final

from lampion.http.limits import HttpLimits

_SMALL_BYTES: Final = 16 * 1024
"""Of a body: the rest of a larger one comes in full segments, which wait for nothing."""


def acknowledge_part(limits: HttpLimits, transport: asyncio.Transport | None, body_bytes: int) -> None:
    """A part of a message has come, with so much of its body."""
    if not limits.is_prompt or body_bytes >= _SMALL_BYTES or transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
