"""The cgroups that really exist on this machine: what may be used, and what a dead server left in them."""

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock
from lampion.sandbox.cgroups import OWNER, Hierarchy, Layout, delegation, optional_files, parse_layout
from lampion.sandbox.server_leaf import HandedDown

_SEARCH_DEPTH: Final = 6
_MOST_DIRECTORIES: Final = 5_000
_REMOVAL_SECONDS: Final = 10.0  # on a machine with far too much to do, the end of a process takes seconds
_PAUSE_SECONDS: Final = 0.005


@dataclass(frozen=True, slots=True)
class CgroupHost:
    """The usable layout, until it is closed, and the controllers that exist but that we may not use."""

    layout: Layout
    unusable: tuple[str, ...] = ()
    handed_down: tuple[HandedDown, ...] = ()

    def close(self) -> None:
        """When no cgroup of ours is left. May be called again."""
        for each in self.handed_down:
            each.close()


def probe_cgroups(parent: str) -> CgroupHost:
    """Look at this process's cgroups and find out by trying which of them may have children of ours."""
    found = read_layout()
    usable = set()
    handed_down: list[HandedDown] = []
    files: frozenset[str] = frozenset()
    for hierarchy in found.hierarchies():
        try:
            handed_down += _hand_down(hierarchy, delegation(found, hierarchy))
            files |= optional_files(_files_of_child(hierarchy.directory / f"{parent}-probe-{os.getpid()}"))
        except OSError:
            continue
        usable.add(hierarchy)
    controllers = {name: hierarchy for name, hierarchy in found.controllers.items() if hierarchy in usable}
    unusable = tuple(sorted(found.controllers.keys() - controllers.keys()))
    return CgroupHost(Layout(controllers, files), unusable, tuple(handed_down))


def owner_name() -> str:
    """Names this server uniquely: its process namespace, process number and start time."""
    pid = os.getpid()
    return f"{_process_namespace()}-{pid}-{_start_time(pid)}"


def remove_owner(layout: Layout, parent: str, owner: str) -> None:
    """Remove a server's own empty directories, and the parent's when no other server uses it."""
    for hierarchy in layout.hierarchies():
        _remove_empty(hierarchy.directory / parent / owner)
        _remove_empty(hierarchy.directory / parent)


async def sweep_cgroups(layout: Layout, parent: str, clock: Clock) -> int:
    """Kill and remove what servers that are dead left under `parent`; the number of sandboxes found."""
    families = list(_families(layout, parent))
    owners = [owner for family in families for owner in _children(family) if is_dead_owner(owner.name)]
    sandboxes: dict[tuple[str, str], list[Path]] = {}
    for owner in owners:
        for sandbox in _children(owner):
            sandboxes.setdefault((owner.name, sandbox.name), []).append(sandbox)
    for directories in sandboxes.values():
        await remove_cgroups(directories, clock)
    for directory in (*owners, *families):
        _remove_empty(directory)
    return len(sandboxes)


async def remove_cgroups(directories: Iterable[Path], clock: Clock) -> None:
    """Kill every member of one sandbox's cgroups and remove them; gives up, silently, after ten seconds."""
    remaining = list(directories)
    give_up_at = clock.monotonic() + _REMOVAL_SECONDS
    while remaining and clock.monotonic() < give_up_at:
        for directory in remaining:
            _write_if_there(directory / "cgroup.kill", "1")
            for pid in _members(directory):
                _kill(pid)
        for directory in remaining:
            _thaw(directory)  # in version 1 what is frozen doesn't even die
        remaining = [directory for directory in remaining if not _remove_empty(directory)]
        if remaining:
            await clock.sleep(_PAUSE_SECONDS)


def read_layout() -> Layout:
    """What this process sees, whether it may use it or not."""
    mountinfo = _read(Path("/proc/self/mountinfo"))
    own = _read(Path("/proc/self/cgroup"))
    seen = parse_layout(mountinfo, own, ("memory", "cpu", "pids"))
    unified = [h for h in seen.hierarchies() if h.version == 2]
    if not unified:
        return seen
    # Only the machine's own top has no type file, and only there members and children go together.
    # An ordinary user may not write there, and lives below as in a container: in what is delegated to them.
    mount_point = unified[0].mount_point
    is_container = (mount_point / "cgroup.type").exists() or not os.access(mount_point, os.W_OK)
    top = unified[0].directory if is_container else mount_point
    offered = _read(top / "cgroup.controllers").split()
    return parse_layout(mountinfo, own, offered, is_container=is_container)


def _hand_down(hierarchy: Hierarchy, controllers: str) -> Iterable[HandedDown]:
    """Children of `hierarchy.directory` are to have these controllers. Raises OSError."""
    if hierarchy.version == 1 or not controllers:
        return
    if hierarchy.directory == hierarchy.mount_point and not (hierarchy.mount_point / "cgroup.type").exists():
        (hierarchy.directory / "cgroup.subtree_control").write_text(controllers)  # the machine's own top
    else:
        yield HandedDown(hierarchy.directory, controllers)


def _files_of_child(child: Path) -> list[str]:
    """The files that a new cgroup has; made for this and removed. Raises OSError."""
    child.mkdir()
    try:
        return [file.name for file in child.iterdir()]
    finally:
        child.rmdir()


def _families(layout: Layout, parent: str) -> Iterator[Path]:
    """Every directory called `parent` in our hierarchies: a server before us may have lived in another cgroup."""
    own = [hierarchy.directory / parent for hierarchy in layout.hierarchies()]  # however deep
    yield from own
    budget = _MOST_DIRECTORIES
    for mount_point in dict.fromkeys(hierarchy.mount_point for hierarchy in layout.hierarchies()):
        level = [mount_point]
        for _ in range(_SEARCH_DEPTH):
            below: list[Path] = []
            for directory in level[:budget]:
                below += _children(directory)
            budget -= len(level)
            yield from (child for child in below if child.name == parent and child not in own)
            level = [child for child in below if child.name != parent]
            if not level or budget <= 0:
                break


def _children(directory: Path) -> list[Path]:
    try:
        with os.scandir(directory) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def is_dead_owner(owner: str) -> bool:
    """Whether the server that `owner_name` named has ended. In other process namespaces: no, as nobody can tell."""
    match = OWNER.fullmatch(owner)
    if match is None or int(match[1]) != _process_namespace():
        return False
    return _start_time(int(match[2])) != int(match[3])


def _process_namespace() -> int:
    return Path("/proc/self/ns/pid").stat().st_ino


def _start_time(pid: int) -> int:
    """In clock ticks since boot; -1 when there is no such process."""
    status = _read(Path(f"/proc/{pid}/stat"))
    # The program's name, in parentheses, may hold anything.
    fields = status.rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[0] not in ("Z", "X") else -1


def _members(directory: Path) -> list[int]:
    return [int(word) for word in _read(directory / "cgroup.procs").split() if word != "0"]


def _thaw(directory: Path) -> None:
    for file, value in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
        _write_if_there(directory / file, value)


def _write_if_there(file: Path, value: str) -> None:
    with contextlib.suppress(OSError):  # there is none, or it has gone
        file.write_text(value)


def _kill(pid: int) -> None:
    """An ordinary user may not signal the users of its sandboxes; `cgroup.kill` does it for whoever owns the cgroup."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _remove_empty(directory: Path) -> bool:
    try:
        directory.rmdir()
    except OSError:
        return not directory.exists()
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
