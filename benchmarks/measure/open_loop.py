"""Load that waits for no answers: requests leave at a fixed rate, over as many connections as are needed for that."""

import asyncio
import resource
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import cast
from urllib.parse import urlsplit

import uvloop

from benchmarks.measure.post import Post

UNSENT, UNANSWERED, CLOSED, WRONG = "unsent", "unanswered", "closed", "wrong"
"""Ends of a request that are no status: there was no connection left for it, no answer came in time, its connection was
closed, or the answer of a request that went well said something else. Where a connection failed: the error's name."""

_HEAD_END = b"\r\n\r\n"
_TICK_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests of one kind. `status` and `body` are those of an answer that is right."""

    name: str
    post: Post
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """`kinds` leave in turns, `rate` a second in all; after the last one `at_end` is called, which must not take long,
    and answers are waited for `patience_seconds`.
    """

    kinds: Sequence[Kind]
    rate: float
    seconds: float
    connections: int
    patience_seconds: float = 30.0
    at_end: Callable[[], object] = lambda: None


@dataclass(slots=True)
class Seen:
    """By kind: how requests ended, as status or as one of the words above; and of right answers, those that came while
    requests left, and how long each took from the moment at which it was to leave."""

    sent: int = 0
    ends: dict[str, Counter[int | str]] = field(default_factory=dict)
    in_time: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    took_seconds: float = 0.0
    connections: int = 0

    def count(self, kind: str, *ends: int | str) -> int:
        return sum(self.ends[kind][end] for end in ends)

    def p99_seconds(self, kind: str) -> float:
        """Of right answers; 0 when there were hardly any."""
        taken = self.seconds[kind]
        return quantiles(taken, n=100, method="inclusive")[98] if len(taken) > 1 else 0.0


def run(plan: Plan) -> Seen:
    """All of it, on an event loop of its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * plan.connections)), hard))
    return uvloop.run(_Load(plan).run())


class _Load:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.seen = Seen(
            ends={kind.name: Counter() for kind in plan.kinds}, seconds={kind.name: [] for kind in plan.kinds}
        )
        self.idle: list[_Connection] = []
        self.all: set[_Connection] = set()
        self.end = 0.0
        self._opening = 0
        self._tasks: set[asyncio.Task[None]] = set()
        parts = urlsplit(plan.kinds[0].post.url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._texts = [(kind, _text(kind.post)) for kind in plan.kinds]

    async def run(self) -> Seen:
        began = time.perf_counter()
        self.end = began + self.plan.seconds
        while (now := time.perf_counter()) < self.end:
            for number in range(self.seen.sent, int((now - began) * self.plan.rate)):
                self._leave(number, began + number / self.plan.rate)
            await asyncio.sleep(_TICK_SECONDS)
        self.seen.took_seconds = time.perf_counter() - began
        self.seen.connections = len(self.all)
        self.plan.at_end()
        await self._wait_for_answers()
        return self.seen

    def _leave(self, number: int, due: float) -> None:
        self.seen.sent += 1
        kind, text = self._texts[number % len(self._texts)]
        if self.idle:
            self.idle.pop().send(kind, text, due)
        elif len(self.all) + self._opening < self.plan.connections:
            self._opening += 1
            task = asyncio.get_running_loop().create_task(self._open(kind, text, due))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self.seen.ends[kind.name][UNSENT] += 1

    async def _open(self, kind: Kind, text: bytes, due: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(lambda: _Connection(self), self._host, self._port)
        except OSError as error:
            self.seen.ends[kind.name][type(error).__name__] += 1
            return
        finally:
            self._opening -= 1
        connection.send(kind, text, due)

    async def _wait_for_answers(self) -> None:
        deadline = time.perf_counter() + self.plan.patience_seconds
        while (self._tasks or len(self.idle) < len(self.all)) and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)
        for task in tuple(self._tasks):
            task.cancel()
        for connection in tuple(self.all):
            connection.close()

    def answered(self, kind: Kind, due: float, status: int, body: bytes) -> None:
        is_right = status == kind.status and body == kind.body
        self.seen.ends[kind.name][WRONG if status == kind.status and not is_right else status] += 1
        if is_right:
            now = time.perf_counter()
            self.seen.seconds[kind.name].append(now - due)
            self.seen.in_time[kind.name] += now <= self.end


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._received = b""
        self._asked: tuple[Kind, float] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._load.all.add(self)

    def send(self, kind: Kind, text: bytes, due: float) -> None:
        self._asked = (kind, due)
        self._transport.write(text)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(_HEAD_END)
        if not found or len(body) < (length := _content_length(head)) or self._asked is None:
            return
        (kind, due), self._asked, self._received = self._asked, None, b""
        self._load.answered(kind, due, int(head[9:12]), body[:length])
        if b"\r\nconnection: close" in head.lower():
            self._load.all.discard(self)
            self._transport.close()
        else:
            self._load.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.all.discard(self)
        if self in self._load.idle:
            self._load.idle.remove(self)
        if self._asked is not None:
            self._load.seen.ends[self._asked[0].name][CLOSED if exc is None else type(exc).__name__] += 1

    def close(self) -> None:
        """Give up what hasn't been answered."""
        if self._asked is not None:
            self._load.seen.ends[self._asked[0].name][UNANSWERED] += 1
            self._asked = None
        self._transport.abort()


def _text(post: Post) -> bytes:
    fields = {"Host": urlsplit(post.url).netloc, **post.headers, "Content-Length": str(len(post.body))}
    lines = [f"POST {post.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + post.body


def _content_length(head: bytes) -> int:
    value = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    return int(value) if value else 0
