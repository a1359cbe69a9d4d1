"""Reads a zip's directory and inflates its entries, trusting no number in it. Knows the format, not Lambda's rules.

Source: PKWARE APPNOTE 6.3 (sections 4.3, 4.4, 4.5.3). One entry at a time: memory doesn't grow with their number.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

Buffer = bytes | memoryview

STORED: Final = 0
DEFLATED: Final = 8
_ENCRYPTED: Final = 1 | 1 << 6 | 1 << 13
_UNIX_SYSTEMS: Final = (3, 19)
_CHUNK_BYTES: Final = 64 * 1024

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_END_SIGNATURE, _END64_LOCATOR_SIGNATURE, _END64_SIGNATURE = b"PK\5\6", b"PK\6\7", b"PK\6\6"
_CENTRAL_SIGNATURE, _LOCAL_SIGNATURE = b"PK\1\2", b"PK\3\4"
_ZIP64_EXTRA: Final = 1
_IN_ZIP64: Final = 0xFFFFFFFF


class BadZip(Exception):
    """Not a zip, damaged, or using what isn't supported. The message is for our own log only."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies; offsets in the zip count from `base` (a zip may have a program before it)."""

    start: int
    end: int
    base: int
    entry_count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as the central directory tells it. `mode` is st_mode, 0 when the zip wasn't made on Unix."""

    name: bytes
    mode: int
    method: int
    crc: int
    packed_bytes: int
    size_bytes: int
    header_start: int
    data_start: int

    @property
    def data_end(self) -> int:
        return self.data_start + self.packed_bytes


def find_directory(zipped: Buffer) -> Directory:
    """Raises BadZip."""
    tail_start = max(0, len(zipped) - _END.size - 0xFFFF)
    at = bytes(zipped[tail_start:]).rfind(_END_SIGNATURE)
    if at < 0 or tail_start + at + _END.size > len(zipped):
        raise BadZip("no end record")
    end_at = tail_start + at
    _, disk, start_disk, on_disk, total, size, offset, _ = _END.unpack_from(zipped, end_at)
    locator_at = end_at - _END64_LOCATOR.size
    if bytes(zipped[max(0, locator_at) : end_at]).startswith(_END64_LOCATOR_SIGNATURE):
        disk, start_disk, on_disk, total, size, offset, end_at = _end64(zipped, locator_at)
    if disk or start_disk or on_disk != total:
        raise BadZip("split over several files")
    base = end_at - size - offset
    if base < 0:
        raise BadZip("directory outside the file")
    return Directory(start=end_at - size, end=end_at, base=base, entry_count=total)


def _end64(zipped: Buffer, locator_at: int) -> tuple[int, int, int, int, int, int, int]:
    end64_at = locator_at - _END64.size
    if end64_at < 0:
        raise BadZip("no zip64 end record")
    signature, _, _, _, disk, start_disk, on_disk, total, size, offset = _END64.unpack_from(zipped, end64_at)
    if signature != _END64_SIGNATURE:
        raise BadZip("no zip64 end record")
    return disk, start_disk, on_disk, total, size, offset, end64_at


def entries(zipped: Buffer, directory: Directory) -> Iterator[Entry]:
    """Every entry, in the directory's order, each agreeing with its local header. Raises BadZip."""
    at = directory.start
    while at < directory.end:
        if at + _CENTRAL.size > directory.end:
            raise BadZip("directory cut off")
        fields = _CENTRAL.unpack_from(zipped, at)
        name_bytes, extra_bytes, comment_bytes = fields[12:15]
        name_end = at + _CENTRAL.size + name_bytes
        following = name_end + extra_bytes + comment_bytes
        if fields[0] != _CENTRAL_SIGNATURE or following > directory.end:
            raise BadZip("directory damaged")
        name = bytes(zipped[at + _CENTRAL.size : name_end])
        yield _entry(zipped, directory, fields, name, bytes(zipped[name_end : name_end + extra_bytes]))
        at = following


