"""The runtimes' own files as sandboxes mount them: those of Lampion's installation, with bytecode where that exists."""

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
from lampion.code.interpreters import Interpreter, RuntimeBase
from lampion.code.runtimes import catalogue
from lampion.code.trees import Trees

_RUNTIME_DIRECTORY: Final = "/var/runtime"
_DIRECTORY_MODE: Final = 0o755
_FILE_MODE: Final = 0o644

_LOG = logging.getLogger(__name__)


class RuntimeTrees:
    """`sources` has a directory for each language; the installation may be read-only and is never written."""

    def __init__(self, sources: Path, directory: Path, staging: Path, clock: Clock, compiler: CompilePython) -> None:
        self._sources = sources
        self._trees = Trees(directory, staging, clock)
        self._compiler = compiler
        self._contents: dict[Path, str] = {}

    async def prepare(self, interpreter: Interpreter) -> Path:
        """The directory to mount for `interpreter`. Where none with bytecode can be made, the installation's own."""
        source = self._sources / catalogue().runtimes[interpreter.runtime].language
        if not is_compiled(interpreter):
            return source
        try:
            made_from = f"{interpreter.version} {await self._content(source)}"
            fill = partial(self._fill, source, interpreter, made_from)
            return await self._trees.prepare(interpreter.runtime, made_from, fill)
        except OSError as error:
            _LOG.warning("%s starts without bytecode: %s", interpreter.runtime, error)
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
        is_done = await add_bytecode(tree, interpreter, self._compiler, root=_RUNTIME_DIRECTORY)
        return made_from if is_done else ""


def _files(source: Path) -> list[Path]:
    return sorted(path for path in source.glob("*.py") if path.is_file())


def _content_hash(source: Path) -> str:
    digest = hashlib.sha256()
    for path in _files(source):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _copy(source: Path, tree: Path) -> None:
    tree.mkdir()
    tree.chmod(_DIRECTORY_MODE)  # whatever the umask is
    for path in _files(source):
        shutil.copyfile(path, tree / path.name)
        (tree / path.name).chmod(_FILE_MODE)
