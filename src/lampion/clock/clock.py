"""The Clock port and the machine's own clock. Nothing else in the core reads time or waits."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Timer(Protocol):
    """A call that is due later and may be called off."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Time and waiting. Wall time may jump; measure durations with `monotonic` only."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean anything."""

    async def sleep(self, seconds: float) -> None: ...

    def call_later(self, seconds: float, action: Callable[[], object]) -> Timer:
        """Call `action` on the event loop in `seconds`."""

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A block that raises TimeoutError when it takes longer than `seconds`."""


class SystemClock:
    """The machine's clock and the running event loop's timers."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, action: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, action)

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)