def _entry(zipped: Buffer, directory: Directory, fields: tuple[int, ...], name: bytes, extra: bytes) -> Entry:
    system, flags, method, crc = fields[2], fields[5], fields[6], fields[9]
    packed_bytes, size_bytes, attributes, offset = fields[10], fields[11], fields[17], fields[18]
    if flags & _ENCRYPTED:
        raise BadZip("encrypted")
    if method not in (STORED, DEFLATED):
        raise BadZip(f"compression method {method}")
    size_bytes, packed_bytes, offset = _from_zip64(extra, size_bytes, packed_bytes, offset)
    header_start = directory.base + offset
    data_start = _data_start(zipped, header_start, directory.start, name, method)
    if data_start + packed_bytes > directory.start:
        raise BadZip("data outside the file")
    return Entry(
        name=name,
        mode=attributes >> 16 if system in _UNIX_SYSTEMS else 0,
        method=method,
        crc=crc,
        packed_bytes=packed_bytes,
        size_bytes=size_bytes,
        header_start=header_start,
        data_start=data_start,
    )


def _data_start(zipped: Buffer, header_start: int, limit: int, name: bytes, method: int) -> int:
    if header_start + _LOCAL.size > limit:
        raise BadZip("local header outside the file")
    local = _LOCAL.unpack_from(zipped, header_start)
    name_at = header_start + _LOCAL.size
    name_end = name_at + local[9]
    if local[0] != _LOCAL_SIGNATURE or local[3] != method or bytes(zipped[name_at:name_end]) != name:
        raise BadZip("local header and directory differ")
    return int(name_end + local[10])


def _from_zip64(extra: bytes, *values: int) -> tuple[int, ...]:
    """`values` (unpacked size, packed size, offset) with those that didn't fit taken from the zip64 extra field."""
    if _IN_ZIP64 not in values:
        return values
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == _ZIP64_EXTRA:
            wide = list(struct.iter_unpack("<Q", extra[at + 4 : at + 4 + length // 8 * 8]))
            if len(wide) < values.count(_IN_ZIP64):
                break
            return tuple(wide.pop(0)[0] if value == _IN_ZIP64 else value for value in values)
        at += 4 + length
    raise BadZip("zip64 sizes missing")


def contents(zipped: Buffer, entry: Entry) -> Iterator[bytes]:
    """What the entry unpacks to, in pieces of at most 64 KiB; never more than `entry.size_bytes` in all.

    Raises BadZip at the latest when the end shows that size or CRC were not true.
    """
    crc = size_bytes = 0
    for piece in _unpacked(zipped, entry):
        size_bytes += len(piece)
        if size_bytes > entry.size_bytes:
            raise BadZip("more data than announced")
        crc = zlib.crc32(piece, crc)
        yield piece
    if size_bytes != entry.size_bytes or crc != entry.crc:
        raise BadZip("size or checksum differ")


def _unpacked(zipped: Buffer, entry: Entry) -> Iterator[bytes]:
    if entry.method == STORED:
        for at in range(entry.data_start, entry.data_end, _CHUNK_BYTES):
            yield bytes(zipped[at : min(at + _CHUNK_BYTES, entry.data_end)])
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for at in range(entry.data_start, entry.data_end, _CHUNK_BYTES):
            pending: Buffer = zipped[at : min(at + _CHUNK_BYTES, entry.data_end)]
            while pending and not inflater.eof:
                yield inflater.decompress(pending, _CHUNK_BYTES)
                pending = inflater.unconsumed_tail
            if inflater.eof and (pending or inflater.unused_data or at + _CHUNK_BYTES < entry.data_end):
                raise BadZip("data after the end of an entry")
        while not inflater.eof:
            piece = inflater.decompress(b"", _CHUNK_BYTES)
            if not piece:
                raise BadZip("data cut off")
            yield piece
    except zlib.error as error:
        raise BadZip("data damaged") from error
