"""Where the entries of a deployment zip may lie: names, links and the tree that they make. Pure; touches no disk."""

import re
import stat
from typing import Final

from lampion.code.zip_format import BadZip

_NAME_BYTES_MAX: Final = 2048
_PART_BYTES_MAX: Final = 255
_DEPTH_MAX: Final = 100
_LINK_BYTES_MAX: Final = 1024
_DRIVE = re.compile(r"[A-Za-z]:")


def entry_path(name: bytes) -> str:
    """The entry's path below the package's root, without `.` and empty parts; "" is the root itself.

    Raises BadZip for what points elsewhere or can't be a path here.
    """
    if len(name) > _NAME_BYTES_MAX:
        raise BadZip("name too long")
    text = _path_text(name)
    if text.startswith("/") or _DRIVE.match(text):
        raise BadZip("absolute name")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts or len(parts) > _DEPTH_MAX or any(len(part.encode()) > _PART_BYTES_MAX for part in parts):
        raise BadZip("name leaves the package, is too deep or too long")
    return "/".join(parts)


def is_directory(name: bytes, mode: int) -> bool:
    """Whether the entry is a directory: by its trailing slash or its mode. Raises BadZip when they contradict."""
    slash, kind = name.endswith(b"/"), stat.S_IFMT(mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise BadZip("neither file, directory nor link")
    if slash and kind in (stat.S_IFREG, stat.S_IFLNK):
        raise BadZip("a file with a directory's name")
    return slash or kind == stat.S_IFDIR


def check_link(path: str, target: bytes) -> str:
    """The target of the symbolic link at `path`, when following it can't leave the package. Raises BadZip.

    `..` may only lead: below the link's own directory every part may be a link itself, and `..` behind a link
    goes up from where that link leads.
    """
    if len(target) > _LINK_BYTES_MAX:
        raise BadZip("link too long")
    text = _path_text(target)
    parts = [part for part in text.split("/") if part not in ("", ".")]
    ups = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    if not text or text.startswith("/") or ".." in parts[ups:] or ups > path.count("/"):
        raise BadZip("link leaves the package")
    return text


def _path_text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadZip("not UTF-8") from error
    if "\0" in text or "\\" in text:
        raise BadZip("NUL or backslash")
    return text


class Tree:
    """The files and directories seen so far; refuses what contradicts them. Bounds their number."""

    def __init__(self, nodes_max: int) -> None:
        self._nodes_max = nodes_max
        self._leaves: set[str] = set()
        self._directories: set[str] = {""}

    def add_directory(self, path: str) -> None:
        """`path` and all above it are directories. Raises BadZip."""
        while path not in self._directories:
            if path in self._leaves:
                raise BadZip("both file and directory")
            self._directories.add(path)
            path = path.rpartition("/")[0]
            self._check_count()

    def add_leaf(self, path: str) -> None:
        """`path` is a file or link. Raises BadZip."""
        if path in self._leaves or path in self._directories:  # the root included: a file without a name
            raise BadZip("the same name twice")
        self.add_directory(path.rpartition("/")[0])
        self._leaves.add(path)
        self._check_count()

    def _check_count(self) -> None:
        if len(self._leaves) + len(self._directories) > self._nodes_max:
            raise BadZip("too many files")
