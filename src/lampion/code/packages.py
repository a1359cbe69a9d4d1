"""Deployment packages unpacked on disk, ready to be mounted: packages/<sha256>[.<runtime>]. A cache of the blobs.

Runtimes that compile get a tree of their own, with bytecode: a tree that may be mounted never changes.
"""

import asyncio
import shutil
from collections.abc import Set
from functools import partial
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock
from lampion.code.archive import extract
from lampion.code.blobs import Blobs
from lampion.code.bytecode import CompilePython, add_bytecode, is_compiled
from lampion.code.interpreters import Interpreter
from lampion.code.trees import Trees

_TASK_ROOT: Final = "/var/task"
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

    async def prepare(self, sha256: str, interpreter: Interpreter | None = None) -> Path:
        """The directory of the unpacked package, verified, with bytecode where `interpreter` has such a thing.

        Raises zip_format.BadZip, blobs.BlobMissing, blobs.BlobDamaged, OSError.
        """
        if interpreter is None or not is_compiled(interpreter):
            return await self._trees.prepare(sha256, _UNCOMPILED, partial(self._unpack, sha256))
        name = f"{sha256}.{interpreter.runtime}"
        return await self._trees.prepare(name, interpreter.version, partial(self._compile, sha256, interpreter))

    async def discard(self, sha256: str) -> None:
        """Remove the unpacked package in all its forms; the blob stays."""
        for name in await self._trees.names():
            if _sha256_of(name) == sha256:
                await self._trees.discard(name)

    async def sweep(self, live: Set[str], *, unused_seconds: float) -> int:
        """Remove packages that aren't in `live` and that nobody prepared for that long; how many trees went."""
        before = self._clock.monotonic() - unused_seconds
        removed = 0
        for name in await self._trees.names():
            if _sha256_of(name) not in live and self._trees.is_unused_since(name, before):
                await self._trees.discard(name)
                removed += 1
        return removed

    async def _unpack(self, sha256: str, tree: Path) -> str:
        await asyncio.to_thread(self._extract, sha256, tree)
        return _UNCOMPILED

    async def _compile(self, sha256: str, interpreter: Interpreter, tree: Path) -> str:
        await self._unpack(sha256, tree)
        is_done = await add_bytecode(tree, interpreter, self._compiler, root=_TASK_ROOT)
        return interpreter.version if is_done else _UNCOMPILED  # the next server tries again

    def _extract(self, sha256: str, tree: Path) -> None:
        extract(self._blobs.read_now(sha256), tree, staging=tree.with_name("unpacking"))


def _sha256_of(name: str) -> str:
    return name.partition(".")[0]


def _clear(staging: Path) -> None:
    for leftover in staging.iterdir():
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()
