"""The port by which other rooms run a tool of the machine. Knows nothing of what the tools do."""

import asyncio
import contextlib
import os
import resource
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from lampion.clock.clock import Clock

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MOST_OUTPUT_BYTES: Final = 1024 * 1024
_CHUNK_BYTES: Final = 65_536


class ToolError(Exception):
    """The tool couldn't be started or took too long; the message names it."""


class ToolTimeout(ToolError):
    """It took too long."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool wrote, each stream cut at the runner's limit, and how it ended (below 0: by that signal)."""

    stdout: bytes
    stderr: bytes
    code: int


class ToolRunner(Protocol):
    """Runs one program with arguments; never a shell."""

    async def run(self, argv: Sequence[str], timeout_seconds: float) -> ToolResult:
        """Until it has ended. Raises ToolError; then nothing of it runs any more."""


class SubprocessToolRunner:
    """Runs tools as children of the server, without its environment."""

    def __init__(
        self,
        clock: Clock,
        environ: Mapping[str, str] | None = None,
        most_output_bytes: int = _MOST_OUTPUT_BYTES,
        most_file_bytes: int = resource.RLIM_INFINITY,
    ) -> None:
        """No file that a tool writes gets larger than `most_file_bytes`."""
        self._clock = clock
        self._environ = {"PATH": _PATH, "LC_ALL": "C.UTF-8"} if environ is None else dict(environ)
        self._most_output_bytes = most_output_bytes
        self._most_file_bytes = most_file_bytes

    async def run(self, argv: Sequence[str], timeout_seconds: float) -> ToolResult:
        if any("\0" in word for word in argv):
            raise ToolError(f"{argv[0]} gets an argument with a NUL character")
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environ,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise ToolError(f"{argv[0]} doesn't start: {error}") from error
        try:
            if self._most_file_bytes != resource.RLIM_INFINITY:
                limits = (self._most_file_bytes, self._most_file_bytes)
                with contextlib.suppress(ProcessLookupError):
                    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)
            async with self._clock.deadline(timeout_seconds):
                return await self._attend(process)
        except TimeoutError:
            raise ToolTimeout(f"{argv[0]} took longer than {timeout_seconds:g} s") from None
        finally:
            await asyncio.shield(_end(process))

    async def _attend(self, process: asyncio.subprocess.Process) -> ToolResult:
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.TaskGroup() as readers:
            stdout = readers.create_task(self._read(process.stdout))
            stderr = readers.create_task(self._read(process.stderr))
        return ToolResult(stdout.result(), stderr.result(), await process.wait())

    async def _read(self, stream: asyncio.StreamReader) -> bytes:
        """All of it, so that the tool never blocks on a full pipe, but only the beginning is kept."""
        kept = bytearray()
        while chunk := await stream.read(_CHUNK_BYTES):
            kept += chunk[: self._most_output_bytes - len(kept)]
        return bytes(kept)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of the tool's process group; harmless when nothing is."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    # A grandchild that left the group may hold the pipes open; they are closed on our side.
    transport: asyncio.SubprocessTransport = process._transport  # type: ignore[attr-defined]
    transport.close()


class ToolOutput:
    """What tools write to standard output, for rooms that want nothing else of them."""

    def __init__(self, runner: ToolRunner) -> None:
        self._runner = runner

    async def run(self, argv: Sequence[str], *, timeout_seconds: float) -> bytes:
        """Raises OSError when the tool can't be run or fails."""
        try:
            result = await self._runner.run(argv, timeout_seconds)
        except ToolError as error:
            raise OSError(str(error)) from error
        if result.code != 0:
            raise OSError(f"{argv[0]} ended with {result.code}")
        return result.stdout
