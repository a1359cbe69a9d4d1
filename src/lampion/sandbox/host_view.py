"""What of the host a sandbox sees beside its own mounts: programs and libraries, a few files of /etc, read-only.

Or, in place of that, a directory of the host as its root.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from lampion.domain.inside import HOSTS, group_line, user_line
from lampion.sandbox.spec import Mount


class EntryKind(StrEnum):
    """The launcher's words (launcher/description.c)."""

    BIND = "bind"
    BIND_IF_PRESENT = "bind-if-present"
    DIRECTORY = "directory"
    FILE = "file"
    COVER = "cover"
    SYMLINK = "symlink"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in the sandbox. `text`: the host's path, the content, or the link's target."""

    kind: EntryKind
    path: str
    text: str = ""


_PROGRAM_DIRECTORIES: Final = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS: Final = (
    "/etc/alternatives",
    "/etc/ca-certificates.conf",
    "/etc/crypto-policies",
    "/etc/ld.so.cache",
    "/etc/mime.types",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)
_EMPTY_DIRECTORIES: Final = ("/opt", "/run", "/sys", "/var/lang", "/var/runtime", "/var/task")
_SANDBOXS_OWN: Final = ("/dev", "/proc", "/sys", "/tmp")  # noqa: S108 - inside the sandbox
_FILE_SYSTEMS: Final = "/mnt"
_NAME_SERVICES: Final = "passwd: files\ngroup: files\nhosts: files dns\n"


def host_entries() -> tuple[Entry, ...]:
    """The part that is the same for every sandbox of this machine; reads which directories are links here."""
    entries = [Entry(EntryKind.BIND, "/usr", "/usr")]
    for name in _PROGRAM_DIRECTORIES:
        path = Path(name)
        if path.is_symlink():
            entries.append(Entry(EntryKind.SYMLINK, name, str(path.readlink())))
        else:
            entries.append(Entry(EntryKind.BIND_IF_PRESENT, name, name))
    entries += [Entry(EntryKind.BIND_IF_PRESENT, name, name) for name in _SETTINGS]
    entries += [
        Entry(EntryKind.FILE, "/etc/hosts", HOSTS),
        Entry(EntryKind.FILE, "/etc/nsswitch.conf", _NAME_SERVICES),
        # Functions live in UTC wherever the host is.
        Entry(EntryKind.SYMLINK, "/etc/localtime", "/usr/share/zoneinfo/UTC"),
    ]
    return tuple(entries)


def place_entries(user_id: int, group_id: int, *others: tuple[int, int]) -> tuple[Entry, ...]:
    """The user's name, also for `others`, pairs of user and group ids; empty directories where a mount is usual."""
    ids = ((user_id, group_id), *others)
    users = "".join(user_line(user, group) for user, group in ids)
    groups = "".join(group_line(group) for _, group in ids)
    return (
        Entry(EntryKind.FILE, "/etc/passwd", f"root:x:0:0:root:/root:/bin/bash\n{users}"),
        Entry(EntryKind.FILE, "/etc/group", f"root:x:0:\n{groups}"),
        *(Entry(EntryKind.DIRECTORY, path) for path in _EMPTY_DIRECTORIES),
    )


def root_entries(root: Path) -> tuple[Entry, ...]:
    """`root` in place of the host: each name in it but those that every sandbox has of its own. Raises OSError."""
    entries = []
    with os.scandir(root) as found:
        for entry in sorted(found, key=lambda entry: entry.name):
            path = f"/{entry.name}"
            if path in _SANDBOXS_OWN:
                continue
            if path == _FILE_SYSTEMS and entry.is_dir(follow_symlinks=False) and not any(Path(entry.path).iterdir()):
                entries.append(Entry(EntryKind.DIRECTORY, path))  # where a place for a shared directory can be made
            elif entry.is_symlink():
                entries.append(Entry(EntryKind.SYMLINK, path, str(Path(entry.path).readlink())))
            else:
                entries.append(Entry(EntryKind.BIND, path, entry.path))
    return (*entries, Entry(EntryKind.DIRECTORY, "/sys"))


def mount_entries(mounts: Iterable[Mount]) -> tuple[Entry, ...]:
    return tuple(Entry(EntryKind.BIND, mount.target.rstrip("/"), str(mount.source)) for mount in mounts)
