"""From a function to an environment: what its sandbox mounts, runs and may use. Knows no pool and no invocation."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.code.interpreters import Interpreter, OperatingSystem, RuntimeBase, RuntimeUnavailable
from lampion.code.languages import WITHOUT_INTERPRETER
from lampion.code.runtimes import catalogue
from lampion.domain.errors import InvalidRuntimeException
from lampion.domain.function import AttachedLayer, Function, FunctionConfiguration
from lampion.domain.limits import MEMORY_MIB_PER_CORE
from lampion.domain.packaging import IMAGE
from lampion.environments.endings import CannotStart
from lampion.environments.environ import (
    LAYERS_ROOT,
    LAYERS_VARIABLE,
    ON_DEMAND,
    PROVISIONED,
    RUNTIME_DIRECTORY,
    TASK_ROOT,
    SessionCredentials,
    environment_variables,
    snapshot_variables,
)
from lampion.environments.environment import Environment
from lampion.environments.extension_files import companions_of
from lampion.environments.file_systems import FileSystems
from lampion.environments.host import Restore, RuntimeServer
from lampion.environments.image_program import LaunchFailed
from lampion.environments.image_sandboxes import ImageEnvironment, ImageSandboxes, PreparedImages
from lampion.environments.log_rate import LogRate
from lampion.environments.narrator import Narrator
from lampion.environments.own_libraries import has_libraries
from lampion.environments.own_programs import OWN_VARIABLES, not_executed, own_program
from lampion.environments.reach import Reach
from lampion.environments.runtime_programs import PROGRAMS, RuntimeProgram
from lampion.environments.server_access import ServerAccess
from lampion.environments.session import OfferedCredentials, RuntimeSession, Start
from lampion.environments.teller import Teller
from lampion.function_logs.journal import FunctionLogs, LogGroup
from lampion.function_logs.platform_facts import Instance
from lampion.function_telemetry.subscribers import Subscribers
from lampion.sandbox.driver import DirectoryRefused, Driver, ProgramError, Sandbox
from lampion.sandbox.snapshots import Snapshot, SnapshotOrigin, Snapshotting
from lampion.sandbox.spec import Limits, Mount, SandboxSpec, Template, WorkerStart


class PackageTrees(Protocol):
    """Unpacked deployment packages, and layers merged in order."""

    async def prepare(self, sha256: str, base: RuntimeBase | None) -> Path: ...

    async def prepare_layers(self, layers: Sequence[AttachedLayer], base: RuntimeBase | None) -> Path: ...


class RuntimeFiles(Protocol):
    """What runs inside the sandbox before the function does."""

    async def prepare(self, interpreter: Interpreter) -> Path: ...


class FindInterpreter(Protocol):
    """The interpreters of this machine."""

    async def find(self, runtime: str, architecture: str) -> RuntimeBase: ...


class ExternalExtensions(Exception):
    """The function has some, so what is asked can't be had."""


class VersionLabels(Protocol):
    """What INIT_START says of a runtime."""

    def version_label(self, identifier: str) -> str: ...

    def version_arn(self, function: Function) -> str | None: ...


StartSandbox = Callable[[SessionCredentials], Awaitable[Sandbox]]


