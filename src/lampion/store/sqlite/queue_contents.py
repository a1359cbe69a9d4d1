"""What durable queues in SQLite hold: every answer comes from an index, and none walks a whole queue."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from lampion.store.entries import Ending, Entry, QueueKey
from lampion.store.queries import queries
from lampion.store.queue_contents import Depth, KeptEnding, Latest, SeenEntry, Spot
from lampion.store.sqlite.database import Database

_ABOVE_ALL: Final = 2**62
_BEFORE_ALL: Final = Spot(-1, 0)


class SqliteQueueContents:
    """See store.queue_contents.QueueContents."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = queries("queue_contents")

    async def holding(
        self, kind: str, account_id: str, region: str, *, after: str | None, limit: int
    ) -> Sequence[QueueKey]:
        where = {"kind": kind, "account_id": account_id, "region": region, "after": after or "", "limit": limit}
        return [QueueKey(kind, account_id, region, name) for (name,) in await self._rows("holding", where)]

    async def is_known(self, queue: QueueKey) -> bool:
        return bool(await self._rows("number", queue._asdict()))

    async def depth(self, queue: QueueKey, now_epoch_ms: int, *, most: int) -> Depth:
        rows = await self._rows("depth", {**queue._asdict(), "now": now_epoch_ms, "most": most})
        return Depth(*rows[0]) if rows else Depth(0, 0, 0)

    async def page(self, queue: QueueKey, *, after: Spot | None, limit: int, payload_bytes: int) -> Sequence[SeenEntry]:
        spot = after or _BEFORE_ALL
        where = {**queue._asdict(), **spot._asdict(), "limit": limit, "payload_bytes": payload_bytes}
        rows = await self._rows("page_at", where)
        if len(rows) < limit:
            rows += await self._rows("page_after", {**where, "limit": limit - len(rows)})
        return [SeenEntry(Entry(row[0], queue, *row[1:4]), row[4]) for row in rows]

    async def kept(
        self, queue: QueueKey, *, before: int | None, limit: int, payload_bytes: int
    ) -> Sequence[KeptEnding]:
        number = _ABOVE_ALL if before is None else before
        where = {**queue._asdict(), "before": number, "limit": limit, "payload_bytes": payload_bytes}
        return [_kept(queue, row) for row in await self._rows("kept", where)]

    async def kept_from(self, queue: QueueKey, *, after: int, limit: int) -> Sequence[KeptEnding]:
        rows = await self._rows("kept_from", {**queue._asdict(), "after": after, "limit": limit})
        return [_kept(queue, row) for row in rows]

    async def kept_of(self, queue: QueueKey, request_id: str, *, limit: int) -> Sequence[KeptEnding]:
        rows = await self._rows("kept_of", {**queue._asdict(), "request_id": request_id, "limit": limit})
        return [_kept(queue, row) for row in rows]

    async def latest(self) -> Latest:
        (numbers,) = await self._rows("latest", {})
        return Latest(*numbers)

    async def _rows(self, query: str, where: dict[str, Any]) -> list[Any]:
        def read(connection: sqlite3.Connection) -> list[Any]:
            return connection.execute(self._queries[query], where).fetchall()

        return await self._database.read(read)


def _kept(queue: QueueKey, row: tuple[int, int, str, int, str, bytes, bytes, int]) -> KeptEnding:
    number, sequence, request_id, ended_epoch_ms, ending, document, payload, payload_bytes = row
    return KeptEnding(
        number,
        Ending(
            sequence=sequence,
            queue=queue,
            request_id=request_id,
            ended_epoch_ms=ended_epoch_ms,
            ending=ending,
            document=document,
            payload=payload,
        ),
        payload_bytes,
    )
