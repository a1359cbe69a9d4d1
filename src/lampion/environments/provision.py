"""From a function to an environment. Knows no pool and no invocation."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.code.images.architectures import ImageArchitectures
from lampion.code.interpreters import Interpreter
from lampion.code.languages import WITHOUT_INTERPRETER
from lampion.domain.function import Function
from lampion.domain.key_problems import KeyUnusable, cannot_decrypt
from lampion.domain.packaging import IMAGE
from lampion.environments.endings import CannotStart
from lampion.environments.environ import (
    ON_DEMAND,
    PROVISIONED,
    SessionCredentials,
    environment_variables,
    snapshot_variables,
)
from lampion.environments.environment import Environment
from lampion.environments.file_systems import FileSystems
from lampion.environments.host import Restore, RuntimeServer
from lampion.environments.image_program import LaunchFailed
from lampion.environments.image_sandboxes import ImageEnvironment, ImageSandboxes, PreparedImages
from lampion.environments.log_rate import LogRate
from lampion.environments.narrator import Narrator
from lampion.environments.own_programs import not_executed
from lampion.environments.reach import Reach
from lampion.environments.sandbox_specs import FindInterpreter, PackageTrees, RuntimeFiles, SandboxSpecs, language_of
from lampion.environments.server_access import ServerAccess
from lampion.environments.session import OfferedCredentials, RuntimeSession, Start
from lampion.environments.teller import Teller
from lampion.function_logs.journal import FunctionLogs, LogGroup
from lampion.function_logs.platform_facts import Instance
from lampion.function_telemetry.subscribers import Subscribers
from lampion.sandbox.driver import DirectoryRefused, Driver, ProgramError, Sandbox
from lampion.sandbox.snapshots import Snapshot, SnapshotOrigin, SnapshotRefused, Snapshotting
from lampion.sandbox.spec import SandboxSpec


class ExternalExtensions(Exception):
    """The function has some, so what is asked can't be had."""


class VersionLabels(Protocol):
    """What INIT_START says of a runtime."""

    def version_label(self, identifier: str) -> str: ...

    def version_arn(self, function: Function) -> str | None: ...


class Variables(Protocol):
    """Decrypts environment variables."""

    async def opened(self, function: Function) -> Function:
        """With its variables. Raises KeyUnusable."""


StartSandbox = Callable[[SessionCredentials], Awaitable[Sandbox]]


