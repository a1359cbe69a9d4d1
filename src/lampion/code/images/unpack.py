"""Layers laid over one another: from archives to the directory that a sandbox takes for its root. Blocking.

Nothing outside the directory is ever touched, whatever an archive says: every name is followed part by part within it,
as the image's own processes will see it. Files belong to who unpacks them; set-uid bits and devices don't get in.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from lampion.code.images.paths import follow
from lampion.code.images.streams import BadLayer, LayerStream
from lampion.code.images.tar_format import Kind, TarEntry, TarReader
from lampion.domain.inside import HOSTS, USER_NAME, group_line, user_line

UNPACKED_BYTES: Final = 10 * 1024 * 1024 * 1024
"""Lambda developer guide, "Create a Lambda function using a container image": uncompressed, all layers included."""
ENTRIES_MAX: Final = 500_000
NAMES_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of all files: who unpacks or verifies a tree has its names in memory."""
ROOT_ENTRIES_MAX: Final = 100
"""Each name in the root directory becomes a mount of the sandbox, of which the launcher takes only so many."""

_NAME_BYTES_MAX: Final = 3000
_TARGET_BYTES_MAX: Final = 4095
_PART_BYTES_MAX: Final = 255
_DEPTH_MAX: Final = 128
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_AUFS: Final = ".wh..wh."
_NO_PLACE_FOR: Final = ("dev", "proc", "sys")
"""Sandboxes have their own; what images have there is never seen."""
_USERS_BYTES_MAX: Final = 1024 * 1024
_WAYS_MAX: Final = 1024
_FAULTS_OF_IMAGES: Final = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG, errno.EMLINK)
)
"""What a disk says of names that can't be made on it; others are faults of the disk."""
_FURTHEST_SECONDS: Final = 1 << 33


