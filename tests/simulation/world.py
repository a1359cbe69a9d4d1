"""Functions, their configurations and everything that runs them, over a virtual clock, a store in memory and fakes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from lampion.clock.rng import SeededRng
from lampion.clock.virtual import VirtualClock
from lampion.domain.alias import Alias
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.concurrency import ReservedConcurrency
from lampion.domain.function import DeploymentPackage, Function
from lampion.domain.invocation import Invocation, Outcome
from lampion.domain.provisioned_concurrency import Allocation, ProvisionedConcurrency
from lampion.environments.acquired import Acquired
from lampion.environments.environment import Environment
from lampion.environments.pool import EnvironmentPool, PoolSettings
from lampion.invoke.concurrency import Concurrency
from lampion.invoke.invoker import Invoker
from lampion.invoke.lookup import FunctionLookup
from lampion.invoke.provisioning import Provisioning
from lampion.invoke.qualifier import Target
from lampion.invoke.recursion import RecursionGuard
from lampion.store.aliases import ALIASES, alias_place
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.concurrency import PROVISIONED, RESERVED, provisioned_place, reserved_place
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources, MemoryTables
from lampion.telemetry.metrics import Metrics
from tests.component.store.samples import ACCOUNT, REGION, function
from tests.simulation.fake_environments import FakeEnvironments, Faults

PER_TENANT: Final = {"TenantIsolationMode": "PER_TENANT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one simulated server."""

    concurrency: int
    environments: int
    memory_mib: int
    capacity_wait_seconds: float = 10.0
    idle_seconds: float = 60.0


class Settled:
    """No update is ever under way here."""

    async def until_settled(self, key: FunctionKey) -> None:
        return


class WatchedPool(EnvironmentPool):
    """Knows which invocations were admitted and aren't over, by function and version: they hold or await something."""

    def __init__(self, factory: FakeEnvironments, clock: VirtualClock, settings: PoolSettings) -> None:
        super().__init__(factory, clock, settings)
        self.admitted: dict[tuple[str, str], int] = {}

    def acquire(self, function: Function, tenant_id: str | None = None) -> "Watched":
        return Watched(super().acquire(function, tenant_id), self.admitted, (function.key.name, function.version))


class Watched(Acquired):
    """An acquisition that counts as long as it lasts."""

    __slots__ = ("_admitted", "_inner", "_whose")

    def __init__(self, inner: Acquired, admitted: dict[tuple[str, str], int], whose: tuple[str, str]) -> None:
        self._inner = inner
        self._admitted = admitted
        self._whose = whose

    async def __aenter__(self) -> Environment:
        self._admitted[self._whose] = self._admitted.get(self._whose, 0) + 1
        try:
            return await self._inner.__aenter__()
        except BaseException:
            self._admitted[self._whose] -= 1
            raise

    async def __aexit__(self, *failure: object) -> None:
        self._admitted[self._whose] -= 1
        await self._inner.__aexit__(*failure)


