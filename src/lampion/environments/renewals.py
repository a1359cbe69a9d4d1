"""Environments whose keys end some day: each is replaced before. One timer for all."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from lampion.clock.clock import Clock, Timer
from lampion.domain.limits import TIMEOUT_SECONDS_MAX
from lampion.environments.environment import Environment

REPLACEMENT_SECONDS: Final = 600.0
"""How long an environment that was initialised ahead of invocations stays at work while its successor is made."""
_MARGIN_SECONDS: Final = 60.0
RENEWED_BEFORE_SECONDS: Final = TIMEOUT_SECONDS_MAX + REPLACEMENT_SECONDS + _MARGIN_SECONDS
"""What begins at the last moment may run for the longest timeout."""
_LONGEST_WAIT_SECONDS: Final = 60.0
"""Keys end by the time of day, which may jump: a machine that slept."""


class Renewals:
    """All that exist, in the order in which they were launched, which is that in which their keys end."""

    def __init__(self, clock: Clock, renew: Callable[[Environment], object]) -> None:
        """`clock` is that of the keys; `renew` is told once of each environment that is to be replaced now."""
        self._clock = clock
        self._renew = renew
        self._live: OrderedDict[Environment, float] = OrderedDict()
        self._timer: Timer | None = None

    def add(self, environment: Environment) -> None:
        """It was launched, perhaps once more, with new keys."""
        self.remove(environment)
        keys = environment.keys
        if keys is not None and keys.end_epoch_seconds is not None:
            self._live[environment] = keys.end_epoch_seconds - RENEWED_BEFORE_SECONDS
            if self._timer is None:
                self._wait()

    def remove(self, environment: Environment) -> None:
        """It has ended."""
        self._live.pop(environment, None)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        due = next(iter(self._live.values())) - self._clock.now()
        self._timer = self._clock.call_later(min(max(0.0, due), _LONGEST_WAIT_SECONDS), self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._clock.now()
        while self._live and next(iter(self._live.values())) <= now:
            environment, _ = self._live.popitem(last=False)
            self._renew(environment)
        if self._live:
            self._wait()
