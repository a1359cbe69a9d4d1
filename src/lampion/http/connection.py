"""One connection: bytes in, requests to the application one at a time, responses out.

Whatever a client sends, it costs a bounded amount of memory and time, and gets an answer or a closed socket.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import httptools

from lampion.http.application import Application, Body
from lampion.http.exchange import OpenExchange, StreamedBody
from lampion.http.header_names import USUAL_NAMES
from lampion.http.incoming import OpenBody
from lampion.http.large_body import LARGE_BYTES, LargeBody
from lampion.http.message import Request, RequestHead, Response, client_of
from lampion.http.prompt import acknowledge_part
from lampion.http.refused import Refused
from lampion.http.silence import Phase, allowed_seconds

if TYPE_CHECKING:
    from lampion.http.server import HttpServer

_PIPELINE_DEPTH = 16
_IN_PIECES = Body.IN_PIECES
_IDLE, _HEAD, _BODY = Phase.IDLE, Phase.HEAD, Phase.BODY  # to look one up in its class is dear


class Connection(asyncio.Protocol):
    """asyncio's protocol for one client; callbacks without underscore are httptools'."""

    __slots__ = (
        "_allowance", "_application", "_body", "_body_bytes", "_client", "_close_after", "_discarding", "_exchanges",
        "_expected_bytes", "_head", "_header_bytes", "_header_bytes_max", "_headers", "_held_back", "_held_bytes",
        "_incoming", "_is_parsing", "_parser", "_paused_reading", "_paused_writing", "_phase", "_refusal", "_server",
        "_since", "_told_bytes", "_transport", "_untold_bytes", "_url",
    )  # fmt: skip

    def __init__(self, server: "HttpServer", application: Application) -> None:
        self._server = server
        self._application = application
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._exchanges: deque[OpenExchange] = deque()
        self._phase = _IDLE
        self._header_bytes_max = server.limits.header_bytes
        self._since: float | None = None  # the first check tells: to ask the clock at each request is dear
        self._held_bytes = 0
        self._paused_writing = False
        self._paused_reading = False
        self._held_back = False
        self._close_after = False
        self._client = ""
        self._is_parsing = False
        self._untold_bytes = 0
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._header_bytes = 0
        self._head: RequestHead | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._allowance = 0
        self._expected_bytes = 0
        self._discarding = False
        self._refusal: Response | None = None
        self._incoming: OpenBody | None = None
        self._told_bytes = -1  # nothing yet: the piece of input in which a message begins isn't all its own

    # -- asyncio.Protocol --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        self._client = client_of(transport.get_extra_info("peername"))
        if not self._server.admit(self):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._let_go()
        self._server.forget(self)
        if self._incoming is not None:
            self._incoming.break_off()
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
            refused = cause if isinstance(cause, Refused) else Refused(400, "Bad request")
            self._refuse(refused.response)
        self._is_parsing = False
        if self._phase is not _IDLE:
            self._bound_untold(len(data))
            acknowledge_part(self._server.limits, self._transport, self._body_bytes)
        if self._body:
            self._expect_rest()
        if self._exchanges and self._exchanges[0].response is not None:
            self.flush()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._paused_writing = True
        self._since = None
        self._update_reading()

    def resume_writing(self) -> None:
        self._paused_writing = False
        if self._exchanges and self._exchanges[0].body is not None:
            self._exchanges[0].body.wake()
        self.flush()

    # -- httptools --

    def on_message_begin(self) -> None:
        self._phase = _HEAD
        self._since = None

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._header_bytes += len(url)
        if self._header_bytes > self._header_bytes_max:
            raise Refused(431, "Request head too large")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > self._header_bytes_max:
            raise Refused(431, "Request head too large")
        key, text = USUAL_NAMES.get(name) or name.decode("latin-1").lower(), value.decode("latin-1")
        if self._head is not None:
            if self._incoming is not None:
                self._incoming.trailers[key] = text
            return
        headers = self._headers
        if key in headers:
            if key in ("host", "authorization", "content-length"):
                raise Refused(400, f"Repeated header {key}")
            text = f"{headers[key]}; {text}" if key == "cookie" else f"{headers[key]},{text}"
        headers[key] = text

    def on_headers_complete(self) -> None:
        self._phase = _BODY
        headers = self._headers
        if len(headers) > self._server.limits.header_count:
            raise Refused(431, "Too many headers")
        method = self._parser.get_method().decode("ascii")
        path, _, query = self._url.decode("latin-1").partition("?")
        length = int(headers["content-length"]) if "content-length" in headers else 0
        known_length = None if "transfer-encoding" in headers else length
        self._head = head = RequestHead(method, path, query, headers, known_length, self._client)
        verdict = self._application.accept(head)
        if isinstance(verdict, int):
            if length > verdict:
                self._discard(self._application.too_large(head))
                return
            self._allowance = verdict
            self._expected_bytes = length
        elif isinstance(verdict, Response):
            self._discard(verdict)
            return
        if "expect" in headers and headers["expect"].lower() == "100-continue" and not self._exchanges:
            self.write((b"HTTP/1.1 100 Continue\r\n\r\n",))
        if verdict is _IN_PIECES:
            self._incoming = OpenBody(self)
            self._application.start(Request(head, pieces=self._incoming), self._open_exchange(head))

    def on_body(self, body: bytes) -> None:
        if len(body) == self._expected_bytes:  # all of it at once: nothing is held unfinished
            self._body.append(body)
            return
        self._body_bytes += len(body)
        if self._incoming is not None:
            self._incoming.take(body)
            if self._incoming.discarded_bytes > self._server.limits.discard_bytes:
                self.abort()
            return
        if self._discarding:
            if self._body_bytes > self._server.limits.discard_bytes:
                raise Refused(413, "Request body too large")
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
        self._phase = _IDLE
        discarding, incoming = self._discarding, self._incoming
        if self._held_bytes:
            self._let_go()
        self._reset()
        if discarding and refusal is None:
            return  # refused and answered while the body was still coming
        if incoming is not None:
            incoming.finish()
            return
        exchange = self._open_exchange(head)
        if refusal is not None:
            exchange.respond(refusal)
        else:
            self._application.start(Request(head, body), exchange)

    # -- http.large_body --

    def _expect_rest(self) -> None:
        """The parser needn't see the rest of a large body."""
        size_bytes = 0 if self._head is None else self._head.content_length or 0
        if size_bytes - self._body_bytes >= LARGE_BYTES and not self._close_after and self._transport is not None:
            LargeBody(self, self._transport, self._body, size_bytes).begin()

    def body_grew(self, size_bytes: int, held_bytes: int) -> None:
        self._body_bytes += size_bytes
        self._hold(held_bytes)

    def body_refused(self, refused: Refused) -> None:
        self._refuse(refused.response)
        self.flush()

    def body_came(self, body: bytes, beyond: bytes) -> None:
        self._body = [body]
        self.on_message_complete()
        if not self._parser.should_keep_alive():
            self._close_after = True
        self._parser = httptools.HttpRequestParser(self)  # the old one still waits for the body
        self.data_received(beyond)

    # -- our own --

    def _bound_untold(self, fed_bytes: int) -> None:
        """The parser keeps a header to itself until all of it has come: so much may come before it tells anything."""
        told_bytes = self._header_bytes + self._body_bytes
        self._untold_bytes = self._untold_bytes + fed_bytes if told_bytes == self._told_bytes else 0
        self._told_bytes = told_bytes
        if self._untold_bytes > self._header_bytes_max and not self._close_after:
            self._refuse(Refused(431, "Request head too large").response)

    def _open_exchange(self, head: RequestHead) -> OpenExchange:
        keeps_alive = self._parser.should_keep_alive()
        closes = not keeps_alive or self._server.closing
        # To ask for the version is dear, and who is of 1.0 either doesn't keep alive or says that it does.
        is_old = (not keeps_alive or "connection" in head.headers) and self._parser.get_http_version() == "1.0"
        exchange = OpenExchange(self, closes, head.method == "HEAD", is_old)
        self._exchanges.append(exchange)
        if len(self._exchanges) > _PIPELINE_DEPTH:
            self._update_reading()
        return exchange

    def hold_back(self, *, wanted: bool) -> None:
        """The application can't take more of a body for now, or can again; then the client's time begins anew."""
        self._held_back = wanted
        self._since = None
        self._update_reading()

    def _hold(self, size_bytes: int) -> None:
        """Count what has come of a body; all connections together may hold only so much of unfinished ones."""
        self._held_bytes += size_bytes
        self._server.usage.held_bytes += size_bytes
        if self._server.usage.held_bytes > self._server.limits.held_bytes:
            raise Refused(503, "Too much is being uploaded at once")

    def _let_go(self) -> None:
        self._server.usage.held_bytes -= self._held_bytes
        self._held_bytes = 0

    def _discard(self, refusal: Response) -> None:
        """Answer `refusal`, and swallow the body so that the client lives to read the answer."""
        self._discarding = True
        self._expected_bytes = 0
        self._body.clear()
        self._let_go()
        self._refusal = refusal
        if self._exchanges or self._head is None or self._head.content_length == 0:
            return  # answered in its turn, when the message is complete
        self._refusal = None
        exchange = OpenExchange(self, close=not self._parser.should_keep_alive())
        self._exchanges.append(exchange)
        exchange.respond(refusal)

    def _refuse(self, response: Response) -> None:
        if self._incoming is not None:
            self.abort()  # its application has begun to serve it: nothing can be said before it answers
            return
        exchange = OpenExchange(self, close=True)
        self._exchanges.append(exchange)
        exchange.respond(response)
        self._close_after = True

    def flush(self) -> None:
        """Write every answer whose turn has come, in one go; what a chunk of input asks for is answered after it."""
        transport = self._transport
        if transport is None or self._is_parsing or self._paused_writing:
            return
        exchanges = self._exchanges
        close = False
        rendered: list[bytes] = []
        while exchanges and not close:
            exchange = exchanges[0]
            response = exchange.response
            if response is None:
                break
            closes = exchange.close or response.close
            if exchange.body is None:
                rendered += self._server.writer.render(response, close=closes, head_only=exchange.head_only)
            elif not self._stream(response, exchange.body, rendered, close=closes):
                break
            exchanges.popleft()
            close = closes
        if rendered:
            self._since = None
            if len(rendered) == 1:
                transport.write(rendered[0])
            else:
                transport.writelines(rendered)
        if close:
            self._close_after = True
            transport.close()
        if self._paused_reading:
            self._update_reading()

    def _stream(self, head: Response, body: StreamedBody, rendered: list[bytes], *, close: bool) -> bool:
        """Begin an answer in pieces when its turn has come; whether all of it was written."""
        if not body.has_turn:
            rendered.append(self._server.writer.render_head(head, close=close, is_chunked=body.is_chunked))
            body.take_turn()
        if body.is_over:
            rendered.append(body.last_part)
        return body.is_over

    @property
    def is_gone(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    @property
    def is_full(self) -> bool:
        return self._paused_writing

    def write(self, parts: Sequence[bytes]) -> None:
        """A piece of the answer whose turn it is."""
        assert self._transport is not None
        self._transport.writelines(parts)

    def _update_reading(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        pause = self._paused_writing or self._held_back or len(self._exchanges) > _PIPELINE_DEPTH
        if pause is not self._paused_reading:
            self._paused_reading = pause
            if pause:
                transport.pause_reading()
            else:
                transport.resume_reading()

    def close_if_idle(self) -> bool:
        """Close now unless an answer is owed; whether it was closed."""
        if self._exchanges or self._phase is not _IDLE:
            return False
        self.abort()
        return True

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def check_silence(self, now: float) -> None:
        """End the connection when the client takes longer than its phase allows, from the first check within it on."""
        if self._since is None:
            self._since = now
            return
        limits = self._server.limits
        if self._paused_writing:
            allowed = limits.write_silence_seconds
        elif self._held_back or (self._phase is _IDLE and self._exchanges):
            return
        else:
            allowed = allowed_seconds(self._phase, self._body_bytes, limits)
        if now - self._since > allowed:
            self.abort()
