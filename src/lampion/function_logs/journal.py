"""The contract of the log store: groups hold streams, streams hold events in order of writing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LogGroup:
    """A log group of one account and region, such as /aws/lambda/hello."""

    account_id: str
    region: str
    name: str


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event. `cursor` orders all events of a group by arrival and never repeats; resume reading after it."""

    cursor: int
    timestamp_ms: int
    stream: str
    message: str


class LogStream(Protocol):
    """Where one execution environment writes."""

    def append(self, timestamp_ms: int, message: bytes) -> None:
        """Add one event (without its final newline). Never blocks and never raises: written in batches."""

    def close(self) -> None:
        """Nothing more will come; pending events still get written."""


class FunctionLogs(Protocol):
    """All groups. Reads see everything appended before the call, written or not."""

    def open_stream(self, group: LogGroup, stream: str) -> LogStream: ...

    async def read(self, group: LogGroup, *, after: int, limit: int, since_ms: int = 0) -> Sequence[LogEvent]:
        """Up to `limit` events with cursor > `after` and timestamp >= `since_ms`, oldest first."""

    async def last_cursor(self, group: LogGroup) -> int:
        """The newest event's cursor; 0 when there is none."""

    async def flush(self) -> None:
        """Until everything appended so far is in the files."""
