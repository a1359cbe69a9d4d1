"""Which files tell of a container: found by where the runtime has put its process 1."""

from dataclasses import dataclass
from pathlib import Path

from lampion.sandbox.cgroups import CONTROLLERS, Hierarchy, WeightFile, parse_layout, weight_file


@dataclass(frozen=True, slots=True)
class CgroupFiles:
    """None where the container has no cgroup of its own for it."""

    oom_file: Path | None = None
    peak_file: Path | None = None
    cpu_file: Path | None = None
    weight_file: WeightFile | None = None
    cpu_version: int = 2


def find_cgroup_files(cgroups: str, name: str) -> CgroupFiles:
    """`cgroups`: /proc/PID/cgroup of the container's process 1, which has its own cgroup if its path has a part `name`.

    May raise OSError when there is no /proc.
    """
    own = own_cgroups(Path("/proc/self/mountinfo").read_text(), cgroups, name)
    memory, cpu = own.get("memory"), own.get("cpu")
    cpu_name = "cpu.cfs_quota_us" if cpu is not None and cpu.version == 1 else "cpu.max"
    is_old = memory is not None and memory.version == 1
    # Linux 5.19 and newer have a peak in version 2.
    peak_names = ("memory.max_usage_in_bytes",) if is_old else ("memory.peak", "memory.current")
    return CgroupFiles(
        oom_file=_present(memory, "memory.oom_control" if is_old else "memory.events"),
        peak_file=_present(memory, *peak_names),
        cpu_file=_present(cpu, cpu_name),
        weight_file=None if cpu is None else weight_file(cpu.directory, cpu.version),
        cpu_version=2 if cpu is None else cpu.version,
    )


def own_cgroups(mountinfo: str, cgroups: str, name: str) -> dict[str, Hierarchy]:
    """By controller, where the container has a cgroup of its own. Pure."""
    lines = [line.split(":", 2) for line in cgroups.splitlines()]
    bound = {controller for line in lines if len(line) == 3 for controller in line[1].split(",")}
    unified = [controller for controller in CONTROLLERS if controller not in bound]
    layout = parse_layout(mountinfo, cgroups, unified)
    return {
        controller: hierarchy
        for controller, hierarchy in layout.controllers.items()
        if name in hierarchy.directory.parts
    }


def oom_kills(text: str) -> int:
    """From memory.oom_control or memory.events."""
    counts = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    return int(counts.get("oom_kill", 0))


def _present(hierarchy: Hierarchy | None, *names: str) -> Path | None:
    if hierarchy is None:
        return None
    return next((path for path in (hierarchy.directory / name for name in names) if path.exists()), None)
