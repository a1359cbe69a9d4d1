"""A server that starts on very many events: `python -m tests.chaos.events.deep_queue --events 100000`.

They are written as a server writes them, by a process that is killed. How long the next server takes to listen and to
end the first of them, beside a start without any; then all of them run, and each ends once.
"""

import argparse
import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.domain.arn import FunctionKey
from lampion.domain.invocation import Invocation
from lampion.event_queue.queues import Queues
from lampion.invoke.event_acceptance import EventAcceptance
from lampion.invoke.qualifier import Target
from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.entries import SqliteEntries
from lampion.store.sqlite.functions import SqliteFunctions
from lampion.store.sqlite.migrations import known_migrations
from lampion.telemetry.metrics import Metrics
from tests.chaos.events.queue_file import Ended, QueueFile
from tests.chaos.result_page import page
from tests.deployment import creation, wait_active
from tests.live_server import LiveServer, marked_directory

MOST_SECONDS: Final = 2.0
_NAME: Final = "deep"
_SOURCE: Final = "def handler(event, context):\n    return event\n"
_AT_ONCE: Final = 256
_STARTS: Final = 3
_STALLED_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, in seconds."""

    events: int
    start: float
    first_end: float
    start_without: float
    drained: float | None
    ended: int
    ended_twice: int
    most_memory_mib: float

    @property
    def holds(self) -> bool:
        return self.start <= MOST_SECONDS and self.first_end <= MOST_SECONDS and self.is_whole

    @property
    def is_whole(self) -> bool:
        return self.drained is None or (self.ended, self.ended_twice) == (self.events, 0)

    def __str__(self) -> str:
        lines = [
            f"events in the queue when the writer was killed: {self.events}",
            f"from start to listening: {self.start:.2f} s (promised: {MOST_SECONDS:g} s)",
            f"from start to the first end: {self.first_end:.2f} s (promised: {MOST_SECONDS:g} s)",
            f"from start to listening without events: median {self.start_without:.2f} s",
        ]
        if self.drained is not None:
            lines += [
                f"all ended after: {self.drained:.0f} s, {self.events / self.drained:.0f} events a second",
                f"lost: {self.events - self.ended}; ended twice: {self.ended_twice}",
                f"the server's memory at most: {self.most_memory_mib:.0f} MiB",
            ]
        return "\n".join(lines)


def measure(events: int, *, drain: bool) -> Figures:
    """All of it, on a directory of its own."""
    with marked_directory() as root, LiveServer(data=root / "deep", options=("--max-environments", "10")) as server:
        client = server.client()
        client.create_function(**creation(_NAME, _SOURCE))
        wait_active(client, _NAME)
        client.close()
        region = server.server.region
        without = [_restarted(server) for _ in range(_STARTS)]
        server.stop()
        _fill(server.data, region, events)
        file, began = QueueFile(server.data), time.monotonic()
        server.start()
        listening = time.monotonic() - began
        _until_one_has_ended(file)
        first_end = time.monotonic() - began
        ended = _drained(server, file, events) if drain else []
        return Figures(
            events=events,
            start=listening,
            first_end=first_end,
            start_without=median(without),
            drained=time.monotonic() - began if drain else None,
            ended=len({one.request_id for one in ended}),
            ended_twice=len(ended) - len({one.sequence for one in ended}),
            most_memory_mib=_most_memory_mib(server),
        )


def _restarted(server: LiveServer) -> float:
    server.kill()
    began = time.monotonic()
    server.start()
    return time.monotonic() - began


def _fill(data: Path, region: str, events: int) -> None:
    command = [sys.executable, "-m", "tests.chaos.events.deep_queue", "--fill", str(data), region, str(events)]
    done = subprocess.run(command, check=False)
    assert done.returncode == -signal.SIGKILL, done


def _until_one_has_ended(file: QueueFile) -> None:
    give_up_at = time.monotonic() + _STALLED_SECONDS
    while not file.latest():
        assert time.monotonic() < give_up_at, "no event ends"
        time.sleep(0.005)


def _drained(server: LiveServer, file: QueueFile, events: int) -> list[Ended]:
    """All ends, as soon as nothing is left, or nothing has ended for long."""
    ended = file.new_endings()
    moved = time.monotonic()
    while file.left(without="") and time.monotonic() - moved < _STALLED_SECONDS:
        time.sleep(0.2)
        if more := file.new_endings():
            ended += more
            moved = time.monotonic()
    return ended + file.new_endings()


def _most_memory_mib(server: LiveServer) -> float:
    assert server.process is not None
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{server.process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


async def _write_and_die(data: Path, region: str, events: int) -> None:
    """Accept them as a server does, and end as a server that is killed."""
    key, store = FunctionKey("123456789012", region, _NAME), await open_database(data / "lampion.db")
    function = await SqliteFunctions(store).get(key)
    assert function is not None
    await store.close()
    database = await open_database(data / "queues.db", migrations=known_migrations("queue_migrations"))
    clock, rng = SystemClock(), SystemRng()
    queues = Queues(SqliteEntries(database), clock, clock, most_events=1)
    acceptance = EventAcceptance(queues=queues, metrics=Metrics())

    async def accept() -> None:
        invocation = Invocation(request_id=rng.uuid4(), invoked_arn=key.arn, payload=b'{"n": 1}', trace_id="Root=1-0")
        await acceptance.accept(Target(key, None), function, invocation)

    for first in range(0, events, _AT_ONCE):
        await asyncio.gather(*(accept() for _ in range(min(_AT_ONCE, events - first))))
    os.kill(os.getpid(), signal.SIGKILL)


def main(arguments: list[str]) -> int:
    """The exit code is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description="A start on a deep queue.")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--undrained", action="store_true", help="don't wait until all have ended")
    parser.add_argument("--result", type=Path, help="file to write the outcome to")
    parser.add_argument("--fill", nargs=3, metavar=("DATA", "REGION", "EVENTS"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.fill:
        asyncio.run(_write_and_die(Path(options.fill[0]), options.fill[1], int(options.fill[2])))
    figures = measure(options.events, drain=not options.undrained)
    print(figures)
    if options.result is not None:
        command = " ".join(["python -m tests.chaos.events.deep_queue --events", str(options.events)])
        page(options.result, "A start on a deep queue", command, [str(figures)])
    return 0 if figures.holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
