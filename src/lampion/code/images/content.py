"""What images are made of - manifests, configurations, layers - on disk, each once, named by its digest: ab/ab12....

Content comes as a stream and is never held in memory. What is incomplete lies in the staging directory, which is
emptied at the start of a server. Blocking, but for `Incoming`: call it in a thread.
"""

import asyncio
import hashlib
import os
from collections.abc import Set
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from lampion.code.by_digest import FilesByDigest
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
        self._files = FilesByDigest(directory)
        self._staging = staging

    def size(self, digest: str, *, renew: bool = False) -> int | None:
        """In bytes; None when it isn't stored. `renew` makes it young, so that no sweep takes it soon."""
        return self._files.size(_name(digest), renew=renew)

    def open(self, digest: str) -> BinaryIO:
        """Raises ContentMissing. What is read isn't verified here."""
        try:
            return self._files.path(_name(digest)).open("rb")
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
        self._files.take(staged, _name(digest))
        self._files.sync(_name(digest))

    def sweep(self, live: Set[str], *, older_than_epoch_seconds: float) -> int:
        """Remove what isn't in `live` (digests) and hasn't been renewed since; how many went."""
        names = {sha256_of(digest) for digest in live}
        return self._files.sweep(names, older_than_epoch_seconds=older_than_epoch_seconds)


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


def _name(digest: str) -> str:
    assert is_digest(digest)
    return sha256_of(digest)
