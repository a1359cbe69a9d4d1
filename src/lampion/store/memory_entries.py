"""Durable queues in memory: the twin of store.sqlite.entries and store.sqlite.queue_contents."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from lampion.store.entries import Change, Due, Ending, Entry, NewEntry, QueueKey
from lampion.store.queue_contents import Depth, KeptEnding, Latest, SeenEntry, Spot


class MemoryEntries:
    """See store.entries.Entries and store.queue_contents.QueueContents."""

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

    async def redrive(self, documents: Mapping[int, bytes], *, due_epoch_ms: int) -> Sequence[QueueKey]:
        queues: list[QueueKey] = []
        for number, document in documents.items():
            ending = self.endings.get(number)
            if ending is not None and ending.payload is not None:
                self._insert(NewEntry(ending.queue, due_epoch_ms, document, ending.payload))
                self.endings[number] = _without_what_was_kept(ending)
                queues.append(ending.queue)
        return queues

    async def discard_kept(self, queue: QueueKey, *, up_to: int, limit: int) -> int:
        discarded = [number for number in self._kept(queue) if number <= up_to][:limit]
        for number in discarded:
            self.endings[number] = _without_what_was_kept(self.endings[number])
        return len(discarded)

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

    # -- what is held --

    async def holding(
        self, kind: str, account_id: str, region: str, *, after: str | None, limit: int
    ) -> Sequence[QueueKey]:
        own = sorted(queue for queue in self._queues if queue[:3] == (kind, account_id, region))
        holding = [queue for queue in own if self._of(queue) or self._kept(queue)]
        return [queue for queue in holding if after is None or queue.name > after][:limit]

    async def is_known(self, queue: QueueKey) -> bool:
        return queue in self._queues

    async def depth(self, queue: QueueKey, now_epoch_ms: int, *, most: int) -> Depth:
        dues = [entry.due_epoch_ms for entry in self._of(queue)]
        due = sum(one <= now_epoch_ms for one in dues)
        return Depth(min(due, most), min(len(dues) - due, most), min(len(self._kept(queue)), most))

    async def page(self, queue: QueueKey, *, after: Spot | None, limit: int, payload_bytes: int) -> Sequence[SeenEntry]:
        own = sorted(self._of(queue), key=lambda entry: (entry.due_epoch_ms, entry.sequence))
        rest = [entry for entry in own if after is None or (entry.due_epoch_ms, entry.sequence) > after]
        return [
            SeenEntry(msgspec.structs.replace(entry, payload=entry.payload[:payload_bytes]), len(entry.payload))
            for entry in rest[:limit]
        ]

    async def kept(
        self, queue: QueueKey, *, before: int | None, limit: int, payload_bytes: int
    ) -> Sequence[KeptEnding]:
        found = [number for number in reversed(self._kept(queue)) if before is None or number < before]
        return [self._seen(number, payload_bytes) for number in found[:limit]]

    async def kept_from(self, queue: QueueKey, *, after: int, limit: int) -> Sequence[KeptEnding]:
        return [self._seen(number, 0) for number in self._kept(queue) if number > after][:limit]

    async def kept_of(self, queue: QueueKey, request_id: str, *, limit: int) -> Sequence[KeptEnding]:
        found = [number for number in self._kept(queue) if self.endings[number].request_id == request_id]
        return [self._seen(number, 0) for number in found[:limit]]

    async def latest(self) -> Latest:
        return Latest(max(self._entries, default=0), max(self.endings, default=0))

    # -- inside --

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

    def _kept(self, queue: QueueKey) -> list[int]:
        return [
            number for number, ending in self.endings.items() if ending.queue == queue and ending.payload is not None
        ]

    def _seen(self, number: int, payload_bytes: int) -> KeptEnding:
        ending = self.endings[number]
        payload = ending.payload or b""
        return KeptEnding(number, msgspec.structs.replace(ending, payload=payload[:payload_bytes]), len(payload))


def _without_what_was_kept(ending: Ending) -> Ending:
    return msgspec.structs.replace(ending, document=None, payload=None)
