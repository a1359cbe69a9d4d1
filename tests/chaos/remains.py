"""What a server leaves outside its data directory when it is killed: processes and control groups."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process, told from a later one with the same number by its start."""

    pid: int
    started: str


@dataclass(frozen=True, slots=True)
class Remains:
    """What belonged to one server."""

    processes: frozenset[ProcessId]
    cgroups: frozenset[Path]

    def __or__(self, other: "Remains") -> "Remains":
        return Remains(self.processes | other.processes, self.cgroups | other.cgroups)

    def left(self) -> list[str]:
        """What of it is still there."""
        found = [f"process {process.pid}" for process in self.processes if _identity(process.pid) == process]
        return found + [f"cgroup {path}" for path in sorted(self.cgroups) if path.exists()]

    def end(self) -> None:
        """Kill the processes that are left."""
        for process in self.processes:
            if _identity(process.pid) == process:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)


def remains_of(server: int | None, cgroup_parent: str) -> Remains:
    """Everything below the process `server`, itself not, and all that is in the sandboxes' control groups."""
    pids = {*_inhabitants(cgroup_parent), *(_below(server) if server is not None else ())}
    found = (_identity(pid) for pid in pids)
    return Remains(frozenset(process for process in found if process is not None), frozenset(_groups(cgroup_parent)))


def still_there(found: Callable[[], list[str]], within_seconds: float) -> list[str]:
    """`found()` once it is empty, or after that time."""
    end = time.monotonic() + within_seconds
    while (rest := found()) and time.monotonic() < end:
        time.sleep(_PAUSE_SECONDS)
    return rest


def _identity(pid: int) -> ProcessId | None:
    fields = _stat(pid)
    return ProcessId(pid, fields[19]) if fields and fields[0] != "Z" else None


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the command's name: state, parent, ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _below(pid: int) -> Iterator[int]:
    parents = {other: int(fields[1]) for other in _pids() if (fields := _stat(other))}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found and child not in found}:
        found |= more
        yield from more


def _inhabitants(cgroup_parent: str) -> Iterator[int]:
    for pid in _pids():
        try:
            text = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
        except OSError:
            continue
        if f"/{cgroup_parent}/" in text:
            yield pid


def _groups(cgroup_parent: str) -> Iterator[Path]:
    """The control groups under the server's own, in every hierarchy; the parent itself stays with the next server."""
    for folder, _, _ in os.walk(_CGROUPS):
        if f"/{cgroup_parent}/" in folder:
            yield Path(folder)
