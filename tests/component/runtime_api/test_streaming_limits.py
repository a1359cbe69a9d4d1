"""An answer in pieces that is more than welcome: refused at once, and the rest of it thrown away."""

from collections.abc import Callable

import pytest

from lampion.clock.rng import SystemRng
from lampion.domain.limits import STREAMED_RESPONSE_BYTES, SYNC_RESPONSE_BYTES
from lampion.environments.endings import Dispatch, ResponseTooLarge
from lampion.environments.response_stream import ResponseStream
from lampion.environments.session import RuntimeSession
from lampion.http.application import BodyReceiver
from lampion.http.message import RequestHead, Response
from lampion.runtime_api import streaming
from tests.component.environments.stage import FUNCTION, invocation


class Pieces:
    """A body and its exchange."""

    receiver: BodyReceiver

    def __init__(self) -> None:
        self.discarded = 0
        self.answers: list[Response] = []

    def receive(self, receiver: BodyReceiver) -> None:
        self.receiver = receiver

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def discard(self) -> None:
        self.discarded += 1

    def respond(self, response: Response) -> None:
        self.answers.append(response)

    def begin(self, head: Response) -> None:
        raise AssertionError(head)

    def on_disconnect(self, action: Callable[[], object]) -> None: ...


@pytest.mark.parametrize("wants_stream", [True, False])
async def test_one_byte_too_many(wants_stream: bool) -> None:
    most_bytes = STREAMED_RESPONSE_BYTES if wants_stream else SYNC_RESPONSE_BYTES
    session, pieces = RuntimeSession(FUNCTION, SystemRng().uuid4), Pieces()
    stream = ResponseStream() if wants_stream else None
    session.next(lambda _: None)
    ending = session.dispatch(Dispatch(invocation(), 0, stream))
    head = RequestHead("POST", "", "", {"content-type": "text/plain"}, None)
    streaming.start(session, invocation().request_id, head, pieces, pieces)  # type: ignore[arg-type]
    if stream is not None:
        stream.abandon()
    block = bytes(1 << 20)
    for _ in range(most_bytes // len(block)):
        pieces.receiver.take(block)
    pieces.receiver.take(bytes(most_bytes % len(block)))
    assert (pieces.discarded, ending.done()) == (0, False)
    pieces.receiver.take(b"x")
    assert pieces.discarded == 1
    assert [answer.status for answer in pieces.answers] == [413]
    assert str(most_bytes).encode() in pieces.answers[0].body
    assert ending.result() == ResponseTooLarge(most_bytes)
