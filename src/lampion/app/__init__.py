"""The composition root: builds every object, wires it, and runs it. The only place that names drivers."""

import asyncio
import gc
import logging
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import uvloop

import lampion
from lampion.app.drivers import choose_driver, place_of_server
from lampion.app.events import running_events
from lampion.app.gateways import open_gateways, other_services
from lampion.app.own_memory import close_memory
from lampion.app.rooms import Ports
from lampion.app.secret_files import open_secret_files
from lampion.app.stores import opened_stores
from lampion.app.work import working
from lampion.clock.adjustable import AdjustableClock
from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.config import Settings
from lampion.config.values import AuthMode, ClockChoice
from lampion.http.large_body import keep_freed_memory
from lampion.http.server import HttpServer
from lampion.http.tls import server_context
from lampion.sandbox.guarded import Guarded
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

    Raises StoreError, SandboxError, TlsError or OSError, with a message for the user, when the server can't start.
    """
    server_log.configure()
    close_memory()
    keep_freed_memory()
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
    tls = _tls(settings)
    async with AsyncExitStack() as stack:
        ports = await stack.enter_async_context(_ports(settings))
        stores = await stack.enter_async_context(opened_stores(settings, ports))
        work = await stack.enter_async_context(working(settings, ports, stores))
        listener = socket.create_server(
            (settings.listen.host, settings.listen.port), family=_family(settings), backlog=1024
        )
        host = f"[{settings.listen.host}]" if ":" in settings.listen.host else settings.listen.host
        endpoint = f"{settings.scheme}://{host}:{listener.getsockname()[1]}"
        others = await stack.enter_async_context(other_services(settings, ports, work))
        server = HttpServer(open_gateways(settings, ports, stores, work, others), ports.clock)
        await server.start(listener, tls)
        stack.push_async_callback(server.close, _DRAIN_SECONDS)
        await stack.enter_async_context(running_events(settings, ports, stores, work))
        stores.directory.announce(
            endpoint=endpoint,
            account_id=settings.account_id,
            region=settings.region,
            certificate=settings.tls_certificate,
        )
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


def _tls(settings: Settings) -> ssl.SSLContext | None:
    """Raises TlsError."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    return server_context(settings.tls_certificate, settings.tls_key)


def _family(settings: Settings) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in settings.listen.host else socket.AF_INET


def _announce(settings: Settings, endpoint: str) -> None:
    """The one line on stdout that says the server is ready; what its user has to know stands before."""
    if settings.auth is AuthMode.OPEN:
        _log.warning("--auth open: anyone on this machine may do anything here; signatures are not checked")
    if settings.clock is ClockChoice.ADJUSTABLE:
        _log.warning("--clock adjustable: whoever has a key may let retries, ages and schedules fall due at once")
    for path in open_secret_files(settings):
        _log.warning("%s holds secrets and is open to others; run: chmod 600 %s", path, path)
    sys.stdout.write(f"lampion {lampion.__version__} listening on {endpoint} data {settings.data}\n")
    sys.stdout.flush()
