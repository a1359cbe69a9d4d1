"""The log store in memory: the twin of the one on disk, for tests and simulation."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from itertools import islice

from lampion.function_logs.journal import LogEvent, LogGroup


class _Events:
    """One group's events, the oldest given up beyond `events_max`."""

    def __init__(self, events_max: int) -> None:
        self.kept: deque[LogEvent] = deque(maxlen=events_max)
        self.last_cursor = 0

    def append(self, timestamp_ms: int, stream: str, message: bytes) -> None:
        self.last_cursor += 1
        self.kept.append(LogEvent(self.last_cursor, timestamp_ms, stream, message.decode("utf-8", "replace")))


class MemoryStream:
    """A LogStream of MemoryLogs."""

    def __init__(self, events: _Events, name: str) -> None:
        self._events = events
        self._name = name

    def append(self, timestamp_ms: int, message: bytes) -> None:
        self._events.append(timestamp_ms, self._name, message)

    def close(self) -> None:
        """Nothing is held back, so nothing is left to do."""


class MemoryLogs:
    """FunctionLogs that end with the process; `events_max` per group."""

    def __init__(self, events_max: int = 100_000) -> None:
        self._events_max = events_max
        self._groups: dict[LogGroup, _Events] = {}

    def open_stream(self, group: LogGroup, stream: str) -> MemoryStream:
        return MemoryStream(self._groups.setdefault(group, _Events(self._events_max)), stream)

    async def read(self, group: LogGroup, *, after: int, limit: int, since_ms: int = 0) -> Sequence[LogEvent]:
        events = self._groups.get(group)
        if events is None:
            return ()
        start = bisect_right(events.kept, after, key=lambda event: event.cursor)
        wanted = (event for event in islice(events.kept, start, None) if event.timestamp_ms >= since_ms)
        return list(islice(wanted, max(0, limit)))

    async def last_cursor(self, group: LogGroup) -> int:
        events = self._groups.get(group)
        return 0 if events is None else events.last_cursor

    async def flush(self) -> None:
        """Everything is where it stays."""
