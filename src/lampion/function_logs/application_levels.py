"""Which of a function's own lines its application log level keeps out of the log. Pure.

Source: Lambda developer guide, page "Log-level filtering": with LogFormat JSON, a JSON object tells its level by the
member `level` if it has a valid time as well, and else has level INFO. What isn't one is kept.
"""

import re
from typing import Final

import msgspec

_LEVELS: Final = {"TRACE": 0, "DEBUG": 1, "INFO": 2, "WARN": 3, "WARNING": 3, "ERROR": 4, "FATAL": 5, "CRITICAL": 5}
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")


class _Told(msgspec.Struct):
    """What a line tells of itself. AWS knows "most common" names of the time without listing them."""

    level: msgspec.Raw = msgspec.Raw(b"null")
    timestamp: msgspec.Raw = msgspec.Raw(b"null")
    time: msgspec.Raw = msgspec.Raw(b"null")
    at_timestamp: msgspec.Raw = msgspec.field(name="@timestamp", default=msgspec.Raw(b"null"))


_DECODER: Final = msgspec.json.Decoder(_Told)


class ApplicationLevel:
    """A level that JSON lines must have at least."""

    def __init__(self, level: str) -> None:
        self._least = _LEVELS.get(level, _LEVELS["INFO"])

    def hides(self, line: bytes) -> bool:
        if not line.startswith(b"{"):
            return False
        try:
            told = _DECODER.decode(line)
        except msgspec.DecodeError:
            return False
        return _level(told) < self._least


def application_level(log_format: str, level: str | None) -> ApplicationLevel | None:
    """What hides lines of a function so configured; None when nothing does."""
    if log_format != "JSON" or level is None or _LEVELS.get(level) == _LEVELS["TRACE"]:
        return None
    return ApplicationLevel(level)


def _level(told: _Told) -> int:
    times = (told.timestamp, told.time, told.at_timestamp)
    if not any(_RFC_3339.fullmatch(_text(time)) for time in times):
        return _LEVELS["INFO"]
    return _LEVELS.get(_text(told.level).upper(), _LEVELS["INFO"])


def _text(value: msgspec.Raw) -> str:
    """A JSON text; empty for a value of another kind, and for bytes that are no text."""
    raw = bytes(value)
    try:
        return str(msgspec.json.decode(raw)) if raw.startswith(b'"') else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
