"""What clocks that keep their own timers share: a heap of timers, and waits made of them."""

import asyncio
import heapq
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Final

from lampion.clock.clock import Timer

_TURNS: Final = 20
_TIDY_TIMERS: Final = 1000


class HeapTimer:
    """A call that is due at `due`, and may be called off."""

    __slots__ = ("action", "cancelled", "due")

    def __init__(self, due: float, action: Callable[[], object]) -> None:
        self.due = due
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class TimerHeap:
    """Timers by when they are due; those due at the same time in the order in which they were set."""

    def __init__(self) -> None:
        self._order = count()
        self._timers: list[tuple[float, int, HeapTimer]] = []
        self._most = _TIDY_TIMERS

    def add(self, due: float, action: Callable[[], object]) -> HeapTimer:
        if len(self._timers) >= self._most:
            self._drop_cancelled()
        timer = HeapTimer(due, action)
        heapq.heappush(self._timers, (due, next(self._order), timer))
        return timer

    @property
    def next_due(self) -> float | None:
        """When the first timer is due that wasn't called off."""
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def pop(self) -> HeapTimer:
        """The timer that `next_due` tells of."""
        return heapq.heappop(self._timers)[2]

    def _drop_cancelled(self) -> None:
        """Most waits end before their deadline, which may be hours away."""
        self._timers = [entry for entry in self._timers if not entry[2].cancelled]
        heapq.heapify(self._timers)
        self._most = max(_TIDY_TIMERS, 2 * len(self._timers))

    def __len__(self) -> int:
        return sum(not timer.cancelled for _, _, timer in self._timers)


class TimerWaits(ABC):
    """`sleep` and `deadline` of clock.Clock by way of `call_later`."""

    @abstractmethod
    def call_later(self, seconds: float, action: Callable[[], object]) -> Timer:
        """See clock.Clock."""

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_later(seconds, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return self._deadline(seconds)

    @asynccontextmanager
    async def _deadline(self, seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(None) as scope:
            loop = asyncio.get_running_loop()
            timer = self.call_later(seconds, lambda: scope.reschedule(loop.time()))
            try:
                yield
            finally:
                timer.cancel()


async def let_others_run() -> None:
    """So that tasks which a timer woke can act, and set timers of their own."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
