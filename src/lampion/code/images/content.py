"""What images are made of - manifests, configurations, layers - on disk, each once, named by its digest: ab/ab12....

Content comes as a stream and is never held in memory. What is incomplete lies in the staging directory, which is
emptied at the start of a server. Blocking, but for `Incoming`: call it in a thread.
"""

import asyncio
import hashlib
import os
import threading
from collections.abc import Iterator, Set
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from lampion.domain.image import is_digest, sha256_of

SMALL_BYTES: Final = 4 * 1024 * 1024
"""Of a manifest or a configuration; what the distribution specification recommends for manifests."""

_numbers = count()


class ContentMissing(Exception):
    """Nothing of that digest is stored."""


class ContentDamaged(Exception):
    """It isn't what its digest says."""


class DigestMismatch(Exception):
    """What came isn't what its sender said."""


class TooMuch(Exception):
    """More came than may."""


class ImageContent:
    """Content in `directory`; `staging` is on the same file system."""

    def __init__(self, directory: Path, staging: Path) -> None:
        self._directory = directory
        self._staging = staging
        # Between a sweep's look at a file and its removal, nobody must find it and count on it.
        self._renewal = threading.Lock()

    def size(self, digest: str, *, renew: bool = False) -> int | None:
        """In bytes; None when it isn't stored. `renew` makes it young, so that no sweep takes it soon."""
        path = self._path(digest)
        with self._renewal, suppress(FileNotFoundError):
            if renew:
                os.utime(path)
            return path.stat().st_size
        return None

    def open(self, digest: str) -> BinaryIO:
        """Raises ContentMissing. What is read isn't verified here."""
        try:
            return self._path(digest).open("rb")
        except FileNotFoundError:
            raise ContentMissing(digest) from None

    def read_small(self, digest: str) -> bytes:
        """A manifest or configuration, verified. Raises ContentMissing, ContentDamaged."""
        with self.open(digest) as file:
            data = file.read(SMALL_BYTES + 1)
        if len(data) > SMALL_BYTES or digest_of(data) != digest:
            raise ContentDamaged(digest)
        return data

    def put(self, data: bytes) -> str:
        """Store a small one; its digest. Durable on return."""
        incoming = self.begin()
        try:
            incoming.take(data)
            return incoming.finish(digest_of(data))
        finally:
            incoming.close()

    def begin(self) -> "Incoming":
        """Something is about to come."""
        return Incoming(self, self._staging / f"image-{next(_numbers)}")

    def keep(self, staged: Path, digest: str) -> None:
        """Move a synced file to its place."""
        path = self._path(digest)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with self._renewal:
            staged.rename(path)
        for directory in (path.parent, self._directory):
            _sync_directory(directory)

    def sweep(self, live: Set[str], *, older_than_epoch_seconds: float) -> int:
        """Remove what isn't in `live` (digests) and hasn't been renewed since; how many went."""
        removed = 0
        for path in self._stored():
            if f"sha256:{path.name}" in live:
                continue
            with self._renewal, suppress(FileNotFoundError):
                if path.stat().st_mtime < older_than_epoch_seconds:
                    path.unlink()
                    removed += 1
        return removed

    def _stored(self) -> Iterator[Path]:
        for part in self._directory.iterdir():
            if part.is_dir():
                yield from part.iterdir()

    def _path(self, digest: str) -> Path:
        assert is_digest(digest)
        name = sha256_of(digest)
        return self._directory / name[:2] / name


class Incoming:
    """One thing on its way in, piece by piece, perhaps over several requests. Ends with `close`, kept or not."""

    def __init__(self, content: ImageContent, path: Path) -> None:
        self._content = content
        self._path = path
        self._file: BinaryIO | None = path.open("xb", buffering=0)
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def take(self, piece: bytes) -> None:
        """Raises OSError, after which nothing but `close` makes sense."""
        assert self._file is not None
        view = memoryview(piece)
        while view:
            view = view[self._file.write(view) :]
        self._hash.update(piece)
        self.size_bytes += len(piece)

    async def take_all(self, pieces: list[bytes]) -> None:
        """`take`, in a thread."""
        await asyncio.to_thread(self._take_now, pieces)

    def _take_now(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            self.take(piece)

    def finish(self, digest: str) -> str:
        """Keep it under its digest. Durable on return. Raises DigestMismatch."""
        assert self._file is not None
        if f"sha256:{self._hash.hexdigest()}" != digest:
            raise DigestMismatch(digest)
        os.fsync(self._file.fileno())
        self._content.keep(self._path, digest)
        self.close()
        return digest

    def close(self) -> None:
        """Drop what wasn't kept. Idempotent."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
            self._path.unlink(missing_ok=True)


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
