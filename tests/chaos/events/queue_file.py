"""Reads what a server keeps of its events, while it runs: from outside, and without changing anything."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lampion.domain.event import Event
from lampion.store.documents import decode

_ENDINGS = """
SELECT endings.id, sequence, name, request_id, ending FROM endings JOIN queues ON queues.id = queue
WHERE kind = 'event' AND endings.id > ? ORDER BY endings.id
"""
_WAITING = "SELECT name, due_epoch_ms, document FROM entries JOIN queues ON queues.id = queue WHERE kind = 'event'"
_LATEST = "SELECT COALESCE(MAX(id), 0) FROM endings"
_LEFT = "SELECT COUNT(*) FROM entries JOIN queues ON queues.id = queue WHERE NOT (kind = 'event' AND name = ?)"


class Ended(NamedTuple):
    """A terminal record."""

    sequence: int
    name: str
    request_id: str
    ending: str


class Waiting(NamedTuple):
    """An entry that hasn't ended."""

    name: str
    request_id: str
    due_epoch_ms: int


class QueueFile:
    """Of one data directory; knows which endings it has told of already."""

    def __init__(self, data: Path) -> None:
        self._path = data / "queues.db"
        self._told = 0

    def new_endings(self) -> list[Ended]:
        """Those since the last call. The server forgets old ones, but never that soon."""
        with self._opened() as database:
            rows = database.execute(_ENDINGS, (self._told,)).fetchall()
        if rows:
            self._told = rows[-1][0]
        return [Ended(*row[1:]) for row in rows]

    def latest(self) -> int:
        """The number of the last ending."""
        with self._opened() as database:
            return int(database.execute(_LATEST).fetchone()[0])

    def left(self, *, without: str) -> int:
        """How many entries there are but those of one function."""
        with self._opened() as database:
            return int(database.execute(_LEFT, (without,)).fetchone()[0])

    def waiting(self) -> list[Waiting]:
        with self._opened() as database:
            rows = database.execute(_WAITING).fetchall()
        return [Waiting(name, decode(document, Event).request_id, due) for name, due, document in rows]

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, timeout=30)) as database:
            yield database
