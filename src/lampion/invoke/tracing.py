"""Where the trace of every invocation comes from, whatever door it comes in by."""

from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.domain.arn import FunctionKey
from lampion.domain.trace_header import Trace, begun, continued

_RANDOM_BYTES = 20


class Tracing:
    """Begins traces, and goes on with those of callers."""

    def __init__(self, *, clock: Clock, rng: Rng) -> None:
        self._clock = clock
        self._rng = rng

    def trace(self, header: str | None, key: FunctionKey) -> Trace:
        """The trace of an invocation of `key`; `header` is the X-Amzn-Trace-Id that it came with, None for none."""
        digits, now = self._rng.token(_RANDOM_BYTES).hex(), self._clock.now()
        return begun(key, digits, now) if header is None else continued(header, key, digits, now)
