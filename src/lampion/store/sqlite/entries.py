"""Durable queues in SQLite: an index in the order in which things fall due, one transaction for each step."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Final

from lampion.store.entries import Change, Due, Ending, Entry, NewEntry, QueueKey
from lampion.store.queries import queries
from lampion.store.sqlite.database import Database

_MOST_ROWS: Final = 16
"""Of one statement, which has copies of all their payloads while it runs."""
_LOADED_BYTES: Final = 4 * 1024 * 1024
"""Payloads of due entries that are read at once, beyond the first."""


class SqliteEntries:
    """See store.entries.Entries."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = queries("entries")
        self._numbers: dict[QueueKey, int] = {}  # of queues that are on disk: they are never forgotten there

    async def apply(self, change: Change) -> Sequence[int] | None:
        sequences, numbers = await self._database.write(
            lambda connection: self._apply(connection, change), repeatable=True
        )
        self._numbers.update(numbers)
        return sequences

    async def due(self, queue: QueueKey, now_epoch_ms: int, *, limit: int, without: Collection[int]) -> Due:
        return await self._database.read(
            lambda connection: self._due(connection, queue, now_epoch_ms, limit=limit, without=without)
        )

    async def first_due(self, kind: str) -> Sequence[tuple[QueueKey, int | None]]:
        rows = await self._database.read(
            lambda connection: connection.execute(self._queries["first_due"], (kind,)).fetchall()
        )
        return [(QueueKey(kind, account_id, region, name), first) for account_id, region, name, first in rows]

    async def redrive(self, documents: Mapping[int, bytes], *, due_epoch_ms: int) -> Sequence[QueueKey]:
        def write(connection: sqlite3.Connection) -> list[QueueKey]:
            queues: list[int] = []
            for number, document in documents.items():
                row = connection.execute(self._queries["get_kept"], (number,)).fetchone()
                if row is not None:
                    queue, payload = row
                    connection.execute(self._queries["insert"], (queue, due_epoch_ms, document, payload))
                    connection.execute(self._queries["release_kept"], (number,))
                    queues.append(queue)
            return [self._key(connection, queue) for queue in queues]

        return await self._database.write(write)

    async def discard_kept(self, queue: QueueKey, *, up_to: int, limit: int) -> int:
        def write(connection: sqlite3.Connection) -> int:
            where = {"queue": self._find_queue(connection, queue), "up_to": up_to, "limit": limit}
            return connection.execute(self._queries["discard_kept"], where).rowcount

        return await self._database.write(write)

    async def prune(self, *, keep_done: int, failed_before_epoch_ms: int, limit: int) -> int:
        def write(connection: sqlite3.Connection) -> int:
            latest = connection.execute(self._queries["latest_ending"]).fetchone()[0]
            where = {"least_kept": latest - keep_done, "failed_before": failed_before_epoch_ms, "limit": limit}
            return sum(connection.execute(self._queries[one], where).rowcount for one in ("prune_done", "prune_failed"))

        return await self._database.write(write)

    # -- in the writer's or a reader's thread --

    def _apply(
        self, connection: sqlite3.Connection, change: Change
    ) -> tuple[Sequence[int] | None, dict[QueueKey, int]]:
        """Also the numbers of the queues that it met."""
        numbers: dict[QueueKey, int] = {}
        if change.of is not None and not self._take_step(connection, change):
            return None, numbers
        sequences = self._insert_all(connection, change.put, numbers) if change.put else ()
        if change.ending is not None:
            self._insert_ending(connection, change.ending, numbers)
        return sequences, numbers

    def _take_step(self, connection: sqlite3.Connection, change: Change) -> bool:
        """Whether the entry was still there."""
        later = change.postponed
        if later is None:
            return connection.execute(self._queries["delete"], (change.of,)).rowcount > 0
        columns = (later.due_epoch_ms, later.document, later.sequence)
        return connection.execute(self._queries["postpone"], columns).rowcount > 0

    def _insert_all(
        self, connection: sqlite3.Connection, put: Sequence[NewEntry], numbers: dict[QueueKey, int]
    ) -> list[int]:
        """Many rows by one statement, whose numbers follow one another: half the work, and the event loop is held up
        once. Of a few lengths only, so that SQLite has each of these statements prepared.
        """
        sequences: list[int] = []
        while (at := len(sequences)) < len(put):
            rows = min(_MOST_ROWS, 1 << (len(put) - at).bit_length() - 1)
            columns: list[int | bytes] = []
            for entry in put[at : at + rows]:
                number = self._make_queue(connection, entry.queue, numbers)
                columns += (number, entry.due_epoch_ms, entry.document, entry.payload)
            last = connection.execute(_with_rows(self._queries["insert"], rows), columns).lastrowid
            assert last is not None
            sequences += range(last - rows + 1, last + 1)
        return sequences

    def _insert_ending(self, connection: sqlite3.Connection, ending: Ending, numbers: dict[QueueKey, int]) -> None:
        number = self._make_queue(connection, ending.queue, numbers)
        connection.execute(
            self._queries["insert_ending"],
            (
                ending.sequence,
                number,
                ending.request_id,
                ending.ended_epoch_ms,
                ending.ending,
                ending.document,
                ending.payload,
            ),
        )

    def _due(
        self, connection: sqlite3.Connection, queue: QueueKey, now: int, *, limit: int, without: Collection[int]
    ) -> Due:
        number = self._find_queue(connection, queue)
        asked = limit + len(without)
        found = [row[0] for row in connection.execute(self._queries["due"], (number, now, asked))]
        wanted = [sequence for sequence in found if sequence not in without]
        entries: list[Entry] = []
        room_bytes = _LOADED_BYTES
        for sequence in wanted[:limit]:
            row = connection.execute(self._queries["get"], (sequence,)).fetchone()
            if row is not None:  # else it has gone between the two statements
                entries.append(Entry(sequence, queue, *row))
                room_bytes -= len(row[2])
            if room_bytes <= 0:
                break
        if len(found) == asked or len(wanted) > limit or room_bytes <= 0:
            return Due(entries, are_all=False, next_due_epoch_ms=None)
        later = connection.execute(self._queries["next_due"], (number, now)).fetchone()
        return Due(entries, are_all=True, next_due_epoch_ms=later and later[0])

    def _find_queue(self, connection: sqlite3.Connection, queue: QueueKey) -> int:
        """Its number; 0, which no queue has, when it never had an entry."""
        number = self._numbers.get(queue)
        if number is None:
            row = connection.execute(self._queries["queue_id"], queue._asdict()).fetchone()
            number = 0 if row is None else int(row[0])
        return number

    def _make_queue(self, connection: sqlite3.Connection, queue: QueueKey, numbers: dict[QueueKey, int]) -> int:
        number = numbers.get(queue) or self._find_queue(connection, queue)
        if not number:
            number = connection.execute(self._queries["insert_queue"], queue._asdict()).lastrowid or 0
        numbers[queue] = number
        return number

    def _key(self, connection: sqlite3.Connection, number: int) -> QueueKey:
        return QueueKey(*connection.execute(self._queries["queue_key"], (number,)).fetchone())


@cache
def _with_rows(insert: str, rows: int) -> str:
    """An INSERT of one row as one of several."""
    head, values, row = insert.removesuffix(";").partition("VALUES ")
    return head + values + ", ".join([row] * rows)
