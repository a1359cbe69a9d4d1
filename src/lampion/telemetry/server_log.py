"""The server's own log: one line per event on stderr. Functions' output never passes through here."""

import logging
import sys
from datetime import UTC, datetime


class _Formatter(logging.Formatter):
    """`2026-11-21T03:04:05.678Z WARNING lampion.invoke message`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        moment = datetime.fromtimestamp(record.created, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def configure(level: int = logging.INFO) -> None:
    """Send the log of every room to stderr. Called once, by the composition root."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    root = logging.getLogger("lampion")
    root.handlers[:] = [handler]
    root.setLevel(level)
    root.propagate = False
