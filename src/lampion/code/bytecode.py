"""Bytecode beside the sources of an unpacked tree, so that a cold start compiles nothing.

The compiler runs over whatever somebody uploaded, so it runs elsewhere (`CompilePython`), and nothing that it says is
believed: bytecode goes only beside sources that are there, and never over a file.
"""

import asyncio
import logging
import os
import re
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Final, Protocol, TypeGuard

from lampion.code.interpreters import Interpreter, RuntimeBase
from lampion.code.runtimes import catalogue

_CACHE: Final = "__pycache__"
_LENGTHS: Final = struct.Struct(">II")
_PATH_BYTES_MAX: Final = 4096
_CONTENT_BYTES_MAX: Final = 64 * 1024 * 1024
_TAG: Final = re.compile(rb"cpython-\d{2,4}t?")
_UNCHECKED_HASH: Final = (1).to_bytes(4, "little")
_FLAGS: Final = slice(4, 8)
_HEADER_BYTES: Final = 16
_MODE: Final = 0o644
_DIRECTORY_MODE: Final = 0o755

_LOG = logging.getLogger(__name__)


class CompilePython(Protocol):
    """Runs an interpreter's compiler over a tree where it can do no harm; owned by a room that has sandboxes."""

    async def compile(self, tree: Path, interpreter: Interpreter, *, root: str, output: int) -> None:
        """Write the frames of runtimes/compiler/compile_tree.py to the descriptor `output`; `root` is where functions
        will see `tree`. A compiler that crashes, hangs or says too much only says less. Raises OSError when it can't
        be run at all.
        """


def is_compiled(base: RuntimeBase) -> TypeGuard[Interpreter]:
    """Whether bytecode exists for what is run there."""
    runtime = catalogue().runtimes.get(base.runtime)
    return runtime is not None and runtime.language == "python"


async def add_bytecode(tree: Path, interpreter: Interpreter, compiler: CompilePython, *, root: str) -> bool:
    """Put bytecode into `tree`, as far as its sources compile.

    False when the compiler couldn't be run: then it is worth another attempt some time. Raises OSError from the disk.
    """
    with TemporaryFile(dir=tree.parent) as frames:
        try:
            await compiler.compile(tree, interpreter, root=root, output=frames.fileno())
        except OSError as error:
            _LOG.warning("%s runs without bytecode: %s", interpreter.runtime, error)
            return False
        await asyncio.to_thread(place_bytecode, tree, frames)
    return True


def place_bytecode(tree: Path, frames: BinaryIO) -> int:
    """Write what `frames` hold beside the sources of `tree`; how many files that made. Blocking. Raises OSError."""
    frames.seek(0)
    contents = _read_frames(frames)
    path, tag = next(contents, (b"", b""))
    if path or not _TAG.fullmatch(tag):
        return 0
    missing, placed = _sources(tree), 0
    for path, content in contents:
        source = missing.pop(os.fsdecode(path), None)
        if source is not None and content[_FLAGS] == _UNCHECKED_HASH and len(content) > _HEADER_BYTES:
            placed += _write(source.parent / _CACHE, f"{source.stem}.{tag.decode()}.pyc", content)
    return placed


def _read_frames(frames: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Until their end, or until one is cut off or too long."""
    while len(lengths := frames.read(_LENGTHS.size)) == _LENGTHS.size:
        path_bytes, content_bytes = _LENGTHS.unpack(lengths)
        if path_bytes > _PATH_BYTES_MAX or content_bytes > _CONTENT_BYTES_MAX:
            return
        path, content = frames.read(path_bytes), frames.read(content_bytes)
        if len(path) != path_bytes or len(content) != content_bytes:
            return
        yield path, content


def _sources(tree: Path) -> dict[str, Path]:
    """The Python files of `tree` by their path below it. Neither links nor what lies behind them."""
    found: dict[str, Path] = {}
    pending = [tree]
    while pending:
        directory = pending.pop()
        for entry in os.scandir(directory):
            if entry.is_dir(follow_symlinks=False):
                if entry.name != _CACHE:
                    pending.append(Path(entry.path))
            elif entry.name.endswith(".py") and entry.is_file(follow_symlinks=False):
                path = Path(entry.path)
                found[path.relative_to(tree).as_posix()] = path
    return found


def _write(directory: Path, name: str, content: bytes) -> bool:
    """False where the package has something of its own, or where the name is too long for a file."""
    with suppress(FileExistsError):
        directory.mkdir()
        directory.chmod(_DIRECTORY_MODE)
    if not stat.S_ISDIR(directory.lstat().st_mode):
        return False
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(directory / name, flags, _MODE)
    except FileExistsError:
        return False
    except OSError as error:
        if len(os.fsencode(name)) > os.pathconf(directory, "PC_NAME_MAX"):
            return False
        raise error from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fchmod(descriptor, _MODE)  # whatever the umask is
    return True
