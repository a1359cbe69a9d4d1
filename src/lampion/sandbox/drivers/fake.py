"""The scriptable twin for tests of the rooms above: a coroutine plays the runtime, no process is started."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from lampion.clock.clock import Clock
from lampion.sandbox.companions import NotStarted, companion_processes
from lampion.sandbox.driver import Capabilities, Exit, Finding, Grade, SandboxError
from lampion.sandbox.loopback import connect, new_socket
from lampion.sandbox.snapshots import SnapshotRefused
from lampion.sandbox.spec import SandboxSpec, Template


@dataclass(slots=True)
class FakeProcess:
    """What the program of a fake sandbox may do and see."""

    spec: SandboxSpec
    address: str
    environ: dict[str, str]
    output: int
    telemetry: int
    memory_bytes: int = 0
    is_cpu_limited: bool = False
    gives_way: bool = False
    is_frozen: bool = False
    is_copy: bool = False
    companion: str | None = None  # its path, if it is one: its `telemetry` is nothing then
    terminated: asyncio.Event = field(default_factory=asyncio.Event)

    def write(self, text: str) -> None:
        """To stdout; more than a pipe holds (64 KiB) blocks when nobody reads."""
        os.write(self.output, text.encode())

    def write_telemetry(self, frame: bytes) -> None:
        os.write(self.telemetry, frame)


Program = Callable[[FakeProcess], Awaitable[Exit]]
"""Plays the first process until its end. A cancellation is its SIGKILL; `terminated` is set at SIGTERM."""


Companion = Callable[[FakeProcess], Awaitable[Exit | NotStarted]]
"""Plays one companion, likewise."""


class FakeCompanions:
    """Plays the companions of one sandbox, and lets its main program begin when it is told to (companions.Orders)."""

    def __init__(self, main: FakeProcess, programs: tuple[str, ...], companion: Companion) -> None:
        self.gate = asyncio.Event()
        self.processes, self._output = companion_processes(programs, self)
        assert main.spec.companions is not None
        environ = {**main.spec.companions.environ, "AWS_LAMBDA_RUNTIME_API": main.address}
        self.played = [
            FakeProcess(main.spec, main.address, environ, self._output, -1, companion=program) for program in programs
        ]
        self._main = main
        self._playing = [asyncio.ensure_future(companion(process)) for process in self.played]
        self._watches = [
            asyncio.ensure_future(self._watch(number, playing)) for number, playing in enumerate(self._playing, 1)
        ]
        self.main: asyncio.Future[Exit] | None = None

    def start_main(self) -> None:
        self.gate.set()

    def terminate_main(self) -> None:
        self._main.terminated.set()

    def end_process(self, number: int) -> None:
        process = self.main if number == 0 else self._playing[number - 1]
        if process is not None:
            process.cancel()

    async def play(self, program: "Program") -> Exit:
        """The main program, from when it may begin."""
        await self.gate.wait()
        return await program(self._main)

    async def ended(self, main: Exit) -> None:
        """The main program has; until the others have, too."""
        self.processes.ended(0, main)
        await asyncio.gather(*self._watches)
        os.close(self._output)

    def kill(self) -> None:
        for playing in self._playing:
            playing.cancel()

    async def _watch(self, number: int, playing: "asyncio.Future[Exit | NotStarted]") -> None:
        try:
            how = await playing
        except asyncio.CancelledError:
            how = Exit(None, signal.SIGKILL)
        self.processes.ended(number, how)


class FakeSandbox:
    """One running program."""

    def __init__(
        self,
        process: FakeProcess,
        program: Program,
        clock: Clock,
        runtime_api: socket.socket,
        gateway: socket.socket | None,
        pipes: tuple[int, int],
        companions: FakeCompanions | None = None,
    ) -> None:
        self.sandbox_id = process.spec.sandbox_id
        self.runtime_api = runtime_api
        self.gateway = gateway
        self.output, self.telemetry = pipes
        self.process = process
        self._clock = clock
        self.companions = companions
        self.processes = None if companions is None else companions.processes
        self._playing = asyncio.ensure_future(program(process) if companions is None else companions.play(program))
        if companions is not None:
            companions.main = self._playing
        self._ended = asyncio.get_running_loop().create_task(self._watch())

    async def wait(self) -> Exit:
        return await asyncio.shield(self._ended)

    async def stop(self, grace_seconds: float) -> Exit:
        self.process.terminated.set()
        if grace_seconds > 0:
            with contextlib.suppress(TimeoutError):
                async with self._clock.deadline(grace_seconds):
                    return await self.wait()
        self._playing.cancel()
        if self.companions is not None:
            self.companions.kill()
        return await self.wait()

    async def connect(self, port: int) -> socket.socket:
        if self._ended.done():
            raise SandboxError("the sandbox has ended")
        return await connect(new_socket(), port)

    def limit_cpu(self) -> None:
        self.process.is_cpu_limited = True

    def give_way(self, *, to_others: bool) -> None:
        self.process.gives_way = to_others

    def freeze(self) -> None:
        self.process.is_frozen = True

    def thaw(self) -> None:
        self.process.is_frozen = False

    def max_memory_bytes(self) -> int:
        return self.process.memory_bytes

    async def _watch(self) -> Exit:
        try:
            end = await self._playing
        except asyncio.CancelledError:
            end = Exit(None, signal.SIGKILL)
        finally:
            os.close(self.process.output)
            os.close(self.process.telemetry)
        if self.companions is not None:
            await self.companions.ended(end)
        return end


class FakeSnapshot:
    """Each copy is played by the driver's `program`, from its start: it sees that it `is_copy`."""

    def __init__(self, driver: "FakeDriver") -> None:
        self.is_usable = True
        self._driver = driver

    async def start(self, spec: SandboxSpec) -> FakeSandbox:
        if not self.is_usable:
            raise SandboxError("the snapshot has gone")
        return await self._driver.begin(spec, is_copy=True)

    async def close(self) -> None:
        self.is_usable = False


