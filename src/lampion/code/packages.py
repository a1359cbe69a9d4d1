"""Deployment packages unpacked on disk, ready to be mounted: packages/<sha256>/. A cache of the blobs.

Unpacked beside its place and renamed, a package is whole or absent after kill -9. It isn't synced; what a reboot may
have lost is unpacked again, for packages of an earlier boot aren't trusted.
"""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Set
from itertools import count
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock
from lampion.code.archive import extract
from lampion.code.blobs import Blobs

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_BOOT_FILE: Final = ".boot"


class Packages:
    """Unpacks each package once, however many ask for it; `staging` is on the same file system."""

    def __init__(self, blobs: Blobs, directory: Path, staging: Path, clock: Clock) -> None:
        self._blobs = blobs
        self._directory = directory
        self._staging = staging
        self._clock = clock
        self._used_at: dict[str, float] = {}
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._numbers = count()

    async def open(self) -> None:
        """Clear what a server that died left half-made, and packages of an earlier boot. Once, before all else."""
        await asyncio.to_thread(self._clear_leftovers)

    async def prepare(self, sha256: str) -> Path:
        """The directory of the unpacked package. Costs a look-up once it is there.

        Raises zip_format.BadZip, blobs.BlobMissing, blobs.BlobDamaged, OSError.
        """
        while sha256 not in self._used_at:
            await self._alone(sha256, self._make)
        self._used_at[sha256] = self._clock.monotonic()
        return self._directory / sha256

    async def discard(self, sha256: str) -> None:
        """Remove the unpacked package; the blob stays."""
        while sha256 in self._busy:
            await asyncio.wait([self._busy[sha256]])
        await self._alone(sha256, self._remove)

    async def sweep(self, live: Set[str], *, unused_seconds: float) -> int:
        """Remove packages that aren't in `live` and that nobody prepared for that long; how many went."""
        names = await asyncio.to_thread(self._stored)
        before = self._clock.monotonic() - unused_seconds
        removed = 0
        for name in names:
            if name not in live and name not in self._busy and self._used_at.get(name, before) <= before:
                await self.discard(name)
                removed += 1
        return removed

    async def _alone(self, sha256: str, work: Callable[[str], Coroutine[None, None, None]]) -> None:
        """Join the work under way on this package, or begin `work`. It goes on when its callers give up."""
        task = self._busy.get(sha256)
        if task is None:
            task = asyncio.create_task(work(sha256))
            self._busy[sha256] = task
            task.add_done_callback(lambda done: self._finished(sha256, done))
        await asyncio.shield(task)

    def _finished(self, sha256: str, done: "asyncio.Future[None]") -> None:
        del self._busy[sha256]
        if not done.cancelled():
            done.exception()  # seen: all callers may be gone

    async def _make(self, sha256: str) -> None:
        await asyncio.to_thread(self._unpack, sha256, self._new_staging(sha256))
        self._used_at[sha256] = self._clock.monotonic()

    async def _remove(self, sha256: str) -> None:
        self._used_at.pop(sha256, None)
        await asyncio.to_thread(_move_and_remove, self._directory / sha256, self._new_staging(sha256))

    def _unpack(self, sha256: str, staging: Path) -> None:
        target = self._directory / sha256
        if not target.is_dir():
            extract(self._blobs.read_now(sha256), target, staging=staging)

    def _stored(self) -> list[str]:
        return [path.name for path in self._directory.iterdir() if path.is_dir()]

    def _new_staging(self, sha256: str) -> Path:
        return self._staging / f"package-{sha256[:16]}-{next(self._numbers)}"

    def _clear_leftovers(self) -> None:
        for leftover in self._staging.iterdir():
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()
        boot_id, boot_file = _BOOT_ID.read_text(encoding="ascii"), self._directory / _BOOT_FILE
        if boot_file.exists() and boot_file.read_text(encoding="ascii", errors="replace") == boot_id:
            return
        for name in self._stored():
            _move_and_remove(self._directory / name, self._new_staging(name))
        boot_file.write_text(boot_id, encoding="ascii")


def _move_and_remove(directory: Path, staging: Path) -> None:
    """Renamed first, so that a half-removed package is never taken for a whole one."""
    try:
        directory.rename(staging)
    except FileNotFoundError:
        return
    shutil.rmtree(staging)
