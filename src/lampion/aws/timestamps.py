"""The three timestamp formats of AWS protocols, as seconds since the epoch and back."""

import math
import re
from calendar import timegm
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_tz
from typing import Final

_ISO: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_SECONDS_MIN: Final = -62_135_596_800
_SECONDS_MAX: Final = 253_402_300_799


def from_unix(value: float) -> float:
    """Seconds given as a number. Raises ValueError outside the years 1 to 9999."""
    if not math.isfinite(value) or not _SECONDS_MIN <= value <= _SECONDS_MAX:
        raise ValueError("out of range")
    return float(value)


def from_text(text: str) -> float:
    """Seconds of an ISO 8601, RFC 822 or decimal text. Raises ValueError for anything else."""
    match = _ISO.fullmatch(text)
    if match is not None:
        moment = datetime.fromisoformat(match[1] + ("+00:00" if match[3] == "Z" else match[3]))
        return from_unix(moment.timestamp() + float(match[2] or 0))
    parts = parsedate_tz(text) if "," in text else None
    if parts is not None:
        return from_unix(timegm((*parts[:6], 0, 1, 0)) - (parts[9] or 0))
    return from_unix(float(text))


def to_text(seconds: float, timestamp_format: str) -> str:
    """`iso8601` (milliseconds only where there are some) or `rfc822`."""
    if timestamp_format == "rfc822":
        return formatdate(seconds, usegmt=True)
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    precision = "milliseconds" if moment.microsecond else "seconds"
    return f"{moment.isoformat(timespec=precision)}Z"
