"""Whether the event loop sleeps until the next message comes, or keeps looking for it.

To fall asleep and be woken costs this process, and the one that wakes it, more than the wait itself where one fast
invocation follows another. Knows no message and no socket: it keeps the loop turning, or doesn't.
"""

from collections.abc import Callable
from typing import Final

LONGEST_SECONDS: Final = 200e-6
"""So long at most is looked for a message, and only where the one before came as fast: the loss where it doesn't."""


class BusyPoll:
    """Open while an invocation runs, once for each: `with busy_poll:`. For one event loop.

    Waits are of two kinds, for the function's answer and for the next request; each is expected to take
    as long as the last of its kind.
    """

    def __init__(
        self, call_soon: Callable[[Callable[[], None]], object], monotonic: Callable[[], float], *, processors: int
    ) -> None:
        """With fewer than two `processors`, or more invocations than the others can run, nothing is ever looked for:
        the loop would keep from running what it waits for."""
        self._call_soon = call_soon
        self._monotonic = monotonic
        self._others = processors - 1
        self._running = 0
        self._since = 0.0
        self._until = 0.0
        self._answer_seconds = self._request_seconds = float("inf")
        self._is_looking = False

    def __enter__(self) -> None:
        now = self._monotonic()
        if self._running == 0:
            self._request_seconds = now - self._since
        self._running += 1
        self._since = now
        self._expect(self._answer_seconds)

    def __exit__(self, *failure: object) -> None:
        now = self._monotonic()
        self._answer_seconds = now - self._since
        self._running -= 1
        self._since = now
        self._expect(self._answer_seconds if self._running else self._request_seconds)

    def _expect(self, seconds: float) -> None:
        """The next message comes in about so many seconds."""
        if seconds > LONGEST_SECONDS or not self._has_processor():
            self._until = self._since
            return
        self._until = self._since + LONGEST_SECONDS
        if not self._is_looking:
            self._is_looking = True
            self._call_soon(self._look)

    def _look(self) -> None:
        """A turn of the event loop has seen to all that came."""
        if self._monotonic() < self._until:
            self._call_soon(self._look)
        else:
            self._is_looking = False

    def _has_processor(self) -> bool:
        return 0 < self._others >= self._running
