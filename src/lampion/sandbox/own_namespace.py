"""An ordinary user's own user namespace: which ids it may have there (/etc/subuid, /etc/subgid), and mapping them.

In it the launcher is root, so that a sandbox is made the same way whoever runs the server.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lampion.sandbox.driver import SandboxError
from lampion.sandbox.user_ids import IdSpace

_BLOCKS: Final = 4
_LEAST_IDS: Final = 64
_MAP_SECONDS: Final = 10
_TOOLS: Final = ("newuidmap", "newgidmap")


@dataclass(frozen=True, slots=True)
class SubordinateIds:
    """Ids from `first` on that belong to one ordinary user."""

    first: int
    count: int


def parse_subordinate_ids(text: str, name: str, user_id: int) -> SubordinateIds | None:
    """The largest range that a file such as /etc/subuid gives to the user."""
    found = []
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) == 3 and fields[0] in (name, str(user_id)) and fields[1].isdigit() and fields[2].isdigit():
            found.append(SubordinateIds(int(fields[1]), int(fields[2])))
    return max(found, key=lambda ids: ids.count, default=None)


class OwnNamespace:
    """What the server's user is given inside: 0 is itself, its subordinate ids follow from 1 on, if it has any."""

    def __init__(self, users: SubordinateIds | None, groups: SubordinateIds | None) -> None:
        self._users = users
        self._groups = groups
        self._count = 0 if users is None or groups is None else min(users.count, groups.count)

    @classmethod
    def of_this_user(cls) -> "OwnNamespace":
        user_id = os.geteuid()
        name = _user_name(user_id)
        users, groups = (
            parse_subordinate_ids(_read(Path(path)), name, user_id) for path in ("/etc/subuid", "/etc/subgid")
        )
        if any(shutil.which(tool) is None for tool in _TOOLS):
            return cls(None, None)
        return cls(users, groups)

    @property
    def ids(self) -> IdSpace | None:
        """What sandboxes may use; None when there are too few."""
        if self._count < _LEAST_IDS:
            return None
        return IdSpace(1, self._count // _BLOCKS, _BLOCKS, f"lampion-subordinate-ids-{os.geteuid()}")

    def map(self, pid: int) -> None:
        """Give the process its ids. Raises SandboxError."""
        if self.ids is None or self._users is None or self._groups is None:
            self._map_alone(pid)
            return
        _run_tool("newuidmap", pid, os.geteuid(), self._users.first, self._count)
        _run_tool("newgidmap", pid, os.getegid(), self._groups.first, self._count)

    def _map_alone(self, pid: int) -> None:
        """What needs no right: only oneself."""
        try:
            Path(f"/proc/{pid}/setgroups").write_text("deny")
            Path(f"/proc/{pid}/gid_map").write_text(f"0 {os.getegid()} 1")
            Path(f"/proc/{pid}/uid_map").write_text(f"0 {os.geteuid()} 1")
        except OSError as error:
            raise SandboxError(f"user-namespace: {error.strerror}") from error


def _run_tool(tool: str, pid: int, own_id: int, first: int, count: int) -> None:
    argv = [tool, str(pid), "0", str(own_id), "1", "1", str(first), str(count)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_MAP_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"{tool} doesn't run: {error}") from error
    if done.returncode != 0:
        raise SandboxError(f"{tool}: {done.stderr.strip()}")


def _user_name(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
