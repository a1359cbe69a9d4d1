"""From a function to an environment: what its sandbox mounts, runs and may use. Knows no pool and no invocation."""

import asyncio
import base64
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.code.images.paths import is_program
from lampion.code.images.store import BadLayer, BadManifest, ContentDamaged, ContentMissing, PreparedImage
from lampion.code.interpreters import Interpreter, RuntimeUnavailable
from lampion.code.runtimes import catalogue
from lampion.domain.errors import InvalidRuntimeException
from lampion.domain.function import AttachedLayer, Function, FunctionConfiguration
from lampion.domain.limits import MEMORY_MIB_PER_CORE
from lampion.domain.packaging import IMAGE
from lampion.environments.environ import (
    LAYERS_ROOT,
    LAYERS_VARIABLE,
    ON_DEMAND,
    PROVISIONED,
    RUNTIME_DIRECTORY,
    TASK_ROOT,
    SessionCredentials,
    environment_variables,
    image_variables,
    snapshot_variables,
)
from lampion.environments.environment import Environment, Restore, RuntimeServer
from lampion.environments.image_program import image_program
from lampion.environments.log_rate import LogRate
from lampion.environments.narrator import Narrator
from lampion.environments.reach import Reach
from lampion.environments.runtime_programs import PROGRAMS, RuntimeProgram
from lampion.environments.server_access import ServerAccess
from lampion.environments.session import OfferedCredentials
from lampion.function_logs.journal import FunctionLogs, LogGroup
from lampion.sandbox.driver import CannotStart, Driver, Sandbox, SandboxError
from lampion.sandbox.snapshots import Snapshot, SnapshotOrigin, Snapshotting
from lampion.sandbox.spec import Limits, Mount, SandboxSpec, Template


class PackageTrees(Protocol):
    """Unpacked deployment packages, and layers merged in order."""

    async def prepare(self, sha256: str, interpreter: Interpreter | None) -> Path: ...

    async def prepare_layers(self, layers: Sequence[AttachedLayer], interpreter: Interpreter | None) -> Path: ...


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


