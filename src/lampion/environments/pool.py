"""Environments of all functions: hands an invocation an idle one or starts one, and retires what isn't needed.

`assignment.assign` decides; this room acts. On the warm path nothing waits and nothing is scanned.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any

from lampion.clock.clock import Clock, Timer
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import TooManyRequestsException
from lampion.domain.function import Function
from lampion.environments.assignment import Demand, assign
from lampion.environments.courtesy import Courtesy
from lampion.environments.environment import Environment

_ROUNDING_SECONDS = 1e-6

EnvironmentFactory = Callable[[Function], Environment]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """`capacity` bounds the environments of this host; a request waits up to `capacity_wait_seconds` for room.

    An environment that is idle for `freeze_seconds` is frozen: a next invocation that comes at once pays nothing.
    `most_launches` sandboxes of a version are launched at once: more wouldn't be there sooner, and meanwhile who
    waits for one may get an environment that another invocation gives back. Init isn't part of a launch.
    """

    capacity: int
    idle_seconds: float
    freeze_seconds: float = 0.01
    capacity_wait_seconds: float = 10.0
    most_launches: int = 2


@dataclass(slots=True)
class _VersionPool:
    """The environments of one version in its present configuration and code."""

    function: Function
    idle: list[Environment] = field(default_factory=list)  # the last one is the most recently used
    waiting: "deque[asyncio.Future[Environment]]" = field(default_factory=deque)
    starting: int = 0
    launching: set[Environment] = field(default_factory=set)  # those of `starting` that have no sandbox yet
    busy: int = 0
    courtesy: Courtesy | None = None  # of the environment that ended last


class EnvironmentPool:
    """All environments of this host."""

    def __init__(self, factory: EnvironmentFactory, clock: Clock, settings: PoolSettings) -> None:
        self._factory = factory
        self._clock = clock
        self._settings = settings
        self._versions: dict[tuple[FunctionKey, str], _VersionPool] = {}
        self._idle_order: OrderedDict[Environment, _VersionPool] = OrderedDict()  # least recently used first
        self._live: set[Environment] = set()
        self._ending: set[Environment] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._retire_timer: Timer | None = None
        self._running_idle: dict[Environment, None] = {}  # idle and not frozen, the longest idle first
        self._freeze_timer: Timer | None = None

    def __repr__(self) -> str:
        parts = [
            f"{key.name}:{version} {len(pool.idle)} idle, {pool.busy} busy, {pool.starting} starting, "
            f"{len(pool.waiting)} waiting"
            for (key, version), pool in self._versions.items()
        ]
        return f"<EnvironmentPool {len(self._live)}/{self._settings.capacity}: {'; '.join(parts) or 'empty'}>"

    def acquire(self, function: Function) -> "Acquired":
        """`async with pool.acquire(function) as environment`: given back, or ended, when the block is left."""
        return Acquired(self, self._pool_of(function))

    async def close(self) -> None:
        """End every environment, the ones in use as well: what runs in them learns that its sandbox is gone."""
        self._closed = True
        if self._retire_timer is not None:
            self._retire_timer.cancel()
        if self._freeze_timer is not None:
            self._freeze_timer.cancel()
        for environment in tuple(self._live):
            self._end(environment)
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def retire_function(self, key: FunctionKey) -> None:
        """The function is gone with its versions: idle environments end now, busy ones after their invocation."""
        for known, version in [identity for identity in self._versions if identity[0] == key]:
            self.retire_version(known, version)

    def retire_version(self, key: FunctionKey, version: str) -> None:
        """The same for one version, or for $LATEST as it was."""
        pool = self._versions.pop((key, version), None)
        for environment in () if pool is None else tuple(pool.idle):
            self._retire(environment)

    def age(self, seconds: float) -> None:
        """What is idle has been so for longer than this room's clock tells: some of it may end now."""
        for environment in self._idle_order:
            environment.idle_since -= seconds
        if self._retire_timer is not None:
            self._retire_timer.cancel()
            self._retire_idle()

    def packages_in_use(self) -> frozenset[str]:
        """Names all stored code that environments have mounted."""
        return frozenset().union(*(environment.function.code_in_use for environment in self._live))

    # -- for Acquired --

    def take_idle(self, pool: _VersionPool) -> Environment | None:
        """The warm path: the most recently used idle environment, unless others wait already."""
        if not pool.idle or pool.waiting:
            return None
        environment = self._take_newest(pool)
        pool.busy += 1
        return environment

    async def wait(self, pool: _VersionPool) -> Environment:
        """Stand in line for an environment of `pool`. Raises what starting one raised, or TooManyRequestsException."""
        turn: asyncio.Future[Environment] = asyncio.get_running_loop().create_future()
        pool.waiting.append(turn)
        self._assign(pool)
        try:
            while not turn.done():
                with suppress(TimeoutError):
                    async with self._clock.deadline(self._settings.capacity_wait_seconds):
                        await asyncio.shield(turn)
                if not turn.done() and self._has_no_prospect(pool, turn):
                    raise TooManyRequestsException("Rate Exceeded.", Reason="ConcurrentInvocationLimitExceeded")
            return turn.result()
        except BaseException:
            self._leave_line(pool, turn)
            raise

    def give_back(self, pool: _VersionPool, environment: Environment) -> None:
        """An acquired environment is free again, or spent."""
        pool.busy -= 1
        current = self._versions.get((pool.function.key, pool.function.version)) is pool
        if environment.is_reusable and current and not self._closed:
            self._make_idle(pool, environment)
            if pool.waiting:
                self._assign(pool)
        else:
            pool.courtesy = environment.courtesy
            self._end(environment)

    # -- inside --

    def _pool_of(self, function: Function) -> _VersionPool:
        identity = (function.key, function.version)
        pool = self._versions.get(identity)
        if pool is None:
            pool = self._versions[identity] = _VersionPool(function)
        elif pool.function is not function:
            if _runs_the_same(pool.function, function):
                pool.function = function
            else:
                self.retire_version(*identity)
                pool = self._versions[identity] = _VersionPool(function)
        return pool

    def _assign(self, pool: _VersionPool) -> None:
        decision = assign(
            Demand(
                waiting=len(pool.waiting),
                idle=len(pool.idle),
                starting=pool.starting,
                environments=len(self._live),
                capacity=self._settings.capacity,
                evictable=len(self._idle_order) - len(pool.idle),
                launches=self._settings.most_launches - len(pool.launching),
            )
        )
        for _ in range(decision.reuse):
            self._hand_over(pool, self._take_newest(pool))
        for _ in range(decision.evict):
            self._retire(next(idle for idle, owner in self._idle_order.items() if owner is not pool))
        for _ in range(decision.start):
            self._start(pool)

    def _take_newest(self, pool: _VersionPool) -> Environment:
        environment = pool.idle.pop()
        del self._idle_order[environment]
        self._running_idle.pop(environment, None)
        return environment

    def _hand_over(self, pool: _VersionPool, environment: Environment) -> None:
        pool.busy += 1
        pool.waiting.popleft().set_result(environment)

    def _start(self, pool: _VersionPool) -> None:
        environment = self._factory(pool.function)
        environment.on_launched = partial(self._launched, pool)
        environment.courtesy = pool.courtesy
        pool.starting += 1
        pool.launching.add(environment)
        self._live.add(environment)
        self._spawn(self._start_environment(pool, environment))

    async def _start_environment(self, pool: _VersionPool, environment: Environment) -> None:
        try:
            await environment.start()
        except Exception as error:  # whatever it is, the request in line must learn it
            pool.starting -= 1
            pool.launching.discard(environment)
            self._end(environment)
            if pool.waiting:
                pool.waiting.popleft().set_exception(error)
            self._assign(pool)
            return
        pool.starting -= 1
        if pool.waiting:
            self._hand_over(pool, environment)
        elif environment.is_reusable and not self._closed:
            self._make_idle(pool, environment)
        else:
            self._end(environment)

    def _launched(self, pool: _VersionPool, environment: Environment) -> None:
        pool.launching.discard(environment)
        if pool.waiting:
            self._assign(pool)

    def _make_idle(self, pool: _VersionPool, environment: Environment) -> None:
        environment.on_idle_exit = self._retire
        pool.idle.append(environment)
        self._idle_order[environment] = pool
        if self._retire_timer is None:
            self._retire_timer = self._clock.call_later(self._settings.idle_seconds, self._retire_idle)
        self._running_idle[environment] = None
        if self._freeze_timer is None:
            self._freeze_timer = self._clock.call_later(self._settings.freeze_seconds, self._freeze_idle)

    def _freeze_idle(self) -> None:
        """Freeze what has been idle long enough; one timer for all, so that a busy environment costs none."""
        self._freeze_timer = None
        limit = self._clock.monotonic() - self._settings.freeze_seconds
        while self._running_idle:
            environment = next(iter(self._running_idle))
            missing_seconds = environment.idle_since - limit
            if missing_seconds > _ROUNDING_SECONDS:
                self._freeze_timer = self._clock.call_later(missing_seconds, self._freeze_idle)
                return
            del self._running_idle[environment]
            environment.freeze()

    def _retire_idle(self) -> None:
        """End what has been idle too long; the timer runs on while anything is idle."""
        self._retire_timer = None
        limit = self._clock.monotonic() - self._settings.idle_seconds
        while self._idle_order:
            environment = next(iter(self._idle_order))
            if environment.idle_since > limit:
                delay = environment.idle_since - limit
                self._retire_timer = self._clock.call_later(delay, self._retire_idle)
                return
            self._retire(environment)

    def _retire(self, environment: Environment) -> None:
        pool = self._idle_order.pop(environment, None)
        self._running_idle.pop(environment, None)
        if pool is not None:
            pool.courtesy = environment.courtesy
            pool.idle.remove(environment)
            self._end(environment)

    def _end(self, environment: Environment) -> None:
        if environment in self._ending or environment not in self._live:
            return
        self._ending.add(environment)
        self._spawn(self._stop_environment(environment))

    async def _stop_environment(self, environment: Environment) -> None:
        try:
            await environment.stop()
        finally:
            self._live.discard(environment)
            self._ending.discard(environment)
            self._serve_starved()

    def _serve_starved(self) -> None:
        """Room was made: whoever waits for capacity gets it, the version waiting first in the table first."""
        for pool in () if self._closed else tuple(self._versions.values()):
            if pool.waiting:
                self._assign(pool)

    def _has_no_prospect(self, pool: _VersionPool, turn: "asyncio.Future[Environment]") -> bool:
        """The host is full, and what is starting is for those who stand before."""
        return len(self._live) >= self._settings.capacity and pool.waiting.index(turn) >= pool.starting

    def _leave_line(self, pool: _VersionPool, turn: "asyncio.Future[Environment]") -> None:
        if turn in pool.waiting:
            pool.waiting.remove(turn)
        elif turn.done() and not turn.cancelled() and turn.exception() is None:
            self.give_back(pool, turn.result())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Acquired:
    """The context manager of `EnvironmentPool.acquire`; a class, for the warm path's sake."""

    __slots__ = ("_environment", "_pool", "_version_pool")

    def __init__(self, pool: EnvironmentPool, version_pool: _VersionPool) -> None:
        self._pool = pool
        self._version_pool = version_pool
        self._environment: Environment | None = None

    async def __aenter__(self) -> Environment:
        environment = self._pool.take_idle(self._version_pool)
        if environment is None:
            environment = await self._pool.wait(self._version_pool)
        self._environment = environment
        return environment

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._environment is not None:
            self._pool.give_back(self._version_pool, self._environment)


def _runs_the_same(one: Function, other: Function) -> bool:
    return one.configuration == other.configuration and one.package == other.package
