"""A keep-alive connection that sends what no HTTP library would, byte by byte as told."""

import http.client
import socket
import time
from contextlib import suppress
from urllib.parse import urlsplit

from tests.conformance.bad_requests.case import HttpRequest
from tests.conformance.bad_requests.oracle import Answer

_PATIENCE_SECONDS = 10.0
"""Longer than an answer may take, so that it is seen how long it takes."""


class Connection:
    """To one server. Opens again when the server has closed it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._address = (parts.hostname, parts.port)
        self._host = parts.netloc
        self._socket: socket.socket | None = None

    def send(self, request: HttpRequest) -> Answer:
        """The answer; status 0 when the server closes without one, or says nothing for 10 seconds."""
        return self.send_bytes(as_bytes(request, self._host), method=request.method)

    def send_bytes(self, wire: bytes, *, method: str = "GET", alone: bool = False) -> Answer:
        """`alone` means a connection that nothing else has been or will be sent on."""
        started = time.monotonic()
        fresh = alone or self._socket is None
        answer = self._exchange(wire, method, fresh=fresh)
        if answer.status == 0 and not fresh and time.monotonic() - started < _PATIENCE_SECONDS / 2:
            # The server may have closed the kept connection just before it read this.
            answer = self._exchange(wire, method, fresh=True)
        if alone:
            self.close()
        seconds = time.monotonic() - started
        return Answer(answer.status, answer.headers, answer.body, seconds)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, wire: bytes, method: str, *, fresh: bool) -> Answer:
        if fresh:
            self.close()
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=_PATIENCE_SECONDS)
        with suppress(ConnectionError):  # refused in the middle of a large request: the answer is there to be read
            self._socket.sendall(wire)
        response = http.client.HTTPResponse(self._socket, method=method)
        try:
            response.begin()
            body = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return Answer(0)
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        if response.will_close:
            self.close()
        return Answer(response.status, headers, body)


def as_bytes(request: HttpRequest, host: str) -> bytes:
    """HTTP/1.1; texts go out as UTF-8, whatever is in them."""
    names = {name.lower() for name, _ in request.headers}
    headers = list(request.headers)
    if "host" not in names:
        headers.insert(0, ("Host", host))
    if "content-length" not in names and (request.body or request.method in {"POST", "PUT"}):
        headers.append(("Content-Length", str(len(request.body))))
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogatepass") + request.body
