"""Lays one directory tree over another, as layers lie over each other. Blocking: call it in a thread."""

import os
import shutil
from pathlib import Path


def lay_over(upper: Path, lower: Path) -> None:
    """Move all that is in `upper` into `lower`, and remove `upper`; both on one file system.

    Directories are merged. Whatever else `lower` has in the place of something gives way to it, links too: nothing is
    ever written through one. Raises OSError.
    """
    with os.scandir(upper) as entries:
        found = list(entries)
    for entry in found:
        place = lower / entry.name
        if entry.is_dir(follow_symlinks=False) and _is_directory(place):
            lay_over(Path(entry.path), place)
        else:
            _remove(place)
            Path(entry.path).rename(place)
    upper.rmdir()


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _remove(path: Path) -> None:
    if _is_directory(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
