"""What a directory holds, to the byte, and whether it still does. Blocking: call it in a thread.

The manifest guards against a failing disk and against accidents. Who can write here as the server's user can write a
manifest too.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

_DIGEST_CHARACTERS: Final = 64


class ManifestDamaged(Exception):
    """The manifest itself isn't what was written."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One name in the tree. `content`: SHA-256 of a file, target of a link, nothing for a directory."""

    path: str
    mode: int
    size_bytes: int
    content: str


class Manifest(msgspec.Struct, frozen=True):
    """A whole tree, its root included; `made_from` says what beside the package went into it."""

    made_from: str
    entries: tuple[Entry, ...]

    def names(self, tree: Path) -> tuple[str, ...]:
        """Where everything lies when the tree is at `tree`."""
        return tuple(f"{tree}/{entry.path}" for entry in self.entries)


def survey(tree: Path) -> tuple[Entry, ...]:
    """Everything in `tree`, which is read whole. Raises OSError."""
    return tuple(sorted((_entry(tree, path, status) for path, status in _walk(tree)), key=lambda entry: entry.path))


_DECODER: Final = msgspec.json.Decoder(Manifest)
"""Made here: msgspec isn't safe where several threads are the first to decode a class."""


def write_manifest(file: Path, manifest: Manifest) -> None:
    """Raises OSError."""
    text = msgspec.json.encode(manifest)
    file.write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)


def read_manifest(file: Path) -> Manifest:
    """Raises ManifestDamaged, OSError."""
    written = file.read_bytes()
    text = written[_DIGEST_CHARACTERS + 1 :]
    if written[: _DIGEST_CHARACTERS + 1] != hashlib.sha256(text).hexdigest().encode() + b"\n":
        raise ManifestDamaged(file.name)
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # of another version of Lampion
        raise ManifestDamaged(file.name) from error


def find_damage(tree: Path, manifest: Manifest) -> str | None:
    """Where `tree` differs from its manifest, in words; None when it doesn't."""
    try:
        found = {entry.path: entry for entry in survey(tree)}
    except OSError as error:
        return f"{error.filename or tree.name} can't be read: {error.strerror}"
    wanted = {entry.path: entry for entry in manifest.entries}
    if found == wanted:
        return None
    path = min(path for path in found.keys() | wanted.keys() if found.get(path) != wanted.get(path))
    if path not in found:
        return f"{path!r} is missing"
    return f"{path!r} has changed" if path in wanted else f"{path!r} was added"


def stamp(names: Iterable[str]) -> int:
    """Another number as soon as one of `names` was written, replaced or got another mode, owner or name, and, where
    it is a directory, something in it was added, removed or renamed: none of this leaves the time of change as it was,
    and no program can set that time. Reads no content. Raises OSError when one is missing.
    """
    found: list[int] = []
    for name in names:  # 2 us each: this is on the way of cold starts
        status = os.lstat(name)
        found += (status.st_ino, status.st_mode, status.st_size, status.st_ctime_ns)
    return hash(tuple(found))


def _walk(tree: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Each name below `tree` and what it is, the root first; links aren't followed."""
    yield "", os.lstat(tree)
    pending = [""]
    while pending:
        above = pending.pop()
        with os.scandir(f"{tree}/{above}") as entries:
            for entry in entries:
                path = f"{above}{entry.name}"
                yield path, entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{path}/")


def _entry(tree: Path, path: str, status: os.stat_result) -> Entry:
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return Entry(path, mode, status.st_size, _sha256(tree / path))
    if stat.S_ISLNK(mode):
        return Entry(path, mode, status.st_size, str((tree / path).readlink()))
    return Entry(path, mode, 0, "")  # how large a directory is, is the file system's business


def _sha256(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
