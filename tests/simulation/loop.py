"""An event loop whose time is virtual and whose order is drawn: every interleaving is a seed's, and repeats itself."""

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(AssertionError):
    """Nothing can run and nothing is waited for: what was to end never will."""


class _NoWaiting(selectors.SelectSelector):
    """Instead of waiting, moves the loop's time on to when something is due."""

    def __init__(self) -> None:
        super().__init__()
        self.loop: SimulatedLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if timeout is None and not ready:
            raise Stuck(f"nothing to do at {self.loop.time():.3f} s")
        if not ready and timeout is not None and timeout > 0:
            self.loop.move_on(timeout)
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    """What is ready at one time runs in an order drawn from the seed."""

    def __init__(self, seed: int) -> None:
        selector = _NoWaiting()
        selector.loop = self
        self._elapsed = 0.0
        self._random = random.Random(seed)
        super().__init__(selector)

    def time(self) -> float:
        return self._elapsed

    def move_on(self, seconds: float) -> None:
        self._elapsed += seconds

    def _run_once(self) -> None:
        ready: Any = self._ready  # type: ignore[attr-defined]
        if len(ready) > 1:
            self._random.shuffle(ready)
        super()._run_once()  # type: ignore[misc]


class SimulatedClock:
    """See clock.clock.Clock; wall time can be set, which nothing that waits may notice."""

    def __init__(self, loop: SimulatedLoop, epoch: float = 1_800_000_000.0) -> None:
        self._loop = loop
        self._epoch = epoch

    def now(self) -> float:
        return self._epoch + self._loop.time()

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, action: Callable[[], object]) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, action)

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)

    def jump(self, seconds: float) -> None:
        """Somebody sets the machine's clock."""
        self._epoch += seconds


def simulate(seed: int, play: Callable[[SimulatedLoop], Coroutine[Any, Any, T]]) -> T:
    """Run `play` to its end in no time. Raises what it raises, and Stuck when it would wait for ever."""
    loop = SimulatedLoop(seed)
    try:
        return loop.run_until_complete(play(loop))
    finally:
        _cancel_all(loop)
        loop.close()


def _cancel_all(loop: SimulatedLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