class Rootfs:
    """A root directory in the making."""

    def __init__(self, root: Path) -> None:
        """`root` doesn't exist yet."""
        root.mkdir()
        root.chmod(0o755)
        self._root = root
        self._entries = self._names_bytes = 0
        self._own: set[str] = set()
        self._opaque: set[Path] = set()
        self._ways: dict[tuple[str, ...], Path] = {}

    def lay(self, stream: LayerStream) -> str:
        """Lay one layer over what is there; the digest of the unpacked archive. Raises BadLayer, OSError."""
        self._own, self._opaque = set(), set()
        reader = TarReader(stream)
        for entry in reader:
            self._count(entry.name)
            parts = _parts(entry.name)
            if parts and parts[0] not in _NO_PLACE_FOR:
                try:
                    self._take(entry, parts, reader.contents())
                except OSError as error:
                    if error.errno not in _FAULTS_OF_IMAGES:
                        raise
                    raise BadLayer(f"{entry.name[:200]!r} can't be made: {error.strerror}") from None
        return stream.finish()

    def _count(self, name: str) -> None:
        self._entries += 1
        self._names_bytes += len(name)
        if self._entries > ENTRIES_MAX:
            raise BadLayer(f"it has more than {ENTRIES_MAX} files")
        if self._names_bytes > NAMES_BYTES_MAX:
            raise BadLayer("the names of its files are too long, all together")

    def furnish(self) -> None:
        """Add what a sandbox needs to find in it. Raises BadLayer, OSError."""
        etc = self._root / "etc"
        if not etc.is_symlink() and (etc.is_dir() or not etc.exists()):
            etc.mkdir(exist_ok=True)
            for name, line in (("passwd", user_line()), ("group", group_line())):
                _add_line(etc / name, line)
            for name in ("hosts", "resolv.conf"):
                place = etc / name
                if place.is_symlink() or not place.is_file():  # a link would lead the sandbox's own file elsewhere
                    _remove(place)
                    place.write_bytes(b"")
                    place.chmod(0o644)
            if not (etc / "hosts").stat().st_size:
                (etc / "hosts").write_text(HOSTS)
        if sum(1 for _ in self._root.iterdir()) > ROOT_ENTRIES_MAX:
            raise BadLayer(f"it has more than {ROOT_ENTRIES_MAX} names in its root directory")

    def _take(self, entry: TarEntry, parts: list[str], contents: Iterator[bytes]) -> None:
        *above, name = parts
        directory = self._directory(above)
        if name == _OPAQUE:
            if not self._is_own(directory):  # once is enough, and a look at all that it holds
                self._hide_all(directory)
                self._opaque.add(directory)
        elif name.startswith(_AUFS):
            return
        elif name.startswith(_WHITEOUT):
            hidden = _part(name.removeprefix(_WHITEOUT))
            if str(directory / hidden) not in self._own:
                self._remove(directory / hidden)
        else:
            path = directory / name
            self._checked(path)
            self._make(entry, path, contents)
            self._own.add(str(path))

    def _checked(self, path: Path) -> str:
        """Its name in the image, where links may have led further than the name in the archive tells."""
        name = str(path.relative_to(self._root))
        if name.count("/") >= _DEPTH_MAX or len(os.fsencode(name)) > _NAME_BYTES_MAX:
            raise BadLayer(f"{name[:200]!r} is too deep, or too long")
        return name

    def _make(self, entry: TarEntry, path: Path, contents: Iterator[bytes]) -> None:
        if entry.kind is Kind.DIRECTORY:
            self._make_directory(path)
            path.chmod(entry.mode & 0o777 | 0o700)
            return
        if entry.kind in (Kind.DEVICE, Kind.FIFO):
            raise BadLayer(f"it has a {entry.kind}, {entry.name[:200]!r}")
        if entry.kind is Kind.HARD_LINK:
            source = self._linked(entry)
            if source == path:
                return
            self._remove(path)
            os.link(source, path, follow_symlinks=False)
            return
        self._remove(path)
        if entry.kind is Kind.SYMLINK:
            if not entry.target or len(os.fsencode(entry.target)) > _TARGET_BYTES_MAX:
                raise BadLayer(f"its link {entry.name[:200]!r} leads nowhere")
            path.symlink_to(entry.target)
        else:
            with path.open("xb") as file:
                file.writelines(contents)
                os.fchmod(file.fileno(), entry.mode & 0o777 | 0o400)
        moment = min(max(entry.modified_seconds, 0.0), _FURTHEST_SECONDS)
        os.utime(path, (moment, moment), follow_symlinks=False)  # bytecode is valid for one time of its source

    def _linked(self, entry: TarEntry) -> Path:
        """What a hard link is another name of: a file or link of the image."""
        parts = _parts(entry.target)
        if not parts:
            raise BadLayer(f"its link {entry.name[:200]!r} leads nowhere")
        source = self._directory(parts[:-1], may_make=False) / parts[-1]
        with suppress(OSError):
            mode = source.lstat().st_mode
            if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
                return source
        raise BadLayer(f"its link {entry.name[:200]!r} leads nowhere")

    def _directory(self, parts: list[str], *, may_make: bool = True) -> Path:
        """The directory of that name, links within it followed; made if it is missing."""
        known = self._ways.get(tuple(parts))
        if known is not None:
            return known
        place = self._root
        for part in parts:
            place /= part
            mode = _mode(place)
            if stat.S_ISLNK(mode):
                found = follow(self._root, place)
                if found is None:
                    raise BadLayer(f"a link in {'/'.join(parts)[:200]!r} leads out of the image")
                place, mode = found, _mode(found)
            if not stat.S_ISDIR(mode):
                if not may_make:
                    raise BadLayer(f"{'/'.join(parts)[:200]!r} is no directory")
                self._count(self._checked(place))
                self._make_directory(place)
                self._own.add(str(place))
        if len(self._ways) >= _WAYS_MAX:
            self._ways.clear()
        self._ways[tuple(parts)] = place
        return place

    def _make_directory(self, path: Path) -> None:
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(path.lstat().st_mode):
                return
            self._remove(path)
        try:
            path.mkdir()
            path.chmod(0o755)
        except FileNotFoundError:
            raise BadLayer(f"{str(path.relative_to(self._root))[:200]!r} has no directory to be in") from None

    def _remove(self, path: Path) -> None:
        if _remove(path):
            self._ways.clear()

    def _is_own(self, directory: Path) -> bool:
        """Whether all in it is of this layer, for it or one above is opaque."""
        return directory in self._opaque or any(above in self._opaque for above in directory.parents)

    def _hide_all(self, directory: Path) -> None:
        """What lower layers have there."""
        self._ways.clear()
        for path in list(directory.iterdir()):
            self._hide(path)

    def _hide(self, path: Path) -> None:
        """With all in it that isn't this layer's own."""
        if path in self._opaque:
            return
        if stat.S_ISDIR(_mode(path)):
            self._hide_all(path)
            if str(path) not in self._own and not any(path.iterdir()):
                path.rmdir()
        elif str(path) not in self._own:
            path.unlink()


def _parts(name: str) -> list[str]:
    """Of a name in an archive. Raises BadLayer for one that leads out, or can't be a path here."""
    if len(os.fsencode(name)) > _NAME_BYTES_MAX:
        raise BadLayer("a name is too long")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") and parts:
        raise BadLayer(f"{name[:200]!r} is an absolute name")
    if ".." in parts or len(parts) > _DEPTH_MAX:
        raise BadLayer(f"{name[:200]!r} leads out of the image, or too deep")
    return [_part(part) for part in parts]


def _part(part: str) -> str:
    if part in ("", ".", "..") or len(os.fsencode(part)) > _PART_BYTES_MAX or "\0" in part:
        raise BadLayer(f"{part[:200]!r} is no name for a file")
    return part


def _mode(path: Path) -> int:
    """0 for what isn't there."""
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return 0


def _remove(path: Path) -> bool:
    """Whether that was something that paths may have led through."""
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            shutil.rmtree(path)
        else:
            path.unlink()
        return not stat.S_ISREG(mode)
    return False


def _add_line(file: Path, line: str) -> None:
    """A link, something else in its place, and what is far too large stay what they are."""
    if file.is_symlink() or (file.exists() and not file.is_file()):
        return
    if file.exists() and file.stat().st_size > _USERS_BYTES_MAX:
        return
    text = file.read_bytes() if file.exists() else b""
    if f"{USER_NAME}:".encode() not in text:
        _remove(file)  # it may have other names
        file.write_bytes(text + (b"\n" if text and not text.endswith(b"\n") else b"") + line.encode())
        file.chmod(0o644)
