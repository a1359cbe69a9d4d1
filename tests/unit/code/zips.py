"""Makes zips byte by byte, so that each part of them can lie."""

import io
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass, field, replace

UTF8_NAMES = 1 << 11


@dataclass(frozen=True, kw_only=True)
class Part:
    """One entry; every field that isn't given tells the truth."""

    name: bytes = b"index.py"
    data: bytes = b"x = 1\n"
    method: int = 8
    mode: int = stat.S_IFREG | 0o644
    system: int = 3
    flags: int = UTF8_NAMES
    crc: int | None = None
    size: int | None = None
    packed: bytes | None = None
    packed_size: int | None = None
    offset: int | None = None
    local_name: bytes | None = None
    local_method: int | None = None
    extra: bytes = b""

    @property
    def packed_data(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflate(self.data) if self.method == 8 else self.data


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def file(name: str | bytes, data: bytes = b"x = 1\n", **lies: object) -> Part:
    part = Part(name=name.encode() if isinstance(name, str) else name, data=data)
    return replace(part, **lies)  # type: ignore[arg-type]


def directory(name: str) -> Part:
    return file(name, b"", method=0, mode=stat.S_IFDIR | 0o755)


def link(name: str, target: str | bytes) -> Part:
    return file(name, target.encode() if isinstance(target, str) else target, mode=stat.S_IFLNK | 0o777)


@dataclass(frozen=True, kw_only=True)
class Ends:
    """What the end record says, where it shall not be the truth."""

    count: int | None = None
    directory_size: int | None = None
    directory_offset: int | None = None
    disk: int = 0
    zip64: bool = False
    comment: bytes = b""
    tail: bytes = b""
    prefix: bytes = b""


def make(*parts: Part, ends: Ends | None = None) -> bytes:
    """The zip of these parts."""
    ends = ends or Ends()
    body, central = bytearray(), bytearray()
    for part in parts:
        offset = len(body) if part.offset is None else part.offset
        body += _local(part)
        central += _central(part, offset)
    count = len(parts) if ends.count is None else ends.count
    size = len(central) if ends.directory_size is None else ends.directory_size
    offset = len(body) if ends.directory_offset is None else ends.directory_offset
    wide = b""
    if ends.zip64:
        wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, ends.disk, 0, count, count, size, offset)
        wide += struct.pack("<4sLQL", b"PK\6\7", 0, len(body) + len(central), 1)
        count, size, offset = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF
    end = struct.pack("<4s4H2LH", b"PK\5\6", ends.disk, 0, count, count, size, offset, len(ends.comment))
    return ends.prefix + bytes(body) + bytes(central) + wide + end + ends.comment + ends.tail


def _numbers(part: Part) -> tuple[int, int, int]:
    crc = zlib.crc32(part.data) if part.crc is None else part.crc
    packed_size = len(part.packed_data) if part.packed_size is None else part.packed_size
    return crc, packed_size, len(part.data) if part.size is None else part.size


def _local(part: Part) -> bytes:
    name = part.name if part.local_name is None else part.local_name
    method = part.method if part.local_method is None else part.local_method
    numbers = _numbers(part)
    header = struct.pack("<4s5H3L2H", b"PK\3\4", 20, part.flags, method, 0, 0, *numbers, len(name), 0)
    return header + name + part.packed_data


def _central(part: Part, offset: int) -> bytes:
    header = struct.pack(
        "<4s4B4H3L5H2L",
        b"PK\1\2",
        20,
        part.system,
        20,
        0,
        part.flags,
        part.method,
        0,
        0,
        *_numbers(part),
        len(part.name),
        len(part.extra),
        0,
        0,
        0,
        part.mode << 16,
        offset,
    )
    return header + part.name + part.extra


def ordinary(**files: bytes) -> bytes:
    """A zip as Python's own module makes it; keywords are names with `__` for a dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in (files or {"index__py": b"def handler(event, context):\n    return event\n"}).items():
            entry = zipfile.ZipInfo(name.replace("__", "."), date_time=(2024, 1, 1, 0, 0, 0))  # the same at any time
            entry.external_attr = 0o600 << 16
            zipped.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@dataclass(frozen=True)
class Hostile:
    """A zip that must be refused, and AWS's text for it."""

    name: str
    zipped: bytes = field(repr=False)
    message: str
