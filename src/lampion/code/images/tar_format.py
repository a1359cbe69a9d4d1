"""A tar archive, read once from front to back: ustar, with the extensions of pax and GNU that layers use.

Knows nothing of where entries go. Headers of all kinds are bounded, whatever an archive says.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lampion.code.images.streams import BadLayer, LayerStream

_BLOCK: Final = 512
_EXTENSION_BYTES_MAX: Final = 1024 * 1024
_EXTENSIONS_MAX: Final = 16
_PIECE_BYTES: Final = 256 * 1024


class Kind(StrEnum):
    FILE = "file"
    HARD_LINK = "hard link"
    SYMLINK = "symbolic link"
    DEVICE = "device"
    DIRECTORY = "directory"
    FIFO = "fifo"


_KINDS: Final = {
    b"0": Kind.FILE,
    b"\0": Kind.FILE,
    b"7": Kind.FILE,
    b"1": Kind.HARD_LINK,
    b"2": Kind.SYMLINK,
    b"3": Kind.DEVICE,
    b"4": Kind.DEVICE,
    b"5": Kind.DIRECTORY,
    b"6": Kind.FIFO,
}
_PAX: Final = b"x"
_PAX_FOR_ALL: Final = b"g"
_LONG_NAME: Final = b"L"
_LONG_LINK: Final = b"K"


@dataclass(frozen=True, slots=True)
class TarEntry:
    """One entry. Names are as they stand there."""

    name: str
    kind: Kind
    mode: int
    size_bytes: int
    modified_seconds: float
    target: str


class TarReader:
    """Iterates over entries; between two of them, `contents` reads the content of the former."""

    def __init__(self, stream: LayerStream) -> None:
        self._stream = stream
        self._unread_bytes = 0
        self._padding_bytes = 0

    def __iter__(self) -> Iterator[TarEntry]:
        """Raises BadLayer."""
        while True:
            self._skip()
            header = self._header()
            if header is None:
                return
            yield header

    def contents(self) -> Iterator[bytes]:
        """What the entry holds, to its end. Raises BadLayer."""
        while self._unread_bytes:
            piece = self._stream.read(min(_PIECE_BYTES, self._unread_bytes))
            if not piece:
                raise BadLayer("its archive breaks off")
            self._unread_bytes -= len(piece)
            yield piece

    def _skip(self) -> None:
        for _ in self.contents():
            pass
        if self._padding_bytes and len(self._stream.read(self._padding_bytes)) != self._padding_bytes:
            raise BadLayer("its archive breaks off")
        self._padding_bytes = 0

    def _header(self) -> TarEntry | None:
        """The next entry with what its extension headers say; None at the end."""
        said: dict[str, str] = {}
        for _ in range(_EXTENSIONS_MAX):
            block = self._stream.read(_BLOCK)
            if not block.strip(b"\0"):
                return None
            if len(block) != _BLOCK or not _has_its_checksum(block):
                raise BadLayer("its archive is damaged")
            kind, size_bytes = block[156:157], _number(block[124:136])
            if kind in _KINDS:
                return self._entry(block, _KINDS[kind], size_bytes, said)
            if kind not in (_PAX, _PAX_FOR_ALL, _LONG_NAME, _LONG_LINK):
                raise BadLayer(f"its archive has an entry of kind {kind!r}, which isn't known")
            text = self._extension(size_bytes)
            if kind == _PAX:
                said |= _pax_records(text)
            elif kind in (_LONG_NAME, _LONG_LINK):
                said["path" if kind == _LONG_NAME else "linkpath"] = _text(text)
        raise BadLayer("its archive has too many headers for one entry")

    def _extension(self, size_bytes: int) -> bytes:
        if size_bytes > _EXTENSION_BYTES_MAX:
            raise BadLayer("its archive has a header that is too large")
        text = self._stream.read(size_bytes)
        if len(text) != size_bytes:
            raise BadLayer("its archive breaks off")
        self._padding_bytes = -size_bytes % _BLOCK
        self._skip()
        return text

    def _entry(self, block: bytes, kind: Kind, size_bytes: int, said: dict[str, str]) -> TarEntry:
        if any(name.startswith("GNU.sparse.") for name in said):
            raise BadLayer("its archive has a sparse file")
        if "size" in said:
            size_bytes = _decimal(said["size"])
        name = said.get("path") or _name(block)
        if kind is Kind.FILE and name.endswith("/"):
            kind = Kind.DIRECTORY  # as archives older than POSIX say it
        if kind is not Kind.FILE:
            size_bytes = 0
        self._unread_bytes = size_bytes
        self._padding_bytes = -size_bytes % _BLOCK
        return TarEntry(
            name=name,
            kind=kind,
            mode=_number(block[100:108]),
            size_bytes=size_bytes,
            modified_seconds=_seconds(said["mtime"]) if "mtime" in said else _moment(block[136:148]),
            target=said.get("linkpath") or _text(block[157:257]),
        )


def _has_its_checksum(block: bytes) -> bool:
    """Of bytes taken as unsigned or, as some programs did, as signed."""
    blank = block[:148] + b" " * 8 + block[156:]
    unsigned = sum(blank)
    return _number(block[148:156]) in (unsigned, unsigned - 256 * sum(byte > 127 for byte in blank))


def _number(field: bytes) -> int:
    """Octal text, or GNU's binary form. Raises BadLayer."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:])
        if field[0] & 0x40 or value >= 1 << 62:
            raise BadLayer("its archive has a number that is too large")
        return value
    text = field.partition(b"\0")[0].strip()
    try:
        return int(text or b"0", 8)
    except ValueError:
        raise BadLayer("its archive is damaged") from None


def _moment(field: bytes) -> float:
    """Before 1970 is as good as 1970."""
    return 0.0 if field[0] == 0xFF else float(_number(field))


def _name(block: bytes) -> str:
    name = _text(block[:100])
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    try:
        return field.partition(b"\0")[0].decode()
    except UnicodeDecodeError:
        raise BadLayer("a name in it isn't UTF-8") from None


def _pax_records(text: bytes) -> dict[str, str]:
    """ "LENGTH KEY=VALUE\\n", one after another; the length counts itself."""
    records: dict[str, str] = {}
    while text.strip(b"\0"):
        digits, space, _ = text.partition(b" ")
        if not space or not digits.isdigit() or len(digits) > 7:
            raise BadLayer("its archive is damaged")
        record, text = text[: int(digits)], text[int(digits) :]
        key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
        if not equals or not record.endswith(b"\n"):
            raise BadLayer("its archive is damaged")
        if b"\0" in value and key in (b"path", b"linkpath"):
            raise BadLayer("a name with a NUL character")
        records[key.decode("utf-8", "replace")] = _text(value)
    return records


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadLayer("its archive is damaged")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise BadLayer("its archive is damaged")
    return seconds
