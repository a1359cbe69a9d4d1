"""The last part of one invocation's log, as LogType=Tail answers it. Knows nothing of files."""

from typing import Final

_COMPACT_FACTOR: Final = 4  # joining is put off until this many times the capacity has come


class Tail:
    """The last `capacity_bytes` of what was added."""

    __slots__ = ("_capacity_bytes", "_head", "_limit_bytes", "_lines", "_size_bytes")

    def __init__(self, capacity_bytes: int = 4096) -> None:
        self._capacity_bytes = capacity_bytes
        self._limit_bytes = capacity_bytes * _COMPACT_FACTOR
        self._head = b""
        self._lines: list[bytes] = []
        self._size_bytes = 0

    def add(self, line: bytes) -> None:
        """Add a line, given without its final newline."""
        self._lines.append(line)
        self._size_bytes += len(line) + 1
        if self._size_bytes > self._limit_bytes:
            self._head = self.value()
            self._lines = []
            self._size_bytes = len(self._head)

    def value(self) -> bytes:
        """The end of the log, every line with its newline; the first may be cut."""
        lines = b"".join([line + b"\n" for line in self._lines])
        return (self._head + lines)[-self._capacity_bytes :]
