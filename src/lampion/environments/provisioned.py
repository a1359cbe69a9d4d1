"""Environments initialised ahead of invocations: keeps as many of a version as are wanted. Knows no configuration.

They take invocations first, are neither retired nor evicted, and one that ends is replaced. They count all the memory
that they may use, so that each can work at any time.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final, Protocol

from lampion.clock.clock import Clock
from lampion.domain.arn import FunctionKey
from lampion.domain.provisioned_concurrency import INIT_FAILURE
from lampion.environments.assignment import Demand, assign
from lampion.environments.environment import Environment
from lampion.environments.idle import IdleEnvironments
from lampion.environments.live import LiveEnvironments
from lampion.environments.renewals import REPLACEMENT_SECONDS
from lampion.environments.version_pool import Ahead, VersionPool

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 300.0
NO_ROOM: Final = (
    "This server has no room for so many execution environments of this memory size: see its settings "
    "--max-environments and --function-memory-bytes."
)


@dataclass(frozen=True, slots=True)
class Provisioned:
    """How many environments of a version are ready, and how many of these are free; why no more can be had, if so.

    `lacks_room` ones wait for others to end."""

    ready: int = 0
    free: int = 0
    failure: str | None = None
    lacks_room: bool = False


NONE: Final = Provisioned()


class Serving(Protocol):
    """The pool around it."""

    def serve(self, pool: VersionPool) -> None:
        """Something of the pool is free: give it to who waits."""

    def evict(self, environments: Sequence[Environment]) -> None:
        """End these idle environments."""

    def new_environment(self, pool: VersionPool, *, ahead: bool) -> Environment: ...

    def launches_left(self, pool: VersionPool) -> int: ...


class ProvisionedEnvironments:
    """All versions' environments that are initialised ahead."""

    def __init__(
        self, live: LiveEnvironments, idle: IdleEnvironments[VersionPool], clock: Clock, serving: Serving
    ) -> None:
        self._live = live
        self._idle = idle
        self._clock = clock
        self._serving = serving
        self._pools: dict[VersionPool, None] = {}
        self.starved: dict[VersionPool, None] = {}  # those that wait for others to end
        self.on_change: Callable[[FunctionKey, str], object] = _nobody_asks

    def provision(self, pool: VersionPool, wanted: int, *, anew: bool) -> None:
        """Keep so many ready from now on. After a failure, `anew` tries again at once."""
        if pool.ahead is None:
            pool.ahead = Ahead()
            self._pools[pool] = None
        ahead = pool.ahead
        if anew or ahead.wanted != wanted:
            ahead.failures = 0
            ahead.failure = None
            self._resume(ahead)
        ahead.wanted = wanted
        self.level(pool)

    def state(self, pool: VersionPool) -> Provisioned:
        ahead = pool.ahead
        if ahead is None:
            return NONE
        failure = None
        if len(ahead.ready) < ahead.wanted:
            is_impossible = ahead.lacks_room and not self._could_fit()
            failure = NO_ROOM if is_impossible else ahead.failure
        return Provisioned(len(ahead.ready), len(ahead.free), failure, ahead.lacks_room)

    def drop(self, pool: VersionPool) -> None:
        """The version is gone, or isn't provisioned any more: free ones end now, others with their work."""
        ahead = pool.ahead
        if ahead is not None and ahead.wanted:
            ahead.wanted = 0
            self._resume(ahead)
            self.level(pool)
            self._tell(pool)

    def level_all(self) -> None:
        """There may be room: start what is missing."""
        for pool in tuple(self._pools):
            if pool.ahead is not None and pool.ahead.missing:
                self.level(pool)

    def level(self, pool: VersionPool) -> None:
        """Start what is missing, end what is too much."""
        ahead = pool.ahead
        assert ahead is not None
        for _ in range(len(ahead.ready) - ahead.wanted):
            self._release_one(ahead)
        if not (ahead.wanted or ahead.ready or ahead.starting or ahead.surplus):
            pool.ahead = None
            del self._pools[pool]
            self.starved.pop(pool, None)
            return
        decision = assign(
            Demand(
                waiting=ahead.missing,
                starting=0,
                launches=self._serving.launches_left(pool),
                memory_mib=pool.size_mib,
                free=self._live.room.free,
                soon_free=self._live.room.soon_free,
                evictable=(self._live.room.charge_of(one) for one, _ in self._idle),
            )
        )
        lacked_room, ahead.lacks_room = ahead.lacks_room, decision.short > 0
        if ahead.lacks_room:
            self.starved[pool] = None
        else:
            self.starved.pop(pool, None)
        self._serving.evict([environment for environment, _ in islice(self._idle, decision.evict)])
        for _ in range(decision.start):
            self._start(pool, ahead)
        if ahead.lacks_room is not lacked_room:
            self._tell(pool)

    def give_back(self, pool: VersionPool, environment: Environment) -> bool:
        """It has done its work; whether it was one of these, and is taken care of."""
        ahead = pool.ahead
        if ahead is None:
            return False
        if environment in ahead.surplus:
            ahead.surplus.discard(environment)
            self._live.end(environment)
            self.level(pool)
            return True
        if environment not in ahead.ready:
            return False
        if environment.is_reusable and pool.is_current:
            ahead.failures = 0
            self._make_free(pool, ahead, environment)
        else:
            ahead.lose(environment)
            self._live.end(environment)
            self.level(pool)
        return True

    def take(self, ahead: Ahead) -> Environment:
        """One of the free ones, that used last."""
        environment = ahead.free.pop()
        self._idle.remove(environment)
        return environment

    def renew(self, environment: Environment) -> bool:
        """It is to be replaced: its successor is made first, if there is room. Whether it is one of these."""
        for pool, ahead in [(pool, pool.ahead) for pool in self._pools]:
            if ahead is None or environment not in ahead.ready:
                continue
            if environment not in ahead.worn:
                last = partial(self._give_up, pool, ahead, environment)
                ahead.worn[environment] = self._clock.call_later(REPLACEMENT_SECONDS, last)
                self.level(pool)
            return True
        return False

    def close(self) -> None:
        """Nothing is started any more."""
        for pool in self._pools:
            if pool.ahead is not None:
                pool.ahead.wanted = 0
                self._resume(pool.ahead)
                for timer in pool.ahead.worn.values():
                    timer.cancel()

    # -- inside --

    def _start(self, pool: VersionPool, ahead: Ahead) -> None:
        environment = self._serving.new_environment(pool, ahead=True)
        ahead.starting.add(environment)
        pool.launching.add(environment)
        self._live.begin(environment, self._initialise(pool, ahead, environment))

    async def _initialise(self, pool: VersionPool, ahead: Ahead, environment: Environment) -> None:
        failure = None
        try:
            await environment.start()
        except Exception as error:
            _LOG.warning("%r can't be initialised ahead: %s", environment, error)
            failure = f"The execution environment could not be started: {error}"
        ahead.starting.discard(environment)
        pool.launching.discard(environment)
        if failure is None and not environment.is_reusable and not environment.is_spent:
            failure = INIT_FAILURE
        if failure is not None:
            self._live.end(environment)
            self._fail(pool, ahead, failure)
        elif environment.is_spent or len(ahead.ready) - len(ahead.worn) >= ahead.wanted:
            self._live.end(environment)
            if pool.ahead is ahead:
                self.level(pool)
        else:
            ahead.failure = None
            ahead.ready[environment] = None
            self._make_free(pool, ahead, environment)
            if len(ahead.ready) > ahead.wanted:
                self._release(ahead, next(iter(ahead.worn)))
        self._tell(pool)

    def _make_free(self, pool: VersionPool, ahead: Ahead, environment: Environment) -> None:
        environment.on_idle_exit = partial(self._lose, pool, ahead)
        ahead.free.append(environment)
        self._idle.add_kept(environment)
        self._serving.serve(pool)

    def _lose(self, pool: VersionPool, ahead: Ahead, environment: Environment) -> None:
        """Its process ended while it had no work."""
        if environment not in ahead.free:
            return
        ahead.free.remove(environment)
        ahead.lose(environment)
        self._idle.remove(environment)
        self._live.end(environment)
        self._fail(pool, ahead, None)

    def _fail(self, pool: VersionPool, ahead: Ahead, failure: str | None) -> None:
        """Try again, later and later as it fails again and again."""
        ahead.failure = failure
        ahead.failures += 1
        if ahead.pause is None and ahead.wanted:
            seconds = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (ahead.failures - 1))
            ahead.pause = self._clock.call_later(seconds, partial(self._try_again, pool, ahead))
        if pool.ahead is ahead:
            self.level(pool)

    def _try_again(self, pool: VersionPool, ahead: Ahead) -> None:
        self._resume(ahead)
        if pool.ahead is ahead:
            self.level(pool)

    def _resume(self, ahead: Ahead) -> None:
        if ahead.pause is not None:
            ahead.pause.cancel()
            ahead.pause = None

    def _give_up(self, pool: VersionPool, ahead: Ahead, environment: Environment) -> None:
        """No successor got ready in time: it begins nothing any more."""
        environment.is_spent = True
        if environment in ahead.free:
            self._release(ahead, environment)
            self.level(pool)

    def _release_one(self, ahead: Ahead) -> None:
        """One without work if there is any, and one that is worn rather than another."""
        those = [*ahead.worn, *reversed(ahead.free), *ahead.ready]
        self._release(ahead, next((one for one in those if one in ahead.free), those[0]))

    def _release(self, ahead: Ahead, environment: Environment) -> None:
        """It ends, with its work if it has some."""
        if environment in ahead.free:
            ahead.free.remove(environment)
            self._idle.remove(environment)
            self._live.end(environment)
        else:
            ahead.surplus.add(environment)
        ahead.lose(environment)

    def _could_fit(self) -> bool:
        """Whether all that are wanted fit when nothing else is there."""
        wanted = [(pool.ahead.wanted, pool.size_mib) for pool in self._pools if pool.ahead is not None]
        whole = self._live.room.whole
        return (
            sum(count for count, _ in wanted) <= whole.places
            and sum(count * size_mib for count, size_mib in wanted) <= whole.memory_mib
        )

    def _tell(self, pool: VersionPool) -> None:
        key, version, _ = pool.key
        self.on_change(key, version)


def _nobody_asks(key: FunctionKey, version: str) -> None:
    pass