class FakeOrigin(FakeSandbox):
    """Sealing it ends its program, or is refused for the reason that the driver was given."""

    driver: "FakeDriver"

    async def seal(self, proceed: Callable[[], None]) -> FakeSnapshot:
        proceed()
        await self.stop(0)
        if self.driver.snapshot_refusal is not None:
            raise SnapshotRefused(self.driver.snapshot_refusal)
        snapshot = FakeSnapshot(self.driver)
        self.driver.snapshots.append(snapshot)
        return snapshot


class FakeDriver:
    """Runs `program` in every sandbox; `start_error` makes the next starts fail. `started` are all so far.
    Each companion is played by `companion`.

    With `takes_snapshots` it offers them, unless `snapshot_refusal` says why not.
    """

    name = "fake"

    def __init__(
        self,
        program: Program,
        clock: Clock,
        start_error: str | None = None,
        *,
        takes_snapshots: bool = False,
        companion: Companion | None = None,
    ) -> None:
        self.companion = companion
        self.takes_snapshots = takes_snapshots
        self.snapshot_refusal: str | None = None
        self.snapshots: list[FakeSnapshot] = []
        self.program = program
        self.start_error = start_error
        self.started: list[FakeSandbox] = []
        self.swept = 0
        self._clock = clock

    def capabilities(self) -> Capabilities:
        return Capabilities(Grade.NONE, False, False, False, False, companions=self.companion is not None)

    def expect(self, template: Template) -> None:
        """Nothing can be prepared here."""

    async def start(self, spec: SandboxSpec) -> FakeSandbox:
        return await self.begin(spec)

    def snapshot_finding(self) -> Finding | None:
        return None if self.takes_snapshots else Finding("snapshots", "none are taken", "takes_snapshots=True")

    async def start_origin(self, spec: SandboxSpec) -> FakeOrigin:
        origin = await self.begin(spec, FakeOrigin)
        assert isinstance(origin, FakeOrigin)
        origin.driver = self
        return origin

    async def begin(
        self, spec: SandboxSpec, kind: type[FakeSandbox] = FakeSandbox, *, is_copy: bool = False
    ) -> FakeSandbox:
        """What `start` and a snapshot's `start` do."""
        if self.start_error is not None:
            raise SandboxError(self.start_error)
        runtime_api = _listener()
        gateway = _listener() if spec.network.has_gateway else None
        output, their_output = os.pipe()
        telemetry, their_telemetry = os.pipe()
        os.set_blocking(output, False)
        os.set_blocking(telemetry, False)
        address = f"127.0.0.1:{runtime_api.getsockname()[1]}"
        environ = {
            **({} if gateway is None else {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{gateway.getsockname()[1]}"}),
            **spec.environ,
            "AWS_LAMBDA_RUNTIME_API": address,
            **spec.telemetry_variables,
        }
        process = FakeProcess(spec, address, environ, their_output, their_telemetry, is_copy=is_copy)
        companions = None
        if spec.companions is not None:
            assert self.companion is not None
            companions = FakeCompanions(process, spec.companions.programs, self.companion)
        sandbox = kind(process, self.program, self._clock, runtime_api, gateway, (output, telemetry), companions)
        self.started.append(sandbox)
        return sandbox

    async def sweep(self) -> int:
        self.swept += 1
        return 0

    async def close(self) -> None:
        for sandbox in self.started:
            await sandbox.stop(0)


def _listener() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    return listener
