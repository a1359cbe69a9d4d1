"""A large body, read straight into the memory where it is to stay: neither parsed nor copied on the way."""

import asyncio
import io
from collections.abc import Sequence
from typing import Final, Protocol, cast

from lampion.http.refused import Refused

LARGE_BYTES: Final = 512 * 1024
"""So much must be missing of a body for this to be worth it."""
_GROWTH: Final = 4
_KEPT_BYTES: Final = 8 * 1024 * 1024
"""What the largest payload and its answer fit in, each."""


class Owner(Protocol):
    """The connection, as far as it is needed here: asyncio's protocol, and what follows."""

    def body_grew(self, size_bytes: int, held_bytes: int) -> None:
        """So much came, and so much more memory is taken for what is to come. Raises Refused."""

    def body_refused(self, refused: Refused) -> None:
        """`body_grew` said so; what else comes is for the connection again."""

    def body_came(self, body: bytes, beyond: bytes) -> None:
        """All of it, and what was read behind it; what else comes is for the connection again."""

    def connection_lost(self, exc: Exception | None) -> None: ...

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...


class _Reader(asyncio.BaseProtocol):
    """Reads in the owner's stead; all else goes to the owner as ever."""

    def __init__(self, owner: Owner, transport: asyncio.Transport) -> None:
        self._owner = owner
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.connection_lost(exc)

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._owner.pause_writing()

    def resume_writing(self) -> None:
        self._owner.resume_writing()

    def _note(self, size_bytes: int, held_bytes: int) -> bool:
        """Whether the owner goes along."""
        try:
            self._owner.body_grew(size_bytes, held_bytes)
        except Refused as refused:
            _hand_over(self._transport, self._owner)
            self._owner.body_refused(refused)
            return False
        return True


class LargeBody(_Reader, asyncio.BufferedProtocol):
    """Goes on with a body that has begun to come. Its memory grows with what came, not with what a client claims."""

    def __init__(self, owner: Owner, transport: asyncio.Transport, begun: Sequence[bytes], size_bytes: int) -> None:
        super().__init__(owner, transport)
        self._memory = io.BytesIO()  # lets its bytes be written in place, and gives them away without a copy
        self._memory.writelines(begun)
        self._received_bytes = self._room_bytes = self._memory.tell()
        self._last_byte_at = size_bytes - 1

    def begin(self) -> None:
        """What has come is noted already."""
        if self._note(0, self._more_room()):
            _hand_over(self._transport, self)

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._received_bytes == self._room_bytes:
            self._room_bytes += self._more_room()
            self._memory.seek(self._room_bytes - 1)
            self._memory.write(b"\0")
        return self._memory.getbuffer()[self._received_bytes :]

    def buffer_updated(self, nbytes: int) -> None:
        self._received_bytes += nbytes
        is_full = self._received_bytes == self._room_bytes
        if self._note(nbytes, self._more_room() if is_full else 0) and self._received_bytes == self._last_byte_at:
            _hand_over(self._transport, _LastByte(self._owner, self._transport, self._memory))

    def _more_room(self) -> int:
        return min(_GROWTH * self._room_bytes, self._last_byte_at) - self._room_bytes


class _LastByte(_Reader, asyncio.Protocol):
    """Who reads into memory keeps hold of it, and its bytes could only be copied; so the last one is read apart."""

    def __init__(self, owner: Owner, transport: asyncio.Transport, memory: io.BytesIO) -> None:
        super().__init__(owner, transport)
        self._memory = memory

    def data_received(self, data: bytes) -> None:
        if self._note(1, 1):
            self._memory.seek(0, io.SEEK_END)
            self._memory.write(data[:1])
            _hand_over(self._transport, self._owner)
            self._owner.body_came(self._memory.getvalue(), data[1:])


def _hand_over(transport: asyncio.Transport, reader: _Reader | Owner) -> None:
    if transport.is_closing():
        return
    is_reading = transport.is_reading()
    transport.set_protocol(cast("asyncio.BaseProtocol", reader))
    if is_reading:  # uvloop asks who reads only when reading begins
        transport.pause_reading()
        transport.resume_reading()


def keep_freed_memory() -> None:
    """Once in a process, for the next large body to find memory: to get it from the kernel costs more than to fill it.

    Of GNU's C library, blocks larger than any that was freed so far go back to the kernel at once, and what is free
    beyond twice that size.
    """
    bytes(_KEPT_BYTES)
