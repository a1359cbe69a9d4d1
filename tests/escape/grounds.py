"""Where probes run: in sandboxes of a driver, or bare, for the control run. Both take the same programs."""

import asyncio
import contextlib
import itertools
import json
import os
import pty
import re
import shutil
import sys
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lampion.sandbox.driver import Driver, Exit
from lampion.sandbox.spec import Limits, Mount, SandboxSpec
from tests.escape.targets import LEAKED_DIRECTORY, LEAKED_FILE, LEAKED_NAMESPACE
from tests.sandbox.boxes import INTERPRETER, PREFIX, close

PROBE_SECONDS = 150.0
_ANSWER = re.compile(rb"(?:^|\n)ESCAPE [^\n]*\n")
_RUN_PYTHON = "import sys; sys.path.insert(0, {task!r}); from python.runner import main; main()"
_numbers = itertools.count(1)
LANGUAGES = ("python", "nodejs", "native")


@dataclass(frozen=True, slots=True)
class Places:
    """What the parts of a function are called where it runs."""

    task: str
    layer: str
    interpreter: str
    interpreter_root: str
    node: str

    def argv(self, language: str, run: str, targets: Mapping[str, Any]) -> tuple[str, ...]:
        asked = (run, json.dumps(targets))
        if language == "nodejs":
            return (self.node, f"{self.task}/nodejs/runner.mjs", *asked)
        if language == "native":
            return (f"{self.task}/native", *asked)
        return (self.interpreter, "-I", "-S", "-c", _RUN_PYTHON.format(task=self.task), *asked)


class Running(Protocol):
    """One process with what it prints."""

    async def output(self, until: re.Pattern[bytes] | None = None) -> bytes: ...

    async def wait(self) -> Exit: ...


class Ground(Protocol):
    """A kind of place."""

    is_bare: bool
    places: Places

    def start(
        self, argv: tuple[str, ...], environ: Mapping[str, str], limits: Limits
    ) -> contextlib.AbstractAsyncContextManager[Running]:
        """Ended, with all that it started, when the block ends."""


async def answer_of(running: Running) -> tuple[Exit, str]:
    """Everything up to the answer (or the end), and how it ended."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            output = await running.output(_ANSWER)
            return await running.wait(), output.decode(errors="replace")
    except TimeoutError:
        return Exit(None, 9), f"no end after {PROBE_SECONDS:g} s"


class _Output:
    """What comes through a descriptor, gathered as it comes."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._content = bytearray()
        self._news = asyncio.Event()
        self._is_over = False
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self._take)

    def _take(self) -> None:
        try:
            chunk = os.read(self._descriptor, 65536)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        self._content += chunk
        if not chunk:
            self.forget()
            self._is_over = True
        self._news.set()

    def forget(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)

    async def until(self, pattern: re.Pattern[bytes] | None) -> bytes:
        while not self._is_over and (pattern is None or not pattern.search(self._content)):
            self._news.clear()
            await self._news.wait()
        return bytes(self._content)


def _node() -> Path:
    found = shutil.which("node")
    assert found is not None, "the escape suite needs Node.js"
    return Path(found).resolve()


class SandboxGround:
    """Sandboxes of a driver, made as the server makes them."""

    is_bare = False

    def __init__(self, driver: Driver, task: Path, layer: Path) -> None:
        self._driver = driver
        node = _node()
        self._mounts = (Mount(PREFIX, "/var/lang"), Mount(task, "/var/task"), Mount(layer, "/opt"))
        is_in_sight = node.is_relative_to("/usr") and not node.is_relative_to("/usr/local/share")
        self._node_mounts = () if is_in_sight else (Mount(node.parent.parent, "/var/runtime"),)
        inside = str(node) if is_in_sight else f"/var/runtime/bin/{node.name}"
        self.places = Places("/var/task", "/opt", INTERPRETER, "/var/lang", inside)

    @asynccontextmanager
    async def start(
        self, argv: tuple[str, ...], environ: Mapping[str, str], limits: Limits
    ) -> AsyncIterator["_InSandbox"]:
        spec = SandboxSpec(
            sandbox_id=f"escape{next(_numbers)}",
            argv=argv,
            environ={"PATH": "/usr/bin:/bin", **environ},
            working_directory="/var/task",
            mounts=self._mounts + self._node_mounts,
            limits=limits,
        )
        sandbox = await self._driver.start(spec)
        sandbox.limit_cpu()
        output = _Output(sandbox.output)
        try:
            yield _InSandbox(sandbox.wait, output)
        finally:
            await sandbox.stop(0)
            output.forget()
            close(sandbox)


class _InSandbox:
    def __init__(self, wait: Any, output: _Output) -> None:
        self._wait = wait
        self._output = output

    async def output(self, until: re.Pattern[bytes] | None = None) -> bytes:
        return await self._output.until(until)

    async def wait(self) -> Exit:
        ending: Exit = await self._wait()
        return ending


class BareGround:
    """No sandbox at all, careless about descriptors and the terminal. Only inside private namespaces (control.py)."""

    is_bare = True

    def __init__(self, task: Path, layer: Path) -> None:
        self.places = Places(str(task), str(layer), sys.executable, str(PREFIX), str(_node()))

    @asynccontextmanager
    async def start(self, argv: tuple[str, ...], environ: Mapping[str, str], limits: Limits) -> AsyncIterator["_Bare"]:
        del limits
        reading, writing = os.pipe()
        ours, terminal = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *("unshare", "-m", "--propagation", "private", sys.executable, "-c", _TAKE_TERMINAL, *argv),
            stdin=terminal,
            stdout=writing,
            stderr=writing,
            env={"PATH": os.environ["PATH"], **environ},
            start_new_session=True,
            pass_fds=(LEAKED_FILE, LEAKED_DIRECTORY, LEAKED_NAMESPACE),
        )
        os.close(writing)
        os.close(terminal)
        output = _Output(reading)
        try:
            yield _Bare(process, output)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            await process.wait()
            output.forget()
            os.close(reading)
            os.close(ours)


_TAKE_TERMINAL = f"import fcntl, os, sys; fcntl.ioctl(0, {termios.TIOCSCTTY}, 0); os.execv(sys.argv[1], sys.argv[1:])"


class _Bare:
    def __init__(self, process: asyncio.subprocess.Process, output: _Output) -> None:
        self._process = process
        self._output = output

    async def output(self, until: re.Pattern[bytes] | None = None) -> bytes:
        return await self._output.until(until)

    async def wait(self) -> Exit:
        code = await self._process.wait()
        return Exit(code) if code >= 0 else Exit(None, -code)
