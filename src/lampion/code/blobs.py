"""Deployment zips on disk, named by their own SHA-256: blobs/ab/ab12.... The durable truth of code.

Everything that touches the disk runs in a thread: 50 MB must not stop the event loop.
"""

import asyncio
import hashlib
import os
import re
import threading
from collections.abc import Iterator, Set
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

_SHA256 = re.compile("[0-9a-f]{64}")


class BlobMissing(Exception):
    """No blob of that name is stored."""


class BlobDamaged(Exception):
    """The blob's content isn't what its name says."""


class Blobs:
    """Content-addressed blobs in `directory`; `staging` is on the same file system."""

    def __init__(self, directory: Path, staging: Path) -> None:
        self._directory = directory
        self._staging = staging
        # Between a sweep's look at a blob and its removal, `put` must not find that blob and count on it.
        self._renewal = threading.Lock()

    async def put(self, data: bytes) -> str:
        """Store `data`; its SHA-256 in hex. Durable on return. Idempotent: a stored blob only becomes young again."""
        return await asyncio.to_thread(self._put, data)

    async def read(self, sha256: str) -> bytes:
        """The blob's content, found to be what its name says. Raises BlobMissing, BlobDamaged."""
        return await asyncio.to_thread(self.read_now, sha256)

    def read_now(self, sha256: str) -> bytes:
        """`read`, blocking: for callers that are in a thread already."""
        try:
            data = self._path(sha256).read_bytes()
        except FileNotFoundError:
            raise BlobMissing(sha256) from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BlobDamaged(sha256)
        return data

    async def delete(self, sha256: str) -> None:
        """Remove a blob if it is there."""
        await asyncio.to_thread(self._path(sha256).unlink, missing_ok=True)

    async def sweep(self, live: Set[str], *, older_than_epoch_seconds: float) -> int:
        """Remove blobs that aren't in `live` and were last put before that moment; how many went."""
        return await asyncio.to_thread(self._sweep, live, older_than_epoch_seconds)

    def _path(self, sha256: str) -> Path:
        assert _SHA256.fullmatch(sha256)
        return self._directory / sha256[:2] / sha256

    def _put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        if not self._renew(path, len(data)):
            self._write(path, data)
        # Also for a blob that was there: who put it may not have come as far as this.
        for directory in (path.parent, self._directory):
            _sync_directory(directory)
        return sha256

    def _renew(self, path: Path, size_bytes: int) -> bool:
        with self._renewal, suppress(FileNotFoundError):
            if path.stat().st_size == size_bytes:
                os.utime(path)
                return True
        return False

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with NamedTemporaryFile(dir=self._staging, prefix="blob-", delete=False) as file:
            staged = Path(file.name)
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                with self._renewal:
                    staged.rename(path)
            except BaseException:
                staged.unlink(missing_ok=True)
                raise

    def _sweep(self, live: Set[str], older_than_epoch_seconds: float) -> int:
        removed = 0
        for path in self._stored():
            if path.name in live:
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


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
