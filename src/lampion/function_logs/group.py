"""The files of one log group: the catalog of its segments, the cursors it gives out, its size, reading it."""

import contextlib
import os
import threading
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Final

import msgspec

from lampion.function_logs.journal import LogEvent, LogGroup
from lampion.function_logs.names import file_name
from lampion.function_logs.reading import read_events
from lampion.function_logs.segment import INDEX_SUFFIX, LOG_SUFFIX, Segment, SegmentIndex, SegmentWriter, disk_bytes

_GROUP_FILE: Final = "group.json"
_CURSORS_RESERVED: Final = 1_000_000
_CURSOR_DIGITS: Final = 16


class _Description(msgspec.Struct):
    """What stands in the group's own file: its real name, and a bound that no cursor given out so far has reached."""

    account_id: str
    region: str
    name: str
    cursors_below: int


_DESCRIPTION: Final = msgspec.json.Decoder(_Description)
"""Made here: msgspec isn't safe where several threads are the first to decode a class."""


class GroupFiles:
    """One group. Its methods touch the disk; one thread writes, others may read at the same time."""

    def __init__(self, root: Path, group: LogGroup) -> None:
        self.directory = root / file_name(group.account_id) / file_name(group.region) / file_name(group.name)
        self._next_cursor = 0  # the writer's, once loaded
        self._group = group
        self._lock = threading.Lock()
        self._loaded = False
        self._segments: list[Segment] = []  # oldest first
        self._disk_bytes = 0
        self._cursors_below = 0
        self._settled_cursor = 0  # what has a cursor up to this is written; beyond, one stream may be ahead of another
        self._written_cursor = 0  # the highest that was written by this process
        self._newest: int | None = None  # the newest event's cursor, None until it is known

    # -- writing --

    def take_cursors(self, count: int) -> int:
        """The first of `count` cursors that follow one another and were never given out. Raises OSError."""
        self.load()
        first = self._next_cursor
        if first + count > self._cursors_below:
            self._reserve_cursors(first + count + _CURSORS_RESERVED)
        self._next_cursor = first + count
        return first

    def _reserve_cursors(self, below: int) -> None:
        """Make sure that, whatever happens, no cursor under `below` is given out after a restart."""
        group = self._group
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = msgspec.json.encode(_Description(group.account_id, group.region, group.name, below))
        path = self.directory / _GROUP_FILE
        new = path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        self._cursors_below = below

    def new_segment(self, first_cursor: int, stream: str) -> tuple[Segment, SegmentWriter]:
        """A segment for events from `first_cursor` on, with its files. Raises OSError."""
        stem = f"{first_cursor:0{_CURSOR_DIGITS}x}.{file_name(stream)}"
        segment = Segment(first_cursor, stem, 0, stream, 0)
        try:
            writer = SegmentWriter(self.directory, stem, stream)
        except OSError:
            self._delete(segment)
            raise
        with self._lock:
            self._segments.append(segment)
        return segment, writer

    def wrote(self, segment: Segment, last_cursor: int, segment_disk_bytes: int) -> None:
        """The segment has grown, and its newest event is `last_cursor`."""
        with self._lock:
            if not segment.deleted:
                self._disk_bytes += segment_disk_bytes - segment.disk_bytes
                segment.disk_bytes = segment_disk_bytes
            segment.last_cursor = last_cursor
            self._written_cursor = max(self._written_cursor, last_cursor)

    def settle(self) -> None:
        """All events with a cursor so far are written, or lost: readers may see what there is."""
        self._settled_cursor = self._next_cursor - 1
        if self._written_cursor:
            self._newest = self._written_cursor

    def discard_if_empty(self, segment: Segment) -> None:
        """Forget a segment to which nothing could be written."""
        with self._lock:
            if segment.last_cursor == 0 and segment in self._segments:
                self._segments.remove(segment)
                self._delete(segment)

    def trim(self, group_bytes: int, keep: Segment) -> None:
        """Delete the oldest segments, but never `keep`, until the group takes no more than `group_bytes`."""
        if self._disk_bytes <= group_bytes:
            return
        with self._lock:
            number, kept = 0, []
            while self._disk_bytes > group_bytes and number < len(self._segments):
                segment = self._segments[number]
                number += 1
                if segment is keep:
                    kept.append(segment)
                else:
                    self._delete(segment)
            self._segments[:number] = kept

    def _delete(self, segment: Segment) -> None:
        self._disk_bytes -= segment.disk_bytes
        segment.deleted = True
        for suffix in (INDEX_SUFFIX, LOG_SUFFIX):
            with contextlib.suppress(OSError):
                (self.directory / (segment.stem + suffix)).unlink(missing_ok=True)

    # -- reading --

    def load(self) -> None:
        """List what is there, the first time. Raises OSError."""
        with self._lock:
            if self._loaded:
                return
            self._segments = sorted(_segments_in(self.directory), key=attrgetter("first_cursor"))
            self._disk_bytes = sum(segment.disk_bytes for segment in self._segments)
            self._cursors_below = bound = self._read_bound()
            if not self._segments:
                self._newest = 0
            elif bound <= self._segments[-1].first_cursor:  # lost, or damaged
                bound = self._newest_cursor() + 1
            self._next_cursor = max(1, bound)
            self._settled_cursor = self._next_cursor - 1
            self._loaded = True

    def is_empty(self) -> bool:
        """True when it is listed and nothing is there."""
        return self._loaded and not self._segments

    def has_nothing_after(self, cursor: int) -> bool:
        """True when that is known without touching the disk."""
        return self._newest is not None and self._newest <= cursor

    def last_cursor(self) -> int:
        """The newest event's cursor on disk, 0 when there is none. Raises OSError."""
        self.load()
        if self._newest is not None:
            return self._newest
        settled = self._settled_cursor
        newest = min(settled, self._newest_cursor())
        if settled == self._settled_cursor:  # else the writer knows better by now
            self._newest = newest
        return newest

    def read(self, after: int, limit: int, since_ms: int) -> list[LogEvent]:
        """As FunctionLogs.read. Raises OSError."""
        self.load()
        settled = self._settled_cursor
        with self._lock:
            segments = [s for s in self._segments if s.last_cursor is None or s.last_cursor > after]
        return read_events(self.directory, segments, after=after, to=settled, limit=limit, since_ms=since_ms)

    def _newest_cursor(self) -> int:
        """From the indexes themselves: opens every one that isn't known yet."""
        newest = 0
        for segment in list(self._segments):
            if segment.last_cursor is None:
                with contextlib.suppress(OSError, ValueError), SegmentIndex(self.directory, segment.stem) as index:
                    segment.learn(index)
            newest = max(newest, segment.first_cursor, segment.last_cursor or 0)
        return newest

    def _read_bound(self) -> int:
        """The bound in the group's own file; 0 when it is missing or damaged."""
        try:
            text = (self.directory / _GROUP_FILE).read_bytes()
            return max(0, _DESCRIPTION.decode(text).cursors_below)
        except (OSError, msgspec.DecodeError):
            return 0


def _segments_in(directory: Path) -> Iterator[Segment]:
    try:
        entries = os.scandir(directory)
    except FileNotFoundError:
        return
    sizes: dict[str, int] = {}
    with entries:
        for entry in entries:
            stem, suffix = os.path.splitext(entry.name)  # noqa: PTH122 - twice as fast, and there may be thousands
            if suffix in (INDEX_SUFFIX, LOG_SUFFIX) and entry.is_file(follow_symlinks=False):
                size = disk_bytes(entry.stat(follow_symlinks=False).st_size)
                sizes[stem] = sizes.get(stem, 0) + size
    for stem, size in sizes.items():
        try:
            first_cursor = int(stem[:_CURSOR_DIGITS], 16)
        except ValueError:
            continue
        yield Segment(first_cursor, stem, size)
