"""The gateway's porters: every request is served at once, one that waits keeps nobody, and none outlives its use."""

import asyncio
import gc
import logging
from collections.abc import Callable

import pytest

from lampion.aws.model import load_service
from lampion.clock.rng import SeededRng
from lampion.gateway.gateway import Gateway
from lampion.http.exchange import StreamedBody
from lampion.http.message import Request, RequestHead, Response

SERVICE = load_service("lambda")


class Gate:
    """A door that answers with the body, /held only when it is opened, and falls over at /fall."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.waiting = 0

    def accept(self, head: RequestHead) -> int:
        return 1000

    def too_large(self, head: RequestHead) -> Exception:
        raise AssertionError

    async def serve(self, request: Request, request_id: str) -> Response:
        if request.head.path == "/fall":
            raise RuntimeError("fell over")
        if request.head.path == "/held":
            self.waiting += 1
            await self.opened.wait()
        return Response(200, request.body)


class Seen:
    """What came back for one request."""

    def __init__(self) -> None:
        self.response: Response | None = None

    def respond(self, response: Response) -> None:
        self.response = response

    def begin(self, head: Response, size_bytes: int | None = None) -> StreamedBody:
        raise AssertionError

    def on_disconnect(self, action: Callable[[], object]) -> None: ...


def gateway(door: Gate) -> Gateway:
    return Gateway(
        service=SERVICE, aws_api=door, registry=door, registry_api=door, function_urls=door, own={}, rng=SeededRng(1)
    )


def begin(on: Gateway, path: str = "/", body: bytes = b"") -> Seen:
    head = RequestHead("POST", path, "", {"host": "here"}, len(body))
    assert on.accept(head) == 1000
    seen = Seen()
    on.start(Request(head, body), seen)
    return seen


def requests_there_are() -> list[Request]:
    return [one for one in gc.get_objects() if isinstance(one, Request)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def test_requests_that_wait_hold_up_no_other() -> None:
    door = Gate()
    on = gateway(door)
    held = [begin(on, "/held", b"%d" % number) for number in range(300)]
    await until(lambda: door.waiting == 300)
    quick = begin(on, body=b"quick")
    await until(lambda: quick.response is not None)
    assert not any(one.response for one in held)
    door.opened.set()
    await until(lambda: all(one.response for one in held))
    assert [one.response.body for one in held if one.response] == [b"%d" % number for number in range(300)]


async def test_after_a_burst_only_some_porters_stay() -> None:
    door = Gate()
    on = gateway(door)
    before = len(asyncio.all_tasks())
    held = [begin(on, "/held") for _ in range(300)]
    await until(lambda: door.waiting == 300)
    door.opened.set()
    await until(lambda: all(one.response for one in held))
    await until(lambda: len(asyncio.all_tasks()) - before <= 64)
    one, two = begin(on, body=b"one"), begin(on, body=b"two")
    await until(lambda: one.response is not None and two.response is not None)
    assert len(asyncio.all_tasks()) - before <= 64


async def test_a_request_that_was_served_is_not_kept_until_the_next_one_comes() -> None:
    on, others = gateway(Gate()), {id(one): one for one in requests_there_are()}  # tests elsewhere have some
    for number in range(3):
        seen = begin(on, body=b"%d" % number)
        await until(lambda seen=seen: seen.response is not None)  # type: ignore[misc]
    gc.collect()
    assert not [one for one in requests_there_are() if id(one) not in others]


async def test_a_request_that_fails_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    on = gateway(Gate())
    with caplog.at_level(logging.ERROR):
        fallen = begin(on, "/fall")
        await until(lambda: fallen.response is not None)
    assert fallen.response is not None
    assert fallen.response.status == 500
    assert b"fell over" not in fallen.response.body
    (record,) = caplog.records
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "fell over"
    after = begin(on, body=b"after")
    await until(lambda: after.response is not None)
    assert after.response == Response(200, b"after")
