"""What a durable queue can't be faster than by much: events put into SQLite, 16 to a transaction, each synced to disk.

FROZEN: results of different days are compared through it (a test pins this file's SHA-256). One thread, nothing but
INSERT; WAL and synchronous=FULL. An event is 900 bytes and the time at which it is due.

    python sqlite_batch16.py DIRECTORY SECONDS

The last line on stdout is a JSON object; times of transactions are in microseconds.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path
from statistics import quantiles

BATCH = 16
EVENT = b"0123456789" * 90


def main(directory: Path, seconds: float) -> None:
    connection = sqlite3.connect(directory / "events.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, due_epoch_ms INTEGER NOT NULL, event BLOB NOT NULL)"
    )
    taken: list[float] = []
    began, used_before = time.perf_counter(), time.process_time()
    end = began + seconds
    while (start := time.perf_counter()) < end:
        connection.execute("BEGIN IMMEDIATE")
        for _ in range(BATCH):
            connection.execute(
                "INSERT INTO events (due_epoch_ms, event) VALUES (?, ?)", (int(time.time() * 1000), EVENT)
            )
        connection.execute("COMMIT")
        taken.append(time.perf_counter() - start)
    took, used = time.perf_counter() - began, time.process_time() - used_before
    connection.close()
    cuts = quantiles(taken, n=100, method="inclusive")
    told = {"events": BATCH * len(taken), "seconds": took, "cpu_seconds": used, "commits": len(taken)}
    print(json.dumps({**told, "p50": cuts[49] * 1e6, "p99": cuts[98] * 1e6}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
