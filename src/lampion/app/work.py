"""Builds what runs functions, and ends it: environments, deployments, the invoke path, the queues' way in."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from lampion.app.identity import keys_of, role_changes, server_access
from lampion.app.kms import function_environments
from lampion.app.other_registries import other_registries
from lampion.app.rooms import Ports, Stores, Work
from lampion.code.architectures import DEFAULT_ARCHITECTURE, HOST_ARCHITECTURE
from lampion.code.deployments import Deployments
from lampion.code.garbage import GarbageCollector
from lampion.code.images.architectures import ImageArchitectures
from lampion.code.images.garbage import ImageGarbage
from lampion.code.images.readiness import ImageReadiness
from lampion.code.images.sources import ImageSources
from lampion.code.interpreter_places import emulated_places, search_places
from lampion.code.interpreters import Interpreter, Interpreters, RuntimeBase
from lampion.code.interpreters_by_architecture import InterpretersByArchitecture
from lampion.code.runtimes import Runtimes
from lampion.config import Settings
from lampion.config.processors import processors
from lampion.config.values import ArchitecturesChoice
from lampion.domain.limits import MEMORY_MIB_MIN, MIB
from lampion.environments.file_systems import FileSystems
from lampion.environments.log_rate import LogRate
from lampion.environments.pool import EnvironmentPool, PoolSettings
from lampion.environments.provision import Provisioner
from lampion.environments.reach import Reach
from lampion.environments.server_access import ServerAccess
from lampion.environments.snapshot_taking import SnapshotTaking
from lampion.environments.snapshots import VersionSnapshots
from lampion.event_queue.queues import Queues
from lampion.gateway.function_doors import FunctionDoors
from lampion.identity.function_environments import FunctionEnvironments
from lampion.identity.service_access import ServiceAccess
from lampion.invoke.busy_poll import BusyPoll
from lampion.invoke.concurrency import Concurrency
from lampion.invoke.event_acceptance import EventAcceptance
from lampion.invoke.invoker import Invoker
from lampion.invoke.lookup import FunctionLookup
from lampion.invoke.provisioning import Provisioning
from lampion.invoke.recursion import RecursionGuard
from lampion.invoke.tracing import Tracing
from lampion.runtime_api.door import RuntimeApiServer
from lampion.sandbox.snapshots import snapshotting
from lampion.sandbox.spec import NetworkMode
from lampion.sandbox.tool_runner import SubprocessToolRunner, ToolOutput

_LOG = logging.getLogger(__name__)


def _pool_settings(settings: Settings) -> PoolSettings:
    return PoolSettings(
        capacity=settings.max_environments,
        memory_mib=_function_memory_mib(settings),
        idle_seconds=settings.idle_seconds,
        capacity_wait_seconds=settings.capacity_wait_seconds,
        most_launches=max(2, processors()),
    )


def _function_memory_mib(settings: Settings) -> int:
    return max(MEMORY_MIB_MIN, settings.function_memory_bytes // MIB)


@asynccontextmanager
async def working(settings: Settings, ports: Ports, stores: Stores) -> AsyncIterator[Work]:
    """All that runs functions, for the duration of the block."""
    native, interpreters = _interpreters(settings, ports)
    found = await _found(native)
    runtimes = Runtimes(ports.clock, native)
    keys, doors = keys_of(settings, ports, stores), FunctionDoors(ports.clock)
    environments = await function_environments(ports, stores)
    lent = (environments, server_access(ports, keys, doors))
    provisioner = _provisioner(settings, ports, stores, interpreters, runtimes, lent)
    snapshots = VersionSnapshots(provisioner, _snapshot_taking(ports, provisioner))
    pool = _pool(settings, ports, snapshots)
    architectures = ImageArchitectures(takes_any=_takes_any_architecture(settings))
    garbage, others = _garbage(ports, stores, pool), other_registries(settings, ports, stores)
    deployments = Deployments(
        functions=stores.functions,
        blobs=stores.blobs,
        sealed=stores.sealed,
        packages=stores.packages,
        interpreters=interpreters,
        snapshots=snapshots,
        images=ImageReadiness(stores.images, others, architectures, can_run=_has_file_systems(ports)),
        expect=provisioner.expect,
        garbage=garbage,
        rng=ports.rng,
        clock=ports.clock,
    )
    sources = ImageSources(stores.images, stores.resources, others, garbage, architectures)
    lookup = FunctionLookup(stores.functions, stores.resources, ports.rng)
    provisioning = _provisioning(ports, stores, pool)
    invoker = _invoker(settings, ports, stores, lookup, deployments, pool)
    queues = Queues(stores.entries, ports.clock, ports.agenda, most_events=settings.max_environments)
    events = EventAcceptance(queues=queues, metrics=ports.metrics)
    beside = (*_upkeep(stores, pool, snapshots), stores.runtime_trees.prepare_all(found.values()))
    try:
        async with _running(deployments.run(), garbage.run(), provisioning.run(), *beside):
            built = (lookup, runtimes, deployments, sources, garbage, snapshots, pool, invoker, events, queues)
            tracing, access = Tracing(clock=ports.clock, rng=ports.rng), ServiceAccess(stores.resources, ports.clock)
            yield Work(*built, provisioning, keys, environments, doors, tracing, access)
    finally:
        await pool.close()
        await snapshots.close()


async def _found(native: Interpreters) -> Mapping[str, RuntimeBase]:
    """Now, so that a runtime's version is the same in every answer. Tells of those that stand in for others."""
    found = await native.discover()
    close = [base for base in found.values() if isinstance(base, Interpreter) and base.is_close]
    for executable in dict.fromkeys(one.executable for one in close):
        those = [one for one in close if one.executable == executable]
        names = ", ".join(one.runtime for one in those)
        _LOG.warning("--close-runtimes: version %s, %s, runs also %s", those[0].version, executable, names)
    return found


