"""Drops what waits in a queue, each entry with its one terminal record, and what is kept of it. In steps."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from lampion.domain.arn import LATEST
from lampion.event_queue.queues import EVENTS, Queues
from lampion.invoke.deliverer import count_undelivered
from lampion.invoke.event_endings import decode_delivery
from lampion.invoke.event_entries import decode_event
from lampion.invoke.measuring import Metrics
from lampion.store.entries import Change, Ending, Entry, QueueKey
from lampion.store.queue_contents import QueueContents, Spot

PURGED: Final = "Purged"
_AT_ONCE: Final = 500


class PurgeStep(NamedTuple):
    """How many are gone now, and after which spot to go on: None when all were seen."""

    purged: int
    after: Spot | None


class Purging:
    """What runs at that moment doesn't wait: it is left to its own end."""

    def __init__(self, *, queues: Queues, contents: QueueContents, metrics: Metrics) -> None:
        self._queues = queues
        self._contents = contents
        self._metrics = metrics

    async def step(self, queue: QueueKey, *, after: Spot | None, up_to: int) -> PurgeStep:
        """The next entries of those that were there when `up_to` was the latest sequence. Raises StoreError."""
        found = await self._contents.page(queue, after=after, limit=_AT_ONCE, payload_bytes=0)
        entries = [one.entry for one in found if one.entry.sequence <= up_to]
        # To its end, also when whoever asked is gone: what is withdrawn must not be given back half purged.
        purged = await asyncio.shield(asyncio.ensure_future(self._purge(queue, entries)))
        if len(found) < _AT_ONCE:
            return PurgeStep(purged, None)
        last = found[-1].entry
        return PurgeStep(purged, Spot(last.due_epoch_ms, last.sequence))

    async def kept_step(self, queue: QueueKey, *, up_to: int) -> int:
        """Keep some of what failed no longer, up to an ending's number; how many: 0 when there is no more."""
        return await self._queues.entries.discard_kept(queue, up_to=up_to, limit=_AT_ONCE)

    async def _purge(self, queue: QueueKey, entries: Sequence[Entry]) -> int:
        by_sequence = {entry.sequence: entry for entry in entries}
        with self._queues.of_kind(queue.kind).withdrawn(queue, by_sequence) as taken:
            ends = [self._end(by_sequence[sequence]) for sequence in sorted(taken)]
            done = await asyncio.gather(*ends, return_exceptions=True)
            failed = [one for one in done if isinstance(one, BaseException)]
            if failed:
                raise failed[0]
        return sum(one is True for one in done)

    async def _end(self, entry: Entry) -> bool:
        """One step, on disk as a whole: the entry is gone, and its ending is there. False when it had gone before."""
        is_event = entry.queue.kind == EVENTS
        request_id = decode_event(entry).request_id if is_event else decode_delivery(entry).request_id
        ending = Ending(
            sequence=entry.sequence,
            queue=entry.queue,
            request_id=request_id,
            ended_epoch_ms=self._queues.time.epoch_ms(),
            ending=PURGED,
        )
        if await self._queues.entries.apply(Change(of=entry.sequence, ending=ending)) is None:
            return False
        self._count(entry)
        return True

    def _count(self, entry: Entry) -> None:
        if entry.queue.kind == EVENTS:
            event = decode_event(entry)
            self._metrics.of(event.key, event.qualifier, LATEST).count("AsyncEventsDropped")
        else:
            count_undelivered(self._metrics, entry, decode_delivery(entry))
