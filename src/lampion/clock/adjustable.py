"""A clock that can be made to run ahead of another one, for development: what would happen in an hour happens at once.

It is for what waits long and loses nothing when time jumps: retries, ages, schedules. What measures how long something
takes, or ends it, goes by the machine's clock.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from lampion.clock.clock import Clock, Timer
from lampion.clock.timers import HeapTimer, TimerHeap, TimerWaits, let_others_run

ADVANCE_SECONDS_MAX: Final = 366 * 86_400.0
_STEPS: Final = 100_000
"""So many timers run each at its own time; those that fall due after them in one advance all run at its end."""


class AdjustableClock(TimerWaits):
    """Runs as `base` does, ahead of it by what it was advanced."""

    def __init__(self, base: Clock) -> None:
        self.ahead_seconds = 0.0
        self._base = base
        self._timers = TimerHeap()
        self._wake: Timer | None = None
        self._wake_due = 0.0
        self._advancing = asyncio.Lock()
        self._listeners: list[Callable[[float], object]] = []

    def now(self) -> float:
        return self._base.now() + self.ahead_seconds

    def monotonic(self) -> float:
        return self._base.monotonic() + self.ahead_seconds

    def call_later(self, seconds: float, action: Callable[[], object]) -> HeapTimer:
        timer = self._timers.add(self.monotonic() + max(0.0, seconds), action)
        self._set_wake()
        return timer

    def when_advanced(self, listener: Callable[[float], object]) -> None:
        """Call `listener` with the seconds of every advance, for what goes by another clock but should see it."""
        self._listeners.append(listener)

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass: what falls due on the way runs in order, each at its own time, before it returns.

        Tasks that were woken run in between, as far as they wait for nothing else. Raises ValueError for a span that
        isn't above 0, or longer than ADVANCE_SECONDS_MAX.
        """
        if not 0 < seconds <= ADVANCE_SECONDS_MAX:
            raise ValueError(f"time is advanced by more than 0 and at most {ADVANCE_SECONDS_MAX:.0f} seconds")
        async with self._advancing:
            ahead = self.ahead_seconds + seconds
            await let_others_run()
            for _ in range(_STEPS):
                due = self._timers.next_due
                if due is None or due - self._base.monotonic() > ahead:
                    break
                self.ahead_seconds = max(self.ahead_seconds, due - self._base.monotonic())
                self._run_due(max(due, self.monotonic()))
                await let_others_run()
            self.ahead_seconds = ahead
            self._run_due(self.monotonic())
            await let_others_run()
        for listener in self._listeners:
            listener(seconds)

    def _run_due(self, until: float) -> None:
        """Actions run on the event loop's next turn, which reports what they raise."""
        loop = asyncio.get_running_loop()
        while (due := self._timers.next_due) is not None and due <= until:
            loop.call_soon(_act, self._timers.pop())
        self._set_wake()

    def _set_wake(self) -> None:
        """One timer of the base wakes for all."""
        due = self._timers.next_due
        wake_due = None if due is None else due - self.ahead_seconds
        if self._wake is not None:
            if wake_due == self._wake_due:
                return
            self._wake.cancel()
            self._wake = None
        if wake_due is not None:
            self._wake_due = wake_due
            self._wake = self._base.call_later(max(0.0, wake_due - self._base.monotonic()), self._woken)

    def _woken(self) -> None:
        self._wake = None
        self._run_due(self.monotonic())


def _act(timer: HeapTimer) -> None:
    if not timer.cancelled:  # called off by another one that was due at the same time
        timer.action()
