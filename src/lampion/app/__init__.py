"""The composition root: builds every object, wires it, and runs it. The only place that names drivers."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import uvloop

import lampion
from lampion.app.drivers import choose_driver, place_of_server
from lampion.app.operations import operations
from lampion.app.rooms import Ports, Stores, Work
from lampion.app.views import own_doors
from lampion.aws.model import load_service
from lampion.aws.operation import collect
from lampion.aws.sigv4_sign import Signer
from lampion.clock.adjustable import AdjustableClock
from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.code.blobs import Blobs
from lampion.code.deployments import Deployments
from lampion.code.garbage import GarbageCollector
from lampion.code.interpreters import Interpreters, search_places
from lampion.code.packages import Packages
from lampion.code.runtime_trees import RuntimeTrees
from lampion.code.runtimes import Runtimes
from lampion.config import Settings
from lampion.config.values import AuthMode, ClockChoice, FunctionAccess
from lampion.environments.compiling import SandboxCompiler
from lampion.environments.log_rate import LogRate
from lampion.environments.pool import EnvironmentPool, PoolSettings
from lampion.environments.provision import Provisioner
from lampion.environments.reach import Reach
from lampion.environments.server_access import ServerAccess
from lampion.environments.snapshot_taking import SnapshotTaking
from lampion.environments.snapshots import VersionSnapshots
from lampion.function_logs.files import FileLogs
from lampion.gateway.authentication import Authentication, OpenAuthentication, SignedAuthentication
from lampion.gateway.authorization import AccountsOnly, Authorization
from lampion.gateway.aws_api import AwsApi
from lampion.gateway.code_downloads import CodeDownloads
from lampion.gateway.function_doors import FunctionDoors
from lampion.gateway.gateway import Gateway
from lampion.http.server import HttpServer
from lampion.identity.access_keys import AccessKeyring
from lampion.identity.session_keys import SessionKeys
from lampion.invoke.concurrency import Concurrency
from lampion.invoke.invoker import Invoker
from lampion.invoke.lookup import FunctionLookup
from lampion.invoke.recursion import RecursionGuard
from lampion.runtime_api.door import RuntimeApiServer
from lampion.sandbox.guarded import Guarded
from lampion.sandbox.snapshots import snapshotting
from lampion.sandbox.spec import NetworkMode
from lampion.sandbox.tool_runner import SubprocessToolRunner, ToolOutput
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.data_directory import open_data_directory
from lampion.store.sqlite.access_keys import SqliteAccessKeys
from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.functions import SqliteFunctions
from lampion.store.sqlite.resources import SqliteResources
from lampion.store.sqlite.watch import watched
from lampion.telemetry import server_log
from lampion.telemetry.health import Health
from lampion.telemetry.metrics import Metrics

_DRAIN_SECONDS = 10.0
_GARBAGE_THRESHOLDS = (20_000, 10, 200)
"""Requests leave no cycles behind, and to look at everything takes 15 ms in which no request is answered."""
_RUNTIMES: Final = Path(lampion.__file__).parent / "runtimes"

_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises StoreError, SandboxError or OSError, with a message for the user, when the server can't start.
    """
    server_log.configure()
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with serving(settings) as endpoint:
        gc.freeze()  # what was built at start lives as long as the server: no collection need look at it
        gc.set_threshold(*_GARBAGE_THRESHOLDS)
        _announce(settings, endpoint)
        await stopping.wait()
        _log.info("stopping")


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """A whole server for the duration of the block; yields the address it listens on."""
    async with AsyncExitStack() as stack:
        ports = await stack.enter_async_context(_ports(settings))
        stores = await stack.enter_async_context(_stores(settings, ports))
        work = await stack.enter_async_context(_work(settings, ports, stores))
        listener = socket.create_server(
            (settings.listen.host, settings.listen.port), family=_family(settings), backlog=1024
        )
        host = f"[{settings.listen.host}]" if ":" in settings.listen.host else settings.listen.host
        endpoint = f"http://{host}:{listener.getsockname()[1]}"
        server = HttpServer(_open_gateways(settings, ports, stores, work), ports.clock)
        await server.start(listener)
        stack.push_async_callback(server.close, _DRAIN_SECONDS)
        stores.directory.announce(endpoint=endpoint, account_id=settings.account_id, region=settings.region)
        yield endpoint


