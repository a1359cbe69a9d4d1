"""The kernel's routing socket (rtnetlink): requests as bytes, and a socket that waits for the answer to each."""

import os
import socket
import struct
from dataclasses import dataclass
from typing import Final, Self

CREATE: Final = 0x600
"""Flags: make it, and fail when it exists."""
REPLACE: Final = 0x500
"""Flags: make it, or put it in the place of what is there."""
_REQUEST: Final = 0x1
_ACKNOWLEDGE: Final = 0x4
_DUMP: Final = 0x300
_ERROR: Final = 2
_DONE: Final = 3
_HEADER: Final = struct.Struct("=IHHII")
_ATTRIBUTE: Final = struct.Struct("=HH")
_KIND_MASK: Final = 0x3FFF
_ANSWER_BYTES: Final = 1 << 18
_TIMEOUT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Request:
    """One message to the kernel: its kind, what follows the header, and flags beside the usual ones."""

    kind: int
    content: bytes
    flags: int = 0


def attribute(kind: int, value: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(-length % 4)


def text_attribute(kind: int, text: str) -> bytes:
    return attribute(kind, text.encode() + b"\0")


def number_attribute(kind: int, number: int) -> bytes:
    return attribute(kind, struct.pack("=I", number))


def attributes_of(content: bytes) -> dict[int, bytes]:
    """The attributes in a message, or in an attribute that holds others; what is cut short ends the list."""
    found: dict[int, bytes] = {}
    position = 0
    while position + _ATTRIBUTE.size <= len(content):
        length, kind = _ATTRIBUTE.unpack_from(content, position)
        if length < _ATTRIBUTE.size or position + length > len(content):
            break
        found[kind & _KIND_MASK] = content[position + _ATTRIBUTE.size : position + length]
        position += length + -length % 4
    return found


class RoutingSocket:
    """Speaks to the network namespace that its thread was in when it was made, which it keeps alive.

    For one thread at a time.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.settimeout(_TIMEOUT_SECONDS)
        self._socket.bind((0, 0))
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def do(self, *requests: Request) -> None:
        """Have them carried out, one by one. Raises OSError for the first that fails; the rest isn't tried."""
        for request in requests:
            self._send(request, _ACKNOWLEDGE)
            self._read()

    def ask(self, request: Request) -> bytes:
        """The content of the one message that answers. Raises OSError."""
        self._send(request, 0)
        return self._read(is_single=True)[0]

    def dump(self, request: Request) -> list[bytes]:
        """The content of each message of the answer. Raises OSError."""
        self._send(request, _DUMP)
        return self._read()

    def _send(self, request: Request, flags: int) -> None:
        self._sequence += 1
        length = _HEADER.size + len(request.content)
        flags |= _REQUEST | request.flags
        self._socket.send(_HEADER.pack(length, request.kind, flags, self._sequence, 0) + request.content)

    def _read(self, *, is_single: bool = False) -> list[bytes]:
        contents: list[bytes] = []
        while True:
            answer = self._socket.recv(_ANSWER_BYTES)
            position = 0
            while position + _HEADER.size <= len(answer):
                length, kind, _, sequence, _ = _HEADER.unpack_from(answer, position)
                content = answer[position + _HEADER.size : position + length]
                position += length + -length % 4
                if sequence != self._sequence:
                    continue  # of a request that had failed to be answered in time
                if kind == _ERROR:
                    _raise_error(struct.unpack_from("=i", content)[0])
                if kind in (_ERROR, _DONE):
                    return contents
                contents.append(content)
                if is_single:
                    return contents


def _raise_error(code: int) -> None:
    if code:
        raise OSError(-code, os.strerror(-code))
