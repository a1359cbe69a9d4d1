"""Files named by the SHA-256 of their content, in directories by its first two digits: ab/ab12.... Blocking."""

import os
import re
import threading
from collections.abc import Iterator, Set
from contextlib import suppress
from pathlib import Path
from typing import Final

_SHA256: Final = re.compile("[0-9a-f]{64}")


class FilesByDigest:
    """Those in `directory`. Between a sweep's look at a file and its removal, nobody finds it and counts on it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._renewal = threading.Lock()

    def path(self, sha256: str) -> Path:
        """Where it is, or would be."""
        assert _SHA256.fullmatch(sha256)
        return self._directory / sha256[:2] / sha256

    def size(self, sha256: str, *, renew: bool) -> int | None:
        """In bytes; None when it isn't there. `renew` makes it young, so that no sweep takes it soon."""
        path = self.path(sha256)
        with self._renewal, suppress(FileNotFoundError):
            if renew:
                os.utime(path)
            return path.stat().st_size
        return None

    def take(self, staged: Path, sha256: str) -> None:
        """Move a synced file of the same file system to its place; `sync` makes that last."""
        path = self.path(sha256)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with self._renewal:
            staged.rename(path)

    def sync(self, sha256: str) -> None:
        """That the file is there survives a power cut from now on."""
        for directory in (self.path(sha256).parent, self._directory):
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def sweep(self, live: Set[str], *, older_than_epoch_seconds: float) -> int:
        """Remove what isn't in `live` and hasn't been renewed since that moment; how many went."""
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
