"""What sandboxes mount as /var/runtime: the runtime's own files, an AWS SDK if there is one, what speeds them up."""

import asyncio
import hashlib
import logging
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock
from lampion.code.bytecode import CompilePython, add_bytecode, is_compiled
from lampion.code.class_archive import ArchiveClasses, add_archive, can_archive_classes
from lampion.code.interpreters import Interpreter, RuntimeBase
from lampion.code.manifest import stamp
from lampion.code.runtimes import catalogue
from lampion.code.sdk_directory import copy_files
from lampion.code.sdks import InstalledSdk, installed_sdk
from lampion.code.trees import Trees

_RUNTIME_DIRECTORY: Final = "/var/runtime"

_CHECK_SECONDS: Final = 60.0
"""Of a tree with an SDK: a look at its thousands of names takes as long as all else of a cold start."""

_LOG = logging.getLogger(__name__)


class RuntimeTrees:
    """`sources` has a directory for each language; the installation may be read-only and is never written.

    `sdks` is where code.sdks keeps SDKs. One that comes or goes takes effect with the next server, as another
    interpreter does.
    """

    def __init__(
        self,
        sources: Path,
        sdks: Path,
        directory: Path,
        staging: Path,
        clock: Clock,
        compiler: CompilePython,
        archiver: ArchiveClasses | None = None,
    ) -> None:
        self._sources = sources
        self._sdks = sdks
        self._trees = Trees(directory, staging, clock)
        self._large_trees = Trees(directory, staging, clock, check_seconds=_CHECK_SECONDS)
        self._compiler = compiler
        self._archiver = archiver
        self._contents: dict[Path, str] = {}
        self._made_from: dict[str, tuple[str, InstalledSdk | None]] = {}

    async def prepare(self, interpreter: Interpreter) -> Path:
        """The directory to mount for `interpreter`. Where none can be made, the installation's own."""
        source = self._sources / catalogue().runtimes[interpreter.runtime].language
        try:
            made_from, sdk = await self._ingredients(source, interpreter)
            if sdk is None and not self._is_prepared(interpreter):
                return source
            fill = partial(self._fill, source, sdk, interpreter, made_from)
            trees = self._trees if sdk is None else self._large_trees
            return await trees.prepare(interpreter.runtime, made_from, fill)
        except OSError as error:
            _LOG.warning("%s starts slower than it could and without an AWS SDK: %s", interpreter.runtime, error)
            return source

    async def prepare_all(self, bases: Iterable[RuntimeBase]) -> None:
        """`prepare` ahead of the first function that needs it; but an archive of Java's classes takes seconds of the
        processor, which only who has such functions is to pay for.
        """
        soon = [base for base in bases if isinstance(base, Interpreter) and not can_archive_classes(base)]
        await asyncio.gather(*map(self.prepare, soon))

    async def _ingredients(self, source: Path, interpreter: Interpreter) -> tuple[str, InstalledSdk | None]:
        """Which SDK goes into the tree, and what tells whether the tree has to be made again. Looked up once."""
        known = self._made_from.get(interpreter.runtime)
        if known is None:
            runtime = catalogue().runtimes[interpreter.runtime]
            sdk = await asyncio.to_thread(installed_sdk, self._sdks, runtime)
            added = "" if sdk is None else f" {await asyncio.to_thread(_stamp_of, sdk.directory)}"
            known = f"{interpreter.version} {await self._content(source)}{added}", sdk
            if sdk is None and not self._is_prepared(interpreter):
                await self._trees.discard(interpreter.runtime)  # of a time when there was one
            self._made_from[interpreter.runtime] = known
        return known

    def _is_prepared(self, interpreter: Interpreter) -> bool:
        """Whether more than its files makes it start faster."""
        return is_compiled(interpreter) or (self._archiver is not None and can_archive_classes(interpreter))

    async def _content(self, source: Path) -> str:
        if source not in self._contents:
            self._contents[source] = await asyncio.to_thread(_content_hash, source)
        return self._contents[source]

    async def _fill(
        self, source: Path, sdk: InstalledSdk | None, interpreter: Interpreter, made_from: str, tree: Path
    ) -> str:
        """The runtime's own files come first: no SDK replaces one."""
        await asyncio.to_thread(copy_files, source, tree, _is_started)
        if sdk is not None:
            await asyncio.to_thread(copy_files, sdk.directory, tree, _is_source)
        if self._archiver is not None and can_archive_classes(interpreter):
            is_done = await add_archive(tree, interpreter, self._archiver, root=_RUNTIME_DIRECTORY)
            return made_from if is_done else ""
        if not is_compiled(interpreter):
            return made_from
        is_done = await add_bytecode(tree, interpreter, self._compiler, root=_RUNTIME_DIRECTORY)
        return made_from if is_done else ""


def _is_source(path: Path) -> bool:
    return "__pycache__" not in path.parts


def _is_started(path: Path) -> bool:
    """The sources of a runtime whose classes are in a jar are only for people."""
    return _is_source(path) and path.parts[:1] != ("source",)


def _content_hash(source: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in source.rglob("*") if path.is_file() and _is_source(path.relative_to(source))):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(source)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _stamp_of(directory: Path) -> str:
    """Another one as soon as anything in it changes; its contents, tens of megabytes, aren't read."""
    return f"{stamp(sorted(str(path) for path in (directory, *directory.rglob('*')))):x}"
