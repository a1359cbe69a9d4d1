"""The rules for a deployment zip, and its way onto the disk. Blocking: call it in a thread.

Reads the zip as a stream, so memory doesn't grow with what is in it. Nothing outside the target is ever touched.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lampion.code.entry_paths import Tree, check_link, entry_path, is_directory
from lampion.code.zip_format import BadZip, Buffer, Directory, Entry, contents, entries, find_directory
from lampion.domain import limits
from lampion.domain.errors import InvalidParameterValueException

ENTRIES_MAX: Final = 100_000
"""Files, links and directories of one package. AWS publishes no number; 250 MB hold fewer in practice."""

_LINK_BYTES_MAX: Final = 1024
_FILE_MODE: Final = 0o644
_PROGRAM_MODE: Final = 0o755
_DIRECTORY_MODE: Final = 0o755

_UNREADABLE: Final = "Could not unzip uploaded file. Please check your file, then try to upload again."
_EMPTY: Final = "Uploaded file must be a non-empty zip"
_TOO_LARGE: Final = f"Unzipped size must be smaller than {limits.UNZIPPED_CODE_BYTES} bytes"


class TooLarge(BadZip):
    """The zip unpacks to more than Lambda allows."""


class Empty(BadZip):
    """The zip has no file in it."""


def check(zipped: Buffer) -> int:
    """The unzipped size in bytes of a zip that keeps every rule.

    Raises InvalidParameterValueException with AWS's texts. Unpacks everything once, into nothing: announced sizes
    and checksums are believed only then.
    """
    try:
        size_bytes = 0
        for entry, path in _files(zipped):
            if stat.S_ISLNK(entry.mode):
                _link_target(zipped, entry, path)
            else:
                size_bytes += sum(map(len, contents(zipped, entry)))
        return size_bytes
    except TooLarge:
        raise InvalidParameterValueException(_TOO_LARGE) from None
    except Empty:
        raise InvalidParameterValueException(_EMPTY) from None
    except BadZip as error:
        raise InvalidParameterValueException(_UNREADABLE) from error


def extract(zipped: Buffer, target: Path, *, staging: Path) -> None:
    """Unpack into the directory `target`, which must not exist; it appears complete or not at all.

    `staging` is a free path on the same file system for the time in between. Files become 0644 or, where the zip has
    an execute bit, 0755; directories 0755. Raises BadZip for what `check` refuses, OSError from the disk.
    Nothing is synced: a package is a cache of its blob (see packages).
    """
    staging.mkdir(mode=0o700)
    try:
        _unpack(zipped, staging)
        staging.chmod(_DIRECTORY_MODE)
        staging.rename(target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _files(zipped: Buffer) -> Iterator[tuple[Entry, str]]:
    """Files and links with their paths, once the whole directory is found to keep the rules. Raises BadZip."""
    if not zipped:
        raise Empty
    directory = find_directory(zipped)
    if directory.entry_count > ENTRIES_MAX:
        raise BadZip("too many entries")
    _survey(zipped, directory)
    for entry in entries(zipped, directory):
        if not is_directory(entry.name, entry.mode):
            yield entry, entry_path(entry.name)


def _survey(zipped: Buffer, directory: Directory) -> None:
    """Check what the directory alone can tell: names, kinds, number, announced size and that no data is used twice."""
    tree = Tree(ENTRIES_MAX)
    spans: list[tuple[int, int]] = []
    announced_bytes = entry_count = file_count = 0
    for entry in entries(zipped, directory):
        entry_count += 1
        path = entry_path(entry.name)
        if is_directory(entry.name, entry.mode):
            tree.add_directory(path)
        else:
            tree.add_leaf(path)
            file_count += 1
        announced_bytes += entry.size_bytes
        if announced_bytes > limits.UNZIPPED_CODE_BYTES:
            raise TooLarge
        if entry_count > directory.entry_count:
            raise BadZip("more entries than announced")
        spans.append((entry.header_start, entry.data_end))
    if entry_count != directory.entry_count:
        raise BadZip("fewer entries than announced")
    if not file_count:
        raise Empty
    _refuse_overlap(spans)


def _refuse_overlap(spans: list[tuple[int, int]]) -> None:
    """Entries that share data make a small zip unpack to petabytes."""
    spans.sort()
    end = 0
    for start, data_end in spans:
        if start < end:
            raise BadZip("entries overlap")
        end = data_end


def _link_target(zipped: Buffer, entry: Entry, path: str) -> str:
    if entry.size_bytes > _LINK_BYTES_MAX:
        raise BadZip("link too long")
    return check_link(path, b"".join(contents(zipped, entry)))


def _unpack(zipped: Buffer, root: Path) -> None:
    made = {""}
    directory_names = (
        entry_path(entry.name)
        for entry in entries(zipped, find_directory(zipped))
        if is_directory(entry.name, entry.mode)
    )
    for entry, path in _files(zipped):
        _make_directory(root, path.rpartition("/")[0], made)
        if stat.S_ISLNK(entry.mode):
            (root / path).symlink_to(_link_target(zipped, entry, path))
        else:
            _write_file(zipped, entry, root / path)
    for path in directory_names:
        _make_directory(root, path, made)


def _make_directory(root: Path, path: str, made: set[str]) -> None:
    if path in made:
        return
    _make_directory(root, path.rpartition("/")[0], made)
    (root / path).mkdir()
    (root / path).chmod(_DIRECTORY_MODE)  # whatever the umask is
    made.add(path)


def _write_file(zipped: Buffer, entry: Entry, path: Path) -> None:
    """Set-uid bits and the like are dropped; what the owner may run, everybody may."""
    with path.open("xb") as file:
        file.writelines(contents(zipped, entry))
        os.fchmod(file.fileno(), _PROGRAM_MODE if entry.mode & 0o111 else _FILE_MODE)
