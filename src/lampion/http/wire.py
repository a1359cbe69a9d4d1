"""Responses as bytes. Pure but for the Date header, which is made once a second."""

from collections.abc import Mapping, Sequence
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
        self._date = ""

    def render(self, response: Response, *, close: bool, head_only: bool = False) -> Sequence[bytes]:
        """The whole answer, or its head alone. A large body is a part of its own: no copy is made of it."""
        is_bodiless = response.status in BODILESS
        length = "" if is_bodiless else f"Content-Length: {len(response.body)}\r\n"
        head = self._head(response, length, close=close)
        if head_only or is_bodiless:
            return (head,)
        return (head, response.body) if len(response.body) > _LARGE_BYTES else (head + response.body,)

    def render_head(self, response: Response, *, close: bool, is_chunked: bool) -> bytes:
        """The head of an answer whose body follows: in chunks, or until the connection ends."""
        return self._head(response, "Transfer-Encoding: chunked\r\n" if is_chunked else "", close=close)

    def _head(self, response: Response, framing: str, *, close: bool) -> bytes:
        second = int(self._clock.now())
        if second != self._second:
            self._second = second
            self._date = f"Date: {formatdate(second, usegmt=True)}\r\n"
        status_line = _STATUS_LINES.get(response.status) or f"HTTP/1.1 {response.status} Status\r\n"
        headers = response.headers.items() if isinstance(response.headers, Mapping) else response.headers
        end = "Connection: close\r\n\r\n" if close else "\r\n"
        lines = [status_line, self._date, *[f"{name}: {value}\r\n" for name, value in headers], framing, end]
        return "".join(lines).encode("latin-1", "replace")
