"""Fills and empties <root>/<runtime> (code.sdks) in one step each: a server never finds half of an SDK there."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

_STAGING: Final = ".new-"
_DIRECTORY_MODE: Final = 0o755
_FILE_MODE: Final = 0o644


@contextmanager
def staging_directory(root: Path) -> Iterator[Path]:
    """An empty directory on the file system of `root`, to install into for the duration of the block. Raises OSError.

    Whoever uses one holds a lock on it; those that nobody holds are left by what was killed, and go.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(root):
        for path in root.glob(f"{_STAGING}*"):
            with suppress(OSError), _locked(path, fcntl.LOCK_NB):
                shutil.rmtree(path, ignore_errors=True)
        staging = Path(mkdtemp(prefix=_STAGING, dir=root))
        descriptor = _lock(staging)
    try:
        yield staging
    finally:
        os.close(descriptor)
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _locked(directory: Path, options: int = 0) -> Iterator[None]:
    descriptor = _lock(directory, options)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(directory: Path, options: int = 0) -> int:
    """The descriptor that holds the lock until it is closed."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | options)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def put_in_place(staging: Path, directory: Path, root: Path) -> None:
    """Make `directory`, in `staging`, the SDK at `root`; what was there goes. Raises OSError."""
    before = staging / "before"
    with suppress(FileNotFoundError):
        root.rename(before)
    directory.rename(root)
    shutil.rmtree(before, ignore_errors=True)


def remove(root: Path) -> bool:
    """Whether something was there. Raises OSError."""
    with staging_directory(root.parent) as staging:
        try:
            root.rename(staging / "before")
        except FileNotFoundError:
            return False
    return True


def copy_files(source: Path, target: Path, is_kept: Callable[[Path], bool]) -> int:
    """Plain files of `source` whose relative paths are kept, into `target`, and their directories; how many.

    What `target` has already stays. Links are left out: what they lead to isn't the SDK's. Raises OSError.
    """
    copied = 0
    for directory, names, files in os.walk(source):
        here = Path(directory).relative_to(source)
        names[:] = sorted(name for name in names if is_kept(here / name))
        kept = [name for name in files if is_kept(here / name) and _is_plain(source / here / name)]
        if kept:
            _make(target, here)
        for name in kept:
            place = target / here / name
            if not os.path.lexists(place):
                shutil.copyfile(source / here / name, place)
                place.chmod(_FILE_MODE)
                copied += 1
    return copied


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _make(target: Path, below: Path) -> None:
    for directory in (target, *(target / above for above in reversed((below / "x").parents))):
        if not directory.is_dir():
            directory.mkdir()
            directory.chmod(_DIRECTORY_MODE)  # whatever the umask is
