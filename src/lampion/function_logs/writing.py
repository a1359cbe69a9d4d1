"""The one thread that writes log events into segments: takes them from a queue, stream by stream, in batches."""

import asyncio
import contextlib
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final

from lampion.function_logs.group import GroupFiles
from lampion.function_logs.segment import Segment, SegmentWriter, disk_bytes, encode_records

EVENT_OVERHEAD_BYTES: Final = 100  # what an event takes in memory beside its message
FLUSH_BYTES: Final = 512 * 1024
_FLUSH_SECONDS: Final = 0.05
_BATCH_BYTES: Final = 1024 * 1024  # large: between batches the thread has to win back the interpreter's lock
_OPEN_SEGMENTS_MAX: Final = 64
_SEGMENT_MAX_BYTES: Final = 1024 * 1024 * 1024  # offsets in an index have 32 bits

_log = logging.getLogger("lampion.function_logs")


class Destination:
    """A stream as the writer knows it: its group, its name, the segment that grows, what couldn't be written."""

    __slots__ = ("group", "lost_events", "name", "queued_bytes", "segment", "writer", "written_bytes")

    def __init__(self, group: GroupFiles, name: str) -> None:
        self.group = group
        self.name = name
        self.segment: Segment | None = None
        self.writer: SegmentWriter | None = None
        self.lost_events = 0
        self.queued_bytes = 0  # ever; counted as Writing counts
        self.written_bytes = 0


Event = tuple[Destination, int, bytes]


