"""Wall time that doesn't jump while the server runs: for what is due at a time and must neither fire early nor late."""

from lampion.clock.clock import Clock


class SteadyTime:
    """The wall clock as it was at the start, carried on by the clock that never runs backwards."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start = clock.now() - clock.monotonic()

    def epoch_ms(self) -> int:
        """Milliseconds since the epoch."""
        return int((self._start + self._clock.monotonic()) * 1000)
