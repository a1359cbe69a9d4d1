"""A layer as a stream: decompressed as it is read, counted and hashed. Blocking; memory doesn't grow with the layer."""

import hashlib
import importlib
import zlib
from collections import deque
from typing import Any, BinaryIO, Final

_PIECE_BYTES: Final = 256 * 1024
_FIRST_STEP_BYTES: Final = 4096
_GZIP: Final = 16 + zlib.MAX_WBITS
_ZSTD_MODULES: Final = ("compression.zstd", "backports.zstd")


class BadLayer(Exception):
    """A layer that can't be unpacked, or mustn't be; the message says why."""


class LayerStream:
    """`read` as of a file. All reading is counted against `most_bytes`, and part of `digest`."""

    def __init__(self, file: BinaryIO, compression: str, most_bytes: int) -> None:
        """Raises BadLayer for a compression that this machine can't undo."""
        self._pieces = _Plain(file) if not compression else _Compressed(file, compression)
        self._most_bytes = most_bytes
        self._buffer = b""
        self._hash = hashlib.sha256()
        self.read_bytes = 0

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes, fewer only at the end. Keep `size` small. Raises BadLayer."""
        parts, missing = [], size
        while missing > 0:
            if not self._buffer:
                self._buffer = self._pieces.next()
                if not self._buffer:
                    break
                self._count(self._buffer)
            part, self._buffer = self._buffer[:missing], self._buffer[missing:]
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def finish(self) -> str:
        """Read what is left; the digest of everything."""
        while self.read(_PIECE_BYTES):
            pass
        return f"sha256:{self._hash.hexdigest()}"

    def _count(self, piece: bytes) -> None:
        self.read_bytes += len(piece)
        if self.read_bytes > self._most_bytes:
            raise BadLayer("the image is larger than 10 GB when it is unpacked")
        self._hash.update(piece)


class _Plain:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def next(self) -> bytes:
        return self._file.read(_PIECE_BYTES)


class _Compressed:
    """Members or frames one after another, each to its end. However small the input, it makes one piece at a time."""

    def __init__(self, file: BinaryIO, compression: str) -> None:
        self._file = file
        self._make, self._errors = _gzip() if compression == "gzip" else _zstd()
        self._decompressor: Any = self._make()
        self._input: deque[memoryview] = deque()
        self._step_bytes = _FIRST_STEP_BYTES

    def next(self) -> bytes:
        try:
            return self._next()
        except self._errors as error:
            raise BadLayer(f"it can't be decompressed: {error}") from None

    def _next(self) -> bytes:
        while True:
            decompressor = self._decompressor
            if decompressor.eof:
                if not self._has_another():
                    return b""
                decompressor = self._decompressor = self._make()
                self._step_bytes = _FIRST_STEP_BYTES
            given = self._step() if getattr(decompressor, "needs_input", True) else b""
            piece: bytes = decompressor.decompress(given, _PIECE_BYTES)
            self._put_back(getattr(decompressor, "unconsumed_tail", b""))
            if decompressor.eof:
                self._put_back(decompressor.unused_data)
            if piece:
                return piece
            if not given and not decompressor.eof:
                raise BadLayer("it breaks off")

    def _step(self) -> memoryview | bytes:
        """Some input: little at first, because what a short member leaves is copied."""
        if not self._input:
            self._put_back(self._file.read(_PIECE_BYTES))
        if not self._input:
            return b""
        first, size = self._input.popleft(), self._step_bytes
        self._step_bytes = min(2 * size, _PIECE_BYTES)
        self._put_back(first[size:])
        return first[:size]

    def _put_back(self, data: bytes | memoryview) -> None:
        if data:
            self._input.appendleft(memoryview(data))

    def _has_another(self) -> bool:
        """Behind the last one there may be zeros."""
        if not self._input:
            self._put_back(self._file.read(_PIECE_BYTES))
        return bool(self._input) and self._input[0][0] != 0


def _gzip() -> tuple[Any, Any]:
    return (lambda: zlib.decompressobj(_GZIP)), zlib.error


def _zstd() -> tuple[Any, Any]:
    """Python's own, from 3.14 on, or the same for earlier ones (docs/decisions/0004-container-images.md)."""
    for name in _ZSTD_MODULES:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        return module.ZstdDecompressor, module.ZstdError
    raise BadLayer(
        "its layers are compressed with zstd, which this Python can't undo: install the package backports.zstd beside "
        "Lampion, or build the image with gzip"
    )