@asynccontextmanager
async def _ports(settings: Settings) -> AsyncIterator[Ports]:
    clock = SystemClock()
    adjustable = AdjustableClock(clock) if settings.clock is ClockChoice.ADJUSTABLE else None
    chosen = choose_driver(settings, clock)
    with place_of_server(chosen, settings):
        driver = Guarded(chosen, clock)
        await driver.sweep()
        try:
            yield Ports(clock, adjustable or clock, adjustable, SystemRng(), driver, Health(clock), Metrics())
        finally:
            await driver.close()


@asynccontextmanager
async def _stores(settings: Settings, ports: Ports) -> AsyncIterator[Stores]:
    directory = open_data_directory(settings.data)
    with contextlib.closing(directory):
        database = await open_database(directory.database)
        try:
            keys = AccessKeyring(SqliteAccessKeys(database), ports.rng)
            blobs = Blobs(directory.blobs, directory.tmp)
            compiler = SandboxCompiler(ports.driver, ports.clock, ports.rng)
            packages = Packages(blobs, directory.packages, directory.tmp, ports.clock, compiler)
            await packages.open()
            async with (
                FileLogs.open(
                    directory.logs, segment_bytes=settings.log_segment_bytes, group_bytes=settings.log_group_bytes
                ) as logs,
                watched(database, "store", ports.health, ports.clock),
            ):
                functions = CachedFunctions(SqliteFunctions(database))
                yield Stores(
                    directory=directory,
                    database=database,
                    functions=functions,
                    resources=CachedResources(SqliteResources(database), functions),
                    keys=keys,
                    root_key=await keys.root(settings.account_id),
                    blobs=blobs,
                    packages=packages,
                    runtime_trees=RuntimeTrees(_RUNTIMES, directory.runtimes, directory.tmp, ports.clock, compiler),
                    logs=logs,
                )
        finally:
            await database.close()


def _pool_settings(settings: Settings) -> PoolSettings:
    return PoolSettings(
        capacity=settings.max_environments,
        idle_seconds=settings.idle_seconds,
        most_launches=max(2, os.cpu_count() or 1),
    )


@asynccontextmanager
async def _work(settings: Settings, ports: Ports, stores: Stores) -> AsyncIterator[Work]:
    interpreters = Interpreters(
        search_places(settings.interpreter, os.environ), ToolOutput(SubprocessToolRunner(ports.clock))
    )
    found = await interpreters.discover()  # now, so that a runtime's version is the same in every answer
    runtimes = Runtimes(ports.clock, interpreters)
    sessions, doors = SessionKeys(ports.rng), FunctionDoors(ports.clock)
    provisioner = _provisioner(settings, ports, stores, interpreters, runtimes, ServerAccess(sessions, doors))
    driver = snapshotting(ports.driver)
    taking = None if driver is None else SnapshotTaking(driver, provisioner, RuntimeApiServer(ports.clock), ports.clock)
    snapshots = VersionSnapshots(provisioner, taking)
    pool = _pool(settings, ports, snapshots)
    functions, blobs, packages, clock = stores.functions, stores.blobs, stores.packages, ports.clock
    garbage = GarbageCollector(functions, blobs, packages, clock, also_in_use=pool.packages_in_use)
    deployments = Deployments(
        functions=functions,
        blobs=blobs,
        packages=packages,
        interpreters=interpreters,
        snapshots=snapshots,
        expect=provisioner.expect,
        garbage=garbage,
        rng=ports.rng,
        clock=clock,
    )
    lookup = FunctionLookup(functions, stores.resources, ports.rng)
    concurrency = Concurrency(settings.concurrency_limit, stores.resources)
    invoker = _invoker(ports, stores, lookup, deployments, concurrency, pool)
    background = [asyncio.create_task(deployments.run()), asyncio.create_task(garbage.run())]
    background.append(asyncio.create_task(stores.runtime_trees.prepare_all(found.values())))
    try:
        yield Work(lookup, runtimes, deployments, snapshots, pool, invoker, sessions, doors)
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await pool.close()
        await snapshots.close()


