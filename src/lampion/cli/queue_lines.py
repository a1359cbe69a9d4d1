"""How `lampion queue` writes queues and entries for people."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

_TITLES: Final = ("QUEUE", "RUNNING", "DUE", "LATER", "FAILED", "NEXT ACCEPTED")
_COUNTS: Final = ("due", "later", "failed")


def queue_lines(pages: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A table; counts that stop at a limit say so."""
    rows = [_TITLES, *(_row(queue, page) for page in pages for queue in page["queues"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        yield "  ".join((row[0].ljust(widths[0]), *cells))


def entry_line(one: dict[str, Any], now_epoch_ms: int) -> str:
    """What waits: when it was accepted, whose it is, and when it is due."""
    seconds = (one["due_epoch_ms"] - now_epoch_ms) / 1000
    due = "due" if seconds <= 0 else f"due in {span(seconds)}"
    return f"{moment(one['accepted_epoch_ms'])} {one['request_id']} {due}, {_meaning(one)}"


def failed_line(one: dict[str, Any], now_epoch_ms: int) -> str:
    """What failed: when, its number and whose it is, and why."""
    ago = span(max(0, now_epoch_ms - one["ended_epoch_ms"]) / 1000)
    ended = f"{moment(one['ended_epoch_ms'])} {one['request_id']} {one['ending']} {ago} ago"
    return f"{ended}, number {one['number']}, {_meaning(one)}"


def moment(epoch_ms: int) -> str:
    """UTC, to the millisecond."""
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{milliseconds:03d}Z"


def span(seconds: float) -> str:
    """The largest two units: 45s, 3m20s, 5h2m, 2d3h."""
    whole = int(seconds)
    for size, unit, smaller_size, smaller in ((86_400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller_size
            return f"{whole // size}{unit}" + (f"{rest}{smaller}" if rest else "")
    return f"{whole}s"


def _row(queue: dict[str, Any], page: dict[str, Any]) -> tuple[str, ...]:
    most = page["counted_to"]
    counts = (f">{most}" if queue[name] > most else str(queue[name]) for name in _COUNTS)
    first = queue["first"]
    age = "-"
    if first is not None:
        age = f"{span(max(0, page['now_epoch_ms'] - first['accepted_epoch_ms']) / 1000)} ago"
    return (queue["name"], str(queue["running"]), *counts, age)


def _meaning(one: dict[str, Any]) -> str:
    size = f"{one['payload_bytes']} bytes"
    if "purpose" in one:
        return f"{one['purpose']} of {one['function_arn']}, {size}"
    qualifier = f"qualifier {one['qualifier']}, " if one["qualifier"] else ""
    attempts = f"attempts {one['attempts']}, " if "attempts" in one else ""
    return f"{qualifier}{attempts}{size}"