class Writing:
    """The queue and its thread. Everything but `_run` and what it calls belongs to the event loop's thread.

    Each counter has one thread that changes it, and the queue is a deque: no lock stands in the way of an append.
    """

    def __init__(self, *, segment_bytes: int, group_bytes: int) -> None:
        self._segment_bytes = max(1, min(segment_bytes, group_bytes // 4, _SEGMENT_MAX_BYTES))
        self._batch_bytes = min(_BATCH_BYTES, self._segment_bytes)
        self._group_bytes = group_bytes
        self.queue: deque[Event] = deque()
        self.queued_bytes = 0  # ever
        self.written_bytes = 0  # ever, what was lost included; the writer's
        self.awake = False
        self._hurry = threading.Event()
        self._wakeup = threading.Event()
        self._stopping = False
        self._waiters: deque[tuple[int, asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()
        self._open_segments: OrderedDict[SegmentWriter, None] = OrderedDict()
        self._losing: set[Destination] = set()  # whose last events could not be written
        self._healthy = True
        self._thread = threading.Thread(target=self._run, name="function-logs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued and end. Blocks; idempotent."""
        self._stopping = True
        self.hurry()
        self._thread.join()

    def wake(self) -> None:
        """Something was queued: write it before long."""
        self.awake = True
        self._wakeup.set()

    def hurry(self) -> None:
        """Write now."""
        self._hurry.set()
        self._wakeup.set()

    def is_hurrying(self) -> bool:
        return self._hurry.is_set()

    async def settled(self) -> None:
        """Until everything queued so far is in the files."""
        if self.written_bytes >= self.queued_bytes or not self._thread.is_alive():
            return
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.append((self.queued_bytes, loop, waiter))
        self.hurry()
        await waiter

    # -- the thread --

    def _run(self) -> None:
        while not self._stopping:
            self._wakeup.wait()
            self._wakeup.clear()
            self._hurry.wait(_FLUSH_SECONDS)  # more may come: one write for all
            self._hurry.clear()
            self.awake = False  # before the queue is emptied, so that nothing is left behind in it
            self._write_queue()
        self._write_queue()
        for writer in self._open_segments:
            writer.suspend()

    def _write_queue(self) -> None:
        while True:
            events, size_bytes = self._next_events()
            if events:
                self._write(events)
            self.written_bytes += size_bytes
            self._tell_waiters()
            if not events:
                return

    def _next_events(self) -> tuple[list[Event], int]:
        """Events for one round of writing, and what they take in the queue."""
        events: list[Event] = []
        size_bytes = 0
        take, queue = events.append, self.queue
        with contextlib.suppress(IndexError):
            while size_bytes < self._batch_bytes:
                event = queue.popleft()
                take(event)
                size_bytes += len(event[2])
        return events, size_bytes + len(events) * EVENT_OVERHEAD_BYTES

    def _tell_waiters(self) -> None:
        while self._waiters and self._waiters[0][0] <= self.written_bytes:
            _, loop, waiter = self._waiters.popleft()
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(_finish, waiter)

    def _write(self, events: list[Event]) -> None:
        if self._losing:
            events = self._with_markers(events)
        first_cursors: dict[GroupFiles, int] = {}
        for destination, numbers in _by_destination(events).items():
            group = destination.group
            destination.written_bytes += sum([len(events[n][2]) for n in numbers]) + len(numbers) * EVENT_OVERHEAD_BYTES
            try:
                if group not in first_cursors:
                    first_cursors[group] = group.take_cursors(len(events))
                self._write_batch(destination, first_cursors[group], events, numbers)
            except Exception as error:  # whatever it is, the thread goes on: other streams depend on it
                self._lose(destination, len(numbers), error)
            else:
                self._healthy = True
                self._losing.discard(destination)
                destination.lost_events = 0
        for group in first_cursors:
            group.settle()

    def _write_batch(self, destination: Destination, first: int, events: list[Event], numbers: Sequence[int]) -> None:
        """Write the events of one stream, those with `numbers` in `events`; event 0 has the cursor `first`."""
        messages = [events[number][2] for number in numbers]
        cursors = [first + number for number in numbers]
        text = b"\n".join(messages) + b"\n"
        segment, writer = self._segment_for(destination, cursors[0], len(text))
        times_ms = [events[number][1] for number in numbers]
        records = encode_records(cursors, times_ms, list(map(len, messages)), writer.log_bytes)
        try:
            writer.write(text, records)
        except OSError:
            self._retire(destination)
            destination.group.discard_if_empty(segment)
            raise
        size = disk_bytes(writer.log_bytes, writer.index_bytes)
        destination.group.wrote(segment, cursors[-1], size)
        destination.group.trim(self._group_bytes, segment)

    def _segment_for(self, destination: Destination, cursor: int, size_bytes: int) -> tuple[Segment, SegmentWriter]:
        """The segment that the stream's next events go to, open for writing."""
        segment, writer = destination.segment, destination.writer
        full = writer is not None and writer.log_bytes and writer.log_bytes + size_bytes > self._segment_bytes
        if segment is None or writer is None or segment.deleted or full:
            self._retire(destination)
            segment, writer = destination.group.new_segment(cursor, destination.name)
            destination.segment, destination.writer = segment, writer
        self._open_segments[writer] = None
        self._open_segments.move_to_end(writer)
        if len(self._open_segments) > _OPEN_SEGMENTS_MAX:
            self._open_segments.popitem(last=False)[0].suspend()
        return segment, writer

    def _retire(self, destination: Destination) -> None:
        """The stream's segment is full, gone or damaged: the next events begin another."""
        if destination.writer is not None:
            self._open_segments.pop(destination.writer, None)
            destination.writer.suspend()
        destination.segment = destination.writer = None

    def _lose(self, destination: Destination, count: int, error: Exception) -> None:
        if self._healthy:  # once, not per event: the disk is probably full
            self._healthy = False
            _log.error("log events of functions are lost: %s", error)
        if destination in self._losing:
            count -= 1  # the marker that would have told of the others
        destination.lost_events += count
        self._losing.add(destination)

    def _with_markers(self, events: list[Event]) -> list[Event]:
        """The events, and before a stream's first one a word on what it has lost, if it has."""
        marked: list[Event] = []
        untold = set(self._losing)
        for event in events:
            destination, timestamp_ms, _ = event
            if destination in untold:
                untold.remove(destination)
                marked.append((destination, timestamp_ms, dropped_marker(destination.lost_events)))
            marked.append(event)
        return marked


def _by_destination(events: list[Event]) -> dict[Destination, list[int]]:
    """The numbers of each stream's events; streams in order of their first one."""
    numbers: dict[Destination, list[int]] = {}
    previous, current = None, list[int]()
    for number, (destination, _, _) in enumerate(events):
        if destination is not previous:
            previous = destination
            current = numbers.setdefault(destination, [])
        current.append(number)
    return numbers


def dropped_marker(count: int) -> bytes:
    """The event that stands for events that could not be kept."""
    return f"[{count} log events dropped]".encode()


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