def _pool(settings: Settings, ports: Ports, snapshots: VersionSnapshots) -> EnvironmentPool:
    pool = EnvironmentPool(snapshots.environment, ports.clock, _pool_settings(settings))
    if ports.adjustable is not None:
        ports.adjustable.when_advanced(pool.age)
    return pool


def _invoker(
    ports: Ports,
    stores: Stores,
    lookup: FunctionLookup,
    deployments: Deployments,
    concurrency: Concurrency,
    pool: EnvironmentPool,
) -> Invoker:
    return Invoker(
        lookup=lookup,
        updates=deployments,
        recursion=RecursionGuard(stores.resources),
        concurrency=concurrency,
        pool=pool,
        metrics=ports.metrics,
    )


def _provisioner(
    settings: Settings,
    ports: Ports,
    stores: Stores,
    interpreters: Interpreters,
    runtimes: Runtimes,
    access: ServerAccess,
) -> Provisioner:
    return Provisioner(
        driver=ports.driver,
        packages=stores.packages,
        runtime_files=stores.runtime_trees,
        interpreters=interpreters,
        labels=runtimes,
        runtime_server=RuntimeApiServer(ports.clock),
        access=access,
        reach=Reach(NetworkMode(settings.network.value), settings.subnet_route),
        logs=stores.logs,
        clock=ports.clock,
        rng=ports.rng,
        log_rate=LogRate(burst_bytes=settings.log_burst_bytes, bytes_per_second=settings.log_rate_bytes),
    )


def _open_gateways(settings: Settings, ports: Ports, stores: Stores, work: Work) -> Gateway:
    """The gateway for clients; that for functions always checks signatures, for they aren't trusted as clients are."""
    signed = SignedAuthentication(keys=stores.keys, sessions=work.sessions, region=settings.region, clock=ports.clock)
    checking = _gateway(settings, ports, stores, work, signed)
    work.doors.lead_to(checking)
    if settings.auth is AuthMode.OPEN:
        return _gateway(settings, ports, stores, work, OpenAuthentication(account_id=settings.account_id))
    return checking


def _gateway(settings: Settings, ports: Ports, stores: Stores, work: Work, authentication: Authentication) -> Gateway:
    service = load_service("lambda")
    functions_may_all = settings.function_access is FunctionAccess.ALL
    for_own_doors = authentication if functions_may_all else AccountsOnly(authentication)
    downloads = CodeDownloads(
        blobs=stores.blobs,
        signer=Signer(stores.root_key.access_key_id, stores.root_key.secret_access_key, settings.region),
        authentication=for_own_doors,
        clock=ports.clock,
    )
    aws_api = AwsApi(
        service=service,
        handlers=collect(service, operations(settings, ports, stores, work, downloads)),
        authentication=authentication,
        authorization=Authorization(functions_may_all=functions_may_all, region=settings.region),
        region=settings.region,
    )
    own = {"code": downloads, **own_doors(settings, ports, stores, authentication)}
    return Gateway(service=service, aws_api=aws_api, own=own, rng=ports.rng)


def _family(settings: Settings) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in settings.listen.host else socket.AF_INET


def _announce(settings: Settings, endpoint: str) -> None:
    """The one line on stdout that says the server is ready."""
    sys.stdout.write(f"lampion {lampion.__version__} listening on {endpoint} data {settings.data}\n")
    sys.stdout.flush()
    if settings.auth is AuthMode.OPEN:
        _log.warning("--auth open: anyone on this machine may do anything here; signatures are not checked")
    if settings.clock is ClockChoice.ADJUSTABLE:
        _log.warning("--clock adjustable: whoever has a key may let retries, ages and schedules fall due at once")