class Provisioner:
    """Makes environments (environments.pool.EnvironmentFactory)."""

    def __init__(
        self,
        *,
        driver: Driver,
        packages: PackageTrees,
        images: PreparedImages,
        runtime_files: RuntimeFiles,
        interpreters: FindInterpreter,
        labels: VersionLabels,
        runtime_server: RuntimeServer,
        access: ServerAccess,
        reach: Reach,
        file_systems: FileSystems,
        logs: FunctionLogs,
        clock: Clock,
        rng: Rng,
        log_rate: LogRate,
        most_memory_mib: int,
    ) -> None:
        """No sandbox may use more than `most_memory_mib`, whatever its function's memory: this host hasn't more."""
        self._driver = driver
        self._packages = packages
        self._image_sandboxes = ImageSandboxes(images, driver, reach, file_systems)
        self._runtime_files = runtime_files
        self._interpreters = interpreters
        self._labels = labels
        self._runtime_server = runtime_server
        self._access = access
        self._reach = reach
        self._file_systems = file_systems
        self._logs = logs
        self._clock = clock
        self._rng = rng
        self._log_rate = log_rate
        self._most_memory_mib = most_memory_mib

    def environment(self, function: Function, restore: Restore | None = None, *, ahead: bool = False) -> Environment:
        """A new environment, not started; every sandbox that it needs is launched alike."""
        initialization_type = PROVISIONED if ahead else ON_DEMAND
        log_stream = self._log_stream_name(function)
        narrator = self._narrator(function, log_stream, self._teller(function, log_stream))

        start = self._starting(function, log_stream, initialization_type)

        async def launch() -> Sandbox:
            try:
                return await self._access.start(function, start)
            except DirectoryRefused as error:
                self._file_systems.refused(function, error)
            except LaunchFailed as failed:
                narrator.launch_failed(failed.line)
                raise

        return Environment(
            function,
            launch=launch,
            release=self._access.end,
            runtime_server=self._runtime_server,
            narrator=narrator,
            clock=self._clock,
            rng=self._rng,
            restore=restore,
            ahead=ahead,
        )

    def _starting(self, function: Function, log_stream: str, initialization_type: str) -> StartSandbox:
        """What starts a sandbox of an environment with the keys that it is lent."""

        async def start(credentials: SessionCredentials) -> Sandbox:
            if function.configuration.package_type == IMAGE:
                named = ImageEnvironment(function, log_stream, credentials, initialization_type)
                return await self._image_sandboxes.start(
                    named, self._sandbox_id(), self._limits(function.configuration)
                )

            def variables(of_language: Mapping[str, str]) -> dict[str, str]:
                return environment_variables(
                    function,
                    log_stream=log_stream,
                    credentials=credentials,
                    language_variables=of_language,
                    initialization_type=initialization_type,
                )

            return await self._started(await self._spec(function, variables), function)

        return start

    async def _started(self, spec: SandboxSpec, function: Function) -> Sandbox:
        """Raises CannotStart when it is the function's own program that can't be executed."""
        try:
            return await self._driver.start(spec)
        except ProgramError as error:
            language = _language(function.configuration.runtime or "")
            if language not in WITHOUT_INTERPRETER:
                raise
            raise CannotStart(not_executed(language, spec.argv[0], error.problem)) from error

    def session(
        self, function: Function, start: Start, credentials: OfferedCredentials | None = None
    ) -> RuntimeSession:
        """Of one sandbox's runtime."""
        return RuntimeSession(function, self._rng.uuid4, start, credentials)

    def narrator(self, function: Function) -> Narrator:
        """Of a log stream of its own."""
        log_stream = self._log_stream_name(function)
        return self._narrator(function, log_stream, self._teller(function, log_stream))

    async def origin(
        self, function: Function, driver: Snapshotting, authorization_token: str
    ) -> tuple[SnapshotOrigin, SandboxSpec, OfferedCredentials]:
        """A sandbox to take a snapshot of, for `release` at its end. Raises as `Environment.start` does, and
        ExternalExtensions.
        """

        def variables(of_language: Mapping[str, str]) -> dict[str, str]:
            return snapshot_variables(function, authorization_token=authorization_token, language_variables=of_language)

        spec = await self._spec(function, variables)
        if spec.companions is not None:
            raise ExternalExtensions("no snapshot holds several programs, and its extensions are such")
        begun: list[tuple[SnapshotOrigin, OfferedCredentials]] = []

        async def start(credentials: SessionCredentials) -> Sandbox:
            origin = await driver.start_origin(spec)
            begun.append((origin, OfferedCredentials(authorization_token, credentials)))
            return origin

        await self._access.start(function, start)
        return begun[0][0], spec, begun[0][1]

    async def copy(
        self, function: Function, snapshot: Snapshot, spec: SandboxSpec, authorization_token: str
    ) -> tuple[Sandbox, OfferedCredentials]:
        """A copy of a snapshot that was taken of `spec`, and what it may ask for. Raises SandboxError."""
        offered: list[OfferedCredentials] = []

        async def start(credentials: SessionCredentials) -> Sandbox:
            offered.append(OfferedCredentials(authorization_token, credentials))
            return await snapshot.start(replace(spec, sandbox_id=self._sandbox_id()))

        return await self._access.start(function, start), offered[0]

    async def release(self, sandbox: Sandbox) -> None:
        """The sandbox has ended: take back what it was lent. Idempotent."""
        await self._access.end(sandbox)

    def authorization_token(self) -> str:
        """With which the processes of one snapshot ask for their credentials."""
        return base64.b64encode(self._rng.token(30)).decode()

    def _narrator(self, function: Function, log_stream: str, teller: Teller) -> Narrator:
        key, runtime = function.key, function.configuration.runtime or ""
        group = LogGroup(key.account_id, key.region, function.configuration.logging.log_group)
        return Narrator(
            function,
            stream=self._logs.open_stream(group, log_stream),
            runtime_version=self._labels.version_label(runtime) if runtime else "",
            runtime_version_arn=self._labels.version_arn(function) or "",
            clock=self._clock,
            rate=self._log_rate,
            teller=teller,
        )

    def _teller(self, function: Function, log_stream: str) -> Teller:
        """For who may subscribe to what happens in a new environment."""
        runtime = function.configuration.runtime or ""
        day, _, identity = log_stream.rpartition("/")
        instance = Instance(
            function_name=function.key.name,
            function_version=function.version,
            function_arn=function.key.arn,
            instance_id=f"{day}/{function.key.name}{identity}",
            memory_mib=function.configuration.memory_mib,
            runtime_version=self._labels.version_label(runtime) if runtime else "",
            runtime_version_arn=self._labels.version_arn(function) or "",
        )
        is_json = function.configuration.logging.log_format == "JSON"
        return Teller(instance, Subscribers(self._clock), self._clock, is_json=is_json)

    async def expect(self, function: Function) -> None:
        """Environments of the function will be wanted: have ready what doesn't depend on it."""
        configuration = function.configuration
        base = await self._base(configuration)
        template = _template(base, await self._shared_mounts(base), configuration.memory_mib)
        if template is not None:
            self._driver.expect(template)

    async def _spec(self, function: Function, variables: Callable[[Mapping[str, str]], dict[str, str]]) -> SandboxSpec:
        """Raises CannotStart."""
        configuration = function.configuration
        base = await self._base(configuration)
        own, shared = await asyncio.gather(self._own_mounts(function, base), self._shared_mounts(base))
        environ = variables(_variables(base))
        if configuration.layers and not self._has_file_system:
            environ[LAYERS_VARIABLE] = LAYERS_ROOT
        companions = companions_of(own, variables)
        file_system = await self._file_systems.directory_of(function) if configuration.file_system_configs else None
        if isinstance(base, Interpreter):
            argv, template = self._runtime_program(base, configuration.memory_mib, environ, own, shared)
        else:
            program = own_program(_language(base.runtime), configuration.handler or "", own)
            argv, template = (program,), _template(base, shared, configuration.memory_mib)
        return SandboxSpec(
            sandbox_id=self._sandbox_id(),
            argv=argv,
            environ=environ,
            working_directory=TASK_ROOT,
            mounts=(*shared, *own),
            limits=self._limits(configuration),
            network=self._reach.network_of(configuration),
            template=template if file_system is None and companions is None else None,
            shared=file_system,
            tells_telemetry=isinstance(base, Interpreter),
            companions=companions,
        )

    def _limits(self, configuration: FunctionConfiguration) -> Limits:
        return Limits(
            memory_mib=min(configuration.memory_mib, self._most_memory_mib),
            cpu_cores=configuration.memory_mib / MEMORY_MIB_PER_CORE,
            tmp_mib=configuration.ephemeral_storage_mib,
        )

    def _runtime_program(
        self,
        interpreter: Interpreter,
        memory_mib: int,
        environ: Mapping[str, str],
        own: tuple[Mount, ...],
        shared: tuple[Mount, ...],
    ) -> tuple[tuple[str, ...], Template | None]:
        """Its command, and the process that may wait in its place."""
        program = _program(interpreter)
        template = _template(interpreter, shared, memory_mib)
        if program.waiting is not None:
            can_wait = program.waiting.serves(environ) and not any(has_libraries(mount.source) for mount in own)
            template = template if can_wait else None
        return self._guarded(program, program.argv(interpreter, environ)), template

    @property
    def _has_file_system(self) -> bool:
        """Whether a sandbox has one of its own; else the driver writes other paths into what it is told."""
        return self._driver.capabilities().private_file_system

    def _guarded(self, program: RuntimeProgram, argv: tuple[str, ...]) -> tuple[str, ...]:
        if self._has_file_system:
            return argv
        return (argv[0], *program.leaves_code_alone, *argv[1:])

    async def _shared_mounts(self, base: RuntimeBase) -> tuple[Mount, ...]:
        """What every function of this runtime sees alike."""
        if isinstance(base, OperatingSystem):
            return ()
        runtime = await self._runtime_files.prepare(base)
        return (Mount(runtime, RUNTIME_DIRECTORY), *(Mount(source, target) for source, target in base.mounts))

    async def _own_mounts(self, function: Function, base: RuntimeBase) -> tuple[Mount, ...]:
        """The function's code, and its layers if it has any."""
        layers = function.configuration.layers
        package = self._packages.prepare(function.package.sha256, base)
        if not layers:
            return (Mount(await package, TASK_ROOT),)
        task, opt = await asyncio.gather(package, self._packages.prepare_layers(layers, base))
        return Mount(task, TASK_ROOT), Mount(opt, LAYERS_ROOT)

    async def _base(self, configuration: FunctionConfiguration) -> RuntimeBase:
        try:
            return await self._interpreters.find(configuration.runtime or "", configuration.architectures[0])
        except RuntimeUnavailable as error:
            raise InvalidRuntimeException(str(error)) from error

    def _sandbox_id(self) -> str:
        return self._rng.uuid4().replace("-", "")

    def _log_stream_name(self, function: Function) -> str:
        """As Lambda names streams: day, version, and an id of the environment."""
        day = datetime.fromtimestamp(self._clock.now(), UTC)
        return f"{day:%Y/%m/%d}/[{function.version}]{self._rng.token(16).hex()}"


def _program(interpreter: Interpreter) -> RuntimeProgram:
    return PROGRAMS[_language(interpreter.runtime)]


def _template(base: RuntimeBase, shared: tuple[Mount, ...], memory_mib: int) -> Template | None:
    """What can be prepared before the function is known: a process that waits, or at least the sandbox."""
    if isinstance(base, Interpreter) and base.is_emulated:  # what waits is partly a program of this machine's
        return None
    waiting = _program(base).waiting if isinstance(base, Interpreter) else None
    if waiting is None or isinstance(base, OperatingSystem):
        return Template(worker=(), start=WorkerStart.NONE, environ=(), mounts=shared)
    return Template(
        worker=waiting.argv(base, memory_mib),
        start=waiting.start,
        environ=tuple(waiting.environ.items()),
        mounts=shared,
    )


def _variables(base: RuntimeBase) -> Mapping[str, str]:
    """Those that only functions of this runtime have."""
    return _program(base).variables if isinstance(base, Interpreter) else OWN_VARIABLES


def _language(runtime: str) -> str:
    return catalogue().runtimes[runtime].language
