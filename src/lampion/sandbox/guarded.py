"""Makes any driver safe to use: drivers stay naive, and what every one of them would have to guard is here once."""

import asyncio
import contextlib
import os
import socket
from typing import Final

from lampion.clock.clock import Clock
from lampion.sandbox.driver import Capabilities, Driver, Exit, Finding, Sandbox, SandboxError, Unstoppable
from lampion.sandbox.guarded_snapshots import GuardedOrigin, GuardedSnapshots, Start
from lampion.sandbox.spec import SandboxSpec, Template

_STARTS_AT_ONCE: Final = 16
_START_SECONDS: Final = 30.0
_KILL_SECONDS: Final = 30.0


class GuardedSandbox:
    """A sandbox whose `stop` and `wait` may be called at any time, any number of times, and be cancelled."""

    def __init__(self, raw: Sandbox, clock: Clock) -> None:
        self.sandbox_id = raw.sandbox_id
        self.runtime_api = raw.runtime_api
        self.gateway = raw.gateway
        self.output = raw.output
        self.telemetry = raw.telemetry
        self.processes = raw.processes
        self._raw = raw
        self._clock = clock
        self._ended = asyncio.create_task(raw.wait())
        self._stops: set[asyncio.Task[Exit]] = set()

    @property
    def ended(self) -> asyncio.Task[Exit]:
        """Done when the sandbox is; for who wants to be told."""
        return self._ended

    async def wait(self) -> Exit:
        return await asyncio.shield(self._ended)

    async def stop(self, grace_seconds: float) -> Exit:
        """As `Sandbox.stop`. Raises Unstoppable when even killing had no effect within half a minute."""
        if self._ended.done():
            return self._ended.result()
        # In a task of its own: a caller who is cancelled must not leave the sandbox half stopped.
        stopping = asyncio.create_task(self._raw.stop(max(0.0, grace_seconds)))
        self._stops.add(stopping)
        stopping.add_done_callback(self._stops.discard)
        try:
            async with self._clock.deadline(max(0.0, grace_seconds) + _KILL_SECONDS):
                await asyncio.shield(stopping)
                return await self.wait()
        except TimeoutError:
            raise Unstoppable(f"sandbox {self.sandbox_id} doesn't end") from None

    async def connect(self, port: int) -> socket.socket:
        if self._ended.done():
            raise SandboxError(f"sandbox {self.sandbox_id} has ended")
        return await self._raw.connect(port)

    def limit_cpu(self) -> None:
        if not self._ended.done():
            self._raw.limit_cpu()

    def give_way(self, *, to_others: bool) -> None:
        if not self._ended.done():
            self._raw.give_way(to_others=to_others)

    def freeze(self) -> None:
        if not self._ended.done():
            self._raw.freeze()

    def thaw(self) -> None:
        if not self._ended.done():
            self._raw.thaw()

    def max_memory_bytes(self) -> int:
        return self._raw.max_memory_bytes()


class Guarded:
    """Any driver, with at most so many starts at once, a deadline for each, and an end for every sandbox."""

    def __init__(
        self,
        driver: Driver,
        clock: Clock,
        *,
        starts_at_once: int = _STARTS_AT_ONCE,
        start_seconds: float = _START_SECONDS,
    ) -> None:
        self.name = driver.name
        self._driver = driver
        self._clock = clock
        self._turns = asyncio.Semaphore(starts_at_once)
        self._start_seconds = start_seconds
        self._running: set[GuardedSandbox] = set()
        self._starting: set[asyncio.Task[Sandbox]] = set()
        self._is_closing = False
        self._snapshots = GuardedSnapshots(driver, clock, self.started)

    def capabilities(self) -> Capabilities:
        return self._driver.capabilities()

    def expect(self, template: Template) -> None:
        if not self._is_closing:
            self._driver.expect(template)

    async def start(self, spec: SandboxSpec) -> GuardedSandbox:
        """As `Driver.start`; waiting for a turn counts towards the deadline."""
        return await self.started(spec, lambda: self._begin(spec))

    def snapshot_finding(self) -> Finding | None:
        return self._snapshots.finding()

    async def start_origin(self, spec: SandboxSpec) -> GuardedOrigin:
        return await self._snapshots.start_origin(spec)

    async def started(self, spec: SandboxSpec, start: Start) -> GuardedSandbox:
        """What `start` starts, guarded."""
        try:
            async with self._clock.deadline(self._start_seconds), self._turns:
                raw = await self._start(start)
        except TimeoutError:
            raise SandboxError(f"sandbox {spec.sandbox_id} didn't start in {self._start_seconds:g} s") from None
        sandbox = GuardedSandbox(raw, self._clock)
        self._running.add(sandbox)
        sandbox.ended.add_done_callback(lambda _: self._running.discard(sandbox))
        return sandbox

    async def _begin(self, spec: SandboxSpec) -> Sandbox:
        return await self._driver.start(spec)

    async def sweep(self) -> int:
        return await self._driver.sweep()

    async def close(self) -> None:
        """Stop every sandbox, begun ones too. Idempotent; starts are refused from here on."""
        self._is_closing = True
        for start in self._starting:
            start.cancel()
        while self._starting:
            await asyncio.wait(self._starting)
        await asyncio.gather(*(sandbox.stop(0) for sandbox in self._running), return_exceptions=True)
        await self._driver.close()

    async def _start(self, start: Start) -> Sandbox:
        if self._is_closing:
            raise SandboxError("the server is shutting down")
        task = asyncio.create_task(start())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.shield(self._discard(task))
            if self._is_closing:
                raise SandboxError("the server is shutting down") from None
            raise

    async def _discard(self, start: asyncio.Task[Sandbox]) -> None:
        """A start that nobody waits for any more may still succeed: end it and close what it opened."""
        with contextlib.suppress(asyncio.CancelledError, Exception):
            sandbox = await start
            await sandbox.stop(0)
            sandbox.runtime_api.close()
            if sandbox.gateway is not None:
                sandbox.gateway.close()
            os.close(sandbox.output)
            os.close(sandbox.telemetry)
            if sandbox.processes is not None:
                sandbox.processes.close()
