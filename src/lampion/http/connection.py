"""One connection: bytes in, requests to the application one at a time, responses out.

Whatever a client sends, it costs a bounded amount of memory and time, and gets an answer or a closed socket.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, cast

import httptools

from lampion.http.application import Application
from lampion.http.message import JSON, Request, RequestHead, Response

if TYPE_CHECKING:
    from lampion.http.server import HttpServer

_PIPELINE_DEPTH = 16

_USUAL_NAMES = {
    spelling.encode(): name.lower()
    for name in (
        "Host",
        "User-Agent",
        "Accept",
        "Accept-Encoding",
        "Authorization",
        "Content-Type",
        "Content-Length",
        "Connection",
        "Expect",
        "Amz-Sdk-Invocation-Id",
        "Amz-Sdk-Request",
        "X-Amz-Date",
        "X-Amz-Invocation-Type",
        "X-Amz-Log-Type",
        "X-Amzn-Trace-Id",
        "X-Amz-User-Agent",
        "X-Amz-Content-Sha256",
        "Lambda-Runtime-Invocation-Id",
        "Lambda-Runtime-Function-Error-Type",
    )
    for spelling in (name, name.lower())
}
"""Header names as clients of Lambda spell them, so that most needn't be decoded and lowered each time."""


class _Phase(Enum):
    """What the client owes us, which is what its silence is measured against."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()


class _Refused(Exception):
    """Malformed or oversized: answer with `status` and close."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = Response(status, b'{"message":"%s"}' % message.encode(), {"Content-Type": JSON}, close=True)


class _Exchange:
    """A request in work. The connection writes its answer when its turn comes."""

    __slots__ = ("_connection", "_disconnected", "close", "head_only", "response")

    def __init__(self, connection: "Connection", *, close: bool, head_only: bool) -> None:
        self._connection = connection
        self._disconnected: Callable[[], object] | None = None
        self.close = close
        self.head_only = head_only
        self.response: Response | None = None

    def respond(self, response: Response) -> None:
        if self.response is None:
            self.response = response
            self._connection.flush()

    def on_disconnect(self, action: Callable[[], object]) -> None:
        self._disconnected = action

    def disconnect(self) -> None:
        if self.response is None and self._disconnected is not None:
            self._disconnected()


