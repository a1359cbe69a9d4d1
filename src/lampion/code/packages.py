"""Deployment packages and layers unpacked on disk, ready to be mounted: packages/<name>[.<runtime>].

A cache of the blobs. A package's name is its SHA-256. Layers lie merged, in one tree for each list of them, whichever
functions have it (domain.function.layers_name). Runtimes that compile get a tree of their own, with bytecode: a tree
that may be mounted never changes.
"""

import asyncio
import shutil
from collections.abc import Sequence, Set
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from lampion.clock.clock import Clock
from lampion.code.archive import extract
from lampion.code.blobs import Blobs
from lampion.code.bytecode import CompilePython
from lampion.code.interpreters import RuntimeBase
from lampion.code.layering import lay_over
from lampion.code.trees import Trees
from lampion.code.unpacking import UNCOMPILED, package_of, recipe
from lampion.domain.function import AttachedLayer, DeploymentPackage, layers_name

_TASK_ROOT: Final = "/var/task"
_LAYERS_ROOT: Final = "/opt"


class EncryptedTrees(Protocol):
    """Unpacked packages that are encrypted where they are stored."""

    async def prepare(self, package: DeploymentPackage, base: RuntimeBase | None, *, root: str) -> Path:
        """As Packages.prepare. Raises KeyUnusable too, and NoMemoryForCode."""

    async def check(self, package: DeploymentPackage) -> None:
        """Raises KeyUnusable when it can't be opened now."""


class Packages:
    """Unpacks each package once, however many ask for it; `staging` is on the same file system."""

    def __init__(
        self,
        blobs: Blobs,
        directory: Path,
        staging: Path,
        clock: Clock,
        compiler: CompilePython,
        encrypted: EncryptedTrees | None = None,
    ) -> None:
        """Without `encrypted` there must be no encrypted packages."""
        self._blobs = blobs
        self._encrypted = encrypted
        self._trees = Trees(directory, staging, clock)
        self._staging = staging
        self._clock = clock
        self._compiler = compiler

    async def open(self) -> None:
        """Clear what a server that died left half-made. Once, before all else."""
        await asyncio.to_thread(_clear, self._staging)

    async def prepare_package(self, package: DeploymentPackage, base: RuntimeBase | None = None) -> Path:
        """As `prepare`; where the package is encrypted, as EncryptedTrees.prepare."""
        if not package.is_encrypted:
            return await self.prepare(package.sha256, base)
        assert self._encrypted is not None
        return await self._encrypted.prepare(package, base, root=_TASK_ROOT)

    async def check_package(self, package: DeploymentPackage) -> None:
        """For who has it already: raises KeyUnusable when it is encrypted and can't be opened now."""
        if package.is_encrypted:
            assert self._encrypted is not None
            await self._encrypted.check(package)

    async def prepare(self, sha256: str, base: RuntimeBase | None = None) -> Path:
        """The directory of the unpacked package, verified, with bytecode where `base` has such a thing.

        Raises zip_format.BadZip, blobs.BlobMissing, blobs.BlobDamaged, OSError.
        """
        unpack = partial(self._unpack, (sha256,))
        return await self._trees.prepare(*recipe(sha256, unpack, base, self._compiler, root=_TASK_ROOT))

    async def prepare_layers(self, layers: Sequence[AttachedLayer], base: RuntimeBase | None = None) -> Path:
        """The directory of these layers, one at least, merged in order: what a later one has replaces an earlier one's.

        Else as `prepare`, and raises the same.
        """
        name = layers_name(layers)
        assert name is not None
        unpack = partial(self._unpack, tuple(layer.package.sha256 for layer in layers))
        return await self._trees.prepare(*recipe(name, unpack, base, self._compiler, root=_LAYERS_ROOT))

    async def discard(self, sha256: str) -> None:
        """Remove the unpacked package in all its forms; the blob stays, and so do layers merged with it."""
        for name in await self._trees.names():
            if package_of(name) == sha256:
                await self._trees.discard(name)

    async def sweep(self, live: Set[str], *, unused_seconds: float) -> int:
        """Remove packages that aren't in `live` and that nobody prepared for that long; how many trees went."""
        before = self._clock.monotonic() - unused_seconds
        removed = 0
        for name in await self._trees.names():
            if package_of(name) not in live and self._trees.is_unused_since(name, before):
                await self._trees.discard(name)
                removed += 1
        return removed

    async def _unpack(self, zips: tuple[str, ...], tree: Path) -> str:
        await asyncio.to_thread(self._extract, zips, tree)
        return UNCOMPILED

    def _extract(self, zips: tuple[str, ...], tree: Path) -> None:
        """Each is unpacked by itself: what an earlier one has there can't lead a later one anywhere."""
        lowest, *others = zips
        staging = tree.with_name("unpacking")
        extract(self._blobs.read_now(lowest), tree, staging=staging)
        for sha256 in others:
            layer = tree.with_name("layer")
            extract(self._blobs.read_now(sha256), layer, staging=staging)
            lay_over(layer, tree)


def _clear(staging: Path) -> None:
    for leftover in staging.iterdir():
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()
