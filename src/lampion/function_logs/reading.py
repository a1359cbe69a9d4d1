"""Reading the segments of a group as one sequence of events, in order of their cursors."""

import contextlib
import os
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

from lampion.function_logs.journal import LogEvent
from lampion.function_logs.segment import LOG_SUFFIX, Record, Segment, SegmentIndex, read_message

READ_MAX_BYTES: Final = 8 * 1024 * 1024
_RECORDS_PER_READ: Final = 512


def read_events(
    directory: Path, segments: list[Segment], *, after: int, to: int, limit: int, since_ms: int
) -> list[LogEvent]:
    """Up to `limit` events with `after` < cursor <= `to`; fewer when they would take more than READ_MAX_BYTES.

    `segments` are in order of their first cursors. What was deleted meanwhile or is damaged is passed over.
    """
    chosen: list[tuple[Record, Segment]] = []
    size_bytes = 0
    for record, segment in _merged(directory, segments, after, since_ms):
        size_bytes += record.length
        if record.cursor > to or (chosen and size_bytes > READ_MAX_BYTES):
            break
        chosen.append((record, segment))
        if len(chosen) >= limit:
            break
    return list(_with_messages(directory, chosen))


def _merged(directory: Path, segments: list[Segment], after: int, since_ms: int) -> Iterator[tuple[Record, Segment]]:
    """The records of all segments in order of their cursors; a segment is opened when its turn comes."""
    waiting = segments[::-1]
    heap: list[tuple[int, Record, Segment, Iterator[Record]]] = []
    while waiting or heap:
        if waiting and (not heap or waiting[-1].first_cursor < heap[0][0]):
            segment = waiting.pop()
            records = _records(directory, segment, after, since_ms)
        else:
            _, record, segment, records = heappop(heap)
            yield record, segment
        following = next(records, None)
        if following is not None:
            heappush(heap, (following.cursor, following, segment, records))


def _records(directory: Path, segment: Segment, after: int, since_ms: int) -> Iterator[Record]:
    """The records of one segment. No descriptor stays open in between: there may be thousands of segments."""
    number: int | None = None
    while True:
        records: list[Record] = []
        try:
            with SegmentIndex(directory, segment.stem) as index:
                segment.learn(index)
                if number is None:
                    number = index.first_after(after)
                while number < index.count and not records:
                    records = list(index.records(number, _RECORDS_PER_READ, since_ms))
                    number += _RECORDS_PER_READ
        except (OSError, ValueError):
            return
        if not records:
            return
        yield from records


def _with_messages(directory: Path, chosen: list[tuple[Record, Segment]]) -> Iterator[LogEvent]:
    for segment, pairs in groupby(chosen, key=itemgetter(1)):
        try:
            log = os.open(directory / (segment.stem + LOG_SUFFIX), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue
        with contextlib.closing(os.fdopen(log, "rb", buffering=0)):
            for record, _ in pairs:
                yield LogEvent(record.cursor, record.timestamp_ms, segment.stream or "", read_message(log, record))