class Connection(asyncio.Protocol):
    """asyncio's protocol for one client; callbacks without underscore are httptools'."""

    __slots__ = (
        "_allowance",
        "_application",
        "_body",
        "_body_bytes",
        "_client",
        "_close_after",
        "_discarding",
        "_exchanges",
        "_head",
        "_header_bytes",
        "_header_bytes_max",
        "_headers",
        "_held_bytes",
        "_is_parsing",
        "_is_timed",
        "_parser",
        "_paused_reading",
        "_paused_writing",
        "_phase",
        "_refusal",
        "_server",
        "_since",
        "_transport",
        "_url",
    )

    def __init__(self, server: "HttpServer", application: Application) -> None:
        self._server = server
        self._application = application
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._exchanges: deque[_Exchange] = deque()
        self._phase = _Phase.IDLE
        self._header_bytes_max = server.limits.header_bytes
        self._is_timed = server.limits.check_seconds is not None
        self._since = server.clock.monotonic()
        self._held_bytes = 0
        self._paused_writing = False
        self._paused_reading = False
        self._close_after = False
        self._client = ""
        self._is_parsing = False
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._header_bytes = 0
        self._head: RequestHead | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._allowance = 0
        self._discarding = False
        self._refusal: Response | None = None

    # -- asyncio.Protocol --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        peer = transport.get_extra_info("peername")
        self._client = str(peer[0]) if isinstance(peer, tuple) else ""
        if not self._server.admit(self):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._let_go()
        self._server.forget(self)
        exchanges, self._exchanges = self._exchanges, deque()
        for exchange in exchanges:
            exchange.disconnect()

    def data_received(self, data: bytes) -> None:
        if self._close_after:
            return
        self._is_parsing = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._close_after = True  # the request itself was served; whatever protocol follows isn't spoken here
        except httptools.HttpParserError as error:
            cause = error.__context__
            refused = cause if isinstance(cause, _Refused) else _Refused(400, "Bad request")
            self._refuse(refused.response)
        self._is_parsing = False
        self.flush()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._paused_writing = True
        self._mark_time()
        self._update_reading()

    def resume_writing(self) -> None:
        self._paused_writing = False
        self.flush()

    # -- httptools --

    def on_message_begin(self) -> None:
        self._phase = _Phase.HEAD
        self._mark_time()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._header_bytes += len(url)
        if self._header_bytes > self._header_bytes_max:
            raise _Refused(431, "Request head too large")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > self._header_bytes_max:
            raise _Refused(431, "Request head too large")
        key, text = _USUAL_NAMES.get(name) or name.decode("latin-1").lower(), value.decode("latin-1")
        headers = self._headers
        if key in headers:
            if key in ("host", "authorization", "content-length"):
                raise _Refused(400, f"Repeated header {key}")
            text = f"{headers[key]},{text}"
        headers[key] = text

    def on_headers_complete(self) -> None:
        self._phase = _Phase.BODY
        if len(self._headers) > self._server.limits.header_count:
            raise _Refused(431, "Too many headers")
        path, _, query = self._url.decode("latin-1").partition("?")
        headers = self._headers
        length = int(headers["content-length"]) if "content-length" in headers else None
        chunked = "transfer-encoding" in headers
        head = RequestHead(
            method=self._parser.get_method().decode("ascii"),
            path=path,
            query=query,
            headers=headers,
            content_length=None if chunked else length or 0,
            client=self._client,
        )
        self._head = head
        verdict = self._application.accept(head)
        if isinstance(verdict, Response):
            self._discard(verdict)
            return
        self._allowance = verdict
        if length is not None and length > verdict:
            self._discard(self._application.too_large(head))
        elif headers.get("expect", "").lower() == "100-continue" and self._transport and not self._exchanges:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._discarding:
            if self._body_bytes > self._server.limits.discard_bytes:
                raise _Refused(413, "Request body too large")
            return
        if self._body_bytes > self._allowance:
            assert self._head is not None
            self._discard(self._application.too_large(self._head))
            return
        self._hold(len(body))
        self._body.append(body)

    def on_message_complete(self) -> None:
        head, refusal = self._head, self._refusal
        assert head is not None
        body = b"".join(self._body) if len(self._body) != 1 else self._body[0]
        close = not self._parser.should_keep_alive() or self._server.closing
        self._phase = _Phase.IDLE
        discarding = self._discarding
        if self._held_bytes:
            self._let_go()
        self._reset()
        if discarding and refusal is None:
            return  # refused and answered while the body was still coming
        exchange = _Exchange(self, close=close, head_only=head.method == "HEAD")
        self._exchanges.append(exchange)
        if len(self._exchanges) > _PIPELINE_DEPTH:
            self._update_reading()
        if refusal is not None:
            exchange.respond(refusal)
        else:
            self._application.start(Request(head, body), exchange)

    # -- our own --

    def _hold(self, size_bytes: int) -> None:
        """Count what has come of a body; all connections together may hold only so much of unfinished ones."""
        self._held_bytes += size_bytes
        self._server.usage.held_bytes += size_bytes
        if self._server.usage.held_bytes > self._server.limits.held_bytes:
            raise _Refused(503, "Too much is being uploaded at once")

    def _let_go(self) -> None:
        self._server.usage.held_bytes -= self._held_bytes
        self._held_bytes = 0

    def _mark_time(self) -> None:
        """From here on the client's time counts; where nobody checks it, it isn't asked for."""
        if self._is_timed:
            self._since = self._server.clock.monotonic()

    def _discard(self, refusal: Response) -> None:
        """Answer `refusal`, and swallow the body so that the client lives to read the answer."""
        self._discarding = True
        self._body.clear()
        self._let_go()
        self._refusal = refusal
        if self._exchanges or self._head is None or self._head.content_length == 0:
            return  # answered in its turn, when the message is complete
        self._refusal = None
        exchange = _Exchange(self, close=not self._parser.should_keep_alive(), head_only=False)
        self._exchanges.append(exchange)
        exchange.respond(refusal)

    def _refuse(self, response: Response) -> None:
        exchange = _Exchange(self, close=True, head_only=False)
        self._exchanges.append(exchange)
        exchange.respond(response)
        self._close_after = True

    def flush(self) -> None:
        """Write every answer whose turn has come, in one go; what a chunk of input asks for is answered after it."""
        transport = self._transport
        if transport is None or self._is_parsing or self._paused_writing:
            return
        close = False
        rendered: list[bytes] = []
        while self._exchanges and not close:
            exchange = self._exchanges[0]
            response = exchange.response
            if response is None:
                break
            self._exchanges.popleft()
            close = exchange.close or response.close
            rendered.append(self._server.writer.render(response, close=close, head_only=exchange.head_only))
        if rendered:
            transport.write(rendered[0] if len(rendered) == 1 else b"".join(rendered))
            self._mark_time()
        if close:
            self._close_after = True
            transport.close()
        self._update_reading()

    def _update_reading(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        pause = self._paused_writing or len(self._exchanges) > _PIPELINE_DEPTH
        if pause is not self._paused_reading:
            self._paused_reading = pause
            if pause:
                transport.pause_reading()
            else:
                transport.resume_reading()

    def close_if_idle(self) -> bool:
        """Close now unless an answer is owed; whether it was closed."""
        if self._exchanges or self._phase is not _Phase.IDLE:
            return False
        self.abort()
        return True

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def check_silence(self, now: float) -> None:
        """End the connection when the client takes longer than its phase allows."""
        limits = self._server.limits
        if self._paused_writing:
            allowed = limits.write_silence_seconds
        elif self._phase is _Phase.HEAD:
            allowed = limits.head_seconds
        elif self._phase is _Phase.BODY:
            allowed = limits.head_seconds + limits.body_grace_seconds + self._body_bytes / limits.body_bytes_per_second
        elif self._exchanges:
            return
        else:
            allowed = limits.idle_seconds
        if now - self._since > allowed:
            self.abort()
