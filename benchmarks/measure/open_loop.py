"""Load that waits for no answers: requests leave at a fixed rate, over as many connections as are needed for that."""

import errno
import resource
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from urllib.parse import urlsplit

from benchmarks.measure.post import Post

UNSENT, UNANSWERED, CLOSED, WRONG = "unsent", "unanswered", "closed", "wrong"
"""Ends of a request that are no status: there was no connection left for it, no answer came in time, its connection was
closed, or the answer of a request that went well said something else. Where a connection failed: the error's name."""

_HEAD_END = b"\r\n\r\n"
_TICK_SECONDS = 0.002
_MOST_BYTES = 65536


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
    """All of it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * plan.connections)), hard))
    with select.epoll() as poll:
        return _Load(plan, poll).run()


class _Load:
    """Sends what is due and takes what has come, once in a tick, so that it needs little of the processors that it
    shares with what it measures."""

    def __init__(self, plan: Plan, poll: select.epoll) -> None:
        self.plan = plan
        self.seen = Seen(
            ends={kind.name: Counter() for kind in plan.kinds}, seconds={kind.name: [] for kind in plan.kinds}
        )
        self._poll = poll
        self._idle: list[_Connection] = []
        self._all: dict[int, _Connection] = {}  # by descriptor
        self._end = 0.0
        parts = urlsplit(plan.kinds[0].post.url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._texts = [(kind, _text(kind.post)) for kind in plan.kinds]

    def run(self) -> Seen:
        began = time.perf_counter()
        self._end = began + self.plan.seconds
        while (now := time.perf_counter()) < self._end:
            for number in range(self.seen.sent, int((now - began) * self.plan.rate)):
                self._leave(number, began + number / self.plan.rate)
            self._take_answers()
            time.sleep(_TICK_SECONDS)
        self.seen.took_seconds = time.perf_counter() - began
        self.seen.connections = len(self._all)
        self.plan.at_end()
        deadline = time.perf_counter() + self.plan.patience_seconds
        while len(self._idle) < len(self._all) and time.perf_counter() < deadline:
            self._take_answers()
            time.sleep(_TICK_SECONDS)
        for connection in tuple(self._all.values()):
            self._drop(connection, UNANSWERED)
        return self.seen

    def _leave(self, number: int, due: float) -> None:
        self.seen.sent += 1
        kind, text = self._texts[number % len(self._texts)]
        if self._idle:
            connection = self._idle.pop()
            connection.asked = (kind, text, due)
            self._send(connection)
        elif len(self._all) < self.plan.connections:
            self._open(kind, text, due)
        else:
            self.seen.ends[kind.name][UNSENT] += 1

    def _open(self, kind: Kind, text: bytes, due: float) -> None:
        connection = _Connection((kind, text, due))
        self._all[connection.socket.fileno()] = connection
        self._poll.register(connection.socket, select.EPOLLOUT)
        failure = connection.socket.connect_ex(self._address)
        if failure not in (0, errno.EINPROGRESS):
            self._drop(connection, _name_of(failure))

    def _send(self, connection: "_Connection") -> None:
        assert connection.asked is not None
        try:
            sent = connection.socket.send(connection.asked[1])
        except OSError as error:
            self._drop(connection, type(error).__name__)
        else:
            assert sent == len(connection.asked[1]), "one small request at a time fits into any connection"

    def _take_answers(self) -> None:
        if not self._all:
            return
        for descriptor, events in self._poll.poll(0, len(self._all)):
            connection = self._all[descriptor]
            if not connection.is_open:
                self._opened(connection)
            elif events:
                self._receive(connection)

    def _opened(self, connection: "_Connection") -> None:
        failure = connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            self._drop(connection, _name_of(failure))
            return
        connection.is_open = True
        self._poll.modify(connection.socket, select.EPOLLIN)
        self._send(connection)

    def _receive(self, connection: "_Connection") -> None:
        try:
            data = connection.socket.recv(_MOST_BYTES)
        except OSError as error:
            self._drop(connection, type(error).__name__)
            return
        if not data:
            self._drop(connection, CLOSED)
            return
        connection.received += data
        head, found, body = connection.received.partition(_HEAD_END)
        if not found or connection.asked is None:
            return
        fields = head.lower()
        length = _content_length(fields)
        if len(body) < length:
            return
        (kind, _, due), connection.asked, connection.received = connection.asked, None, b""
        self._answered(kind, due, int(head[9:12]), body[:length])
        if b"\r\nconnection: close" in fields:
            self._drop(connection, CLOSED)
        else:
            self._idle.append(connection)

    def _answered(self, kind: Kind, due: float, status: int, body: bytes) -> None:
        is_right = status == kind.status and body == kind.body
        self.seen.ends[kind.name][WRONG if status == kind.status and not is_right else status] += 1
        if is_right:
            now = time.perf_counter()
            self.seen.seconds[kind.name].append(now - due)
            self.seen.in_time[kind.name] += now <= self._end

    def _drop(self, connection: "_Connection", end: str) -> None:
        """Close it; a request that was asked on it and not answered has ended like that."""
        if connection.asked is not None:
            self.seen.ends[connection.asked[0].name][end] += 1
        elif connection in self._idle:
            self._idle.remove(connection)
        del self._all[connection.socket.fileno()]
        connection.socket.close()


class _Connection:
    """One request at a time."""

    __slots__ = ("asked", "is_open", "received", "socket")

    def __init__(self, asked: tuple[Kind, bytes, float]) -> None:
        self.asked: tuple[Kind, bytes, float] | None = asked
        self.is_open = False
        self.received = b""
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _name_of(failure: int) -> str:
    """What Python calls such an error."""
    return type(OSError(failure, "")).__name__


def _text(post: Post) -> bytes:
    fields = {"Host": urlsplit(post.url).netloc, **post.headers, "Content-Length": str(len(post.body))}
    lines = [f"POST {post.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + post.body


def _content_length(lowered_head: bytes) -> int:
    value = lowered_head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    return int(value) if value else 0
