"""AWS's own runtime clients, unmodified, in an environment of ours: as plain processes that talk to the Runtime API."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.environments.environ import SessionCredentials, environment_variables, snapshot_variables
from lampion.environments.environment import Environment
from lampion.environments.narrator import Narrator
from lampion.environments.session import OfferedCredentials, RuntimeSession, Start
from lampion.runtime_api.door import RuntimeApiServer
from lampion.sandbox.drivers.process import ProcessDriver
from lampion.sandbox.guarded import Guarded
from lampion.sandbox.spec import Limits, Mount, SandboxSpec
from tests.component.environments.stage import FUNCTION, INSTANCE, Lines, release

KEYS = SessionCredentials("a", "b", "c")


@asynccontextmanager
async def running(
    argv: Sequence[str],
    task_root: Path,
    handler: str,
    *,
    variables: Mapping[str, str] | None = None,
    json_log: bool = False,
) -> AsyncIterator[tuple[Environment, Lines]]:
    """An environment, started."""
    configuration = replace(FUNCTION.configuration, handler=handler, timeout_seconds=10)
    if json_log:
        logging = replace(configuration.logging, log_format="JSON", application_log_level="DEBUG")
        configuration = replace(configuration, logging=logging)
    function = replace(FUNCTION, configuration=configuration)
    clock, log = SystemClock(), Lines()
    driver = Guarded(ProcessDriver(clock), clock)
    environ = environment_variables(function, log_stream="s", credentials=KEYS) | dict(variables or {})
    spec = spec_of(argv, task_root, environ)
    environment = Environment(
        function,
        launch=lambda: driver.start(spec),
        release=release,
        runtime_server=RuntimeApiServer(clock),
        narrator=Narrator(function, stream=log, instance=INSTANCE, clock=clock),
        clock=clock,
        rng=SystemRng(),
    )
    try:
        await environment.start()
        yield environment, log
    finally:
        await environment.stop()
        await driver.close()


@asynccontextmanager
async def prepared_for_a_snapshot(argv: Sequence[str], task_root: Path, handler: str) -> AsyncIterator[RuntimeSession]:
    """The session of a process that a snapshot is to be taken of."""
    function = replace(FUNCTION, configuration=replace(FUNCTION.configuration, handler=handler))
    clock = SystemClock()
    driver = Guarded(ProcessDriver(clock), clock)
    environ = snapshot_variables(function, authorization_token="token")
    sandbox = await driver.start(spec_of(argv, task_root, environ))
    session = RuntimeSession(
        function, SystemRng().uuid4, Start.SNAPSHOT, OfferedCredentials("token", lambda: (KEYS, 3600.0))
    )
    opened = await RuntimeApiServer(clock).open(sandbox.runtime_api, session)
    try:
        yield session
    finally:
        await sandbox.stop(0)
        await release(sandbox)
        await opened.close()
        os.close(sandbox.output)
        os.close(sandbox.telemetry)
        await driver.close()


def spec_of(argv: Sequence[str], task_root: Path, environ: Mapping[str, str]) -> SandboxSpec:
    return SandboxSpec(
        sandbox_id="ric",
        argv=tuple(argv),
        environ=environ,
        working_directory="/var/task",
        mounts=(Mount(task_root, "/var/task"),),
        limits=Limits(memory_mib=512, cpu_cores=1),
    )
