"""Where the trace of every invocation comes from, whatever door it comes in by."""

from typing import Final

from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function
from lampion.domain.trace_header import Trace, begun, continued, is_decided

_RANDOM_BYTES: Final = 20
_SAMPLED_OF_FURTHER: Final = 0.05


class Sampling:
    """Which invocations of functions with active tracing are recorded, where no caller has decided.

    Lambda developer guide, "Visualize Lambda function invocations using AWS X-Ray": one a second, and five percent of
    those after it. Here that is a function's, whichever of its versions runs.
    """

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._second = 0
        self._seen: set[FunctionKey] = set()  # in that second

    def samples(self, key: FunctionKey, now: float) -> bool:
        """Whether an invocation at `now`, epoch seconds, is."""
        if int(now) != self._second:
            self._second = int(now)
            self._seen.clear()
        if key not in self._seen:
            self._seen.add(key)
            return True
        return self._rng.fraction() < _SAMPLED_OF_FURTHER


class Tracing:
    """Begins traces, and goes on with those of callers. One for all doors, so that they sample together."""

    def __init__(self, *, clock: Clock, rng: Rng) -> None:
        self._clock = clock
        self._rng = rng
        self._sampling = Sampling(rng)

    def trace(self, header: str | None, key: FunctionKey, function: Function | None) -> Trace:
        """The trace of an invocation of `key`; `header` is the X-Amzn-Trace-Id that it came with, None for none.

        `function` is what would run now, None where that isn't known.
        """
        digits, now = self._rng.token(_RANDOM_BYTES).hex(), self._clock.now()
        sampled = "0"
        if function is not None and function.configuration.tracing_mode == "Active":
            sampled = self._decision(header, key, now)
        return begun(key, digits, now, sampled) if header is None else continued(header, key, digits, now, sampled)

    def _decision(self, header: str | None, key: FunctionKey, now: float) -> str:
        """Unless the caller has made it: then it counts."""
        is_made = header is not None and is_decided(header)
        return "1" if not is_made and self._sampling.samples(key, now) else "0"
