"""Has interpreters prepare what they start faster with, in sandboxes: sources are no more trusted than functions."""

import asyncio
import logging
import os
import signal
from pathlib import Path
from typing import Final

import lampion
from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.code.interpreters import Interpreter
from lampion.code.languages.java import RUNTIME_JAR
from lampion.sandbox.driver import Driver, Exit, Sandbox, SandboxError
from lampion.sandbox.spec import Limits, Mount, Network, NetworkMode, SandboxSpec

COMPILE_SECONDS: Final = 20.0
"""36 MB of an SDK take half a second."""

_COMPILER: Final = Path(lampion.__file__).parent / "runtimes" / "compiler"
_COMPILER_DIRECTORY: Final = "/var/runtime"
_TREE: Final = "/var/task"
_MEMORY_MIB: Final = 1024
_OUTPUT_BYTES_MAX: Final = 256 * 1024 * 1024
_CHUNK_BYTES: Final = 65_536
_ARCHIVE_MIB: Final = 64
_ARCHIVE: Final = (
    '"$0" -XX:+UseSerialGC -XX:ArchiveClassesAtExit=/tmp/made -Xlog:disable -cp "$1" lampion.runtime.Rehearsal '
    ">/dev/null 2>&1 && cat /tmp/made"
)

_LOG = logging.getLogger(__name__)


class SandboxCompiler:
    """The code room's compiler (code.bytecode.CompilePython, code.class_archive.ArchiveClasses)."""

    def __init__(self, driver: Driver, clock: Clock, rng: Rng) -> None:
        self._driver = driver
        self._clock = clock
        self._rng = rng

    async def compile(self, tree: Path, interpreter: Interpreter, *, root: str, output: int) -> None:
        """As the protocol says; what doesn't end in time is stopped, and what it has said until then counts."""
        if not await self._run(self._spec(tree, interpreter, root), output):
            _LOG.warning("a package wasn't compiled to its end in %g s", COMPILE_SECONDS)

    async def archive_classes(self, tree: Path, interpreter: Interpreter, *, output: int) -> None:
        """As the protocol says. Without file systems of their own, sandboxes see classes where no archive has them."""
        if self._driver.capabilities().private_file_system and not await self._run(
            self._archiving(tree, interpreter), output
        ):
            raise OSError(f"it wasn't made in {COMPILE_SECONDS:g} s")

    async def _run(self, spec: SandboxSpec, output: int) -> bool:
        """Whether it ended in time, with all that it writes copied to `output`. Raises OSError."""
        try:
            sandbox = await self._driver.start(spec)
        except SandboxError as error:
            raise OSError(str(error)) from error
        os.set_blocking(sandbox.output, True)
        copying = asyncio.create_task(asyncio.to_thread(_copy, sandbox.output, output))
        try:
            async with self._clock.deadline(COMPILE_SECONDS):
                if await asyncio.shield(copying):
                    _check_end(await sandbox.wait())
        except TimeoutError:
            return False
        finally:
            await asyncio.shield(_finish(sandbox, copying))
        return True

    def _archiving(self, tree: Path, interpreter: Interpreter) -> SandboxSpec:
        """With the collector that functions have."""
        return SandboxSpec(
            sandbox_id=self._rng.uuid4().replace("-", ""),
            argv=("/bin/sh", "-c", _ARCHIVE, interpreter.executable_inside, f"{_COMPILER_DIRECTORY}/{RUNTIME_JAR}"),
            environ={"PATH": "/usr/bin:/bin"},
            working_directory=_COMPILER_DIRECTORY,
            mounts=(
                Mount(tree, _COMPILER_DIRECTORY),
                *(Mount(source, target) for source, target in interpreter.mounts),
            ),
            limits=Limits(memory_mib=_MEMORY_MIB, cpu_cores=1.0, tmp_mib=_ARCHIVE_MIB, max_open_files=64),
            network=Network(NetworkMode.NONE),
        )

    def _spec(self, tree: Path, interpreter: Interpreter, root: str) -> SandboxSpec:
        mounts = [Mount(tree, _TREE), Mount(_COMPILER, _COMPILER_DIRECTORY)]
        mounts += [Mount(source, target) for source, target in interpreter.mounts]
        program = f"{_COMPILER_DIRECTORY}/compile_tree.py"
        return SandboxSpec(
            sandbox_id=self._rng.uuid4().replace("-", ""),
            # The root without its slash: to a driver that rewrites paths it must not look like one.
            argv=(interpreter.executable_inside, "-I", "-S", "-W", "error", program, _TREE, root.lstrip("/")),
            environ={"LD_LIBRARY_PATH": ":".join(interpreter.library_paths)} if interpreter.library_paths else {},
            working_directory=_TREE,
            mounts=tuple(mounts),
            limits=Limits(memory_mib=_MEMORY_MIB, cpu_cores=1.0, tmp_mib=1, max_processes=16, max_open_files=64),
            network=Network(NetworkMode.NONE),
        )


def _check_end(end: Exit) -> None:
    """A crash is the source's doing, and would come again; a kill that isn't is the server's end. Raises OSError."""
    if end.signal == signal.SIGKILL and not end.out_of_memory:
        raise OSError("the compiler was stopped")


def _copy(source: int, target: int) -> bool:
    """Until the writers are gone; False when they say too much."""
    copied_bytes = 0
    while copied_bytes < _OUTPUT_BYTES_MAX and (chunk := os.read(source, _CHUNK_BYTES)):
        copied_bytes += len(chunk)
        pending = memoryview(chunk)
        while pending:
            pending = pending[os.write(target, pending) :]
    return copied_bytes < _OUTPUT_BYTES_MAX


async def _finish(sandbox: Sandbox, copying: "asyncio.Task[bool]") -> None:
    """With the sandbox its end of the pipe goes, and with that the copying thread."""
    try:
        await sandbox.stop(0)
    except SandboxError as error:
        raise OSError(str(error)) from error
    await asyncio.wait([copying])
    sandbox.runtime_api.close()
    os.close(sandbox.output)
    os.close(sandbox.telemetry)
