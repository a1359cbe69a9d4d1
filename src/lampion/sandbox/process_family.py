"""Finds the processes that a first process has left behind, by group, session, descent and environment (Linux)."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One line of the process table; `is_marked`: its environment holds the sandbox's own variable."""

    pid: int
    parent: int
    group: int
    session: int
    is_marked: bool


def family_of(first: int, rows: Iterable[ProcessRow]) -> set[int]:
    """The pids that belong to `first`, itself included while it exists. Pure."""
    table = list(rows)
    family = {row.pid for row in table if row.is_marked or first in (row.pid, row.group, row.session)}
    while True:
        more = {row.pid for row in table if row.parent in family} - family
        if not more:
            return family
        family |= more


def read_processes(marker: bytes) -> Iterator[ProcessRow]:
    """All processes but our own; nothing where there is no /proc."""
    for name in _numbers(Path("/proc")):
        if int(name) == os.getpid():
            continue
        with contextlib.suppress(OSError, IndexError, ValueError):
            stat = Path(f"/proc/{name}/stat").read_bytes()
            # The program's name, in parentheses, may hold anything.
            fields = stat.rpartition(b")")[2].split()
            if fields[0] not in (b"Z", b"X"):
                yield ProcessRow(int(name), int(fields[1]), int(fields[2]), int(fields[3]), _is_marked(name, marker))


def kill_family(first: int, marker: bytes, read: Callable[[bytes], Iterable[ProcessRow]] = read_processes) -> int:
    """Send SIGKILL to all that are there now; how many. Some may have forked meanwhile: repeat until it is 0."""
    family = family_of(first, read(marker))
    for pid in family:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return len(family)


def signal_group(leader: int, number: signal.Signals) -> None:
    """To a process and all that have stayed in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _is_marked(name: str, marker: bytes) -> bool:
    try:
        variables = Path(f"/proc/{name}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return marker in variables


def _numbers(directory: Path) -> list[str]:
    try:
        return [entry for entry in os.listdir(directory) if entry.isdigit()]  # noqa: PTH208
    except OSError:
        return []
