"""A clock that stands still until told to move: the twin of SystemClock for tests and simulation."""

from collections.abc import Callable

from lampion.clock.timers import HeapTimer, TimerHeap, TimerWaits, let_others_run


class VirtualClock(TimerWaits):
    """Time moves only by `advance`; timers due on the way run in order, each at its own time."""

    def __init__(self, epoch: float = 1_800_000_000.0) -> None:
        self._epoch = epoch
        self._elapsed = 0.0
        self._timers = TimerHeap()

    def now(self) -> float:
        return self._epoch + self._elapsed

    def monotonic(self) -> float:
        return self._elapsed

    def call_later(self, seconds: float, action: Callable[[], object]) -> HeapTimer:
        return self._timers.add(self._elapsed + max(0.0, seconds), action)

    @property
    def pending(self) -> int:
        """How many timers are set."""
        return len(self._timers)

    async def advance(self, seconds: float) -> None:
        """Move time on, running what falls due and letting the woken tasks run in between."""
        end = self._elapsed + seconds
        await let_others_run()
        while (due := self._timers.next_due) is not None and due <= end:
            self._elapsed = due
            self._timers.pop().action()
            await let_others_run()
        self._elapsed = end
