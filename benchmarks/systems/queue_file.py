"""The file of Lampion's durable queues, between two servers: filled with events, and looked into.

Knows Lampion from inside: a million events can't come through the API in the time of a benchmark.
"""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.functions import LARGER_EVENT
from lampion.domain.arn import FunctionKey
from lampion.domain.event import Event
from lampion.invoke.event_entries import entry_of
from lampion.store.entries import Change, NewEntry
from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.entries import SqliteEntries
from lampion.store.sqlite.migrations import known_migrations

ACCOUNT_ID, REGION = "123456789012", "us-east-1"
FAR_SECONDS = 86_400
_AT_ONCE = 2_000
_TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:2a3b4c5d:0"


def file_in(data: Path) -> Path:
    return data / "queues.db"


def fill(file: Path, function_name: str, count: int, *, due_in_seconds: float) -> None:
    """So many events of a function, all due then. No server may run on the file; it is made if it isn't there."""
    asyncio.run(_fill(file, FunctionKey(ACCOUNT_ID, REGION, function_name), count, due_in_seconds))


async def _fill(file: Path, key: FunctionKey, count: int, due_in_seconds: float) -> None:
    database = await open_database(file, migrations=known_migrations("queue_migrations"))
    entries = SqliteEntries(database)
    accepted = int(time.time() * 1000)
    due = accepted + int(due_in_seconds * 1000)
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        await entries.apply(Change(put=[_entry(key, number, accepted, due) for number in numbers]))
    await database.close()


def _entry(key: FunctionKey, number: int, accepted_epoch_ms: int, due_epoch_ms: int) -> NewEntry:
    event = Event(
        key=key,
        qualifier=None,
        request_id=f"5b2c8a52-1f0e-4b7e-9c3a-{number:012x}",
        trace_id=_TRACE,
        accepted_epoch_ms=accepted_epoch_ms,
    )
    entry = entry_of(event, LARGER_EVENT)
    return NewEntry(entry.queue, due_epoch_ms, entry.document, entry.payload)


def depth(file: Path) -> int:
    """How many events are kept."""
    with _looking(file) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM entries").fetchone()[0])


def ended(file: Path) -> int:
    """How many events have ended. Takes the same for any number."""
    with _looking(file) as connection:
        return int(connection.execute("SELECT COALESCE(MAX(id), 0) FROM endings").fetchone()[0])


def succeeded(file: Path) -> int:
    """How many different events have ended well, of those whose endings are remembered."""
    with _looking(file) as connection:
        query = "SELECT COUNT(DISTINCT sequence) FROM endings WHERE ending = 'Success'"
        return int(connection.execute(query).fetchone()[0])


@contextmanager
def _looking(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
        yield connection