def _interpreters(settings: Settings, ports: Ports) -> tuple[Interpreters, InterpretersByArchitecture]:
    """This machine's own, and those together with others."""
    tool = ToolOutput(SubprocessToolRunner(ports.clock))
    native = Interpreters(search_places(settings.interpreter, os.environ), tool, takes_close=settings.close_runtimes)
    emulated = Interpreters(
        emulated_places(settings.interpreter, os.environ), tool, takes_close=settings.close_runtimes
    )
    return native, InterpretersByArchitecture(native, emulated, takes_any=_takes_any_architecture(settings))


def _has_file_systems(ports: Ports) -> bool:
    return ports.driver.capabilities().private_file_system


def _takes_any_architecture(settings: Settings) -> bool:
    """A function that names no architecture is for x86_64, and has to run wherever the server does."""
    if settings.architectures is ArchitecturesChoice.AUTO:
        return HOST_ARCHITECTURE != DEFAULT_ARCHITECTURE
    return settings.architectures is ArchitecturesChoice.ANY


@asynccontextmanager
async def _running(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Beside the block, and no longer than it."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _garbage(ports: Ports, stores: Stores, pool: EnvironmentPool) -> GarbageCollector:
    images = ImageGarbage(stores.images, stores.resources, ports.clock)
    return GarbageCollector(
        stores.functions,
        stores.blobs,
        stores.packages,
        ports.clock,
        also_in_use=pool.packages_in_use,
        images=images,
    )


def _upkeep(stores: Stores, pool: EnvironmentPool, snapshots: VersionSnapshots) -> Iterable[Coroutine[Any, Any, None]]:
    """Encrypted code leaves the memory with the last who runs from it, environments go with the keys of their roles."""
    yield stores.encrypted.run(lambda: pool.packages_in_use() | snapshots.packages_in_use())
    yield role_changes(stores, pool).run()


def _pool(settings: Settings, ports: Ports, snapshots: VersionSnapshots) -> EnvironmentPool:
    pool = EnvironmentPool(snapshots.environment, ports.clock, _pool_settings(settings), key_clock=ports.agenda)
    if ports.adjustable is not None:
        ports.adjustable.when_advanced(pool.age)
    return pool


def _provisioning(ports: Ports, stores: Stores, pool: EnvironmentPool) -> Provisioning:
    return Provisioning(resources=stores.resources, functions=stores.functions, environments=pool, clock=ports.clock)


def _invoker(
    settings: Settings,
    ports: Ports,
    stores: Stores,
    lookup: FunctionLookup,
    deployments: Deployments,
    pool: EnvironmentPool,
) -> Invoker:
    return Invoker(
        lookup=lookup,
        updates=deployments,
        recursion=RecursionGuard(stores.resources),
        concurrency=Concurrency(settings.concurrency_limit, stores.resources, ports.clock),
        pool=pool,
        busy_poll=BusyPoll(asyncio.get_running_loop().call_soon, ports.clock.monotonic, processors=processors()),
        metrics=ports.metrics,
    )


def _snapshot_taking(ports: Ports, provisioner: Provisioner) -> SnapshotTaking | None:
    """None where the driver takes no snapshots."""
    driver = snapshotting(ports.driver)
    return None if driver is None else SnapshotTaking(driver, provisioner, RuntimeApiServer(ports.clock), ports.clock)


def _provisioner(
    settings: Settings,
    ports: Ports,
    stores: Stores,
    interpreters: InterpretersByArchitecture,
    runtimes: Runtimes,
    lent: tuple[FunctionEnvironments, ServerAccess],
) -> Provisioner:
    """`lent` is what sandboxes get at their start: variables, keys and a door."""
    return Provisioner(
        driver=ports.driver,
        packages=stores.packages,
        images=stores.images,
        image_architectures=ImageArchitectures(takes_any=_takes_any_architecture(settings)),
        runtime_files=stores.runtime_trees,
        interpreters=interpreters,
        labels=runtimes,
        runtime_server=RuntimeApiServer(ports.clock),
        variables=lent[0],
        access=lent[1],
        reach=Reach(NetworkMode(settings.network.value), settings.subnet_route),
        file_systems=FileSystems(settings.file_systems, ports.clock),
        logs=stores.logs,
        clock=ports.clock,
        rng=ports.rng,
        log_rate=LogRate(burst_bytes=settings.log_burst_bytes, bytes_per_second=settings.log_rate_bytes),
        most_memory_mib=_function_memory_mib(settings),
    )
