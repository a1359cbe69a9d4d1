"""The durable queue without HTTP, signatures or functions: so many callers each put one event after the other on disk.

    python queue_room.py DIRECTORY SECONDS CALLERS

The last line on stdout is a JSON object.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from statistics import quantiles

import uvloop

from lampion.clock.clock import SystemClock
from lampion.domain.arn import FunctionKey
from lampion.domain.event import Event
from lampion.event_queue.queues import Queues
from lampion.invoke.event_entries import entry_of
from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.entries import SqliteEntries
from lampion.store.sqlite.migrations import known_migrations

KEY = FunctionKey("123456789012", "us-east-1", "holds")
PAYLOAD = json.dumps({"message": "good day", "text": "0123456789" * 86 + "01234"}).encode()
REQUEST_ID = "5b2c8a52-1f0e-4b7e-9c3a-0f6d2f1c7a11"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:2a3b4c5d:0"


async def main(directory: Path, seconds: float, callers: int) -> None:
    database = await open_database(directory / "queues.db", migrations=known_migrations("queue_migrations"))
    clock = SystemClock()
    queues = Queues(SqliteEntries(database), clock, clock, most_events=1000)
    await queues.open()
    taken: list[float] = []

    async def put_until(end: float) -> None:
        while (began := time.perf_counter()) < end:
            event = Event(
                key=KEY,
                qualifier=None,
                request_id=REQUEST_ID,
                trace_id=TRACE,
                accepted_epoch_ms=queues.time.epoch_ms(),
            )
            await queues.accept(entry_of(event, PAYLOAD))
            taken.append(time.perf_counter() - began)

    began, used_before, commits_before = time.perf_counter(), time.process_time(), database.writer.commits
    await asyncio.gather(*(put_until(began + seconds) for _ in range(callers)))
    took, used = time.perf_counter() - began, time.process_time() - used_before
    commits = database.writer.commits - commits_before
    await queues.close()
    await database.close()
    cuts = quantiles(taken, n=100, method="inclusive")
    told = {"events": len(taken), "seconds": took, "cpu_seconds": used, "p50": cuts[49] * 1e6, "p99": cuts[98] * 1e6}
    print(json.dumps({**told, "commits": commits}))


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
