"""The server's own log: one line per event on stderr. Functions' output never passes through here."""

import logging
import sys
import time


class _Formatter(logging.Formatter):
    """`2026-11-21T03:04:05.678Z WARNING lampion.invoke message`."""

    converter = time.gmtime

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")


def configure(level: int = logging.INFO) -> None:
    """Send the log of every room to stderr. Called once, by the composition root."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    root = logging.getLogger("lampion")
    root.handlers[:] = [handler]
    root.setLevel(level)
    root.propagate = False
