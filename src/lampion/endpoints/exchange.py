"""One connection to a server and the one request that is under way on it: bytes out, an answer or an error back."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

import httptools

ANSWER_BYTES: Final = 4 * 1024 * 1024
HEAD_BYTES: Final = 64 * 1024
_FIRST_FINAL_STATUS: Final = 200


class ConnectionFailed(Exception):
    """The connection ended, or what came over it is no HTTP. `before_answer`: not one byte of an answer had come."""

    def __init__(self, problem: str, *, before_answer: bool = False) -> None:
        super().__init__(problem)
        self.before_answer = before_answer


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, whatever its status. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Exchange(asyncio.Protocol):
    """asyncio's protocol for one connection; callbacks that begin with on_ are httptools'.

    An answer of more than `most_bytes` fails.
    """

    def __init__(self, most_bytes: int = ANSWER_BYTES) -> None:
        self._most_bytes = most_bytes
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[HttpAnswer] | None = None
        self._is_reusable = True
        self._begin()

    @property
    def is_reusable(self) -> bool:
        """Whether another request may be sent: the last answer is whole and nobody has closed."""
        return self._is_reusable and self._answer is None and self._transport is not None

    async def ask(self, request: bytes) -> HttpAnswer:
        """Send a whole request and wait for its answer. Raises ConnectionFailed."""
        if self._transport is None:
            raise ConnectionFailed("the connection was closed", before_answer=True)
        self._begin()
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._answer
        except BaseException:
            self.close()  # an answer that nobody waits for any more must not be taken for the next one
            raise
        finally:
            self._answer = None

    def close(self) -> None:
        self._is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None:  # nobody asked
            self.close()
            return
        self._has_begun = True
        self._head_bytes += 0 if self._is_head_complete else len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"what came back is no HTTP answer ({error})")
        if self._head_bytes > HEAD_BYTES and not self._is_head_complete:
            self._fail("the answer's head is too long")

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._is_reusable = False
        if self._is_head_complete and self._ends_with_connection and error is None:
            self._finish()
        else:
            self._fail(str(error) if error else "the connection was closed before the answer's end")

    # -- httptools' callbacks

    def on_message_begin(self) -> None:
        if self._answer is None or self._answer.done():
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._parser.get_status_code() >= _FIRST_FINAL_STATUS:
            self._is_head_complete = True
            self._ends_with_connection = not self._headers.keys() & {"content-length", "transfer-encoding"}

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > self._most_bytes:
            self._fail("the answer is too long")

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < _FIRST_FINAL_STATUS:
            self._headers.clear()  # an interim answer: the one that counts is to come
            return
        self._is_reusable = self._is_reusable and self._parser.should_keep_alive()
        self._finish()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._head_bytes = 0
        self._has_begun = False
        self._is_head_complete = False
        self._ends_with_connection = False

    def _finish(self) -> None:
        if self._answer is not None and not self._answer.done():
            answer = HttpAnswer(self._parser.get_status_code(), dict(self._headers), bytes(self._body))
            self._answer.set_result(answer)

    def _fail(self, problem: str) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionFailed(problem, before_answer=not self._has_begun))
