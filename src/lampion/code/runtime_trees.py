"""The runtimes' own files as sandboxes mount them: Lampion's installation, with what makes it start faster."""

import asyncio
import hashlib
import logging
import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock
from lampion.code.bytecode import CompilePython, add_bytecode, is_compiled
from lampion.code.class_archive import ArchiveClasses, add_archive, can_archive_classes
from lampion.code.interpreters import Interpreter, RuntimeBase
from lampion.code.runtimes import catalogue
from lampion.code.trees import Trees

_RUNTIME_DIRECTORY: Final = "/var/runtime"
_DIRECTORY_MODE: Final = 0o755
_FILE_MODE: Final = 0o644

_LOG = logging.getLogger(__name__)


class RuntimeTrees:
    """`sources` has a directory for each language; the installation may be read-only and is never written."""

    def __init__(
        self,
        sources: Path,
        directory: Path,
        staging: Path,
        clock: Clock,
        compiler: CompilePython,
        archiver: ArchiveClasses | None = None,
    ) -> None:
        self._sources = sources
        self._trees = Trees(directory, staging, clock)
        self._compiler = compiler
        self._archiver = archiver
        self._contents: dict[Path, str] = {}

    async def prepare(self, interpreter: Interpreter) -> Path:
        """The directory to mount for `interpreter`. Where no faster one can be made, the installation's own."""
        source = self._sources / catalogue().runtimes[interpreter.runtime].language
        if not is_compiled(interpreter) and not (self._archiver and can_archive_classes(interpreter)):
            return source
        try:
            made_from = f"{interpreter.version} {await self._content(source)}"
            fill = partial(self._fill, source, interpreter, made_from)
            return await self._trees.prepare(interpreter.runtime, made_from, fill)
        except OSError as error:
            _LOG.warning("%s starts slower than it could: %s", interpreter.runtime, error)
            return source

    async def prepare_all(self, bases: Iterable[RuntimeBase]) -> None:
        """`prepare` ahead of the first function that needs it."""
        await asyncio.gather(*(self.prepare(base) for base in bases if isinstance(base, Interpreter)))

    async def _content(self, source: Path) -> str:
        if source not in self._contents:
            self._contents[source] = await asyncio.to_thread(_content_hash, source)
        return self._contents[source]

    async def _fill(self, source: Path, interpreter: Interpreter, made_from: str, tree: Path) -> str:
        await asyncio.to_thread(_copy, source, tree)
        if self._archiver is not None and can_archive_classes(interpreter):
            is_done = await add_archive(tree, interpreter, self._archiver, root=_RUNTIME_DIRECTORY)
        else:
            is_done = await add_bytecode(tree, interpreter, self._compiler, root=_RUNTIME_DIRECTORY)
        return made_from if is_done else ""


_PATTERNS: Final = ("*.py", "*.sh", "lib/*")


def _files(source: Path) -> list[Path]:
    return sorted(path for pattern in _PATTERNS for path in source.glob(pattern) if path.is_file())


def _content_hash(source: Path) -> str:
    digest = hashlib.sha256()
    for path in _files(source):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(source)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _copy(source: Path, tree: Path) -> None:
    tree.mkdir()
    tree.chmod(_DIRECTORY_MODE)  # whatever the umask is
    for path in _files(source):
        target = tree / path.relative_to(source)
        if not target.parent.exists():
            target.parent.mkdir()
            target.parent.chmod(_DIRECTORY_MODE)
        shutil.copyfile(path, target)
        target.chmod(_FILE_MODE)
