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
from typing import Final

from lampion.clock.clock import Clock
from lampion.code.archive import extract
from lampion.code.blobs import Blobs
from lampion.code.bytecode import CompilePython, add_bytecode, is_compiled
from lampion.code.interpreters import Interpreter, RuntimeBase
from lampion.code.layering import lay_over
from lampion.code.trees import Fill, Trees
from lampion.domain.function import AttachedLayer, layers_name

_TASK_ROOT: Final = "/var/task"
_LAYERS_ROOT: Final = "/opt"
_UNCOMPILED: Final = ""


class Packages:
    """Unpacks each package once, however many ask for it; `staging` is on the same file system."""

    def __init__(self, blobs: Blobs, directory: Path, staging: Path, clock: Clock, compiler: CompilePython) -> None:
        self._blobs = blobs
        self._trees = Trees(directory, staging, clock)
        self._staging = staging
        self._clock = clock
        self._compiler = compiler

    async def open(self) -> None:
        """Clear what a server that died left half-made. Once, before all else."""
        await asyncio.to_thread(_clear, self._staging)

    async def prepare(self, sha256: str, base: RuntimeBase | None = None) -> Path:
        """The directory of the unpacked package, verified, with bytecode where `base` has such a thing.

        Raises zip_format.BadZip, blobs.BlobMissing, blobs.BlobDamaged, OSError.
        """
        return await self._prepare(sha256, partial(self._unpack, (sha256,)), base, _TASK_ROOT)

    async def prepare_layers(self, layers: Sequence[AttachedLayer], base: RuntimeBase | None = None) -> Path:
        """The directory of these layers, one at least, merged in order: what a later one has replaces an earlier one's.

        Else as `prepare`, and raises the same.
        """
        name = layers_name(layers)
        assert name is not None
        unpack = partial(self._unpack, tuple(layer.package.sha256 for layer in layers))
        return await self._prepare(name, unpack, base, _LAYERS_ROOT)

    async def discard(self, sha256: str) -> None:
        """Remove the unpacked package in all its forms; the blob stays, and so do layers merged with it."""
        for name in await self._trees.names():
            if _unversioned(name) == sha256:
                await self._trees.discard(name)

    async def sweep(self, live: Set[str], *, unused_seconds: float) -> int:
        """Remove packages that aren't in `live` and that nobody prepared for that long; how many trees went."""
        before = self._clock.monotonic() - unused_seconds
        removed = 0
        for name in await self._trees.names():
            if _unversioned(name) not in live and self._trees.is_unused_since(name, before):
                await self._trees.discard(name)
                removed += 1
        return removed

    async def _prepare(self, name: str, unpack: Fill, base: RuntimeBase | None, root: str) -> Path:
        if base is None or not is_compiled(base):
            return await self._trees.prepare(name, _UNCOMPILED, unpack)
        fill = partial(self._compile, unpack, base, root)
        return await self._trees.prepare(f"{name}.{base.runtime}", base.version, fill)

    async def _unpack(self, zips: tuple[str, ...], tree: Path) -> str:
        await asyncio.to_thread(self._extract, zips, tree)
        return _UNCOMPILED

    async def _compile(self, unpack: Fill, interpreter: Interpreter, root: str, tree: Path) -> str:
        await unpack(tree)
        is_done = await add_bytecode(tree, interpreter, self._compiler, root=root)
        return interpreter.version if is_done else _UNCOMPILED  # the next server tries again

    def _extract(self, zips: tuple[str, ...], tree: Path) -> None:
        """Each is unpacked by itself: what an earlier one has there can't lead a later one anywhere."""
        lowest, *others = zips
        staging = tree.with_name("unpacking")
        extract(self._blobs.read_now(lowest), tree, staging=staging)
        for sha256 in others:
            layer = tree.with_name("layer")
            extract(self._blobs.read_now(sha256), layer, staging=staging)
            lay_over(layer, tree)


def _unversioned(name: str) -> str:
    return name.partition(".")[0]


def _clear(staging: Path) -> None:
    for leftover in staging.iterdir():
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()