class Provisioner:
    """Makes environments (environments.pool.EnvironmentFactory)."""

    def __init__(
        self,
        *,
        driver: Driver,
        packages: PackageTrees,
        images: PreparedImages,
        image_architectures: ImageArchitectures,
        runtime_files: RuntimeFiles,
        interpreters: FindInterpreter,
        labels: VersionLabels,
        runtime_server: RuntimeServer,
        variables: Variables,
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
        self._specs = SandboxSpecs(
            packages=packages,
            runtime_files=runtime_files,
            interpreters=interpreters,
            reach=reach,
            file_systems=file_systems,
            has_file_system=driver.capabilities().private_file_system,
            most_memory_mib=most_memory_mib,
        )
        self._image_sandboxes = ImageSandboxes(images, image_architectures, driver, reach, file_systems)
        self._labels = labels
        self._runtime_server = runtime_server
        self._variables = variables
        self._access = access
        self._file_systems = file_systems
        self._logs = logs
        self._clock, self._rng = clock, rng
        self._log_rate = log_rate

    def environment(self, function: Function, restore: Restore | None = None, *, ahead: bool = False) -> Environment:
        """A new environment, not started; every sandbox that it needs is launched alike."""
        initialization_type = PROVISIONED if ahead else ON_DEMAND
        log_stream = self._log_stream_name(function)
        narrator = self._narrator(function, log_stream)
        start = self._starting(function, log_stream, initialization_type)

        async def launch() -> Sandbox:
            try:
                sandbox = await self._access.start(function, start)
                environment.keys = self._access.keys_of(sandbox)
                return sandbox
            except DirectoryRefused as error:
                self._file_systems.refused(function, error)
            except LaunchFailed as failed:
                narrator.launch_failed(failed.line)
                raise
            except KeyUnusable as unusable:
                raise cannot_decrypt(unusable) from None

        async def restored() -> tuple[Sandbox, OfferedCredentials]:
            assert restore is not None
            sandbox, offered = await restore.launch()
            environment.keys = self._access.keys_of(sandbox)
            return sandbox, offered

        environment = Environment(
            function,
            launch=launch,
            release=self._access.end,
            runtime_server=self._runtime_server,
            narrator=narrator,
            clock=self._clock,
            rng=self._rng,
            restore=None if restore is None else Restore(restored),
            ahead=ahead,
        )
        return environment

    def _starting(self, function: Function, log_stream: str, initialization_type: str) -> StartSandbox:
        """What starts a sandbox of an environment with the keys that it is lent."""

        async def start(credentials: SessionCredentials) -> Sandbox:
            opened = await self._variables.opened(function)
            if function.configuration.package_type == IMAGE:
                named = ImageEnvironment(opened, log_stream, credentials, initialization_type)
                return await self._image_sandboxes.start(
                    named, self._sandbox_id(), self._specs.limits(function.configuration)
                )

            def variables(of_language: Mapping[str, str]) -> dict[str, str]:
                return environment_variables(
                    opened,
                    log_stream=log_stream,
                    credentials=credentials,
                    language_variables=of_language,
                    initialization_type=initialization_type,
                )

            return await self._started(await self._specs.of(function, self._sandbox_id(), variables), function)

        return start

    async def _started(self, spec: SandboxSpec, function: Function) -> Sandbox:
        """Raises CannotStart when it is the function's own program that can't be executed."""
        try:
            return await self._driver.start(spec)
        except ProgramError as error:
            language = language_of(function.configuration.runtime or "")
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
        return self._narrator(function, self._log_stream_name(function))

    async def origin(
        self, function: Function, driver: Snapshotting, authorization_token: str
    ) -> tuple[SnapshotOrigin, SandboxSpec, OfferedCredentials]:
        """A sandbox to take a snapshot of, for `release` at its end. Raises as `Environment.start` does, KeyUnusable,
        and ExternalExtensions or SnapshotRefused: who copies a process must know its registers, and an emulator has
        others than its program.
        """
        base = await self._specs.base(function.configuration)
        if isinstance(base, Interpreter) and base.is_emulated:
            raise SnapshotRefused(f"its runtime is emulated: it is for {base.architecture}")

        opened = await self._variables.opened(function)

        def variables(of_language: Mapping[str, str]) -> dict[str, str]:
            return snapshot_variables(opened, authorization_token=authorization_token, language_variables=of_language)

        spec = await self._specs.of(function, self._sandbox_id(), variables)
        if spec.companions is not None:
            raise ExternalExtensions("no snapshot holds several programs, and its extensions are such")
        begun: list[tuple[SnapshotOrigin, OfferedCredentials]] = []

        async def start(offered: OfferedCredentials) -> Sandbox:
            origin = await driver.start_origin(spec)
            begun.append((origin, offered))
            return origin

        await self._access.start_asking(function, authorization_token, start, is_origin=True)
        return begun[0][0], spec, begun[0][1]

    async def copy(
        self, function: Function, snapshot: Snapshot, spec: SandboxSpec, authorization_token: str
    ) -> tuple[Sandbox, OfferedCredentials]:
        """A copy of a snapshot that was taken of `spec`, and what it may ask for. Raises SandboxError.

        Variables and code are in the snapshot: that Lambda may still see them is asked for its sake. Raises KMS's
        errors.
        """
        await self._specs.check_code(function)
        try:
            await self._variables.opened(function)
        except KeyUnusable as unusable:
            raise cannot_decrypt(unusable) from None
        given: list[OfferedCredentials] = []

        async def start(offered: OfferedCredentials) -> Sandbox:
            given.append(offered)
            return await snapshot.start(replace(spec, sandbox_id=self._sandbox_id()))

        return await self._access.start_asking(function, authorization_token, start), given[0]

    async def release(self, sandbox: Sandbox) -> None:
        """The sandbox has ended: take back what it was lent. Idempotent."""
        await self._access.end(sandbox)

    def authorization_token(self) -> str:
        """With which the processes of one snapshot ask for their credentials."""
        return base64.b64encode(self._rng.token(30)).decode()

    def _narrator(self, function: Function, log_stream: str) -> Narrator:
        key, logging = function.key, function.configuration.logging
        group = LogGroup(key.account_id, key.region, logging.log_group)
        instance = self._instance(function, log_stream)
        return Narrator(
            function,
            stream=self._logs.open_stream(group, log_stream),
            instance=instance,
            clock=self._clock,
            rate=self._log_rate,
            teller=Teller(instance, Subscribers(self._clock), self._clock, is_json=logging.log_format == "JSON"),
        )

    def _instance(self, function: Function, log_stream: str) -> Instance:
        runtime = function.configuration.runtime or ""
        day, _, identity = log_stream.rpartition("/")
        return Instance(
            function_name=function.key.name,
            function_version=function.version,
            function_arn=function.key.arn,
            instance_id=f"{day}/{function.key.name}{identity}",
            memory_mib=function.configuration.memory_mib,
            runtime_version=self._labels.version_label(runtime) if runtime else "",
            runtime_version_arn=self._labels.version_arn(function) or "",
        )

    async def expect(self, function: Function) -> None:
        """Environments of the function will be wanted: have ready what doesn't depend on it."""
        template = await self._specs.template_of(function)
        if template is not None:
            self._driver.expect(template)

    def _sandbox_id(self) -> str:
        return self._rng.uuid4().replace("-", "")

    def _log_stream_name(self, function: Function) -> str:
        """As Lambda names streams: day, version, and an id of the environment."""
        day = datetime.fromtimestamp(self._clock.now(), UTC)
        return f"{day:%Y/%m/%d}/[{function.version}]{self._rng.token(16).hex()}"
