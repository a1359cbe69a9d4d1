"""Zips that want to crash, fill or leave the place they are unpacked in."""

import io
import stat
import struct
import zipfile
from dataclasses import replace
from functools import cache

from tests.unit.code.zips import Ends, Hostile, Part, deflate, directory, file, link, make, ordinary

UNREADABLE = "Could not unzip uploaded file. Please check your file, then try to upload again."
EMPTY = "Uploaded file must be a non-empty zip"
TOO_LARGE = "Unzipped size must be smaller than 262144000 bytes"

_LIMIT = 262_144_000


@cache
def _zeros(size: int) -> bytes:
    return deflate(bytes(size))


def _bomb(size: int, *, told: int | None = None, name: str = "bomb") -> Part:
    """Packs a thousand to one; tells the truth about its size unless told otherwise."""
    return file(name, b"", packed=_zeros(size), size=size if told is None else told, crc=0)


def _overlapping() -> bytes:
    """Two directory entries for one piece of data."""
    part = file("a", bytes(100_000))
    return make(part, replace(part, offset=0))


def _quoted_overlap() -> bytes:
    """An entry whose data is another entry, header and all: names, sizes and checksums are right."""
    inner = file("inner", b"y" * 50, method=0)
    inner_local = make(inner)[: 30 + len("inner") + 50]
    outer = file("outer", inner_local, method=0)
    return make(outer, replace(inner, offset=30 + len("outer")))


def _many_entries(count: int, *, told: int) -> bytes:
    return make(*(file(str(number), b"", method=0) for number in range(count)), ends=Ends(count=told, zip64=True))


def _deep_names() -> bytes:
    """Few entries that make millions of directories."""
    return make(*(file(f"{number}/" + "d/" * 90 + "f", b"") for number in range(2000)))


def _with_lying_local_name() -> bytes:
    return make(file("index.py", local_name=b"../../x."))


