"""Environments that wait for work: in order of their last use, frozen in a moment, and retired in time."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from lampion.clock.clock import Clock, Timer
from lampion.environments.environment import Environment

_ROUNDING_SECONDS = 1e-6

P = TypeVar("P")


class IdleEnvironments(Generic[P]):
    """Idle environments, each with its owner. One timer freezes all and one retires all: a busy one costs none."""

    def __init__(
        self,
        clock: Clock,
        *,
        idle_seconds: float,
        freeze_seconds: float,
        retire: Callable[[Environment], object],
        frozen: Callable[[Environment], object],
    ) -> None:
        """`retire` is called for each that has been idle for `idle_seconds`; it must `remove` it.

        `frozen` is called for each of those that is frozen now, and so can't use more memory than it has.
        """
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._freeze_seconds = freeze_seconds
        self._retire = retire
        self._frozen = frozen
        self._order: OrderedDict[Environment, P] = OrderedDict()  # least recently used first
        self._running: dict[Environment, None] = {}  # not frozen, the longest idle first
        self._retire_timer: Timer | None = None
        self._freeze_timer: Timer | None = None

    def __len__(self) -> int:
        """Those that may be retired."""
        return len(self._order)

    def __iter__(self) -> Iterator[tuple[Environment, P]]:
        """Those that may be retired, with their owners, the least recently used first."""
        return iter(self._order.items())

    def add(self, environment: Environment, owner: P) -> None:
        """It has no work now."""
        self._order[environment] = owner
        if self._retire_timer is None:
            self._retire_timer = self._clock.call_later(self._idle_seconds, self._retire_old)
        self.add_kept(environment)

    def add_kept(self, environment: Environment) -> None:
        """The same for one that is frozen but never retired."""
        self._running[environment] = None
        if self._freeze_timer is None:
            self._freeze_timer = self._clock.call_later(self._freeze_seconds, self._freeze_rested)

    def remove(self, environment: Environment) -> P | None:
        """It has work again, or ends. Its owner, if it was one that may be retired."""
        self._running.pop(environment, None)
        return self._order.pop(environment, None)

    def age(self, seconds: float) -> None:
        """What may be retired has been idle for so much longer than the clock tells."""
        for environment in self._order:
            environment.idle_since -= seconds
        if self._retire_timer is not None:
            self._retire_timer.cancel()
            self._retire_old()

    def close(self) -> None:
        """Nothing is frozen or retired any more."""
        for timer in (self._retire_timer, self._freeze_timer):
            if timer is not None:
                timer.cancel()

    def _freeze_rested(self) -> None:
        self._freeze_timer = None
        limit = self._clock.monotonic() - self._freeze_seconds
        while self._running:
            environment = next(iter(self._running))
            missing_seconds = environment.idle_since - limit
            if missing_seconds > _ROUNDING_SECONDS:
                self._freeze_timer = self._clock.call_later(missing_seconds, self._freeze_rested)
                return
            del self._running[environment]
            environment.freeze()
            if environment.is_frozen and environment in self._order:
                self._frozen(environment)

    def _retire_old(self) -> None:
        """The timer runs on while anything is idle."""
        self._retire_timer = None
        limit = self._clock.monotonic() - self._idle_seconds
        while self._order:
            environment = next(iter(self._order))
            missing_seconds = environment.idle_since - limit
            if missing_seconds > _ROUNDING_SECONDS:
                self._retire_timer = self._clock.call_later(missing_seconds, self._retire_old)
                return
            self._retire(environment)
