"""Plain child processes, for where nothing better works. This is no isolation, and the driver says so."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock
from lampion.sandbox.driver import Capabilities, DirectoryRefused, Exit, Finding, Grade, SandboxError
from lampion.sandbox.launcher.description import resource_limits
from lampion.sandbox.launcher.messages import error_of
from lampion.sandbox.loopback import connect, new_socket
from lampion.sandbox.process_companions import ChildrenBeside, Spawn, exit_of, not_started
from lampion.sandbox.process_family import kill_family, signal_group
from lampion.sandbox.relocation import relocate_environ, relocate_path
from lampion.sandbox.spec import TELEMETRY_FD, SandboxSpec, Template
from lampion.sandbox.trampoline import __file__ as _trampoline
from lampion.sandbox.trampoline import encode_request

_FAMILY_ROUNDS: Final = 200
_PAUSE_SECONDS: Final = 0.01
_STATUS_BYTES: Final = 4096
_PREFIX: Final = "lampion-sandbox-"
# A limit per user, such as the number of processes, would count the server's own processes too.
_LIMITS: Final = frozenset({"core", "memlock", "nofile", "stack"})
_MEND: Final = "lampion doctor"
_FINDINGS: Final = (
    Finding("isolation", "functions run as the server's user and see the host's files", _MEND),
    Finding("memory-limit", "MemorySize isn't enforced", _MEND),
    Finding("cpu-limit", "the share of a processor that goes with MemorySize isn't enforced", _MEND),
    Finding("network", "functions reach every network that the server reaches, whatever --network says", _MEND),
    Finding("file-systems", "functions with FileSystemConfigs can't be invoked", _MEND),
    Finding("server-death", "functions outlive a server that is killed, until they notice", _MEND),
)


class ProcessSandbox:
    """One child process and whatever it started."""

    def __init__(
        self,
        sandbox_id: str,
        process: asyncio.subprocess.Process,
        clock: Clock,
        listeners: tuple[socket.socket, socket.socket | None],
        pipes: tuple[int, int],
        directory: Path,
        beside: ChildrenBeside | None = None,
        status: int = -1,
    ) -> None:
        """With companions `beside` it, what keeps the process from beginning comes on `status`."""
        self.sandbox_id = sandbox_id
        self.runtime_api, self.gateway = listeners
        self.output, self.telemetry = pipes
        self._process = process
        self._clock = clock
        self._directory = directory
        self._marker = f"AWS_LAMBDA_RUNTIME_API={_address(self.runtime_api)}".encode()
        self._beside = beside
        self._status = status
        self.processes = None if beside is None else beside.processes
        self._peak_bytes = 0
        self._ended = asyncio.get_running_loop().create_task(self._watch())

    async def wait(self) -> Exit:
        return await asyncio.shield(self._ended)

    def when_ended(self, action: Callable[[], object]) -> None:
        """Call `action` once nothing of the sandbox runs any more."""
        self._ended.add_done_callback(lambda _: action())

    async def stop(self, grace_seconds: float) -> Exit:
        if grace_seconds > 0:
            self.thaw()
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with self._clock.deadline(grace_seconds):
                    return await self.wait()
        self._signal(signal.SIGKILL)
        if self._beside is not None:
            self._beside.signal_all(signal.SIGKILL)
        return await self.wait()

    async def connect(self, port: int) -> socket.socket:
        """Its network is the server's."""
        if self._ended.done():
            raise SandboxError(f"sandbox {self.sandbox_id} has ended")
        return await connect(new_socket(), port)

    def limit_cpu(self) -> None:
        """Nothing here limits it; the driver's findings say so."""

    def give_way(self, *, to_others: bool) -> None:
        """Nothing here weighs one against another either."""

    def freeze(self) -> None:
        """Only the process groups: who has left its own runs on."""
        self._signal_groups(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_groups(signal.SIGCONT)

    def max_memory_bytes(self) -> int:
        """The first process's own; 0 where there is no /proc."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self._process.pid}/status").read_bytes().splitlines():
                if line.startswith(b"VmHWM:"):
                    self._peak_bytes = max(self._peak_bytes, int(line.split()[1]) * 1024)
        return self._peak_bytes

    def _signal(self, number: int) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _signal_groups(self, number: signal.Signals) -> None:
        signal_group(self._process.pid, number)
        if self._beside is not None:
            self._beside.signal_all(number)

    async def _watch(self) -> Exit:
        code = await self._process.wait()
        signal_group(self._process.pid, signal.SIGKILL)
        if self._beside is not None:
            problem = await _read_to_end(self._status)
            os.close(self._status)
            self._beside.processes.ended(0, not_started(problem) if problem else exit_of(code))
            await self._beside.ended()
        for _ in range(_FAMILY_ROUNDS):
            if not kill_family(self._process.pid, self._marker):
                break
            await self._clock.sleep(_PAUSE_SECONDS)
        await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)
        return exit_of(code)


class ProcessDriver:
    """Children of the server: own session, own temporary directory, own Runtime API port, and nothing else own."""

    name = "process"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: set[ProcessSandbox] = set()

    def capabilities(self) -> Capabilities:
        return Capabilities(Grade.NONE, False, False, False, False, _FINDINGS, companions=True)

    def expect(self, template: Template) -> None:
        """Nothing can be prepared here."""

    async def start(self, spec: SandboxSpec) -> ProcessSandbox:
        if spec.root is not None:
            raise SandboxError("plain processes have no root directory of their own, which a container image needs")
        if spec.shared is not None:
            raise DirectoryRefused(f"the sandbox driver {self.name} gives functions no file system")
        with contextlib.ExitStack() as on_failure:
            try:
                sandbox = await self._start(spec, on_failure)
            except (OSError, ValueError) as error:
                raise SandboxError(f"the function's process doesn't start: {error}") from error
            on_failure.pop_all()
        self._running.add(sandbox)
        sandbox.when_ended(lambda: self._running.discard(sandbox))
        return sandbox

    async def sweep(self) -> int:
        """Nothing tells whose the processes of a dead server were."""
        return 0

    async def close(self) -> None:
        await asyncio.gather(*(sandbox.stop(0) for sandbox in self._running))

    async def _start(self, spec: SandboxSpec, on_failure: contextlib.ExitStack) -> ProcessSandbox:
        """Everything made here is undone by `on_failure`."""
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
        on_failure.callback(shutil.rmtree, directory, ignore_errors=True)
        runtime_api = _listener(on_failure)
        gateway = _listener(on_failure) if spec.network.has_gateway else None
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as status_pipe:
            output, their_output = _pipe(on_failure, theirs)
            telemetry, their_telemetry = _pipe(on_failure, theirs)
            status, their_status = _pipe(status_pipe, theirs)
            request = theirs.enter_context(tempfile.TemporaryFile(dir=directory))
            request.write(_request(spec, directory, (runtime_api, gateway), their_telemetry))
            request.seek(0)
            beside = _beside(spec, on_failure)
            kept = (their_status,) if beside is None else (their_status, beside.gate)
            process = await _spawn(request.fileno(), kept, their_output, their_telemetry)
            theirs.close()
            try:
                if beside is None:
                    problem = await _read_to_end(status)
                    if problem:
                        raise error_of(problem, "the function's process doesn't start: ")
                else:
                    await beside.start(process, _spawning(spec, directory, (runtime_api, gateway), beside.output))
                    status_pipe.pop_all()
            except BaseException:
                signal_group(process.pid, signal.SIGKILL)
                await asyncio.shield(process.wait())
                raise
        pipes = (output, telemetry)
        return ProcessSandbox(
            spec.sandbox_id, process, self._clock, (runtime_api, gateway), pipes, directory, beside, status
        )


def _beside(spec: SandboxSpec, on_failure: contextlib.ExitStack) -> ChildrenBeside | None:
    if spec.companions is None:
        return None
    beside = ChildrenBeside(spec.companions.programs)
    on_failure.callback(beside.abandon)
    return beside


def _spawning(
    spec: SandboxSpec, directory: Path, listeners: tuple[socket.socket, socket.socket | None], output: int
) -> Spawn:
    """How the companions of this sandbox are started."""
    assert spec.companions is not None
    environ = spec.companions.environ

    async def spawn(program: str) -> tuple[asyncio.subprocess.Process, str]:
        companion = replace(spec, argv=(program,), environ=environ, working_directory="/")
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            status, their_status = _pipe(ours, theirs)
            request = theirs.enter_context(tempfile.TemporaryFile(dir=directory))
            request.write(_request(companion, directory, listeners, -1))
            request.seek(0)
            child = await _spawn(request.fileno(), (their_status,), output, -1)
            theirs.close()
            return child, await _read_to_end(status)

    return spawn


def _listener(on_failure: contextlib.ExitStack) -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    on_failure.callback(listener.close)
    listener.setblocking(False)
    return listener


def _address(listener: socket.socket) -> str:
    return f"127.0.0.1:{listener.getsockname()[1]}"


def _request(
    spec: SandboxSpec, directory: Path, listeners: tuple[socket.socket, socket.socket | None], telemetry: int
) -> bytes:
    runtime_api, gateway = listeners
    working_directory = relocate_path(spec.working_directory, spec.mounts)
    environ = {
        **({} if gateway is None else {"AWS_ENDPOINT_URL": f"http://{_address(gateway)}"}),
        **relocate_environ(spec.environ, spec.mounts),
        "AWS_LAMBDA_RUNTIME_API": _address(runtime_api),
        "TMPDIR": str(directory),
        **({} if telemetry == -1 else spec.telemetry_variables),
    }
    return encode_request(
        argv=[relocate_path(word, spec.mounts) for word in spec.argv],
        environ=environ,
        # Without a file system of its own, a directory that no mount provides doesn't exist.
        working_directory=working_directory if Path(working_directory).is_dir() else str(directory),
        telemetry=(telemetry, TELEMETRY_FD),
        limits=[limit for limit in resource_limits(spec.limits) if limit[0] in _LIMITS],
    )


async def _spawn(request: int, kept: tuple[int, ...], output: int, telemetry: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        _trampoline,
        *map(str, (request, *kept)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env={},
        start_new_session=True,
        pass_fds=(request, *kept, *(() if telemetry == -1 else (telemetry,))),
    )


def _pipe(ours: contextlib.ExitStack, theirs: contextlib.ExitStack) -> tuple[int, int]:
    read_end, write_end = os.pipe()
    ours.callback(os.close, read_end)
    theirs.callback(os.close, write_end)
    os.set_blocking(read_end, False)
    return read_end, write_end


async def _read_to_end(descriptor: int) -> str:
    """What is written to a pipe until its other end is closed."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    text = bytearray()

    def read() -> None:
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(descriptor, _STATUS_BYTES)
            text.extend(chunk)
            if not chunk and not ended.done():
                ended.set_result(None)

    loop.add_reader(descriptor, read)
    try:
        await ended
    finally:
        loop.remove_reader(descriptor)
    return text.decode(errors="replace")
