"""All durable queues: events, and deliveries of what became of them. Entries come in here, and end here."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from lampion.clock.clock import Clock
from lampion.clock.steady import SteadyTime
from lampion.event_queue.inbox import Inbox
from lampion.event_queue.queue import Queue
from lampion.event_queue.turns import Turns
from lampion.store.entries import Change, Entries, Entry, NewEntry
from lampion.store.errors import StoreClosed, StoreError

EVENTS: Final = "event"
DELIVERIES: Final = "delivery"

_RETRY_SECONDS: Final = 1.0
_DELIVERIES_AT_ONCE: Final = 64
_DELIVERIES_TO_ONE: Final = 8

_log = logging.getLogger(__name__)


class Queues:
    """The durable queues of a server. What is due goes by `agenda`, how long the disk may take by `clock`."""

    def __init__(self, entries: Entries, clock: Clock, agenda: Clock, *, most_events: int) -> None:
        self.entries = entries
        self.time = SteadyTime(agenda)
        self._clock = clock
        events = Turns(most_running=most_events, most_of_queue=most_events)
        deliveries = Turns(most_running=_DELIVERIES_AT_ONCE, most_of_queue=_DELIVERIES_TO_ONE)
        self.events = Queue(entries, agenda, self.time, kind=EVENTS, turns=events)
        self.deliveries = Queue(entries, agenda, self.time, kind=DELIVERIES, turns=deliveries)
        self._inbox = Inbox(entries, clock, written=self._tell, doubtful=self._look_again)

    async def open(self) -> None:
        """Go on with what is stored."""
        await self.events.open()
        await self.deliveries.open()

    async def close(self) -> None:
        await self.events.close()
        await self.deliveries.close()

    async def accept(self, entry: NewEntry) -> None:
        """Returns when `entry` is on disk. Raises NotAccepted when the disk refuses it or takes too long.

        One that took too long may be on disk all the same; then it is handed out.
        """
        await self._inbox.put(entry)

    async def settle(self, change: Change) -> bool:
        """Store a step that has happened, however long the store fails; whether the entry was still there."""
        has_failed = False
        while True:
            try:
                sequences = await self.entries.apply(change)
            except StoreClosed:
                raise
            except StoreError as error:
                has_failed = True
                _log.warning("what has happened can't be stored yet: %s", error)
                await self._clock.sleep(_RETRY_SECONDS)
                continue
            if sequences is not None:
                self._tell(change.put, sequences)
            elif has_failed:  # it was stored at the first try, only that couldn't be told
                self._look_again(change.put)
            return sequences is not None or has_failed

    def of_kind(self, kind: str) -> Queue:
        """The queues of events or of deliveries."""
        return self.events if kind == EVENTS else self.deliveries

    async def redrive(self, documents: Mapping[int, bytes]) -> int:
        """Make entries again of kept endings, by number, with these documents; how many it were. Raises StoreError."""
        queues = await self.entries.redrive(documents, due_epoch_ms=self.time.epoch_ms())
        for queue in frozenset(queues):
            self.of_kind(queue.kind).changed(queue)
        return len(queues)

    def _look_again(self, put: Sequence[NewEntry]) -> None:
        for queue in {new.queue for new in put}:
            self.of_kind(queue.kind).changed(queue)

    def _tell(self, put: Sequence[NewEntry], sequences: Sequence[int]) -> None:
        entries = [
            Entry(sequence, new.queue, new.due_epoch_ms, new.document, new.payload)
            for new, sequence in zip(put, sequences, strict=True)
        ]
        for queue in (self.events, self.deliveries):
            if own := [entry for entry in entries if entry.queue.kind == queue.kind]:
                queue.added(own)
