"""The log store on disk: a directory per group, segments with an index per stream, one thread that writes.

An append only queues. What a crash loses is what was queued in the last moment; what is in the files stays readable.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Self

from lampion.function_logs.group import GroupFiles
from lampion.function_logs.journal import LogEvent, LogGroup
from lampion.function_logs.writing import EVENT_OVERHEAD_BYTES, FLUSH_BYTES, Destination, Writing, dropped_marker

BACKLOG_MAX_BYTES: Final = 64 * 1024 * 1024
_STREAM_SHARE: Final = 4  # a stream may have one part in so many of the backlog: a flood leaves its neighbours room


class FileStream:
    """A LogStream whose events go to files. Belongs to the event loop's thread, as all streams do."""

    __slots__ = ("_backlog_max_bytes", "_destination", "_dropped", "_dropped_at_ms", "_overflowing", "_writing")

    def __init__(
        self, writing: Writing, destination: Destination, overflowing: set["FileStream"], backlog_max_bytes: int
    ) -> None:
        self._writing = writing
        self._destination = destination
        self._overflowing = overflowing
        self._backlog_max_bytes = backlog_max_bytes
        self._dropped = 0
        self._dropped_at_ms = 0

    def append(self, timestamp_ms: int, message: bytes) -> None:
        """Queue one event; when the writer is too far behind, it is dropped and counted."""
        writing = self._writing
        if writing.queued_bytes - writing.written_bytes > FLUSH_BYTES:
            if self._is_full():
                self._drop(timestamp_ms)
                return
            if not writing.is_hurrying():
                writing.hurry()
        if self._dropped:
            self.tell_dropped()
        self._queue(timestamp_ms, message)

    def close(self) -> None:
        """Nothing more will come; pending events still get written."""
        self.tell_dropped()

    def tell_dropped(self) -> None:
        """Say in the log how many events were dropped, if any were."""
        if not self._dropped:
            return
        marker = dropped_marker(self._dropped)
        self._dropped = 0
        self._overflowing.discard(self)
        self._queue(self._dropped_at_ms, marker)

    def _queue(self, timestamp_ms: int, message: bytes) -> None:
        writing, destination = self._writing, self._destination
        size_bytes = len(message) + EVENT_OVERHEAD_BYTES
        writing.queued_bytes += size_bytes
        destination.queued_bytes += size_bytes
        writing.queue.append((destination, timestamp_ms, message))
        if not writing.awake:
            writing.wake()

    def _is_full(self) -> bool:
        writing, destination = self._writing, self._destination
        own_bytes = destination.queued_bytes - destination.written_bytes
        return (
            own_bytes > self._backlog_max_bytes // _STREAM_SHARE
            or writing.queued_bytes - writing.written_bytes > self._backlog_max_bytes
        )

    def _drop(self, timestamp_ms: int) -> None:
        self._dropped += 1
        self._dropped_at_ms = timestamp_ms
        self._overflowing.add(self)


class FileLogs:
    """FunctionLogs in a directory that it has to itself. Made by `open`."""

    def __init__(self, directory: Path, writing: Writing, backlog_max_bytes: int) -> None:
        self._directory = directory
        self._writing = writing
        self._backlog_max_bytes = backlog_max_bytes
        self._groups: dict[LogGroup, GroupFiles] = {}
        self._overflowing: set[FileStream] = set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, directory: Path, *, segment_bytes: int, group_bytes: int, backlog_max_bytes: int = BACKLOG_MAX_BYTES
    ) -> AsyncIterator[Self]:
        """The logs in `directory`; everything appended is written when the block ends.

        A segment takes up to `segment_bytes`; when a group takes more than `group_bytes` of the disk, its oldest
        segments are deleted. Up to `backlog_max_bytes` wait in memory. Reads nothing: groups are listed when used.
        """
        writing = Writing(segment_bytes=segment_bytes, group_bytes=group_bytes)
        writing.start()
        logs = cls(directory, writing, backlog_max_bytes)
        try:
            yield logs
        finally:
            logs._tell_dropped()
            await asyncio.shield(asyncio.to_thread(writing.stop))

    def open_stream(self, group: LogGroup, stream: str) -> FileStream:
        """A stream to append to. Touches no file."""
        files = self._groups.setdefault(group, GroupFiles(self._directory, group))
        destination = Destination(files, stream)
        return FileStream(self._writing, destination, self._overflowing, self._backlog_max_bytes)

    async def read(self, group: LogGroup, *, after: int, limit: int, since_ms: int = 0) -> Sequence[LogEvent]:
        """As FunctionLogs.read; fewer than `limit` when they are very large, but at least one if there is any.

        A group that can't be read shows nothing.
        """
        await self.flush()
        files = self._groups.get(group) or GroupFiles(self._directory, group)
        if limit <= 0 or files.has_nothing_after(after):
            return ()
        try:
            return await asyncio.to_thread(files.read, after, limit, since_ms)
        except OSError:
            return ()
        finally:
            self._remember(group, files)

    async def last_cursor(self, group: LogGroup) -> int:
        """The newest event's cursor; 0 when there is none."""
        await self.flush()
        files = self._groups.get(group) or GroupFiles(self._directory, group)
        try:
            return await asyncio.to_thread(files.last_cursor)
        except OSError:
            return 0
        finally:
            self._remember(group, files)

    async def flush(self) -> None:
        """Until everything appended so far is in the files."""
        self._tell_dropped()
        await self._writing.settled()

    def _remember(self, group: LogGroup, files: GroupFiles) -> None:
        """Keep what was learned of a group's files; groups that don't exist are nothing to keep."""
        if not files.is_empty():
            self._groups.setdefault(group, files)

    def _tell_dropped(self) -> None:
        for stream in list(self._overflowing):
            stream.tell_dropped()
