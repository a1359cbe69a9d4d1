"""A program for arm64, made here: it writes a text and ends with a status, whatever its arguments."""

import struct

_BASE = 0x400000
_HEAD_BYTES = 64 + 56
_WRITE, _EXIT = 64, 93


def arm64_program(text: bytes, status: int = 7) -> bytes:
    """An ELF file that needs nothing of the machine but its kernel."""
    call = 0xD4000001
    code = struct.pack(
        "<8I",
        _move(0, 1),  # the descriptor
        0x10000001 | (28 >> 2) << 5,  # x1: the text, 28 bytes after this instruction
        _move(2, len(text)),
        _move(8, _WRITE),
        call,
        _move(0, status),
        _move(8, _EXIT),
        call,
    )
    size = _HEAD_BYTES + len(code) + len(text)
    identity = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    entry = _BASE + _HEAD_BYTES
    head = identity + struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, entry, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x10000)
    return head + segment + code + text


def _move(register: int, value: int) -> int:
    assert 0 <= value < 1 << 16
    return 0xD2800000 | value << 5 | register
