"""Disks for /tmp: an empty file system for each size, formatted once, that the launcher copies for each sandbox.

Neither images nor copies have a name (O_TMPFILE): nothing of them outlives the processes that hold them.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lampion.sandbox.driver import SandboxError
from lampion.sandbox.launcher.build import ensure_launcher
from lampion.sandbox.launcher.description import Disk

INSTALL_TOOLS: Final = "apt-get install e2fsprogs"
IN_MEMORY: Final = "a file system in memory"
"""The launcher's words (launcher/disk.c) for a directory in which a disk would be memory again."""
_TOOL_PATH: Final = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
_TOOL_SECONDS: Final = 30
_MOST_IMAGES: Final = 64
_TRIAL_MIB: Final = 512

_BLOCK_BYTES: Final = 4096
_BLOCKS_PER_MIB: Final = 1024 * 1024 // _BLOCK_BYTES
_BLOCKS_PER_GROUP: Final = 8 * _BLOCK_BYTES
_INODE_BYTES: Final = 256
_BYTES_PER_INODE: Final = 8192
_INODES_AT_ONCE: Final = 32
# The kernel keeps so much back from everybody: a fiftieth, at most so many blocks.
_RESERVED_SHARE: Final = 50
_MOST_RESERVED_BLOCKS: Final = 4096
# For the function's own directories and the lists of its files' blocks.
_SPARE_SHARE: Final = 200
_FEATURES: Final = (
    "^has_journal,^resize_inode,^metadata_csum,^64bit,^huge_file,uninit_bg,sparse_super2,flex_bg,extent,dir_index"
)
_TWEAKS: Final = "num_backup_sb=0,lazy_itable_init=1,nodiscard,root_owner=0:0"


@dataclass(frozen=True, slots=True)
class Geometry:
    """Of a file system: how many blocks of 4096 bytes, and how many files may be in it."""

    blocks: int
    inodes: int


def geometry(tmp_mib: int) -> Geometry:
    """One in which a function can store at least `tmp_mib`, and not 2 % more."""
    wanted = tmp_mib * _BLOCKS_PER_MIB
    inodes = tmp_mib * 1024 * 1024 // _BYTES_PER_INODE
    blocks = wanted + wanted // _SPARE_SHARE
    for _ in range(3):  # what is needed for administration depends, a little, on the whole
        groups = -(-blocks // _BLOCKS_PER_GROUP)
        tables = groups * -(-inodes // groups // _INODES_AT_ONCE) * _INODES_AT_ONCE * _INODE_BYTES // _BLOCK_BYTES
        reserved = min(blocks // _RESERVED_SHARE, _MOST_RESERVED_BLOCKS)
        blocks = wanted + wanted // _SPARE_SHARE + tables + 2 * groups + reserved + 8
    return Geometry(blocks, inodes)


class Disks:
    """The images of one server. `directory` lies where copies may lie; it needn't exist before the first image."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._images: OrderedDict[int, int] = OrderedDict()
        self._problem: str | None = (
            "only for a server that is root, with a data directory" if directory is None else None
        )

    def problem(self) -> str:
        """Why /tmp can't be a disk here, found out by making one; empty when it can. Some 20 ms the first time."""
        with self._lock:
            if self._problem is None:
                self._problem = self._try()
            return self._problem

    def ready(self, tmp_mib: int) -> Disk | None:
        """The disk of that size, if its image is there already."""
        image = self._images.get(tmp_mib)
        return None if image is None or self._problem != "" else self._disk(tmp_mib, image)

    async def of(self, tmp_mib: int) -> Disk | None:
        """A disk of that size; None where there are none. Raises SandboxError when its image can't be made."""
        return self.ready(tmp_mib) or (None if self._problem else await asyncio.to_thread(self._find, tmp_mib))

    def close(self) -> None:
        with self._lock:
            self._problem = "closed"
            while self._images:
                os.close(self._images.popitem()[1])

    def _find(self, tmp_mib: int) -> Disk | None:
        if self.problem():
            return None
        with self._lock:
            if self._problem:
                return None
            return self._disk(tmp_mib, self._image(tmp_mib))

    def _image(self, tmp_mib: int) -> int:
        if tmp_mib in self._images:
            return self._images[tmp_mib]
        if len(self._images) == _MOST_IMAGES:
            # Not the oldest, which is what most functions have.
            stale = list(self._images)[1]
            os.close(self._images.pop(stale))
        image = self._images[tmp_mib] = _make_image(self._place(), geometry(tmp_mib))
        return image

    def _disk(self, tmp_mib: int, image: int) -> Disk:
        return Disk(tmp_mib * 1024 * 1024, f"/proc/{os.getpid()}/fd/{image}", str(self._place()))

    def _place(self) -> Path:
        """The directory, or before it exists the one in which it will be made: they share a file system."""
        assert self._directory is not None
        directory = self._directory.absolute()
        return next(place for place in (directory, *directory.parents) if place.is_dir())

    def _try(self) -> str:
        try:
            launcher = ensure_launcher()
            disk = self._disk(_TRIAL_MIB, self._image(_TRIAL_MIB))
            _run([str(launcher), "try-disk", disk.image, disk.directory])
        except SandboxError as error:
            return str(error)
        return ""


def _make_image(directory: Path, wanted: Geometry) -> int:
    """An open file without a name. Raises SandboxError."""
    with contextlib.ExitStack() as undo:
        try:
            image = os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
            undo.callback(os.close, image)
            os.ftruncate(image, wanted.blocks * _BLOCK_BYTES)
        except OSError as error:
            raise SandboxError(f"{directory} takes no disk images: {error.strerror}") from error
        path = f"/proc/{os.getpid()}/fd/{image}"
        size = ("-b", str(_BLOCK_BYTES), "-m", "0", "-I", str(_INODE_BYTES), "-N", str(wanted.inodes), "-G", "4096")
        _run([_tool("mke2fs"), "-q", "-F", "-t", "ext4", *size, "-O", _FEATURES, "-E", _TWEAKS, path])
        _run([_tool("debugfs"), "-w", "-R", "rmdir lost+found", path])
        undo.pop_all()
    return image


def _tool(name: str) -> str:
    path = shutil.which(name, path=_TOOL_PATH)
    if path is None:
        raise SandboxError(f"there is no {name}: {INSTALL_TOOLS}")
    return path


def _run(argv: list[str]) -> None:
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TOOL_SECONDS, env={}, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"{argv[0]} doesn't run: {error}") from error
    if done.returncode != 0:
        raise SandboxError(done.stderr.strip() or f"{argv[0]} ended with {done.returncode}")
