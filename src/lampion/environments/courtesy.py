"""When a function has been busy for so long that its sandbox gives way to others. Knows no outcome."""

from collections.abc import Callable
from typing import Final, Protocol

from lampion.clock.clock import Clock, Timer

MOST_CREDIT_SECONDS: Final = 0.1
_ENOUGH_SECONDS: Final = MOST_CREDIT_SECONDS / 2


class Yielding(Protocol):
    """A sandbox, as far as it is needed here."""

    def give_way(self, *, to_others: bool) -> None: ...


class Courtesy:
    """Of one sandbox: a credit of time. Being busy uses it up, being idle gives it back, a second for a second.

    So only long invocations give way, and those that follow one another without much of a pause. A sandbox that takes
    the place of one that ended has no more credit than that one has by now: `predecessor`.
    """

    __slots__ = ("_changed_at", "_clock", "_credit_seconds", "_gives_way", "_sandbox", "_timer")

    def __init__(self, sandbox: Yielding, clock: Clock, predecessor: "Courtesy | None" = None) -> None:
        self._sandbox = sandbox
        self._clock = clock
        now = self._changed_at = clock.monotonic()
        self._credit_seconds = MOST_CREDIT_SECONDS if predecessor is None else predecessor._credit_at(now)
        self._gives_way = False
        self._timer: Timer | None = None

    def begin(self, limit_seconds: float, late: Callable[[], object]) -> None:
        """The sandbox is busy now; unless `end` comes before, `late` is called after `limit_seconds`."""
        now = self._clock.monotonic()
        credit = self._credit_seconds = self._credit_at(now)
        self._changed_at = now
        if self._gives_way and credit >= _ENOUGH_SECONDS:
            self._set(gives_way=False)
        if self._gives_way or limit_seconds <= credit:
            self._timer = self._clock.call_later(limit_seconds, late)
        else:
            self._timer = self._clock.call_later(credit, lambda: self._used_up(now + limit_seconds, late))

    def end(self) -> None:
        """The sandbox is idle now."""
        if self._timer is not None:
            self._timer.cancel()
        now = self._clock.monotonic()
        self._credit_seconds = max(0.0, self._credit_seconds - (now - self._changed_at))
        self._changed_at = now

    def _credit_at(self, now: float) -> float:
        """If it was idle since the last change."""
        return min(MOST_CREDIT_SECONDS, self._credit_seconds + now - self._changed_at)

    def _used_up(self, deadline: float, late: Callable[[], object]) -> None:
        self._timer = self._clock.call_later(max(0.0, deadline - self._clock.monotonic()), late)
        self._set(gives_way=True)

    def _set(self, *, gives_way: bool) -> None:
        self._gives_way = gives_way
        self._sandbox.give_way(to_others=gives_way)
