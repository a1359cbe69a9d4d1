"""All durable queues: events, and deliveries of what became of them. Entries come in here, and end here."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final

from lampion.clock.clock import Clock
from lampion.clock.steady import SteadyTime
from lampion.event_queue.queue import Queue
from lampion.event_queue.turns import Turns
from lampion.store.entries import Change, Entries, Entry, NewEntry
from lampion.store.errors import StoreClosed, StoreError

EVENTS: Final = "event"
DELIVERIES: Final = "delivery"

_ACCEPT_SECONDS: Final = 10.0
_PENDING_BYTES: Final = 256 * 1024 * 1024
_RETRY_SECONDS: Final = 1.0
_DELIVERIES_AT_ONCE: Final = 64
_DELIVERIES_TO_ONE: Final = 8

_log = logging.getLogger(__name__)


class NotAccepted(Exception):
    """An entry that isn't on disk, as far as is known: whoever sent it must send it again."""


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
        self._pending_bytes = 0
        self._pending: set[asyncio.Task[None]] = set()

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
        size_bytes = len(entry.payload) + len(entry.document)
        if self._pending_bytes + size_bytes > _PENDING_BYTES:
            raise NotAccepted("too much waits to be written")
        task = asyncio.get_running_loop().create_task(self._put(entry))
        self._pending_bytes += size_bytes
        self._pending.add(task)
        task.add_done_callback(lambda done: self._settled(done, size_bytes))
        try:
            async with self._clock.deadline(_ACCEPT_SECONDS):
                await asyncio.shield(task)
        except StoreError as error:
            raise NotAccepted(str(error)) from error
        except TimeoutError:
            raise NotAccepted(f"it wasn't on disk after {_ACCEPT_SECONDS:.0f} s") from None

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

    async def _put(self, entry: NewEntry) -> None:
        try:
            sequences = await self.entries.apply(Change(put=(entry,)))
        except StoreError:
            self._look_again((entry,))  # it may be there all the same
            raise
        if sequences is not None:
            self._tell((entry,), sequences)

    def _look_again(self, put: Sequence[NewEntry]) -> None:
        for queue in {new.queue for new in put}:
            self.of_kind(queue.kind).changed(queue)

    def _tell(self, put: Sequence[NewEntry], sequences: Sequence[int]) -> None:
        for new, sequence in zip(put, sequences, strict=True):
            entry = Entry(sequence, new.queue, new.due_epoch_ms, new.document, new.payload)
            self.of_kind(new.queue.kind).added(entry)

    def _settled(self, task: "asyncio.Task[None]", size_bytes: int) -> None:
        self._pending_bytes -= size_bytes
        self._pending.discard(task)
        if not task.cancelled():
            task.exception()  # seen: whoever sent it may be gone
