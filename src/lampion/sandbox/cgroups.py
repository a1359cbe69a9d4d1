"""Where control groups are on a machine and which ones a sandbox gets. Parses and plans; the launcher acts."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from lampion.sandbox.spec import Limits

CONTROLLERS: Final = ("memory", "cpu", "pids")
FREEZER: Final = "freezer"
"""Stops processes; a controller in version 1, a file of every cgroup in version 2."""
_TREES: Final = (*CONTROLLERS, FREEZER)
CPU_PERIOD_MICROSECONDS: Final = 100_000
SERVER_LEAF: Final = "lampion-servers"
"""Where the servers of a version 2 cgroup live that has cgroups of sandboxes beside it, and who else lived there."""
OWNER: Final = re.compile(r"(\d+)-(\d+)-(\d+)")
"""A server's cgroup, as cgroup_host.owner_name names it."""
_LEAST_QUOTA_MICROSECONDS: Final = 1_000
_OPTIONAL_FILES: Final = frozenset({"memory.memsw.limit_in_bytes", "memory.swap.max", "memory.peak"})


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One cgroup tree: its version, where it is mounted, and the directory in it under which ours are made."""

    version: int
    mount_point: Path
    directory: Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The hierarchy of each controller that this machine offers; `files` are the optional control files it has."""

    controllers: dict[str, Hierarchy]
    files: frozenset[str] = frozenset()

    def hierarchies(self) -> tuple[Hierarchy, ...]:
        """Each hierarchy once, in the order of CONTROLLERS, the freezer's last."""
        return tuple(dict.fromkeys(self.controllers[name] for name in _TREES if name in self.controllers))


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One directory to make, and what to write into its files. A shared one belongs to more than one sandbox."""

    path: Path
    is_shared: bool
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """A value for a file of a cgroup."""

    path: Path
    file: str
    value: str


@dataclass(frozen=True, slots=True)
class FreezeFile:
    """Where to write what to stop a sandbox's processes, and to let them go on."""

    path: Path
    frozen: str
    thawed: str
    can_kill_frozen: bool


@dataclass(frozen=True, slots=True)
class WeightFile:
    """Where to write what part of the processors a sandbox gets where more is wanted than there is."""

    path: Path
    usual: str
    small: str


@dataclass(frozen=True, slots=True)
class CgroupPlan:
    """All cgroups of one sandbox, in the order of making. Paths are None where the controller is missing."""

    cgroups: tuple[Cgroup, ...] = ()
    oom_file: Path | None = None
    peak_file: Path | None = None
    cpu_file: Path | None = None
    weight_file: WeightFile | None = None
    freeze_file: FreezeFile | None = None


def parse_layout(
    mountinfo: str, own_cgroups: str, unified_controllers: Iterable[str], *, is_container: bool = True
) -> Layout:
    """Read /proc/self/mountinfo and /proc/self/cgroup.

    `unified_controllers` are those that the version 2 tree offers; a controller is in one tree only.
    `is_container`: the top of the version 2 tree that we see isn't the machine's own.
    """
    own_paths = _own_paths(own_cgroups)
    controllers: dict[str, Hierarchy] = {}
    unified: Hierarchy | None = None
    for root, mount_point, file_system, options in _mounts(mountinfo):
        if file_system == "cgroup":
            for name in _TREES:
                if name in options and name in own_paths:
                    directory = _own_directory(mount_point, root, own_paths[name])
                    controllers.setdefault(name, Hierarchy(1, mount_point, _before_seat(directory)))
        elif file_system == "cgroup2" and "" in own_paths:
            directory = _own_directory(mount_point, root, own_paths[""]) if is_container else mount_point
            if directory.name == SERVER_LEAF:
                directory = directory.parent
            unified = unified or Hierarchy(2, mount_point, directory)
            for name in CONTROLLERS:
                if name in unified_controllers:
                    controllers.setdefault(name, unified)
    if unified is not None:
        # Where both versions are, that of 1: moving a process in 2 takes a lock for which the kernel may wait 10 ms.
        controllers.setdefault(FREEZER, unified)
    return Layout(controllers)


def plan_cgroups(layout: Layout, parent: str, owner: str, name: str) -> CgroupPlan:
    """The cgroups `parent`/`owner`/`name` in each hierarchy, without limits as yet."""
    cgroups: list[Cgroup] = []
    paths: dict[str, Path] = {}
    for hierarchy in layout.hierarchies():
        names = [name for name in _TREES if layout.controllers.get(name) == hierarchy]
        family = hierarchy.directory / parent
        handed_down = _delegation(names) if hierarchy.version == 2 else ""
        delegated = (("cgroup.subtree_control", handed_down),) if handed_down else ()
        own = family / owner / name
        cgroups += [Cgroup(family, True, delegated), Cgroup(family / owner, True, delegated), Cgroup(own, False)]
        paths.update(dict.fromkeys(names, own))
    return CgroupPlan(
        tuple(cgroups), *_watched_files(layout, paths), _weight_file(layout, paths), _freeze_file(layout, paths)
    )


def limit_settings(layout: Layout, plan: CgroupPlan, limits: Limits) -> tuple[Setting, ...]:
    """What makes `limits` hold in the cgroups of `plan`; of the processors, one whole core."""
    own = [cgroup.path for cgroup in plan.cgroups if not cgroup.is_shared]
    return tuple(
        Setting(path, file, value)
        for hierarchy, path in zip(layout.hierarchies(), own, strict=True)
        for name in CONTROLLERS
        if layout.controllers.get(name) == hierarchy
        for file, value in _settings(name, hierarchy.version, layout, limits)
    )


