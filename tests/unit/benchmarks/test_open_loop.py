"""Requests leave at their rate whether answers come or not, and every one of them ends as something."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, cast

from benchmarks.measure.open_loop import CLOSED, UNANSWERED, UNSENT, WRONG, Kind, Plan, run

RATE, SECONDS = 400.0, 0.5


@dataclass(frozen=True)
class Post:
    url: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"event"


ANSWERS = {
    b"/right": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevent",
    b"/other": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother",
    b"/full": b"HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    b"/late": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevent",
}
LATE_SECONDS = 0.8


class Service(asyncio.Protocol):
    """Answers as ANSWERS say; hangs up on /gone, late on /late, never on any other path."""

    connections: ClassVar[set["Service"]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.received = b""
        self.connections.add(self)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.received.endswith(b"\r\n\r\nevent"):
            return
        target, self.received = self.received.split(b" ")[1], b""
        if target == b"/late":
            asyncio.get_running_loop().call_later(LATE_SECONDS, self.transport.write, ANSWERS[target])
        else:
            self.transport.write(ANSWERS.get(target, b""))
        if target in (b"/gone", b"/full"):
            self.transport.close()


@contextmanager
def serving() -> Iterator[str]:
    started, stop, urls = threading.Event(), threading.Event(), list[str]()

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Service, "127.0.0.1", 0, backlog=1000)
        urls.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        started.set()
        await asyncio.to_thread(stop.wait)
        server.close()
        for connection in Service.connections:
            connection.transport.abort()
        await server.wait_closed()
        await asyncio.sleep(0.05)  # until the connections are closed

    Service.connections = set()
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(10)
    yield urls[0]
    stop.set()
    thread.join(10)


def plan(url: str, *targets: str, connections: int = 1000, patience_seconds: float = 5.0) -> Plan:
    kinds = [Kind(target, Post(url, target), 200, b"event") for target in targets]
    return Plan(kinds, RATE, SECONDS, connections, patience_seconds)


def test_requests_leave_at_their_rate_and_take_turns():
    with serving() as url:
        seen = run(plan(url, "/right", "/full"))

    assert seen.sent > 0.8 * RATE * SECONDS
    assert seen.sent <= RATE * SECONDS
    assert abs(seen.count("/right", 200) - seen.count("/full", 429)) <= 1
    assert seen.count("/right", 200) + seen.count("/full", 429) == seen.sent
    assert seen.in_time["/right"] <= seen.count("/right", 200) == len(seen.seconds["/right"])
    assert seen.in_time["/full"] == 0
    assert len(Service.connections) < seen.sent  # those of right answers are used again, closed ones are not


def test_requests_do_not_wait_for_answers_and_late_ones_are_told():
    with serving() as url:
        seen = run(plan(url, "/late"))

    assert seen.connections == seen.sent > 0.8 * RATE * SECONDS
    assert seen.count("/late", 200) == seen.sent
    assert seen.in_time["/late"] == 0
    assert LATE_SECONDS <= seen.p99_seconds("/late") < LATE_SECONDS + 5


def test_what_never_comes_is_told_by_what_happened_to_it():
    with serving() as url:
        seen = run(plan(url, "/other", "/gone", "/never", patience_seconds=0.3))

    assert seen.count("/other", WRONG) == sum(seen.ends["/other"].values()) > 0
    assert seen.count("/gone", CLOSED, "ConnectionResetError") == sum(seen.ends["/gone"].values()) > 0
    assert seen.count("/never", UNANSWERED) == sum(seen.ends["/never"].values()) > 0
    assert seen.sent == sum(sum(ends.values()) for ends in seen.ends.values())


def test_without_a_connection_nothing_is_sent():
    with serving() as url:
        seen = run(plan(url, "/never", connections=3, patience_seconds=0.1))

    assert seen.count("/never", UNANSWERED) == 3
    assert seen.count("/never", UNSENT) == seen.sent - 3


def test_the_end_of_the_sending_is_told_before_answers_are_waited_for():
    calls: list[str] = []
    with serving() as url:
        asked = plan(url, "/never", patience_seconds=0.1)
        run(Plan(asked.kinds, RATE, 0.1, 100, 0.1, at_end=lambda: calls.append("end")))

    assert calls == ["end"]


def test_a_server_that_is_not_there_breaks_every_request():
    seen = run(plan("http://127.0.0.1:9", "/right", patience_seconds=0.1))

    assert seen.count("/right", "ConnectionRefusedError") == seen.sent > 0
