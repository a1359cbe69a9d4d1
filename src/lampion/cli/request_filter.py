"""Which lines of a log one invocation wrote: pure, fed event by event."""

import json
import re
from typing import Final

_START: Final = re.compile(r"START RequestId: (\S+)")


class RequestFilter:
    """Admits what a stream says between an invocation's START and the next one.

    A stream is written by one execution environment, which runs one invocation at a time.
    """

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id
        self._current: dict[str, str] = {}

    def admits(self, stream: str, message: str) -> bool:
        started = _started_request(message)
        if started is not None:
            self._current[stream] = started
        return self._current.get(stream) == self._request_id


def _started_request(message: str) -> str | None:
    """The id in a START line, in its text or JSON form."""
    match = _START.match(message)
    if match is not None:
        return match[1]
    if '"platform.start"' not in message:
        return None
    try:
        record = json.loads(message)
        return str(record["record"]["requestId"]) if record["type"] == "platform.start" else None
    except (ValueError, KeyError, TypeError):
        return None
