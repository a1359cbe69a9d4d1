"""Where a path leads inside an image: links are followed as its processes will see them, and never out of it."""

import errno
from pathlib import Path
from typing import Final

_LINKS_MAX: Final = 40
_STEPS_MAX: Final = 1000
"""Links whose targets have very many parts would else make one path cost a second."""


def follow(root: Path, path: Path) -> Path | None:
    """`path`, which lies in `root`, without links in it; what it names need not exist. None when a link leads out,
    to what no disk has, or all of them too far.

    An absolute link leads from `root`. Raises OSError for what can't be looked at.
    """
    pending = list(reversed(path.relative_to(root).parts))
    place, links = root, 0
    for _ in range(_STEPS_MAX):
        if not pending:
            return place
        part = pending.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if place == root:
                return None
            place = place.parent
            continue
        place = place / part
        try:
            if not place.is_symlink():
                continue
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:  # nothing can be there
                return None
            raise
        links += 1
        if links > _LINKS_MAX:
            return None
        target = str(place.readlink())
        place = root if target.startswith("/") else place.parent
        pending += reversed(target.split("/"))
    return None


def is_program(root: Path, path: str) -> bool:
    """Whether an absolute path of the image names a file that somebody may execute."""
    try:
        found = follow(root, root / path.lstrip("/"))
        return found is not None and found.is_file() and bool(found.stat().st_mode & 0o111)
    except (OSError, ValueError):
        return False
