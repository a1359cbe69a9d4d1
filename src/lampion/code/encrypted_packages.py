"""Packages under keys of their owners, unpacked: in memory, never on disk, and only while environments use them.

Whoever wants one must be able to use its key now, also where it is unpacked already.
"""

import asyncio
import errno
import logging
import os
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock
from lampion.code.archive import extract
from lampion.code.bytecode import CompilePython
from lampion.code.interpreters import RuntimeBase
from lampion.code.memory_place import MemoryPlace, NoMemoryForCode
from lampion.code.sealed_code import SealedCode
from lampion.code.trees import Fill, Trees
from lampion.code.unpacking import UNCOMPILED, package_of, recipe
from lampion.domain.function import DeploymentPackage

UNUSED_SECONDS: Final = 60.0
"""So long after the last environment, or after it was unpacked, a package is still there."""
_LOOK_SECONDS: Final = 10.0
_BLOCK_BYTES: Final = 512
_TREES: Final = "trees"
_STAGING: Final = "staging"
_MIB: Final = 1024 * 1024

_LOG = logging.getLogger(__name__)


class EncryptedPackages:
    """Unpacks each once, however many ask for it. `most_bytes` bounds what is in memory."""

    def __init__(
        self, sealed: SealedCode, place: MemoryPlace, clock: Clock, compiler: CompilePython, *, most_bytes: int
    ) -> None:
        self._sealed = sealed
        self._place = place
        self._clock = clock
        self._compiler = compiler
        self._most_bytes = most_bytes
        self._made: Trees | None = None
        self._made_in: Path | None = None
        self._sizes: dict[str, int] = {}
        self._in_use: Callable[[], Collection[str]] = frozenset
        self._unpacked = asyncio.Event()

    async def open(self) -> None:
        """Clear what servers left that died. Once, before all else."""
        cleared = await asyncio.to_thread(self._place.clear_dead)
        if cleared:
            _LOG.info("encrypted code that servers left in memory is removed: of %d", cleared)

    async def prepare(self, package: DeploymentPackage, base: RuntimeBase | None, *, root: str) -> Path:
        """The directory of the unpacked package, verified, with bytecode where `base` has such a thing; functions see
        it at `root`.

        Raises zip_format.BadZip, blobs.BlobMissing, blobs.BlobDamaged, NoMemoryForCode, OSError, and what
        SealedCode.data_key raises.
        """
        data_key = await self._sealed.data_key(package.sha256)
        trees = self._trees()
        unpack = partial(self._unpack, package.sha256, data_key)
        name, made_from, fill = recipe(package.sha256, unpack, base, self._compiler, root=root)
        return await trees.prepare(name, made_from, partial(self._within_bounds, name, package.unzipped_bytes, fill))

    async def check(self, package: DeploymentPackage) -> None:
        """Raises what SealedCode.data_key raises when the package can't be opened now."""
        await self._sealed.data_key(package.sha256)

    async def run(self, in_use: Callable[[], Collection[str]]) -> None:
        """Remove what isn't in use any more, until cancelled. `in_use` names packages that environments have."""
        self._in_use = in_use
        while True:
            await self._unpacked.wait()
            await self._clock.sleep(_LOOK_SECONDS)
            try:
                await self.sweep()
            except OSError as error:
                _LOG.warning("encrypted code could not be removed from memory: %s", error)
            if not self._sizes:
                self._unpacked.clear()

    async def sweep(self, *, unused_seconds: float = UNUSED_SECONDS) -> int:
        """Remove what no environment has, and nobody asked for in so long; how much went."""
        removed = 0
        while removable := self._removable(unused_seconds):
            await self._remove(removable[0])
            removed += 1
        return removed

    def close(self) -> None:
        """Remove everything: nothing runs any more. Blocking."""
        self._place.close()

    def _trees(self) -> Trees:
        """Raises NoMemoryPlace, OSError."""
        directory = self._place.path()
        if self._made is None or self._made_in != directory:
            self._made_in = directory
            self._sizes.clear()
            for part in (_TREES, _STAGING):
                (directory / part).mkdir(mode=0o700, exist_ok=True)
            self._made = Trees(directory / _TREES, directory / _STAGING, self._clock)
        return self._made

    async def _within_bounds(self, name: str, unzipped_bytes: int, fill: Fill, tree: Path) -> str:
        await self._make_room(name, unzipped_bytes)
        try:
            made_from = await fill(tree)
            self._sizes[name] = await asyncio.to_thread(_occupied_bytes, tree)
        except BaseException as error:
            self._sizes.pop(name, None)
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise NoMemoryForCode(errno.ENOMEM, "the file system in memory for encrypted code is full") from error
            raise
        self._unpacked.set()
        return made_from

    async def _make_room(self, name: str, wanted_bytes: int) -> None:
        """What nobody uses goes. Raises NoMemoryForCode; else so much is counted as the tree's."""
        while self._held_bytes + wanted_bytes > self._most_bytes:
            removable = self._removable(0)  # anew each time: somebody may have come for one meanwhile
            if not removable:
                raise NoMemoryForCode(
                    errno.ENOMEM,
                    f"encrypted code that functions run from takes {self._held_bytes / _MIB:.0f} MiB of memory, and "
                    f"the {wanted_bytes / _MIB:.0f} MiB of this function are more than --encrypted-code-bytes leaves",
                )
            await self._remove(removable[0])
        self._sizes[name] = wanted_bytes

    @property
    def _held_bytes(self) -> int:
        return sum(self._sizes.values())

    def _removable(self, unused_seconds: float) -> list[str]:
        """Trees that nobody has had or asked for in so long, the first made first."""
        if self._made is None:
            return []
        used, before = frozenset(self._in_use()), self._clock.monotonic() - unused_seconds
        return [
            name for name in self._sizes if package_of(name) not in used and self._made.is_unused_since(name, before)
        ]

    async def _remove(self, name: str) -> None:
        assert self._made is not None
        await self._made.discard(name)
        self._sizes.pop(name, None)

    async def _unpack(self, sha256: str, data_key: bytes, tree: Path) -> str:
        await asyncio.to_thread(self._extract, sha256, data_key, tree)
        return UNCOMPILED

    def _extract(self, sha256: str, data_key: bytes, tree: Path) -> None:
        extract(self._sealed.read_now(sha256, data_key), tree, staging=tree.with_name("unpacking"))


def _occupied_bytes(tree: Path) -> int:
    """By all that is in it."""
    names = (os.path.join(directory, name) for directory, _, files in os.walk(tree) for name in files)  # noqa: PTH118
    return sum(os.lstat(name).st_blocks for name in names) * _BLOCK_BYTES
