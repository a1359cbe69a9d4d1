"""Cgroups of version 2 as systemd lays them out: where a service of the machine lives, and one of an ordinary user."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

TOP: Final = Path("/sys/fs/cgroup")
_CONTROLLERS: Final = "+cpu +memory +pids"
_DELEGATED_FILES: Final = ("cgroup.procs", "cgroup.threads", "cgroup.subtree_control")


def service_cgroup() -> Path:
    """Of a system service."""
    return _below(TOP, "system.slice", "lampion.service")


def user_cgroup(user_id: int) -> Path:
    """Of `systemd-run --user --scope -p Delegate=yes`: everything from the user's own manager on is the user's."""
    manager = _below(TOP, "user.slice", f"user-{user_id}.slice", f"user@{user_id}.service")
    for path in (manager, *(manager / name for name in _DELEGATED_FILES)):
        os.chown(path, user_id, user_id)
    with _acting_as(user_id):
        return _below(manager, "app.slice", "lampion.scope")


def sibling_of_own(name: str) -> Path:
    """A new cgroup beside the one that we live in, as `systemd-run --scope` makes it."""
    own = TOP / Path("/proc/self/cgroup").read_text().removeprefix("0::/").strip()
    sibling = own.parent / name
    sibling.mkdir()
    return sibling


def _below(directory: Path, *names: str) -> Path:
    """Make one below the other, each handing its controllers down."""
    for name in names:
        (directory / "cgroup.subtree_control").write_text(_CONTROLLERS)
        directory /= name
        directory.mkdir(exist_ok=True)
    return directory


@contextmanager
def _acting_as(user_id: int) -> Iterator[None]:
    """The files of a new cgroup belong to who makes it."""
    os.setegid(user_id)
    os.seteuid(user_id)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
