"""From a function to an environment: what its sandbox mounts, runs and may use. Knows no pool and no invocation."""

import asyncio
import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.code.interpreters import Interpreter, RuntimeUnavailable
from lampion.code.runtimes import catalogue
from lampion.domain.errors import InvalidRuntimeException
from lampion.domain.function import Function
from lampion.domain.limits import MEMORY_MIB_PER_CORE
from lampion.environments.environ import RUNTIME_DIRECTORY, TASK_ROOT, SessionCredentials, environment_variables
from lampion.environments.environment import Environment, RuntimeServer
from lampion.environments.narrator import Narrator
from lampion.environments.runtime_programs import PROGRAMS, RuntimeProgram
from lampion.function_logs.journal import FunctionLogs, LogGroup
from lampion.sandbox.driver import Driver, Sandbox
from lampion.sandbox.spec import Limits, Mount, SandboxSpec, Template


class PackageTrees(Protocol):
    """Unpacked deployment packages."""

    async def prepare(self, sha256: str, interpreter: Interpreter | None) -> Path: ...


class RuntimeFiles(Protocol):
    """What runs inside the sandbox before the function does."""

    async def prepare(self, interpreter: Interpreter) -> Path: ...


class FindInterpreter(Protocol):
    """The interpreters of this machine."""

    async def find(self, runtime: str) -> Interpreter: ...


class VersionLabels(Protocol):
    """What INIT_START says of a runtime."""

    def version_label(self, identifier: str) -> str: ...

    def version_arn(self, function: Function) -> str | None: ...


class Provisioner:
    """Makes environments (environments.pool.EnvironmentFactory)."""

    def __init__(
        self,
        *,
        driver: Driver,
        packages: PackageTrees,
        runtime_files: RuntimeFiles,
        interpreters: FindInterpreter,
        labels: VersionLabels,
        runtime_server: RuntimeServer,
        logs: FunctionLogs,
        clock: Clock,
        rng: Rng,
    ) -> None:
        self._driver = driver
        self._packages = packages
        self._runtime_files = runtime_files
        self._interpreters = interpreters
        self._labels = labels
        self._runtime_server = runtime_server
        self._logs = logs
        self._clock = clock
        self._rng = rng

    def environment(self, function: Function) -> Environment:
        """A new environment, not started; every sandbox that it needs is launched alike."""
        log_stream = self._log_stream_name(function)

        async def launch() -> Sandbox:
            return await self._driver.start(await self._spec(function, log_stream))

        return Environment(
            function,
            launch=launch,
            runtime_server=self._runtime_server,
            narrator=self._narrator(function, log_stream),
            clock=self._clock,
        )

    def _narrator(self, function: Function, log_stream: str) -> Narrator:
        key, runtime = function.key, function.configuration.runtime or ""
        group = LogGroup(key.account_id, key.region, function.configuration.logging.log_group)
        return Narrator(
            function,
            stream=self._logs.open_stream(group, log_stream),
            runtime_version=self._labels.version_label(runtime),
            runtime_version_arn=self._labels.version_arn(function) or "",
            clock=self._clock,
        )

    async def expect(self, function: Function) -> None:
        """Environments of the function will be wanted: have ready what doesn't depend on it."""
        configuration = function.configuration
        interpreter = await self._interpreter(configuration.runtime or "")
        shared = await self._shared_mounts(interpreter)
        template = self._template(interpreter, shared, configuration.memory_mib)
        if template is not None:
            self._driver.expect(template)

    async def _spec(self, function: Function, log_stream: str) -> SandboxSpec:
        configuration = function.configuration
        interpreter = await self._interpreter(configuration.runtime or "")
        program = _program(interpreter)
        environ = environment_variables(
            function, log_stream=log_stream, credentials=self._credentials(), language_variables=program.variables
        )
        package, shared = await asyncio.gather(
            self._packages.prepare(function.package.sha256, interpreter), self._shared_mounts(interpreter)
        )
        can_wait = program.waiting is not None and program.waiting.serves(environ)
        return SandboxSpec(
            sandbox_id=self._rng.uuid4().replace("-", ""),
            argv=self._guarded(program, program.argv(interpreter, environ)),
            environ=environ,
            working_directory=TASK_ROOT,
            mounts=(*shared, Mount(package, TASK_ROOT)),
            limits=Limits(
                memory_mib=configuration.memory_mib,
                cpu_cores=configuration.memory_mib / MEMORY_MIB_PER_CORE,
                tmp_mib=configuration.ephemeral_storage_mib,
            ),
            template=self._template(interpreter, shared, configuration.memory_mib) if can_wait else None,
        )

    def _guarded(self, program: RuntimeProgram, argv: tuple[str, ...]) -> tuple[str, ...]:
        if self._driver.capabilities().private_file_system:
            return argv
        return (argv[0], *program.leaves_code_alone, *argv[1:])

    async def _shared_mounts(self, interpreter: Interpreter) -> tuple[Mount, ...]:
        """What every function of this interpreter sees alike."""
        runtime = await self._runtime_files.prepare(interpreter)
        return (Mount(runtime, RUNTIME_DIRECTORY), *(Mount(source, target) for source, target in interpreter.mounts))

    def _template(self, interpreter: Interpreter, shared: tuple[Mount, ...], memory_mib: int) -> Template | None:
        waiting = _program(interpreter).waiting
        if waiting is None:
            return None
        return Template(
            worker=waiting.argv(interpreter, memory_mib),
            start=waiting.start,
            environ=tuple(waiting.environ.items()),
            mounts=shared,
        )

    async def _interpreter(self, runtime: str) -> Interpreter:
        try:
            return await self._interpreters.find(runtime)
        except RuntimeUnavailable as error:
            raise InvalidRuntimeException(str(error)) from error

    def _log_stream_name(self, function: Function) -> str:
        """As Lambda names streams: day, version, and an id of the environment."""
        day = datetime.fromtimestamp(self._clock.now(), UTC)
        return f"{day:%Y/%m/%d}/[{function.version}]{self._rng.token(16).hex()}"

    def _credentials(self) -> SessionCredentials:
        """Fresh keys in the form of a role's session."""
        return SessionCredentials(
            access_key_id="ASIA" + base64.b32encode(self._rng.token(10)).decode(),
            secret_access_key=base64.b64encode(self._rng.token(30)).decode(),
            session_token=base64.b64encode(self._rng.token(96)).decode(),
        )


def _program(interpreter: Interpreter) -> RuntimeProgram:
    return PROGRAMS[catalogue().runtimes[interpreter.runtime].language]
