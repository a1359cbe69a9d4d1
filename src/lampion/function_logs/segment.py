"""One segment of a stream: a `.log` file with the messages as they came, and an `.idx` file with a record for each.

The index begins with the stream's name; every record is three 64-bit numbers, little-endian: cursor, time in
milliseconds, and where the message lies (offset in the low half, length in the high half). Messages are written before
their records: a record that is there in full, after whatever end of the process, has its message.
"""

import os
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final, Self

LOG_SUFFIX: Final = ".log"
INDEX_SUFFIX: Final = ".idx"
RECORD_BYTES: Final = 24

_MAGIC: Final = b"lampion log index 1\n"
_NAME_SIZE_BYTES: Final = 2
_NAME_MAX_BYTES: Final = 2048
_OFFSET_MASK: Final = 0xFFFFFFFF
_DISK_BLOCK_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Record:
    """One event in an index."""

    cursor: int
    timestamp_ms: int
    offset: int
    length: int


def disk_bytes(*sizes_bytes: int) -> int:
    """What files of these sizes take on disk: even an empty one takes a block, or small segments would cost nothing."""
    return sum(max(1, -(-size // _DISK_BLOCK_BYTES)) * _DISK_BLOCK_BYTES for size in sizes_bytes)


def encode_records(cursors: Sequence[int], times_ms: Sequence[int], lengths: Sequence[int], offset: int) -> bytes:
    """Records of events that lie one after the other, each with its newline, in a log from `offset` on.

    Raises OverflowError for a time past 64 bits.
    """
    numbers = array("q", bytes(RECORD_BYTES * len(cursors)))
    offsets = accumulate(lengths, lambda end, length: end + length + 1, initial=offset)
    numbers[0::3] = array("q", cursors)
    numbers[1::3] = array("q", times_ms)
    numbers[2::3] = array("q", [start | length << 32 for start, length in zip(offsets, lengths, strict=False)])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


class SegmentWriter:
    """Appends to a new segment. `suspend` gives its descriptors back until the next write."""

    def __init__(self, directory: Path, stem: str, stream: str) -> None:
        self._log_path = directory / (stem + LOG_SUFFIX)
        self._index_path = directory / (stem + INDEX_SUFFIX)
        name = stream.encode("utf-8", "surrogatepass")[:_NAME_MAX_BYTES]
        header = _MAGIC + len(name).to_bytes(_NAME_SIZE_BYTES, "little") + name
        self.log_bytes = 0
        self.index_bytes = len(header)
        self._log = self._index = -1
        self._open(os.O_CREAT | os.O_EXCL)
        try:
            _write_all(self._index, header)
        except OSError:
            self.suspend()
            raise

    def write(self, messages: bytes, records: bytes) -> None:
        """Raises OSError when that fails: the segment is then not to be written any more."""
        if self._log < 0:
            self._open(0)
        _write_all(self._log, messages)
        self.log_bytes += len(messages)
        _write_all(self._index, records)
        self.index_bytes += len(records)

    def suspend(self) -> None:
        """Idempotent."""
        descriptors = (self._log, self._index)
        self._log = self._index = -1
        for descriptor in descriptors:
            if descriptor >= 0:
                os.close(descriptor)

    def _open(self, flags: int) -> None:
        flags |= os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._log = os.open(self._log_path, flags, 0o600)
            self._index = os.open(self._index_path, flags, 0o600)
        except OSError:
            self.suspend()
            raise


def _write_all(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written:])


class SegmentIndex:
    """The index of a segment, open for reading. What a crash has torn off its end isn't part of it.

    Raises OSError when the files are gone, ValueError when they are no segment.
    """

    def __init__(self, directory: Path, stem: str) -> None:
        self._descriptor = os.open(directory / (stem + INDEX_SUFFIX), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            size = os.fstat(self._descriptor).st_size
            self.stream, self._header_bytes = self._read_header()
            log_bytes = (directory / (stem + LOG_SUFFIX)).stat(follow_symlinks=False).st_size
            self.count = self._whole_records((size - self._header_bytes) // RECORD_BYTES, log_bytes)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    @property
    def last_cursor(self) -> int:
        """0 when there is no event."""
        return self.record(self.count - 1).cursor if self.count else 0

    def record(self, number: int) -> Record:
        return next(self.records(number, 1))

    def records(self, start: int, count: int, since_ms: int = 0) -> Iterator[Record]:
        """Up to `count` records from number `start`, without those older than `since_ms`."""
        numbers = self._numbers(start, min(count, self.count - start))
        times = numbers[1::3]
        if not times or max(times) < since_ms:
            return
        for cursor, timestamp_ms, where in zip(numbers[0::3], times, numbers[2::3], strict=True):
            if timestamp_ms >= since_ms:
                yield Record(cursor, timestamp_ms, where & _OFFSET_MASK, where >> 32 & _OFFSET_MASK)

    def first_after(self, cursor: int) -> int:
        """The number of the first record with a greater cursor."""
        return bisect_right(range(self.count), cursor, key=lambda number: self.record(number).cursor)

    def _numbers(self, start: int, count: int) -> "array[int]":
        data = os.pread(self._descriptor, max(0, count) * RECORD_BYTES, self._header_bytes + start * RECORD_BYTES)
        numbers = array("q", data[: len(data) // RECORD_BYTES * RECORD_BYTES])
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers

    def _read_header(self) -> tuple[str, int]:
        fixed = len(_MAGIC) + _NAME_SIZE_BYTES
        data = os.pread(self._descriptor, fixed + _NAME_MAX_BYTES, 0)
        name_bytes = int.from_bytes(data[len(_MAGIC) : fixed], "little")
        if not data.startswith(_MAGIC) or len(data) < fixed + name_bytes:
            raise ValueError("not a log index, or one that was cut in its header")
        return data[fixed : fixed + name_bytes].decode("utf-8", "replace"), fixed + name_bytes

    def _whole_records(self, count: int, log_bytes: int) -> int:
        """How many records have their message: after a power failure the last ones may not."""
        self.count = count
        while self.count:
            last = self.record(self.count - 1)
            if last.cursor > 0 and last.offset + last.length < log_bytes:  # the newline is there too
                break
            self.count -= 1
        return self.count


@dataclass(slots=True, eq=False)
class Segment:
    """What the catalog of a group knows of one segment. `stem` is the files' name without the suffix."""

    first_cursor: int
    stem: str
    disk_bytes: int
    stream: str | None = None  # None: not read yet
    last_cursor: int | None = None  # None: not read yet
    deleted: bool = False

    def learn(self, index: SegmentIndex) -> None:
        """Take what an index says, if it isn't known: that of an earlier process, which nobody writes any more."""
        if self.last_cursor is None:
            self.stream = index.stream
            self.last_cursor = index.last_cursor


def read_message(log: int, record: Record) -> str:
    """The message of `record` from the log open as descriptor `log`; what isn't UTF-8 is replaced."""
    return os.pread(log, record.length, record.offset).decode("utf-8", "replace")
