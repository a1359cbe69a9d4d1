"""Whose entry is next: every queue with something to do gets its turn, one entry each. Pure state, no I/O."""

import heapq
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from lampion.event_queue.pace import Pace
from lampion.store.entries import Due, Entry, QueueKey

LOADED_MOST: Final = 64
"""Entries of one queue that are held in memory before their turn."""


@dataclass(slots=True)
class Line:
    """One queue as far as it is in memory."""

    queue: QueueKey
    pace: Pace
    loaded: list[tuple[int, int, Entry]] = field(default_factory=list)  # a heap by due time and sequence
    in_hand: set[int] = field(default_factory=set)  # sequences of what is loaded, running or withdrawn
    gone: set[int] = field(default_factory=set)  # sequences that may come with what is being read, though they are gone
    running: int = 0
    withdrawn: int = 0
    has_more: bool = False  # on disk, due, not loaded
    is_loading: bool = False
    is_paused: bool = False
    is_in_round: bool = False

    @property
    def wants_load(self) -> bool:
        return self.has_more and not self.is_loading and not self.is_paused and len(self.loaded) < LOADED_MOST // 4

    @property
    def is_ready(self) -> bool:
        return bool(self.loaded) and not self.is_paused and self.pace.allows(self.running)

    @property
    def is_idle(self) -> bool:
        return not (self.loaded or self.running or self.withdrawn or self.has_more or self.is_loading or self.is_paused)


class Turns:
    """The queues of one kind, of whose entries at most `most_running` run at once."""

    def __init__(self, *, most_running: int, most_of_queue: int) -> None:
        self.running = 0
        self._most_running = most_running
        self._most_of_queue = most_of_queue
        self._lines: dict[QueueKey, Line] = {}
        self._round: deque[Line] = deque()

    def line(self, queue: QueueKey) -> Line:
        line = self._lines.get(queue)
        if line is None:
            line = self._lines[queue] = Line(queue, Pace(most=float(self._most_of_queue)))
        return line

    def running_of(self, queue: QueueKey) -> int:
        """How many entries of one queue run."""
        line = self._lines.get(queue)
        return 0 if line is None else line.running

    def queues(self) -> Sequence[QueueKey]:
        """Those of which anything is in memory."""
        return tuple(self._lines)

    def add(self, entry: Entry) -> Line:
        """A new entry that is due: kept in memory if there is room and nothing older is on disk only. Its queue."""
        line = self.line(entry.queue)
        if entry.sequence in line.in_hand:
            return line
        if line.has_more or line.is_loading or len(line.loaded) >= LOADED_MOST:
            line.has_more = True
        else:
            self._load(line, entry)
        self.ready(line)
        return line

    def start_load(self, line: Line) -> int:
        """How many entries to read; `finish_load` follows. What comes meanwhile is on disk only."""
        line.is_loading, line.has_more = True, False
        return LOADED_MOST - len(line.loaded)

    def finish_load(self, line: Line, due: Due | None) -> None:
        """None: it failed, and all is still to be read."""
        line.is_loading = False
        gone, line.gone = line.gone, set()
        if due is None:
            line.has_more = True
            return
        line.has_more = line.has_more or not due.are_all
        for entry in due.entries:
            if entry.sequence not in line.in_hand and entry.sequence not in gone:
                self._load(line, entry)
        self.ready(line)

    def take(self) -> Entry | None:
        """The entry whose turn it is; it runs from now on, until `release`, `put_back` or `keep_waiting`."""
        while self._round and self.running < self._most_running:
            line = self._round.popleft()
            if not line.is_ready:
                line.is_in_round = False
                continue
            _, _, entry = heapq.heappop(line.loaded)
            line.running += 1
            self.running += 1
            self._round.append(line)
            return entry
        return None

    def release(self, entry: Entry, *, stays_due: bool = False) -> Line:
        """An entry has run. `stays_due`: it is on disk as before, and must be read again."""
        line = self._stop(entry)
        line.in_hand.discard(entry.sequence)
        line.has_more = line.has_more or stays_due
        self.ready(line)
        return line

    def put_back(self, entry: Entry) -> Line:
        """An entry couldn't run: it is again the first of its queue."""
        line = self._stop(entry)
        heapq.heappush(line.loaded, (entry.due_epoch_ms, entry.sequence, entry))
        self.ready(line)
        return line

    def withdraw(self, queue: QueueKey, sequences: Collection[int]) -> Collection[int]:
        """Those of the entries that don't run; they will not either, until `return_withdrawn` gets them back."""
        line = self.line(queue)
        waiting = {entry.sequence for _, _, entry in line.loaded}
        taken = {one for one in sequences if one in waiting or one not in line.in_hand}
        line.loaded = [one for one in line.loaded if one[1] not in taken]
        heapq.heapify(line.loaded)
        line.in_hand.update(taken)
        line.withdrawn += len(taken)
        return taken

    def return_withdrawn(self, queue: QueueKey, taken: Collection[int], *, are_gone: bool) -> Line:
        """What was withdrawn is gone; or some of it may be on disk as before, and must be read again."""
        line = self.line(queue)
        line.in_hand.difference_update(taken)
        line.withdrawn -= len(taken)
        line.has_more = line.has_more or not are_gone
        if line.is_loading:
            line.gone.update(taken)
        return line

    def ready(self, line: Line) -> None:
        """Something of the queue has changed: it takes part in the round if it can."""
        if line.is_ready and not line.is_in_round:
            line.is_in_round = True
            self._round.append(line)

    def forget_idle(self, line: Line) -> None:
        """Memory is for queues that have something to do."""
        if line.is_idle and not line.is_in_round:
            self._lines.pop(line.queue, None)

    def _load(self, line: Line, entry: Entry) -> None:
        line.in_hand.add(entry.sequence)
        heapq.heappush(line.loaded, (entry.due_epoch_ms, entry.sequence, entry))

    def _stop(self, entry: Entry) -> Line:
        line = self._lines[entry.queue]
        line.running -= 1
        self.running -= 1
        return line