def cpu_quota(cores: float, version: int) -> str:
    """What to write to the CPU control file for a share of `cores` (a fraction of one, or several)."""
    quota = max(_LEAST_QUOTA_MICROSECONDS, round(cores * CPU_PERIOD_MICROSECONDS))
    return str(quota) if version == 1 else f"{quota} {CPU_PERIOD_MICROSECONDS}"


def weight_file(cgroup: Path, version: int) -> WeightFile:
    """The usual weight, and a thirtieth: not so little that who holds a lock of the kernel's never releases it."""
    if version == 1:
        return WeightFile(cgroup / "cpu.shares", "1024", "34")
    return WeightFile(cgroup / "cpu.weight", "100", "3")


def optional_files(names: Iterable[str]) -> frozenset[str]:
    """Those of a cgroup's files whose presence changes the plan."""
    return _OPTIONAL_FILES & frozenset(names)


def delegation(layout: Layout, hierarchy: Hierarchy) -> str:
    """What to write to `cgroup.subtree_control` so that children of a version 2 cgroup have our controllers."""
    return _delegation(name for name in CONTROLLERS if layout.controllers.get(name) == hierarchy)


def _delegation(names: Iterable[str]) -> str:
    return " ".join(f"+{name}" for name in names if name != FREEZER)


def _weight_file(layout: Layout, paths: dict[str, Path]) -> WeightFile | None:
    return weight_file(paths["cpu"], layout.controllers["cpu"].version) if "cpu" in paths else None


def _freeze_file(layout: Layout, paths: dict[str, Path]) -> FreezeFile | None:
    if FREEZER not in paths:
        return None
    if layout.controllers[FREEZER].version == 1:
        return FreezeFile(paths[FREEZER] / "freezer.state", "FROZEN", "THAWED", can_kill_frozen=False)
    return FreezeFile(paths[FREEZER] / "cgroup.freeze", "1", "0", can_kill_frozen=True)


def _watched_files(layout: Layout, paths: dict[str, Path]) -> tuple[Path | None, Path | None, Path | None]:
    oom_file = peak_file = cpu_file = None
    if "memory" in paths:
        if layout.controllers["memory"].version == 1:
            names = ("memory.oom_control", "memory.max_usage_in_bytes")
        else:
            names = ("memory.events", "memory.peak" if "memory.peak" in layout.files else "memory.current")
        oom_file, peak_file = (paths["memory"] / name for name in names)
    if "cpu" in paths:
        cpu_file = paths["cpu"] / ("cpu.cfs_quota_us" if layout.controllers["cpu"].version == 1 else "cpu.max")
    return oom_file, peak_file, cpu_file


def _settings(controller: str, version: int, layout: Layout, limits: Limits) -> tuple[tuple[str, str], ...]:
    if controller == "memory":
        return _memory_settings(version, layout, limits.memory_mib * 1024 * 1024)
    if controller == "pids":
        return (("pids.max", str(limits.max_processes + 1)),)  # process 1 is ours
    if version == 1:
        return (("cpu.cfs_period_us", str(CPU_PERIOD_MICROSECONDS)), ("cpu.cfs_quota_us", cpu_quota(1, 1)))
    return (("cpu.max", cpu_quota(1, 2)),)


def _memory_settings(version: int, layout: Layout, size_bytes: int) -> tuple[tuple[str, str], ...]:
    if version == 2:
        no_swap = (("memory.swap.max", "0"),) if "memory.swap.max" in layout.files else ()
        return (("memory.max", str(size_bytes)), *no_swap)
    # The limit with swap may never be below the one without, so it is written second.
    names = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
    return tuple((name, str(size_bytes)) for name in names if name in layout.files or name == names[0])


def _own_paths(own_cgroups: str) -> dict[str, str]:
    """Path per controller; under "" the one of version 2."""
    paths: dict[str, str] = {}
    for line in own_cgroups.splitlines():
        _, _, rest = line.partition(":")
        controllers, separator, path = rest.partition(":")
        if separator:
            paths.update(dict.fromkeys(controllers.split(","), path))
    return paths


def _mounts(mountinfo: str) -> Iterable[tuple[str, Path, str, frozenset[str]]]:
    """(root within the file system, mount point, file system type, its options) of each mount."""
    for line in mountinfo.splitlines():
        left, separator, right = line.partition(" - ")
        fields, details = left.split(), right.split()
        if separator and len(fields) >= 6 and len(details) >= 3:
            yield _unescape(fields[3]), Path(_unescape(fields[4])), details[0], frozenset(details[2].split(","))


def _unescape(text: str) -> str:
    return text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")


def _before_seat(directory: Path) -> Path:
    """Where a server came from that sits among its sandboxes (server_seat)."""
    return directory.parent.parent if OWNER.fullmatch(directory.name) else directory


def _own_directory(mount_point: Path, root: str, own_path: str) -> Path:
    """Where our own cgroup appears below `mount_point`, which shows the tree from `root` on."""
    path = PurePosixPath(own_path)
    if ".." in path.parts or not path.is_relative_to(root):
        return mount_point
    return mount_point / path.relative_to(root)
