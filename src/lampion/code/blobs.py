"""Deployment zips on disk, named by their own SHA-256: blobs/ab/ab12.... The durable truth of code.

Everything that touches the disk runs in a thread: 50 MB must not stop the event loop.
"""

import asyncio
import hashlib
import os
from collections.abc import Set
from pathlib import Path
from tempfile import NamedTemporaryFile

from lampion.code.by_digest import FilesByDigest


class BlobMissing(Exception):
    """No blob of that name is stored."""


class BlobDamaged(Exception):
    """The blob's content isn't what its name says."""


class Blobs:
    """Content-addressed blobs in `directory`; `staging` is on the same file system."""

    def __init__(self, directory: Path, staging: Path) -> None:
        self._files = FilesByDigest(directory)
        self._staging = staging

    async def put(self, data: bytes) -> str:
        """Store `data`; its SHA-256 in hex. Durable on return. Idempotent: a stored blob only becomes young again."""
        return await asyncio.to_thread(self._put, data)

    async def read(self, sha256: str) -> bytes:
        """The blob's content, found to be what its name says. Raises BlobMissing, BlobDamaged."""
        return await asyncio.to_thread(self.read_now, sha256)

    def read_now(self, sha256: str) -> bytes:
        """`read`, blocking: for callers that are in a thread already."""
        try:
            data = self._files.path(sha256).read_bytes()
        except FileNotFoundError:
            raise BlobMissing(sha256) from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BlobDamaged(sha256)
        return data

    def beginning_now(self, sha256: str, most_bytes: int) -> bytes:
        """At most so much of it from its start, not held against its name. Blocking. Raises BlobMissing."""
        try:
            with self._files.path(sha256).open("rb") as file:
                return file.read(most_bytes)
        except FileNotFoundError:
            raise BlobMissing(sha256) from None

    async def delete(self, sha256: str) -> None:
        """Remove a blob if it is there."""
        await asyncio.to_thread(self._files.path(sha256).unlink, missing_ok=True)

    async def sweep(self, live: Set[str], *, older_than_epoch_seconds: float) -> int:
        """Remove blobs that aren't in `live` and were last put before that moment; how many went."""
        return await asyncio.to_thread(self._files.sweep, live, older_than_epoch_seconds=older_than_epoch_seconds)

    def _put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        if self._files.size(sha256, renew=True) != len(data):
            self._write(sha256, data)
        self._files.sync(sha256)  # also a blob that was there: who put it may not have come as far as this
        return sha256

    def _write(self, sha256: str, data: bytes) -> None:
        with NamedTemporaryFile(dir=self._staging, prefix="blob-", delete=False) as file:
            staged = Path(file.name)
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                self._files.take(staged, sha256)
            except BaseException:
                staged.unlink(missing_ok=True)
                raise
