"""Sandboxes of container images: from a function to what its sandbox stands on, runs and may use."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from lampion.code.images.architectures import ImageArchitectures
from lampion.code.images.paths import follow, is_program
from lampion.code.images.store import BadLayer, BadManifest, ContentDamaged, ContentMissing, PreparedImage
from lampion.domain.function import Function
from lampion.environments.environ import SessionCredentials, image_variables
from lampion.environments.extension_files import extension_programs, extension_variables
from lampion.environments.file_systems import FileSystems
from lampion.environments.image_program import image_program
from lampion.environments.reach import Reach
from lampion.sandbox.driver import Driver, ProgramError, Sandbox, SandboxError, WorkingDirectoryError
from lampion.sandbox.spec import Companions, Limits, SandboxSpec

_EXTENSIONS: Final = "extensions"


class PreparedImages(Protocol):
    """Container images, unpacked."""

    async def prepare(self, digest: str) -> PreparedImage: ...


@dataclass(frozen=True, slots=True)
class ImageEnvironment:
    """What is particular to one environment."""

    function: Function
    log_stream: str
    credentials: SessionCredentials
    initialization_type: str


class ImageSandboxes:
    """Starts them."""

    def __init__(
        self,
        images: PreparedImages,
        architectures: ImageArchitectures,
        driver: Driver,
        reach: Reach,
        file_systems: FileSystems,
    ) -> None:
        self._images = images
        self._architectures = architectures
        self._driver = driver
        self._reach = reach
        self._file_systems = file_systems

    async def start(self, environment: ImageEnvironment, sandbox_id: str, limits: Limits) -> Sandbox:
        """Raises LaunchFailed for what the image or its configuration has wrong, TooManyExtensions, SandboxError."""
        function = environment.function
        configuration = function.configuration
        image = await self._prepared(function)
        program = image_program(image.config, configuration.image_config)
        program.check()
        environ = image_variables(
            function,
            log_stream=environment.log_stream,
            credentials=environment.credentials,
            of_image=program.environment,
            handler=program.handler,
            initialization_type=environment.initialization_type,
        )
        argv = program.argv(environ, lambda path: is_program(image.root, path))
        if not self._architectures.accepts(configuration.architectures[0], image.root, argv[0]):
            raise program.foreign(argv[0])
        file_system = await self._file_systems.directory_of(function) if configuration.file_system_configs else None
        spec = SandboxSpec(
            sandbox_id=sandbox_id,
            argv=argv,
            environ=environ,
            working_directory=program.working_directory,
            mounts=(),
            limits=limits,
            network=self._reach.network_of(configuration),
            shared=file_system,
            tells_telemetry=False,
            companions=companions_in(image.root, environ),
            root=image.root,
        )
        try:
            return await self._driver.start(spec)
        except (ProgramError, WorkingDirectoryError) as error:
            raise program.explained(error, argv[0]) from error

    async def _prepared(self, function: Function) -> PreparedImage:
        try:
            return await self._images.prepare(function.package.image_digest)
        except (BadLayer, BadManifest, ContentDamaged, ContentMissing, OSError) as error:
            raise SandboxError(f"the image {function.package.image_uri} can't be prepared: {error}") from error


def companions_in(root: Path, environ: Mapping[str, str]) -> Companions | None:
    """The external extensions in the image's /opt, where links of the image may lead. Raises TooManyExtensions."""
    found = follow(root, root / "opt" / _EXTENSIONS)
    if found is None or found.name != _EXTENSIONS:
        return None
    programs = extension_programs(found.parent)
    return Companions(programs, extension_variables(environ)) if programs else None
