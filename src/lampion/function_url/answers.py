"""How a request to a function URL is answered once it is known what became of it: by the function, or instead of it."""

from collections.abc import Callable
from dataclasses import dataclass

from lampion.aws.wire import WireAnswer
from lampion.domain.invocation import Outcome
from lampion.function_url.cors import Headers
from lampion.function_url.response import Malformed, response_of
from lampion.function_url.streaming import Pieces, streamed_response
from lampion.http.message import JSON
from lampion.http.wire import BODILESS
from lampion.invoke.streaming import StreamedInvocation


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose body is still to come; `close` when nobody takes it any more."""

    status: int
    headers: Headers
    pieces: Pieces
    close: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Labels:
    """What every answer bears by which its invocation is found again."""

    request_id: str
    trace_id: str

    @property
    def headers(self) -> Headers:
        return [("x-amzn-RequestId", self.request_id), ("X-Amzn-Trace-Id", self.trace_id)]


def buffered(outcome: Outcome, labels: Labels) -> WireAnswer:
    """What a function that has ended answered."""
    if outcome.function_error is not None:
        return bad_gateway(labels)
    try:
        prelude, body = response_of(outcome.payload)
    except Malformed:
        return bad_gateway(labels)
    return WireAnswer(prelude.status, [*prelude.headers, *labels.headers], body)


async def as_it_comes(streamed: StreamedInvocation, labels: Labels) -> WireAnswer | Stream:
    """What a function streams. One that doesn't stream answers in one piece, which is the body as it is."""
    if not streamed.is_streamed:
        if streamed.failure is not None:
            return bad_gateway(labels)
        return WireAnswer(200, own_headers(labels), (await streamed.ended()).payload)
    try:
        prelude, pieces = await streamed_response(streamed)
    except Malformed:
        return bad_gateway(labels)
    headers = [*prelude.headers, *labels.headers]
    if prelude.status in BODILESS:
        streamed.abandon()
        await pieces.aclose()
        return WireAnswer(prelude.status, headers, b"")
    return Stream(prelude.status, headers, pieces, streamed.abandon)


def nothing_there(request_id: str) -> WireAnswer:
    """AWS's answer under a name that is no function's URL."""
    headers = [("Content-Type", JSON), ("x-amzn-RequestId", request_id)]
    return WireAnswer(404, [*headers, ("x-amzn-ErrorType", "ResourceNotFoundException")], b'{"Message":null}')


def bad_gateway(labels: Labels) -> WireAnswer:
    """What the client hears of a function that failed, or answered what no HTTP response can be."""
    return WireAnswer(502, own_headers(labels), b"Internal Server Error")


def own_headers(labels: Labels) -> Headers:
    """Of an answer that the function says nothing about."""
    return [("Content-Type", JSON), *labels.headers]
