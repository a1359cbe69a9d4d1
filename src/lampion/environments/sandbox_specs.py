"""From a function to the sandbox that runs it: what is mounted, run and allowed there. Starts nothing."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from lampion.code.interpreters import Interpreter, OperatingSystem, RuntimeBase, RuntimeUnavailable
from lampion.code.memory_place import NoMemoryForCode
from lampion.code.runtimes import catalogue
from lampion.domain.errors import InvalidRuntimeException, ServiceException
from lampion.domain.function import AttachedLayer, DeploymentPackage, Function, FunctionConfiguration
from lampion.domain.key_problems import PACKAGE, KeyUnusable, cannot_decrypt
from lampion.domain.limits import MEMORY_MIB_PER_CORE
from lampion.environments.environ import LAYERS_ROOT, LAYERS_VARIABLE, RUNTIME_DIRECTORY, TASK_ROOT
from lampion.environments.extension_files import companions_of
from lampion.environments.file_systems import FileSystems
from lampion.environments.own_libraries import has_libraries
from lampion.environments.own_programs import OWN_VARIABLES, own_program
from lampion.environments.reach import Reach
from lampion.environments.runtime_programs import PROGRAMS, RuntimeProgram
from lampion.sandbox.spec import Limits, Mount, SandboxSpec, Template, WorkerStart

Variables = Callable[[Mapping[str, str]], dict[str, str]]
"""A function's environment, made with the variables of its language."""


class PackageTrees(Protocol):
    """Unpacked deployment packages, and layers merged in order."""

    async def prepare_package(self, package: DeploymentPackage, base: RuntimeBase | None) -> Path:
        """Raises KeyUnusable for one whose key can't be used now, NoMemoryForCode."""

    async def check_package(self, package: DeploymentPackage) -> None:
        """Raises KeyUnusable for one whose key can't be used now."""

    async def prepare_layers(self, layers: Sequence[AttachedLayer], base: RuntimeBase | None) -> Path: ...


class RuntimeFiles(Protocol):
    """What runs inside the sandbox before the function does."""

    async def prepare(self, interpreter: Interpreter) -> Path: ...


class FindInterpreter(Protocol):
    """The interpreters of this machine."""

    async def find(self, runtime: str, architecture: str) -> RuntimeBase: ...


class SandboxSpecs:
    """The specs of functions from zips; those of container images are made by `image_sandboxes`."""

    def __init__(
        self,
        *,
        packages: PackageTrees,
        runtime_files: RuntimeFiles,
        interpreters: FindInterpreter,
        reach: Reach,
        file_systems: FileSystems,
        has_file_system: bool,
        most_memory_mib: int,
    ) -> None:
        """`has_file_system`: whether a sandbox has one of its own; else its driver writes other paths into what it is
        told. No sandbox may use more than `most_memory_mib`.
        """
        self._packages = packages
        self._runtime_files = runtime_files
        self._interpreters = interpreters
        self._reach = reach
        self._file_systems = file_systems
        self._has_file_system = has_file_system
        self._most_memory_mib = most_memory_mib

    async def template_of(self, function: Function) -> Template | None:
        """What can be had ready before the function is invoked, if anything."""
        base = await self.base(function.configuration)
        return _template(base, await self._shared_mounts(base), function.configuration.memory_mib)

    async def of(self, function: Function, sandbox_id: str, variables: Variables) -> SandboxSpec:
        """Raises CannotStart."""
        configuration = function.configuration
        base = await self.base(configuration)
        own, shared = await asyncio.gather(self._own_mounts(function, base), self._shared_mounts(base))
        environ = _completed(base, variables(_variables(base)))
        if configuration.layers and not self._has_file_system:
            environ[LAYERS_VARIABLE] = LAYERS_ROOT
        companions = companions_of(own, variables)
        file_system = await self._file_systems.directory_of(function) if configuration.file_system_configs else None
        if isinstance(base, Interpreter):
            argv, template = self._runtime_program(base, configuration.memory_mib, environ, own, shared)
        else:
            program = own_program(language_of(base.runtime), configuration.handler or "", own)
            argv, template = (program,), _template(base, shared, configuration.memory_mib)
        return SandboxSpec(
            sandbox_id=sandbox_id,
            argv=argv,
            environ=environ,
            working_directory=TASK_ROOT,
            mounts=(*shared, *own),
            limits=self.limits(configuration),
            network=self._reach.network_of(configuration),
            template=template if file_system is None and companions is None else None,
            shared=file_system,
            tells_telemetry=isinstance(base, Interpreter),
            companions=companions,
        )

    async def check_code(self, function: Function) -> None:
        """That Lambda may still see it, where nothing has to be unpacked for the function. Raises KMS's errors."""
        try:
            await self._packages.check_package(function.package)
        except KeyUnusable as unusable:
            raise cannot_decrypt(unusable, PACKAGE) from unusable

    def limits(self, configuration: FunctionConfiguration) -> Limits:
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

    def _guarded(self, program: RuntimeProgram, argv: tuple[str, ...]) -> tuple[str, ...]:
        if self._has_file_system:
            return argv
        first, *others = (word for word in argv if word not in program.needs_file_system)
        return (first, *program.leaves_code_alone, *others)

    async def _shared_mounts(self, base: RuntimeBase) -> tuple[Mount, ...]:
        """What every function of this runtime sees alike."""
        if isinstance(base, OperatingSystem):
            return ()
        runtime = await self._runtime_files.prepare(base)
        return (Mount(runtime, RUNTIME_DIRECTORY), *(Mount(source, target) for source, target in base.mounts))

    async def _own_mounts(self, function: Function, base: RuntimeBase) -> tuple[Mount, ...]:
        """The function's code, and its layers if it has any."""
        try:
            return await self._code_mounts(function, base)
        except KeyUnusable as unusable:
            raise cannot_decrypt(unusable, PACKAGE) from unusable
        except NoMemoryForCode as error:
            raise ServiceException(f"The execution environment could not be started: {error.strerror}") from error

    async def _code_mounts(self, function: Function, base: RuntimeBase) -> tuple[Mount, ...]:
        layers = function.configuration.layers
        package = self._packages.prepare_package(function.package, base)
        if not layers:
            return (Mount(await package, TASK_ROOT),)
        task, opt = await asyncio.gather(package, self._packages.prepare_layers(layers, base))
        return Mount(task, TASK_ROOT), Mount(opt, LAYERS_ROOT)

    async def base(self, configuration: FunctionConfiguration) -> RuntimeBase:
        try:
            return await self._interpreters.find(configuration.runtime or "", configuration.architectures[0])
        except RuntimeUnavailable as error:
            raise InvalidRuntimeException(str(error)) from error


def _program(interpreter: Interpreter) -> RuntimeProgram:
    return PROGRAMS[language_of(interpreter.runtime)]


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


def _completed(base: RuntimeBase, environ: dict[str, str]) -> dict[str, str]:
    """With what a language's runtime needs of the function's own variables."""
    if isinstance(base, Interpreter) and (completed := _program(base).completed) is not None:
        return completed(base, environ)
    return environ


def language_of(runtime: str) -> str:
    return catalogue().runtimes[runtime].language
