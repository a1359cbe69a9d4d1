"""CPU and memory of a whole system: a process, all its descendants, and all processes of its cgroups."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
CPUCLOCK_SCHED = 2  # clock_getcpuclockid(3): the clock of a process is made of its id and this
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


@dataclass(frozen=True, slots=True)
class Status:
    """The fields of /proc/PID/stat that are used here. `children_seconds` is of those that died and were waited for."""

    pid: int
    state: str
    parent: int
    own_seconds: float
    children_seconds: float
    started_ticks: int

    @classmethod
    def parse(cls, line: str) -> "Status":
        """The name (field 2) is in brackets and may itself hold spaces and brackets."""
        pid, _, rest = line.partition(" ")
        fields = rest.rpartition(")")[2].split()
        user, system, children_user, children_system = (int(field) * TICK_SECONDS for field in fields[11:15])
        return cls(int(pid), fields[0], int(fields[1]), user + system, children_user + children_system, int(fields[19]))

    def cpu_seconds(self) -> float:
        """To the nanosecond, where /proc has only ticks of 10 ms."""
        with suppress(OSError):
            return time.clock_gettime(~self.pid << 3 | CPUCLOCK_SCHED) + self.children_seconds
        return self.own_seconds + self.children_seconds


def status(pid: int) -> Status | None:
    """None when there is no such process."""
    with suppress(*GONE):
        return Status.parse((PROC / str(pid) / "stat").read_text())
    return None


def _all() -> Iterator[Status]:
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (found := status(int(entry.name))):
            yield found


def descendants(root: int, statuses: dict[int, Status]) -> set[int]:
    """`root` and all below it."""
    children: dict[int, list[int]] = {}
    for one in statuses.values():
        children.setdefault(one.parent, []).append(one.pid)
    found, ahead = set[int](), [root]
    while ahead:
        pid = ahead.pop()
        if pid in statuses and pid not in found:
            found.add(pid)
            ahead.extend(children.get(pid, ()))
    return found


@dataclass(frozen=True, slots=True)
class ProcessTree:
    """A running system: `root` and everything below it; a sandbox that has left the tree is found by `cgroup`.

    `cgroup` is the name of a cgroup under which the system keeps its own.
    """

    root: int
    cgroup: str | None = None

    def members(self) -> list[Status]:
        statuses = {one.pid: one for one in _all()}
        pids = descendants(self.root, statuses)
        if self.cgroup:
            pids |= {pid for pid in statuses if self._in_cgroup(pid)}
        return [statuses[pid] for pid in sorted(pids)]

    def _in_cgroup(self, pid: int) -> bool:
        with suppress(*GONE):
            return f"/{self.cgroup}/" in (PROC / str(pid) / "cgroup").read_text().replace("\n", "/\n")
        return False

    def cpu_seconds(self) -> float:
        """User and system time so far, of the living and of the dead that were waited for."""
        return sum(one.cpu_seconds() for one in self.members())

    def pss_mib(self) -> float:
        """Memory, with shared pages divided among those who share them."""
        return sum(_pss_kib(one.pid) for one in self.members()) / 1024

    def begin_root_peak(self) -> float:
        """Resident memory of `root` now, in MiB, from which `root_peak_mib` counts on. Raises OSError."""
        (PROC / str(self.root) / "clear_refs").write_text("5")
        return _resident_mib(self.root, "VmRSS:")

    def root_peak_mib(self) -> float:
        """The most resident memory that `root` had since `begin_root_peak`."""
        return _resident_mib(self.root, "VmHWM:")

    def root_pss_mib(self) -> float:
        """Of `root` alone."""
        return _pss_kib(self.root) / 1024


def _pss_kib(pid: int) -> int:
    with suppress(*GONE):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def _resident_mib(pid: int, field: str) -> float:
    lines = (PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))
