"""/runtime/invocation/<id>/response in streaming mode: the function's answer in pieces, its error in trailers.

Lambda developer guide, "Building a custom runtime", "Response streaming".
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from lampion.domain.limits import SYNC_RESPONSE_BYTES
from lampion.environments.endings import Answer, ResponseTooLarge, Truncated
from lampion.environments.session import RuntimeSession, UnknownRequest
from lampion.http.application import Body, Exchange
from lampion.http.message import BodyPieces, RequestHead, Response
from lampion.runtime_api.answers import ACCEPTED, UNKNOWN_TYPE, refusal
from lampion.runtime_api.invocation import UNKNOWN_REQUEST, conclude, too_large_answer

RESPONSE_MODE: Final = "lambda-runtime-function-response-mode"
_STREAMING: Final = "streaming"
_ERROR_TYPE: Final = "lambda-runtime-function-error-type"
_ERROR_BODY: Final = "lambda-runtime-function-error-body"


class Sink(Protocol):
    """Where the pieces go. More than `most_bytes` aren't welcome."""

    @property
    def most_bytes(self) -> int: ...

    @property
    def is_full(self) -> bool: ...

    def begin(self, content_type: str | None) -> None: ...

    def write(self, piece: bytes) -> None: ...

    def when_room(self, action: Callable[[], object]) -> None: ...

    def end(self) -> None:
        """It was all, and all is well."""

    def payload(self) -> bytes:
        """What is kept for a caller who wants the answer whole."""


def accept(head: RequestHead) -> Body | Response:
    mode = head.headers[RESPONSE_MODE]
    if mode != _STREAMING:
        return refusal(400, "InvalidFunctionResponseMode", f"Invalid function response mode: {mode[:100]}")
    return Body.IN_PIECES


def start(session: RuntimeSession, request_id: str, head: RequestHead, pieces: BodyPieces, exchange: Exchange) -> None:
    """Pass the pieces on as they come; the invocation ends with them."""
    sink: Sink = session.stream_of(request_id) or _Whole()
    sink.begin(head.headers.get("content-type"))
    if session.watch is not None:
        session.watch.answer_begins()
    pieces.receive(
        _StreamedAnswer(session, request_id, sink, pieces, lambda answer: conclude(session, head, exchange, answer))
    )


class _StreamedAnswer:
    """One answer that is coming (http.application.BodyReceiver)."""

    def __init__(
        self,
        session: RuntimeSession,
        request_id: str,
        sink: Sink,
        pieces: BodyPieces,
        conclude: Callable[[Response], object],
    ) -> None:
        self._session = session
        self._request_id = request_id
        self._sink = sink
        self._pieces = pieces
        self._conclude = conclude
        self._received_bytes = 0

    def take(self, piece: bytes) -> None:
        sink = self._sink
        self._received_bytes += len(piece)
        if self._received_bytes > sink.most_bytes:
            self._pieces.discard()
            accepted = self._answer(ResponseTooLarge(sink.most_bytes))
            self._conclude(too_large_answer(sink.most_bytes) if accepted else UNKNOWN_REQUEST)
            return
        sink.write(piece)
        if sink.is_full:
            self._pieces.pause()
            sink.when_room(self._pieces.resume)

    def finish(self, trailers: Mapping[str, str]) -> None:
        error = _error_in(trailers)
        try:
            self._session.answer_streamed(self._request_id, error or Answer(self._sink.payload()))
        except UnknownRequest:
            self._conclude(UNKNOWN_REQUEST)
            return
        if self._session.watch is not None:
            self._session.watch.answered(self._received_bytes)
        if error is None:
            self._sink.end()
        self._conclude(ACCEPTED)

    def break_off(self) -> None:
        self._answer(Truncated())

    def _answer(self, ending: ResponseTooLarge | Truncated) -> bool:
        """Whether the invocation was still waiting for it."""
        try:
            self._session.answer(self._request_id, ending)
        except UnknownRequest:
            return False
        return True


class _Whole:
    """Gathers an answer for a caller who wants it whole."""

    most_bytes: Final = SYNC_RESPONSE_BYTES
    is_full: Final = False

    def __init__(self) -> None:
        self._gathered = bytearray()

    def begin(self, content_type: str | None) -> None:
        """Nobody asks for it."""

    def write(self, piece: bytes) -> None:
        self._gathered += piece

    def when_room(self, action: Callable[[], object]) -> None:
        """There is always room for what is welcome."""

    def end(self) -> None:
        """Nobody waits for that."""

    def payload(self) -> bytes:
        return bytes(self._gathered)


def _error_in(trailers: Mapping[str, str]) -> Answer | None:
    """The error by which the function broke off its answer; its body is base64 of JSON."""
    if _ERROR_TYPE not in trailers and _ERROR_BODY not in trailers:
        return None
    try:
        body = base64.b64decode(trailers.get(_ERROR_BODY, ""), validate=True)
    except (binascii.Error, ValueError):
        body = b""
    return Answer(body, trailers.get(_ERROR_TYPE) or UNKNOWN_TYPE)
