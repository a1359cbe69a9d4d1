"""When a function has been busy for so long that its sandbox gives way to others. Knows no outcome."""

from collections.abc import Callable
from math import inf
from typing import Final, Protocol

from lampion.clock.clock import Clock, Timer

MOST_CREDIT_SECONDS: Final = 0.1
_ENOUGH_SECONDS: Final = MOST_CREDIT_SECONDS / 2
_ROUNDING_SECONDS: Final = 1e-6


class Yielding(Protocol):
    """A sandbox, as far as it is needed here."""

    def give_way(self, *, to_others: bool) -> None: ...


class Courtesy:
    """Of one sandbox: a credit of time. Being busy uses it up, being idle gives it back, a second for a second.

    So only long invocations give way, and those that follow one another without much of a pause. A sandbox that takes
    the place of one that ended has no more credit than that one has by now: `predecessor`.
    """

    __slots__ = (
        "_changed_at",
        "_clock",
        "_credit_seconds",
        "_deadline",
        "_gives_way",
        "_late",
        "_sandbox",
        "_timer",
        "_timer_due",
    )

    def __init__(self, sandbox: Yielding, clock: Clock, predecessor: "Courtesy | None" = None) -> None:
        self._sandbox = sandbox
        self._clock = clock
        now = self._changed_at = clock.monotonic()
        self._credit_seconds = MOST_CREDIT_SECONDS if predecessor is None else predecessor._credit_at(now)
        self._gives_way = False
        self._late: Callable[[], object] | None = None  # while it is busy
        self._deadline = inf
        self._timer: Timer | None = None
        self._timer_due = inf

    def begin(self, limit_seconds: float, late: Callable[[], object]) -> None:
        """The sandbox is busy now; unless `end` comes before, `late` is called after `limit_seconds`."""
        now = self._clock.monotonic()
        credit = self._credit_seconds = self._credit_at(now)
        self._changed_at = now
        if self._gives_way and credit >= _ENOUGH_SECONDS:
            self._set(gives_way=False)
        self._late = late
        self._deadline = now + limit_seconds
        # Most invocations end long before anything is due: a timer of one before this one does, if it isn't too late.
        if self._next_due < self._timer_due:
            self._set_timer(now)

    def end(self) -> None:
        """The sandbox is idle now."""
        self._late = None
        now = self._clock.monotonic()
        self._credit_seconds = max(0.0, self._credit_seconds - (now - self._changed_at))
        self._changed_at = now

    def close(self) -> None:
        """The sandbox has ended. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._timer_due = None, inf

    def _credit_at(self, now: float) -> float:
        """If it was idle since the last change."""
        return min(MOST_CREDIT_SECONDS, self._credit_seconds + now - self._changed_at)

    @property
    def _next_due(self) -> float:
        """When its credit is used up, or its time, if it is busy for so long."""
        if self._gives_way:
            return self._deadline
        return min(self._deadline, self._changed_at + self._credit_seconds)

    def _set_timer(self, now: float) -> None:
        self.close()
        self._timer_due = self._next_due
        self._timer = self._clock.call_later(max(0.0, self._timer_due - now), self._wake)

    def _wake(self) -> None:
        self._timer, self._timer_due = None, inf
        late, now = self._late, self._clock.monotonic()
        if late is None:
            return
        if now >= self._deadline - _ROUNDING_SECONDS:
            self._late = None
            late()
        elif now >= self._next_due - _ROUNDING_SECONDS:
            self._gives_way = True
            self._set_timer(now)  # before giving way, which may fail
            self._set(gives_way=True)
        else:  # it was set for an invocation that has ended
            self._set_timer(now)

    def _set(self, *, gives_way: bool) -> None:
        self._gives_way = gives_way
        self._sandbox.give_way(to_others=gives_way)