class World:
    """One server, as far as it runs functions."""

    def __init__(self, seed: int, limits: Limits) -> None:
        self.rng = Random(seed)
        self.clock = VirtualClock()
        self.limits = limits
        self.environments = FakeEnvironments(self.clock, Random(seed + 1), Faults())
        tables = MemoryTables()
        self.functions = CachedFunctions(MemoryFunctions(tables))
        self.resources = CachedResources(MemoryResources(tables), self.functions)
        self.pool = WatchedPool(
            self.environments,
            self.clock,
            PoolSettings(
                capacity=limits.environments,
                memory_mib=limits.memory_mib,
                idle_seconds=limits.idle_seconds,
                capacity_wait_seconds=limits.capacity_wait_seconds,
            ),
        )
        self.concurrency = Concurrency(limits.concurrency, self.resources, self.clock)
        self.provisioning = Provisioning(
            resources=self.resources, functions=self.functions, environments=self.pool, clock=self.clock
        )
        self.invoker = Invoker(
            lookup=FunctionLookup(self.functions, self.resources, SeededRng(seed)),
            updates=Settled(),
            recursion=RecursionGuard(self.resources),
            metrics=Metrics(),
            concurrency=self.concurrency,
            pool=self.pool,
            busy_poll=nullcontext(),
        )
        self._numbers = 0

    # -- what a user does --

    async def create(self, name: str, *, memory_mib: int, versions: int, tenants: bool = False) -> None:
        latest = self._made(name, memory_mib, tenants)
        await self.resources.change(lambda stored: stored.insert_function(latest))
        for number in range(1, versions + 1):
            published = replace(latest, version=str(number))
            await self.resources.change(lambda stored, one=published: stored.insert_function(one))  # type: ignore[misc]

    async def update(self, name: str) -> None:
        """New code for $LATEST."""
        before = await self.functions.get(key(name))
        if before is not None:
            changed = replace(before, package=DeploymentPackage(self._new_id(), "=", 1), revision_id=self._new_id())
            await self.functions.replace(changed, expected_revision_id=before.revision_id)

    async def delete(self, name: str) -> None:
        await self.resources.change(lambda stored: stored.delete_function(key(name)))
        self.pool.retire_function(key(name))

    async def reserve(self, name: str, executions: int | None) -> None:
        if executions is None:
            await self.resources.change(lambda stored: stored.delete(RESERVED, reserved_place(key(name))))
        else:
            reserved = ReservedConcurrency(key=key(name), executions=executions)
            await self.resources.change(lambda stored: stored.put(RESERVED, reserved))

    async def provision(self, name: str, qualifier: str, executions: int | None) -> None:
        if executions is None:
            place = provisioned_place(key(name), qualifier)
            await self.resources.change(lambda stored: stored.delete(PROVISIONED, place))
        else:
            config = ProvisionedConcurrency(
                key=key(name),
                qualifier=qualifier,
                executions=executions,
                last_modified_epoch_ms=int(self.clock.now() * 1000),
            )
            await self.resources.change(lambda stored: stored.put(PROVISIONED, config))

    async def point(self, name: str, alias: str, version: str) -> None:
        value = Alias(key=key(name), name=alias, function_version=version, revision_id=self._new_id())
        await self.resources.change(lambda stored: stored.put(ALIASES, value))

    async def invoke(self, name: str, qualifier: str | None = None, tenant_id: str | None = None) -> Outcome:
        target = Target(key(name), qualifier)
        chosen = await self.invoker.check(target)
        invocation = Invocation(
            request_id=self._new_id(), invoked_arn=target.arn, payload=b"null", trace_id="", tenant_id=tenant_id
        )
        return await self.invoker.invoke(target, chosen, invocation)

    # -- what is to be seen --

    async def allocations(self) -> Mapping[tuple[str, str], tuple[Allocation, str, int]]:
        """By function and qualifier: what is said of a configuration, its version, and how many it wants."""
        configs = await self.resources.read(
            lambda stored: [
                (one, _version(stored.get(ALIASES, alias_place(one.key, one.qualifier)), one.qualifier))
                for one in stored.page(PROVISIONED, ACCOUNT, REGION, limit=1000)
            ]
        )
        return {
            (one.key.name, one.qualifier): (self.provisioning.allocation(one, version), version, one.executions)
            for one, version in configs
        }

    def ready_ahead(self, name: str, version: str) -> int:
        """How many environments of a version really are initialised ahead, and could work."""
        return sum(
            one.is_ahead and one.is_initialised and not one.is_stopping and (one.is_reusable or bool(one.invocation))
            for one in self.environments.live
            if (one.function.key.name, one.function.version) == (name, version)
        )

    def _made(self, name: str, memory_mib: int, tenants: bool) -> Function:
        made = function(name, settled=True)
        tenancy = PER_TENANT if tenants else None
        configuration = replace(made.configuration, memory_mib=memory_mib, tenancy_config=tenancy)
        return replace(made, configuration=configuration, package=DeploymentPackage(self._new_id(), "=", 1))

    def _new_id(self) -> str:
        self._numbers += 1
        return f"id-{self._numbers}"


def key(name: str) -> FunctionKey:
    return FunctionKey(ACCOUNT, REGION, name)


def _version(alias: Alias | None, qualifier: str) -> str:
    return qualifier if alias is None else alias.function_version


@asynccontextmanager
async def world(seed: int, limits: Limits) -> AsyncIterator[World]:
    """A server that runs for as long as the block, and leaves no environment behind."""
    made = World(seed, limits)
    carrying_out = asyncio.create_task(made.provisioning.run())
    try:
        yield made
    finally:
        carrying_out.cancel()
        await asyncio.gather(carrying_out, return_exceptions=True)
        closing = asyncio.create_task(made.pool.close())
        while not closing.done():
            await made.clock.advance(10)
        await closing
    assert made.environments.live == []


__all__ = ["LATEST", "Limits", "World", "key", "world"]
