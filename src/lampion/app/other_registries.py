"""Builds the way to registries elsewhere: skopeo, as this machine has it."""

from collections.abc import Sequence
from typing import Final

from lampion.app.rooms import Ports, Stores
from lampion.code.images.foreign import Allowed, ForeignRegistries
from lampion.code.images.unpack import UNPACKED_BYTES
from lampion.config import Settings
from lampion.sandbox.tool_runner import SubprocessToolRunner, ToolError, ToolResult, ToolRunner, ToolTimeout

_MOST_OUTPUT_BYTES: Final = 5 * 1024 * 1024


class _Skopeo:
    """The program (code.images.foreign.Skopeo)."""

    def __init__(self, runner: ToolRunner) -> None:
        self._runner = runner

    async def run(self, arguments: Sequence[str], timeout_seconds: float) -> ToolResult:
        try:
            return await self._runner.run(["skopeo", *arguments], timeout_seconds)
        except ToolTimeout as error:
            raise TimeoutError(str(error)) from error
        except ToolError as error:
            raise OSError(str(error)) from error


def other_registries(settings: Settings, ports: Ports, stores: Stores) -> ForeignRegistries:
    runner = SubprocessToolRunner(ports.clock, most_output_bytes=_MOST_OUTPUT_BYTES, most_file_bytes=UNPACKED_BYTES)
    allowed = Allowed(settings.image_registry, settings.image_logins)
    return ForeignRegistries(stores.images.content, stores.directory.tmp, _Skopeo(runner), allowed)
