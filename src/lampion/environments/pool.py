"""Environments of all functions: hands an invocation an idle one or starts one, and retires what isn't needed.

`assignment` decides; this room acts. On the warm path nothing waits and nothing is scanned.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Protocol

from lampion.clock.clock import Clock
from lampion.domain import limits
from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function
from lampion.environments.acquired import Acquired
from lampion.environments.assignment import Demand, assign
from lampion.environments.environment import Environment
from lampion.environments.fairness import gives_way, least_served, work_of
from lampion.environments.idle import IdleEnvironments
from lampion.environments.live import LiveEnvironments
from lampion.environments.outlook import Outlook, no_room
from lampion.environments.provisioned import NONE, Provisioned, ProvisionedEnvironments
from lampion.environments.rates import TokenBuckets
from lampion.environments.renewals import Renewals
from lampion.environments.room import Space
from lampion.environments.version_pool import PoolKey, Turn, VersionPool


class EnvironmentFactory(Protocol):
    """Makes environments, not started. One made `ahead` of invocations is provisioned concurrency."""

    def __call__(self, function: Function, *, ahead: bool = False) -> Environment: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """`capacity` and `memory_mib` bound the environments of this host (see room); a request waits up to
    `capacity_wait_seconds` for room. One that is idle for `freeze_seconds` is frozen: a next invocation that comes at
    once pays nothing. `most_launches` sandboxes of a version are launched at once: more wouldn't be there sooner, and
    who waits for one may get an environment that another gives back. Init isn't part of a launch.
    """

    capacity: int
    memory_mib: int
    idle_seconds: float
    freeze_seconds: float = 0.01
    capacity_wait_seconds: float = 10.0
    most_launches: int = 2


class EnvironmentPool:
    """All environments of this host."""

    def __init__(
        self, factory: EnvironmentFactory, clock: Clock, settings: PoolSettings, *, key_clock: Clock | None = None
    ) -> None:
        """`key_clock` is that by which the keys of environments end, if it is another one."""
        self._factory = factory
        self._clock = clock
        self._settings = settings
        self._versions: dict[PoolKey, VersionPool] = {}
        self._starved: dict[VersionPool, None] = {}  # somebody waits there for room
        self._scaling = TokenBuckets[FunctionKey](limits.SCALING_BURST, limits.SCALING_PER_SECOND)
        self._closed = False
        self._live = LiveEnvironments(Space(settings.capacity, settings.memory_mib))
        self._live.on_room = self._serve_starved
        self._renewals = Renewals(key_clock or clock, self.renew)
        self._live.on_end = self._renewals.remove
        self._room = self._live.room
        self._idle = IdleEnvironments[VersionPool](
            clock,
            idle_seconds=settings.idle_seconds,
            freeze_seconds=settings.freeze_seconds,
            retire=self._retire,
            frozen=self._rest,
        )
        self._provisioned = ProvisionedEnvironments(self._live, self._idle, clock, self)

    def __repr__(self) -> str:
        parts = [repr(pool) for pool in self._versions.values()]
        return f"<EnvironmentPool {len(self._live)}/{self._settings.capacity}: {'; '.join(parts) or 'empty'}>"

    def acquire(self, function: Function, tenant_id: str | None = None) -> Acquired:
        """`async with pool.acquire(function) as environment`: given back, or ended, when the block is left."""
        return Acquired(self, self._pool_of(function, tenant_id))

    async def close(self) -> None:
        """End every environment, the ones in use as well: what runs in them learns that its sandbox is gone."""
        self._closed = True
        self._idle.close()
        self._renewals.close()
        self._provisioned.close()
        await self._live.close()

    def retire_function(self, key: FunctionKey) -> None:
        """The function is gone with its versions: idle environments end now, busy ones after their invocation."""
        for pool in [pool for identity, pool in self._versions.items() if identity[0] == key]:
            self._drop(pool)

    def retire_version(self, key: FunctionKey, version: str) -> None:
        """The same for one version, or for $LATEST as it was."""
        for pool in [pool for identity, pool in self._versions.items() if identity[:2] == (key, version)]:
            self._drop(pool)

    def renew(self, environment: Environment) -> None:
        """Its keys end soon, or are void: nothing more begins in it; if it was made ahead, once another is ready."""
        if not self._provisioned.renew(environment):
            environment.is_spent = True
            self._retire(environment)

    async def renew_where_keys_are_void(self, account_id: str) -> None:
        """Roles of the account have changed: replace what runs in one that isn't there any more."""
        for environment in [one for one in self._live if one.function.key.account_id == account_id]:
            if environment.keys is not None and not await environment.keys.count():
                self.renew(environment)

    def age(self, seconds: float) -> None:
        """What is idle has been so for longer than this room's clock tells: some of it may end now."""
        self._idle.age(seconds)

    def packages_in_use(self) -> frozenset[str]:
        """Names all stored code that environments have mounted."""
        return self._live.packages_in_use()

    def provision(self, function: Function, wanted: int, *, anew: bool = False) -> None:
        """Keep so many environments of this version initialised ahead of invocations; `anew` forgets failures."""
        self._provisioned.provision(self._pool_of(function, None), wanted, anew=anew)

    def unprovision(self, key: FunctionKey, version: str) -> None:
        """Keep none any more."""
        pool = self._versions.get((key, version, None))
        if pool is not None:
            self._provisioned.drop(pool)

    def follow_provisioned(self, listener: Callable[[FunctionKey, str], object]) -> None:
        """Call `listener` when environments of a version got ready, failed, or wait for room; it must not wait."""
        self._provisioned.on_change = listener

    def provisioned_of(self, key: FunctionKey, version: str) -> Provisioned:
        """How far that has got."""
        pool = self._versions.get((key, version, None))
        return NONE if pool is None else self._provisioned.state(pool)

    # -- for Acquired --

    def take_idle(self, pool: VersionPool) -> Environment | None:
        """The warm path: the most recently used environment that is free, unless others wait already."""
        if pool.waiting:
            return None
        ahead = pool.ahead
        if ahead is not None and ahead.free:
            environment = self._provisioned.take(ahead)
        elif pool.idle and self._room.work(pool.idle[-1]):
            environment = pool.idle.pop()
            self._idle.remove(environment)
        else:
            return None
        pool.busy += 1
        return environment

    async def wait(self, pool: VersionPool) -> Environment:
        """Stand in line for an environment of `pool`. Raises what starting one raised, or TooManyRequestsException."""
        now, limit_seconds = self._clock.monotonic(), self._settings.capacity_wait_seconds
        if not pool.waiting:
            pool.outlook = Outlook()
        elif pool.outlook.is_poor(len(pool.waiting), pool.at_work, now, limit_seconds):
            raise no_room()
        if not self._may_scale(pool, now):
            self._forget_tenant(pool)
            raise no_room()
        turn = Turn(asyncio.get_running_loop().create_future(), now)
        pool.waiting.append(turn)
        if pool.unserved <= len(pool.idle) + self._settings.most_launches + 1:  # behind those no one changes a decision
            self._assign(pool)
        try:
            while not turn.environment.done():
                with suppress(TimeoutError):
                    async with self._clock.deadline(limit_seconds):
                        await asyncio.shield(turn.environment)
                if not turn.environment.done() and self._has_no_prospect(pool, turn):
                    raise no_room()
            return turn.environment.result()
        except BaseException:
            self._leave_line(pool, turn)
            raise

    def give_back(self, pool: VersionPool, environment: Environment) -> None:
        """An acquired environment is free again, or spent; or will be when its extensions are done."""
        if environment.finishing is not None:
            environment.finishing.add_done_callback(lambda _: self.give_back(pool, environment))
            return
        pool.busy -= 1
        if pool.ahead is not None and self._provisioned.give_back(pool, environment):
            return
        is_spent = not (environment.is_reusable and pool.is_current) or self._closed
        if is_spent or (self._starved and self._gives_way(pool)):
            pool.courtesy = environment.courtesy
            self._live.end(environment)
            self._forget_tenant(pool)
            return
        if pool.waiting:  # it stays at work, so the room is as before
            pool.hand_over(environment)
            if len(pool.waiting) <= pool.starting:
                self._starved.pop(pool, None)
            return
        self._make_idle(pool, environment)
        if self._starved or self._provisioned.starved:
            self._serve_starved()

    # -- for ProvisionedEnvironments --

    def serve(self, pool: VersionPool) -> None:
        """Something of the pool is free: give it to who waits."""
        if pool.waiting:
            self._assign(pool)

    def evict(self, environments: Sequence[Environment]) -> None:
        """End these idle environments."""
        for environment in environments:
            self._retire(environment)

    def new_environment(self, pool: VersionPool, *, ahead: bool) -> Environment:
        environment = self._factory(pool.function, ahead=ahead)
        environment.on_launched = partial(self._launched, pool)
        environment.courtesy = pool.courtesy
        return environment

    def launches_left(self, pool: VersionPool) -> int:
        return 0 if self._closed else self._settings.most_launches - len(pool.launching)

    # -- inside --

    def _pool_of(self, function: Function, tenant_id: str | None) -> VersionPool:
        identity = (function.key, function.version, tenant_id)
        pool = self._versions.get(identity)
        if pool is not None and pool.function is not function:
            if pool.runs_the_same(function):
                pool.function = function
            else:
                self.retire_version(function.key, function.version)
                pool = None
        if pool is None:
            size_mib = self._room.size_of(function.configuration.memory_mib)
            pool = self._versions[identity] = VersionPool(identity, function, size_mib)
        return pool

    def _drop(self, pool: VersionPool) -> None:
        """Nobody new comes to it; who waits there already is still served."""
        del self._versions[pool.key]
        pool.is_current = False
        self._provisioned.drop(pool)
        for environment in tuple(pool.idle):
            self._retire(environment)

    def _forget_tenant(self, pool: VersionPool) -> None:
        """There may be any number of tenants: keep nothing of one that has no environment."""
        if pool.key[2] is not None and pool.is_empty and self._versions.get(pool.key) is pool:
            del self._versions[pool.key]

    def _assign(self, pool: VersionPool, most: int | None = None) -> None:
        """Serve who waits there; begin at most so many launches."""
        while pool.waiting and pool.ahead is not None and pool.ahead.free:
            pool.hand_over(self._provisioned.take(pool.ahead))
        launches = self.launches_left(pool)
        reusable = pool.idle[: -len(pool.waiting) - 1 : -1] if pool.waiting else []
        decision = assign(
            Demand(
                waiting=len(pool.waiting),
                starting=pool.starting,
                launches=launches if most is None else min(most, launches),
                memory_mib=pool.size_mib,
                growths=[self._room.growth_of(environment) for environment in reusable],
                free=self._room.free,
                soon_free=self._room.soon_free,
                evictable=(self._room.charge_of(environment) for environment in self._evictable(pool)),
            )
        )
        evicted = list(islice(self._evictable(pool), decision.evict))
        for _ in range(decision.reuse):
            environment = pool.idle.pop()
            self._idle.remove(environment)
            self._room.work(environment)
            pool.hand_over(environment)
        self.evict(evicted)
        for _ in range(decision.start):
            self._start(pool)
        if decision.short:
            self._starved[pool] = None
        elif most is None or len(pool.waiting) <= pool.starting:
            self._starved.pop(pool, None)

    def _evictable(self, pool: VersionPool) -> Iterator[Environment]:
        """Idle environments, the least recently used first; not those that who waits in `pool` is going to reuse."""
        spare = len(pool.idle) - len(pool.waiting)
        for environment, owner in self._idle:
            if owner is not pool:
                yield environment
            elif spare > 0:
                spare -= 1
                yield environment

    def _start(self, pool: VersionPool) -> None:
        environment = self.new_environment(pool, ahead=False)
        self._scaling.take(pool.key[0], self._clock.monotonic())
        pool.starting += 1
        pool.launching.add(environment)
        self._live.begin(environment, self._start_environment(pool, environment))

    async def _start_environment(self, pool: VersionPool, environment: Environment) -> None:
        try:
            await environment.start()
        except Exception as error:  # whatever it is, the request in line must learn it
            pool.starting -= 1
            pool.launching.discard(environment)
            self._live.end(environment)
            if pool.waiting:
                pool.waiting.popleft().environment.set_exception(error)
            self._assign(pool)
            return
        pool.starting -= 1
        if pool.waiting:
            pool.hand_over(environment)
        elif environment.is_reusable and pool.is_current and not self._closed:
            self._make_idle(pool, environment)
            self._serve_starved()
        else:
            self._live.end(environment)

    def _launched(self, pool: VersionPool, environment: Environment) -> None:
        self._renewals.add(environment)
        pool.launching.discard(environment)
        if pool.waiting:
            self._assign(pool)
        if pool.ahead is not None and pool.ahead.missing:
            self._provisioned.level(pool)

    def _make_idle(self, pool: VersionPool, environment: Environment) -> None:
        environment.on_idle_exit = self._retire
        pool.idle.append(environment)
        self._idle.add(environment, pool)

    def _rest(self, environment: Environment) -> None:
        self._room.rest(environment)
        self._serve_starved()

    def _retire(self, environment: Environment) -> None:
        pool = self._idle.remove(environment)
        if pool is not None:
            pool.courtesy = environment.courtesy
            pool.idle.remove(environment)
            self._live.end(environment)
            self._forget_tenant(pool)

    # -- when there is no room --

    def _gives_way(self, pool: VersionPool) -> bool:
        """Whether an environment that has just come back to `pool` ends for others that wait for room."""
        return gives_way(pool, self._starved, work_of(self._versions.values()), self._clock.monotonic())

    def _serve_starved(self) -> None:
        """There may be room: give it to those who wait for it, one environment after the other; what is to be
        initialised ahead goes before.
        """
        if self._closed:
            return
        self._provisioned.level_all()
        left = [pool for pool in self._starved if pool.waiting]
        while left:
            pool = least_served(left, work_of(self._versions.values()))
            before = (len(pool.waiting), pool.starting)
            self._assign(pool, 1)
            if not pool.waiting or before == (len(pool.waiting), pool.starting):
                left.remove(pool)

    def _may_scale(self, pool: VersionPool, now: float) -> bool:
        """Whether one more request may have an environment started, if it needs one.

        Lambda developer guide, "Lambda scaling behavior": 1,000 of a function in 10 seconds, refilled all the time.
        """
        wanted = len(pool.waiting) + 1 - pool.starting - len(pool.idle)
        return wanted <= 0 or self._scaling.left(pool.key[0], now) >= wanted

    def _has_no_prospect(self, pool: VersionPool, turn: Turn) -> bool:
        """The host is full, and what is starting is for those who stand before."""
        return pool in self._starved and pool.waiting.index(turn) >= pool.starting

    def _leave_line(self, pool: VersionPool, turn: Turn) -> None:
        done = turn.environment
        if turn in pool.waiting:
            pool.waiting.remove(turn)
            if not pool.waiting:
                self._starved.pop(pool, None)
            self._forget_tenant(pool)
        elif done.done() and not done.cancelled() and done.exception() is None:
            self.give_back(pool, done.result())
