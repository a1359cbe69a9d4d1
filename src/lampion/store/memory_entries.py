"""Durable queues in memory: the twin of store.sqlite.entries."""

from collections.abc import Collection, Mapping, Sequence

from lampion.store.entries import Change, Depth, Due, Ending, Entry, KeptEnding, NewEntry, QueueKey


class MemoryEntries:
    """See store.entries.Entries."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._queues: dict[QueueKey, None] = {}
        self._last_sequence = 0
        self._last_number = 0
        self.endings: dict[int, Ending] = {}  # by number

    async def apply(self, change: Change) -> Sequence[int] | None:
        if change.of is not None and not self._take_step(change.of, change):
            return None
        sequences = [self._insert(entry) for entry in change.put]
        if change.ending is not None:
            self._last_number += 1
            self._queues[change.ending.queue] = None
            self.endings[self._last_number] = change.ending
        return sequences

    async def due(self, queue: QueueKey, now_epoch_ms: int, *, limit: int, without: Collection[int]) -> Due:
        own = sorted(self._of(queue), key=lambda entry: (entry.due_epoch_ms, entry.sequence))
        due = [entry for entry in own if entry.due_epoch_ms <= now_epoch_ms and entry.sequence not in without]
        if len(due) > limit:
            return Due(due[:limit], are_all=False, next_due_epoch_ms=None)
        later = next((entry.due_epoch_ms for entry in own if entry.due_epoch_ms > now_epoch_ms), None)
        return Due(due, are_all=True, next_due_epoch_ms=later)

    async def first_due(self, kind: str) -> Sequence[tuple[QueueKey, int | None]]:
        return [
            (queue, min((entry.due_epoch_ms for entry in self._of(queue)), default=None))
            for queue in self._queues
            if queue.kind == kind
        ]

    async def depth(self, queue: QueueKey, now_epoch_ms: int) -> Depth:
        dues = [entry.due_epoch_ms for entry in self._of(queue)]
        due = sum(one <= now_epoch_ms for one in dues)
        return Depth(due, len(dues) - due, min(dues, default=None), len(self._kept(queue)))

    async def page(self, queue: QueueKey, *, after: int, limit: int) -> Sequence[Entry]:
        return [entry for entry in self._of(queue) if entry.sequence > after][:limit]

    async def kept(self, queue: QueueKey, *, before: int | None, limit: int) -> Sequence[KeptEnding]:
        return [one for one in reversed(self._kept(queue)) if before is None or one.number < before][:limit]

    async def redrive(self, documents: Mapping[int, bytes], *, due_epoch_ms: int) -> Sequence[QueueKey]:
        queues: list[QueueKey] = []
        for number, document in documents.items():
            ending = self.endings.get(number)
            if ending is not None and ending.payload is not None:
                self._insert(NewEntry(ending.queue, due_epoch_ms, document, ending.payload))
                self.endings[number] = _without_what_was_kept(ending)
                queues.append(ending.queue)
        return queues

    async def prune(self, *, keep_done: int, failed_before_epoch_ms: int, limit: int) -> int:
        done = [
            number
            for number, ending in self.endings.items()
            if ending.payload is None and number <= self._last_number - keep_done
        ]
        failed = [
            number
            for number, ending in self.endings.items()
            if ending.payload is not None and ending.ended_epoch_ms < failed_before_epoch_ms
        ]
        forgotten = [*done[:limit], *failed[:limit]]
        for number in forgotten:
            del self.endings[number]
        return len(forgotten)

    def _take_step(self, sequence: int, change: Change) -> bool:
        entry = self._entries.pop(sequence, None)
        if entry is None:
            return False
        later = change.postponed
        if later is not None:
            postponed = Entry(sequence, entry.queue, later.due_epoch_ms, later.document, entry.payload)
            self._entries[sequence] = postponed
        return True

    def _insert(self, entry: NewEntry) -> int:
        self._last_sequence += 1
        self._queues[entry.queue] = None
        kept = Entry(self._last_sequence, entry.queue, entry.due_epoch_ms, entry.document, entry.payload)
        self._entries[self._last_sequence] = kept
        return self._last_sequence

    def _of(self, queue: QueueKey) -> list[Entry]:
        return [self._entries[sequence] for sequence in sorted(self._entries) if self._entries[sequence].queue == queue]

    def _kept(self, queue: QueueKey) -> list[KeptEnding]:
        return [
            KeptEnding(number, ending)
            for number, ending in self.endings.items()
            if ending.queue == queue and ending.payload is not None
        ]


def _without_what_was_kept(ending: Ending) -> Ending:
    return Ending(
        sequence=ending.sequence,
        queue=ending.queue,
        request_id=ending.request_id,
        ended_epoch_ms=ending.ended_epoch_ms,
        ending=ending.ending,
    )
