"""Shared libraries that a function brings itself."""

import os
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=4096)
def has_libraries(tree: Path) -> bool:
    """Whether code or layers, which never change, bring shared libraries in `lib`.

    Where they will be, a process that runs already has seen no such directory, and the C library doesn't look again.
    """
    try:
        with os.scandir(tree / "lib") as entries:
            return any(".so" in entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return False
