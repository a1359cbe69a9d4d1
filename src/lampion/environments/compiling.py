"""Compiles a tree of Python files in a sandbox: the sources are as little trusted as the function made of them."""

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
from lampion.sandbox.driver import Driver, Exit, Sandbox, SandboxError
from lampion.sandbox.spec import Limits, Mount, SandboxSpec

COMPILE_SECONDS: Final = 20.0
"""36 MB of an SDK take half a second."""

_COMPILER: Final = Path(lampion.__file__).parent / "runtimes" / "compiler"
_COMPILER_DIRECTORY: Final = "/var/runtime"
_TREE: Final = "/var/task"
_MEMORY_MIB: Final = 1024
_OUTPUT_BYTES_MAX: Final = 256 * 1024 * 1024
_CHUNK_BYTES: Final = 65_536

_LOG = logging.getLogger(__name__)


class SandboxCompiler:
    """The code room's compiler (code.bytecode.CompilePython)."""

    def __init__(self, driver: Driver, clock: Clock, rng: Rng) -> None:
        self._driver = driver
        self._clock = clock
        self._rng = rng

    async def compile(self, tree: Path, interpreter: Interpreter, *, root: str, output: int) -> None:
        """As the protocol says; what doesn't end in time is stopped, and what it has said until then counts."""
        try:
            sandbox = await self._driver.start(self._spec(tree, interpreter, root))
        except SandboxError as error:
            raise OSError(str(error)) from error
        os.set_blocking(sandbox.output, True)
        copying = asyncio.create_task(asyncio.to_thread(_copy, sandbox.output, output))
        try:
            async with self._clock.deadline(COMPILE_SECONDS):
                if await asyncio.shield(copying):
                    _check_end(await sandbox.wait())
        except TimeoutError:
            _LOG.warning("a package wasn't compiled to its end in %g s", COMPILE_SECONDS)
        finally:
            await asyncio.shield(_finish(sandbox, copying))

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