def _python_zip(compression: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as zipped:
        zipped.writestr("index.py", b"x = 1\n" * 100)
    return buffer.getvalue()


def _devices() -> list[Hostile]:
    kinds = {
        "character device": stat.S_IFCHR,
        "block device": stat.S_IFBLK,
        "fifo": stat.S_IFIFO,
        "socket": stat.S_IFSOCK,
        "unknown kind": 0o170000,
    }
    return [
        Hostile(name, make(file("ok"), file("x", b"", mode=kind | 0o666)), UNREADABLE) for name, kind in kinds.items()
    ]


def _names() -> list[Hostile]:
    bad = {
        "parent directory": b"../evil",
        "parent directory inside": b"a/../../evil",
        "parent directory at the end": b"a/..",
        "absolute": b"/etc/cron.d/evil",
        "two slashes first": b"//evil",
        "backslash": b"..\\evil",
        "backslash inside": b"a\\b",
        "drive": b"C:/evil",
        "drive without slash": b"c:evil",
        "NUL": b"a\0b",
        "not UTF-8": b"caf\xe9.py",
        "surrogate in UTF-8": b"\xed\xa0\x80",
        "long part": b"n" * 256,
        "long path": b"/".join([b"n" * 200] * 15),
        "deep path": b"d/" * 200 + b"f",
        "no name": b"",
        "a dot": b".",
    }
    return [Hostile(f"name: {name}", make(file("ok"), file(raw)), UNREADABLE) for name, raw in bad.items()]


def _links() -> list[Hostile]:
    bad: dict[str, tuple[Part, ...]] = {
        "to /etc": (link("l", "/etc/passwd"),),
        "to the parent": (link("l", "../etc"),),
        "out of a directory": (link("a/l", "../../etc"),),
        "up behind a part": (link("a/l", "b/../../x"),),
        "out by way of another link": (file("t/f"), link("a/b/s", "../../t"), link("w", "a/b/s/../../x")),
        "file written through it": (link("l", "t"), file("l/evil")),
        "file in place of it": (link("l", "t"), file("l")),
        "backslash": (link("l", "..\\x"),),
        "NUL": (link("l", "a\0b"),),
        "empty": (link("l", ""),),
        "long": (link("l", "a" * 2000),),
        "with a directory's name": (replace(link("l", "t"), name=b"l/"),),
    }
    return [Hostile(f"link: {name}", make(file("ok"), *parts), UNREADABLE) for name, parts in bad.items()]


def _trees() -> list[Hostile]:
    bad: dict[str, tuple[Part, ...]] = {
        "same name twice": (file("a"), file("a", b"other")),
        "same name spelled twice": (file("a/b"), file("a//./b")),
        "file, then directory": (file("a"), file("a/b")),
        "directory, then file": (file("a/b"), file("a")),
        "directory entry, then file": (directory("a/"), file("a")),
    }
    return [Hostile(f"tree: {name}", make(*parts), UNREADABLE) for name, parts in bad.items()]


def _damage() -> list[Hostile]:
    good = ordinary()
    bad = {
        "no zip": b"this is not a zip file" * 10,
        "gzip": b"\x1f\x8b\x08\x00" + bytes(100),
        "first half": good[: len(good) // 2],
        "last half": good[len(good) // 2 :],
        "end record cut": good[:-4],
        "only the signature": b"PK\5\6",
        "flipped data": good.replace(deflate(b"x")[:1], b"\xff", 1)[:30] + b"\xff" * 20 + good[50:],
        "checksum lies": make(file("a", crc=1)),
        "size too small": make(file("a", b"x" * 1000, size=10)),
        "size too large": make(file("a", b"x" * 10, size=1000)),
        "stored, size lies": make(file("a", b"x" * 10, method=0, size=9)),
        "packed size too small": make(file("a", bytes(range(256)), packed_size=20)),
        "packed size too large": make(file("a", packed_size=100_000)),
        "data behind the end of an entry": make(file("a", packed=deflate(b"x = 1\n") + b"junk")),
        "data cut off": make(file("a", b"x" * 1000, packed=deflate(b"x" * 1000)[:-3])),
        "encrypted": make(file("a", flags=1)),
        "strong encryption": make(file("a", flags=1 << 6)),
        "masked directory": make(file("a", flags=1 << 13)),
        "bzip2": _python_zip(zipfile.ZIP_BZIP2),
        "lzma": _python_zip(zipfile.ZIP_LZMA),
        "unknown method": make(file("a", method=99)),
        "local header of another name": _with_lying_local_name(),
        "local header of another method": make(file("a", local_method=0)),
        "local header elsewhere": make(file("a", offset=5)),
        "local header outside": make(file("a", offset=1 << 30)),
        "directory outside": make(file("a"), ends=Ends(directory_offset=1 << 30)),
        "directory too long": make(file("a"), ends=Ends(directory_size=1 << 20)),
        "directory too short": make(file("a"), file("b"), ends=Ends(directory_size=60)),
        "more entries told": make(file("a"), ends=Ends(count=2)),
        "fewer entries told": make(file("a"), file("b"), ends=Ends(count=1)),
        "several disks": make(file("a"), ends=Ends(disk=1)),
        "zip64 sizes missing": make(file("a", size=0xFFFFFFFF)),
        "zip64 locator without record": make(file("a"))[:-22] + b"PK\6\7" + bytes(16) + make()[-22:],
    }
    return [Hostile(f"damage: {name}", zipped, UNREADABLE) for name, zipped in bad.items()]


def _bombs() -> list[Hostile]:
    return [
        Hostile("bomb: 300 MB in one file", make(_bomb(300_000_000)), TOO_LARGE),
        Hostile("bomb: one byte too much", make(_bomb(_LIMIT - 5), file("a")), TOO_LARGE),
        Hostile("bomb: 30 files", make(*(_bomb(10_000_000, name=f"b{n}") for n in range(30))), TOO_LARGE),
        Hostile("bomb: says it is small", make(_bomb(300_000_000, told=1000)), UNREADABLE),
        Hostile("bomb: says it is 4 GB", make(_bomb(1000, told=0xFFFFFFFE)), TOO_LARGE),
        Hostile("bomb: 10 GB by zip64", _ten_gigabytes(), TOO_LARGE),
        Hostile("bomb: same data twice", _overlapping(), UNREADABLE),
        Hostile("bomb: quoted headers overlap", _quoted_overlap(), UNREADABLE),
        Hostile("bomb: a million entries", _many_entries(10, told=1_000_000), UNREADABLE),
        Hostile("bomb: 120,000 entries", _many_entries(120_000, told=120_000), UNREADABLE),
        Hostile("bomb: 120,000 entries told as 1", _many_entries(120_000, told=1), UNREADABLE),
        Hostile("bomb: names of 180,000 directories", _deep_names(), UNREADABLE),
    ]


def _ten_gigabytes() -> bytes:
    extra = struct.pack("<2HQ", 1, 8, 10 * 1024**3)
    return make(replace(_bomb(1000, told=0xFFFFFFFF), extra=extra))


def _empty() -> list[Hostile]:
    return [
        Hostile("empty: no bytes", b"", EMPTY),
        Hostile("empty: no entries", make(), EMPTY),
        Hostile("empty: only directories", make(directory("a/"), directory("a/b/")), EMPTY),
    ]


def hostile_zips() -> list[Hostile]:
    return [*_names(), *_links(), *_trees(), *_devices(), *_damage(), *_bombs(), *_empty()]
