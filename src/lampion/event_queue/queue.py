"""The durable queues of one kind at work: entries in, on disk; entries out, when they are due and it is their turn."""

import asyncio
import logging
from collections.abc import Collection, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from lampion.clock.clock import Clock, Timer
from lampion.clock.steady import SteadyTime
from lampion.event_queue.turns import Line, Turns
from lampion.store.entries import Entries, Entry, QueueKey
from lampion.store.errors import StoreClosed, StoreError

_RETRY_SECONDS: Final = 1.0
"""After the store failed: until it is asked again."""

_log = logging.getLogger(__name__)


class Queue:
    """Queues of one kind. `next` has one consumer, which tells of each entry how it went."""

    def __init__(self, entries: Entries, clock: Clock, time: SteadyTime, *, kind: str, turns: Turns) -> None:
        self.kind = kind
        self._entries = entries
        self._clock = clock
        self._time = time
        self._turns = turns
        self._changed = asyncio.Event()
        self._timers: dict[QueueKey, tuple[int, Timer]] = {}
        self._pauses: dict[QueueKey, Timer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def open(self) -> None:
        """Go on with what is stored: what is due is read when its turn comes, so this takes the same for any depth."""
        now = self._time.epoch_ms()
        for queue, first_due in await self._entries.first_due(self.kind):
            if first_due is not None:
                self._expect(queue, first_due, now)

    async def close(self) -> None:
        """Nothing is read or handed out any more."""
        self._closed = True
        for _, timer in self._timers.values():
            timer.cancel()
        for timer in self._pauses.values():
            timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def added(self, entries: Iterable[Entry]) -> None:
        """These have been put on disk."""
        now = self._time.epoch_ms()
        touched: dict[QueueKey, Line] = {}
        for entry in entries:
            if entry.due_epoch_ms > now:
                self._expect(entry.queue, entry.due_epoch_ms, now)
            else:
                touched[entry.queue] = self._turns.add(entry)
        for line in touched.values():
            self._move(line)

    def changed(self, queue: QueueKey) -> None:
        """Entries that are due have been put on disk by another way than `added`."""
        self._expect(queue, 0, self._time.epoch_ms())

    async def next(self) -> Entry:
        """The next entry, in turns over the queues. It is the consumer's until it says how it went."""
        while (entry := self._turns.take()) is None:
            self._changed.clear()
            await self._changed.wait()
        line = self._turns.line(entry.queue)
        if line.wants_load:
            self._move(line)
        return entry

    def done(self, entry: Entry) -> None:
        """It has run, and what follows is on disk: it is gone, or due later."""
        line = self._turns.release(entry)
        line.pace.went_well()
        self._move(line)

    def postponed(self, entry: Entry, due_epoch_ms: int) -> None:
        """As `done`, for one that is due again at `due_epoch_ms`."""
        self.done(entry)
        self._expect(entry.queue, due_epoch_ms, self._time.epoch_ms())

    def refused(self, entry: Entry) -> None:
        """There was no room for it: it is tried again when one of its queue has run, or after a while."""
        line = self._turns.put_back(entry)
        if not line.is_paused:
            self._pause(line, line.pace.was_refused(line.running))

    def failed(self, entry: Entry) -> float:
        """It couldn't be done, and others of its queue can't either: all wait a while.

        Seconds until the next try; 0 when they wait already, because of another.
        """
        line = self._turns.put_back(entry)
        if line.is_paused:
            return 0.0
        seconds = line.pace.failed()
        self._pause(line, seconds)
        return seconds

    def running(self, queue: QueueKey) -> int:
        """How many entries of `queue` the consumer has."""
        return self._turns.running_of(queue)

    @contextmanager
    def withdrawn(self, queue: QueueKey, sequences: Collection[int]) -> Iterator[Collection[int]]:
        """The entries that the consumer doesn't have; nor does it get them for the duration of the block.

        A block that ends well has taken all of them from the disk; else the consumer gets those that are still there.
        """
        taken = self._turns.withdraw(queue, sequences)
        are_gone = False
        try:
            yield taken
            are_gone = True
        finally:
            self._move(self._turns.return_withdrawn(queue, taken, are_gone=are_gone))

    # -- inside --

    def _expect(self, queue: QueueKey, due_epoch_ms: int, now_epoch_ms: int) -> None:
        """Entries of `queue` are due at that time, maybe now: then they are read."""
        if due_epoch_ms <= now_epoch_ms:
            line = self._turns.line(queue)
            line.has_more = True
            self._move(line)
            return
        known = self._timers.get(queue)
        if known is not None:
            if known[0] <= due_epoch_ms:
                return
            known[1].cancel()
        seconds = (due_epoch_ms - now_epoch_ms) / 1000
        self._timers[queue] = (due_epoch_ms, self._clock.call_later(seconds, lambda: self._fall_due(queue)))

    def _fall_due(self, queue: QueueKey) -> None:
        due_epoch_ms, _ = self._timers.pop(queue)
        self._expect(queue, due_epoch_ms, self._time.epoch_ms())

    def _pause(self, line: Line, seconds: float) -> None:
        if seconds:
            line.is_paused = True
            self._pauses[line.queue] = self._clock.call_later(seconds, lambda: self._resume(line))
        self._changed.set()

    def _resume(self, line: Line) -> None:
        del self._pauses[line.queue]
        line.is_paused = False
        self._turns.ready(line)
        self._move(line)

    def _move(self, line: Line) -> None:
        """Read what is wanted, and wake the consumer if there is something for it."""
        if line.wants_load and not self._closed:
            self._spawn(self._load(line, self._turns.start_load(line)))
        self._changed.set()
        self._turns.forget_idle(line)

    async def _load(self, line: Line, limit: int) -> None:
        now = self._time.epoch_ms()
        try:
            due = await self._entries.due(line.queue, now, limit=limit, without=frozenset(line.in_hand))
        except StoreError as error:
            self._turns.finish_load(line, None)
            if not isinstance(error, StoreClosed):
                _log.warning("%s of %s can't be read: %s", self.kind, line.queue.name, error)
                if not line.is_paused:
                    self._pause(line, _RETRY_SECONDS)
            return
        self._turns.finish_load(line, due)
        if due.next_due_epoch_ms is not None:
            self._expect(line.queue, due.next_due_epoch_ms, now)
        self._move(line)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