class PreparedImages(Protocol):
    """Container images, unpacked."""

    async def prepare(self, digest: str) -> PreparedImage: ...


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
        logs: FunctionLogs,
        clock: Clock,
        rng: Rng,
        log_rate: LogRate,
        most_memory_mib: int,
    ) -> None:
        """No sandbox may use more than `most_memory_mib`, whatever its function's memory: this host hasn't more."""
        self._driver = driver
        self._packages = packages
        self._images = images
        self._runtime_files = runtime_files
        self._interpreters = interpreters
        self._labels = labels
        self._runtime_server = runtime_server
        self._access = access
        self._reach = reach
        self._logs = logs
        self._clock = clock
        self._rng = rng
        self._log_rate = log_rate
        self._most_memory_mib = most_memory_mib

    def environment(self, function: Function, restore: Restore | None = None, *, ahead: bool = False) -> Environment:
        """A new environment, not started; every sandbox that it needs is launched alike."""
        initialization_type = PROVISIONED if ahead else ON_DEMAND
        log_stream = self._log_stream_name(function)

        async def start(credentials: SessionCredentials) -> Sandbox:
            if function.configuration.package_type == IMAGE:
                return await self._start_image(function, log_stream, credentials, initialization_type)

            def variables(of_language: Mapping[str, str]) -> dict[str, str]:
                return environment_variables(
                    function,
                    log_stream=log_stream,
                    credentials=credentials,
                    language_variables=of_language,
                    initialization_type=initialization_type,
                )

            return await self._driver.start(await self._spec(function, variables))

        async def launch() -> Sandbox:
            return await self._access.start(function, start)

        return Environment(
            function,
            launch=launch,
            release=self._access.end,
            runtime_server=self._runtime_server,
            narrator=self._narrator(function, log_stream),
            clock=self._clock,
            restore=restore,
            ahead=ahead,
        )

    def narrator(self, function: Function) -> Narrator:
        """Of a log stream of its own."""
        return self._narrator(function, self._log_stream_name(function))

    async def origin(
        self, function: Function, driver: Snapshotting, authorization_token: str
    ) -> tuple[SnapshotOrigin, SandboxSpec, OfferedCredentials]:
        """A sandbox to take a snapshot of, for `release` at its end. Raises as `Environment.start` does."""

        def variables(of_language: Mapping[str, str]) -> dict[str, str]:
            return snapshot_variables(function, authorization_token=authorization_token, language_variables=of_language)

        spec = await self._spec(function, variables)
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

    def _narrator(self, function: Function, log_stream: str) -> Narrator:
        key, runtime = function.key, function.configuration.runtime or ""
        group = LogGroup(key.account_id, key.region, function.configuration.logging.log_group)
        return Narrator(
            function,
            stream=self._logs.open_stream(group, log_stream),
            runtime_version=self._labels.version_label(runtime) if runtime else "",
            runtime_version_arn=self._labels.version_arn(function) or "",
            clock=self._clock,
            rate=self._log_rate,
        )

    async def expect(self, function: Function) -> None:
        """Environments of the function will be wanted: have ready what doesn't depend on it."""
        configuration = function.configuration
        interpreter = await self._interpreter(configuration.runtime or "")
        shared = await self._shared_mounts(interpreter)
        template = self._template(interpreter, shared, configuration.memory_mib)
        if template is not None:
            self._driver.expect(template)

    async def _spec(self, function: Function, variables: Callable[[Mapping[str, str]], dict[str, str]]) -> SandboxSpec:
        configuration = function.configuration
        interpreter = await self._interpreter(configuration.runtime or "")
        program = _program(interpreter)
        environ = variables(program.variables)
        if configuration.layers and not self._has_file_system:
            environ[LAYERS_VARIABLE] = LAYERS_ROOT
        own, shared = await asyncio.gather(self._own_mounts(function, interpreter), self._shared_mounts(interpreter))
        can_wait = program.waiting is not None and program.waiting.serves(environ)
        can_wait = can_wait and not any(_has_libraries(mount.source) for mount in own)
        return SandboxSpec(
            sandbox_id=self._sandbox_id(),
            argv=self._guarded(program, program.argv(interpreter, environ)),
            environ=environ,
            working_directory=TASK_ROOT,
            mounts=(*shared, *own),
            limits=self._limits(configuration),
            network=self._reach.network_of(configuration),
            template=self._template(interpreter, shared, configuration.memory_mib) if can_wait else None,
        )

    async def _start_image(
        self, function: Function, log_stream: str, credentials: SessionCredentials, initialization_type: str
    ) -> Sandbox:
        """Raises LaunchFailed for what the image or its configuration has wrong, SandboxError for all else."""
        configuration = function.configuration
        try:
            image = await self._images.prepare(function.package.image_digest)
        except (BadLayer, BadManifest, ContentDamaged, ContentMissing, OSError) as error:
            raise SandboxError(f"the image {function.package.image_uri} can't be prepared: {error}") from error
        program = image_program(image.config, configuration.image_config)
        program.check()
        environ = image_variables(
            function,
            log_stream=log_stream,
            credentials=credentials,
            of_image=program.environment,
            handler=program.handler,
            initialization_type=initialization_type,
        )
        spec = SandboxSpec(
            sandbox_id=self._sandbox_id(),
            argv=program.argv(environ, lambda path: is_program(image.root, path)),
            environ=environ,
            working_directory=program.working_directory,
            mounts=(),
            limits=self._limits(configuration),
            network=self._reach.network_of(configuration),
            root=image.root,
        )
        try:
            return await self._driver.start(spec)
        except CannotStart as error:
            raise program.explained(error) from error

    def _limits(self, configuration: FunctionConfiguration) -> Limits:
        return Limits(
            memory_mib=min(configuration.memory_mib, self._most_memory_mib),
            cpu_cores=configuration.memory_mib / MEMORY_MIB_PER_CORE,
            tmp_mib=configuration.ephemeral_storage_mib,
        )

    @property
    def _has_file_system(self) -> bool:
        """Whether a sandbox has one of its own; else the driver writes other paths into what it is told."""
        return self._driver.capabilities().private_file_system

    def _guarded(self, program: RuntimeProgram, argv: tuple[str, ...]) -> tuple[str, ...]:
        if self._has_file_system:
            return argv
        return (argv[0], *program.leaves_code_alone, *argv[1:])

    async def _shared_mounts(self, interpreter: Interpreter) -> tuple[Mount, ...]:
        """What every function of this interpreter sees alike."""
        runtime = await self._runtime_files.prepare(interpreter)
        return (Mount(runtime, RUNTIME_DIRECTORY), *(Mount(source, target) for source, target in interpreter.mounts))

    async def _own_mounts(self, function: Function, interpreter: Interpreter) -> tuple[Mount, ...]:
        """The function's code, and its layers if it has any."""
        layers = function.configuration.layers
        package = self._packages.prepare(function.package.sha256, interpreter)
        if not layers:
            return (Mount(await package, TASK_ROOT),)
        task, opt = await asyncio.gather(package, self._packages.prepare_layers(layers, interpreter))
        return Mount(task, TASK_ROOT), Mount(opt, LAYERS_ROOT)

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

    def _sandbox_id(self) -> str:
        return self._rng.uuid4().replace("-", "")

    def _log_stream_name(self, function: Function) -> str:
        """As Lambda names streams: day, version, and an id of the environment."""
        day = datetime.fromtimestamp(self._clock.now(), UTC)
        return f"{day:%Y/%m/%d}/[{function.version}]{self._rng.token(16).hex()}"


@lru_cache(maxsize=4096)
def _has_libraries(tree: Path) -> bool:
    """Whether code or layers, which never change, bring shared libraries in `lib`.

    Where they will be, a process that runs already has seen no such directory, and the C library doesn't look again.
    """
    try:
        with os.scandir(tree / "lib") as entries:
            return any(".so" in entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _program(interpreter: Interpreter) -> RuntimeProgram:
    return PROGRAMS[catalogue().runtimes[interpreter.runtime].language]
