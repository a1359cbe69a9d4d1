"""Responses as bytes. Pure but for the Date header, which is made once a second."""

from collections.abc import Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from lampion.clock.clock import Clock
from lampion.http.message import Response

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
BODILESS: Final = frozenset((204, 304))
_LARGE_BYTES: Final = 64 * 1024


class ResponseWriter:
    """Renders responses; one per listener."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._second = -1
        self._starts: dict[int, str] = {}  # by status, of this second

    def render(self, response: Response, *, close: bool, head_only: bool = False) -> Sequence[bytes]:
        """The whole answer, or its head alone. A large body is a part of its own: no copy is made of it."""
        body = response.body
        if response.status in BODILESS:
            return (self._head(response, "", close=close),)
        head = self._head(response, f"Content-Length: {len(body)}\r\n", close=close)
        if head_only:
            return (head,)
        return (head, body) if len(body) > _LARGE_BYTES else (head + body,)

    def render_head(self, response: Response, *, close: bool, is_chunked: bool) -> bytes:
        """The head of an answer whose body follows: in chunks, or until the connection ends."""
        return self._head(response, "Transfer-Encoding: chunked\r\n" if is_chunked else "", close=close)

    def _head(self, response: Response, framing: str, *, close: bool) -> bytes:
        second = int(self._clock.now())
        if second != self._second:
            self._second = second
            self._starts.clear()
        start = self._starts.get(response.status) or self._start(response.status)
        headers = response.headers
        if not isinstance(headers, str):
            pairs = headers.items() if isinstance(headers, dict) else headers
            headers = "".join([f"{name}: {value}\r\n" for name, value in pairs])
        end = "Connection: close\r\n\r\n" if close else "\r\n"
        return f"{start}{headers}{framing}{end}".encode("latin-1", "replace")

    def _start(self, status: int) -> str:
        """What all answers of one status begin with in this second."""
        status_line = _STATUS_LINES.get(status) or f"HTTP/1.1 {status} Status\r\n"
        start = self._starts[status] = f"{status_line}Date: {formatdate(self._second, usegmt=True)}\r\n"
        return start
