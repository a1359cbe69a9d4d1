"""How fast one environment's log is read: as fast as it comes up to a burst, then at a rate. Pure.

What isn't read fills the pipe, and the function's own write waits: nothing is lost, and only who floods is slowed down.
"""

from dataclasses import dataclass
from typing import Final

LINE_BYTES: Final = 256
"""What a line counts beside its own bytes: splitting, queueing and indexing it takes the time of as many."""

_LEAST_PAUSE_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRate:
    """Bytes in the sense of `LINE_BYTES`: at once, and in each second."""

    burst_bytes: int = 64 * 1024 * 1024
    bytes_per_second: int = 32 * 1024 * 1024


USUAL_RATE: Final = LogRate()


class Allowance:
    """What may still be read of one environment. Times are those of a monotonic clock."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: LogRate, now: float) -> None:
        self._rate = rate
        self._left = float(rate.burst_bytes)
        self._at = now

    @property
    def is_ample(self) -> bool:
        """Whether large pieces may be read: of a flood, small ones keep the event loop free for others."""
        return self._left * 2 > self._rate.burst_bytes

    def spend(self, size_bytes: int, lines: int, now: float) -> float:
        """So much was read; the seconds for which nothing more may be, 0 mostly."""
        rate = self._rate
        left = min(rate.burst_bytes, self._left + (now - self._at) * rate.bytes_per_second)
        self._left = left - size_bytes - lines * LINE_BYTES
        self._at = now
        if self._left >= 0:
            return 0.0
        return max(_LEAST_PAUSE_SECONDS, -self._left / rate.bytes_per_second)
