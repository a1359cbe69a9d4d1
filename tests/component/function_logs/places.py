"""Where the tests of the log store write, and how they look at it."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from lampion.function_logs.files import FileLogs
from lampion.function_logs.journal import FunctionLogs, LogEvent, LogGroup

HELLO = LogGroup("123456789012", "us-east-1", "/aws/lambda/hello")
STREAM = "2026/11/21/[$LATEST]6c2f1d0e8a7b4c5d9e0f1a2b3c4d5e6f"
MIB = 1024 * 1024


def open_files(
    directory: Path, *, segment_bytes: int = 16 * MIB, group_bytes: int = 1024 * MIB, backlog_max_bytes: int = 64 * MIB
) -> AbstractAsyncContextManager[FileLogs]:
    return FileLogs.open(
        directory, segment_bytes=segment_bytes, group_bytes=group_bytes, backlog_max_bytes=backlog_max_bytes
    )


async def everything(
    logs: FunctionLogs, group: LogGroup = HELLO, *, after: int = 0, page: int = 1000
) -> list[LogEvent]:
    """All events, read page by page."""
    found: list[LogEvent] = []
    while events := await logs.read(group, after=after, limit=page):
        found += events
        after = events[-1].cursor
    return found


async def messages(logs: FunctionLogs, group: LogGroup = HELLO, *, page: int = 1000) -> list[str]:
    return [event.message for event in await everything(logs, group, page=page)]
