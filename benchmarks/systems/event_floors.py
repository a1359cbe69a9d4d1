"""What taking an event in costs without the rest: SQLite alone, and Lampion's queue alone."""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.systems import queue_file
from benchmarks.systems.child import plain_environ
from benchmarks.systems.event_intake import CONNECTIONS, by_program
from benchmarks.systems.lampion_server import versions
from benchmarks.systems.system import Running, Scratch

BENCHMARKS = Path(__file__).resolve().parent.parent


class SqliteBatch:
    """`reference/sqlite_batch16.py`: the yardstick of durable queues."""

    workloads = frozenset({"async_durable"})

    def __init__(self, name: str) -> None:
        self.name = name
        self._file = BENCHMARKS / "reference" / "sqlite_batch16.py"

    def missing(self) -> str | None:
        return None

    def versions(self) -> Mapping[str, str]:
        return {f"{self._file.name} sha256": hashlib.sha256(self._file.read_bytes()).hexdigest()[:16]}

    @contextmanager
    def running(self, scratch: Scratch) -> Iterator[Running]:
        argv = [sys.executable, "-I", self._file, scratch.directory]
        yield Running(take_events=by_program(argv, plain_environ(scratch.directory)))


class QueueRoom:
    """Lampion's durable queue with so many events in it, without HTTP, signatures and functions."""

    workloads = frozenset({"async_durable"})

    def __init__(self, name: str, queued: int) -> None:
        self.name = name
        self._queued = queued

    def missing(self) -> str | None:
        return None

    def versions(self) -> Mapping[str, str]:
        return versions()

    @contextmanager
    def running(self, scratch: Scratch) -> Iterator[Running]:
        file = queue_file.file_in(scratch.directory)
        queue_file.fill(file, "holds", self._queued, due_in_seconds=queue_file.FAR_SECONDS)
        argv = [sys.executable, "-I", BENCHMARKS / "rooms" / "queue_room.py", scratch.directory]
        yield Running(take_events=by_program(argv, plain_environ(scratch.directory), CONNECTIONS))
