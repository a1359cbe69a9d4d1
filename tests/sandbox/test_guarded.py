"""What the guard adds to a naive driver, and the scriptable twin it is tested on."""

import asyncio
import contextlib
import signal
import socket
from pathlib import Path

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.sandbox.driver import Capabilities, Exit, Grade, SandboxError, Unstoppable
from lampion.sandbox.drivers.fake import FakeDriver, FakeProcess, FakeSandbox
from lampion.sandbox.guarded import Guarded
from lampion.sandbox.spec import SandboxSpec
from tests.sandbox.boxes import CLOCK, close, read, spec_of


async def forever(process: FakeProcess) -> Exit:
    await asyncio.Event().wait()
    return Exit(0)


async def polite(process: FakeProcess) -> Exit:
    await process.terminated.wait()
    return Exit(5)


class Slow(FakeDriver):
    """Its starts take until `gate` opens; it counts how many are under way, and what was stopped."""

    def __init__(self) -> None:
        super().__init__(forever, CLOCK)
        self.gate = asyncio.Event()
        self.under_way = 0
        self.most_under_way = 0

    async def start(self, spec: SandboxSpec) -> FakeSandbox:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        return await super().start(spec)


class Stubborn(Slow):
    """Its starts can't be cancelled: they succeed all the same."""

    async def start(self, spec: SandboxSpec) -> FakeSandbox:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return await FakeDriver.start(self, spec)


def descriptors() -> set[Path]:
    return set(Path("/proc/self/fd").iterdir())


async def test_only_so_many_starts_at_once():
    driver = Slow()
    guarded = Guarded(driver, CLOCK, starts_at_once=3)
    starts = [asyncio.create_task(guarded.start(spec_of(""))) for _ in range(10)]
    await asyncio.sleep(0.02)
    assert driver.under_way == 3
    driver.gate.set()
    sandboxes = await asyncio.gather(*starts)
    assert driver.most_under_way == 3
    await guarded.close()
    for sandbox in sandboxes:
        close(sandbox)


async def test_a_start_has_a_deadline_and_is_called_off():
    driver = Slow()
    guarded = Guarded(driver, CLOCK, start_seconds=0.05)
    with pytest.raises(SandboxError, match=r"didn't start in 0\.05 s"):
        await guarded.start(spec_of(""))
    assert driver.under_way == 0
    await guarded.close()


async def test_a_start_that_succeeds_too_late_is_stopped_and_closed():
    driver = Stubborn()
    guarded = Guarded(driver, CLOCK, start_seconds=0.05)
    before = descriptors()
    with pytest.raises(SandboxError):
        await guarded.start(spec_of(""))
    assert await driver.started[0].wait() == Exit(None, signal.SIGKILL)
    assert descriptors() <= before
    await guarded.close()


async def test_a_cancelled_caller_of_start_leaves_nothing():
    driver = Slow()
    guarded = Guarded(driver, CLOCK)
    start = asyncio.create_task(guarded.start(spec_of("")))
    await asyncio.sleep(0.01)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert driver.under_way == 0
    assert driver.started == []
    await guarded.close()


async def test_a_failing_start_gives_its_turn_back():
    driver = FakeDriver(forever, CLOCK, start_error="no room")
    guarded = Guarded(driver, CLOCK, starts_at_once=1)
    for _ in range(3):
        with pytest.raises(SandboxError, match="no room"):
            await guarded.start(spec_of(""))
    driver.start_error = None
    sandbox = await guarded.start(spec_of(""))
    await guarded.close()
    close(sandbox)


async def test_a_cancelled_stop_goes_on():
    guarded = Guarded(FakeDriver(forever, CLOCK), CLOCK)
    sandbox = await guarded.start(spec_of(""))
    stop = asyncio.create_task(sandbox.stop(0.05))
    await asyncio.sleep(0.01)
    stop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stop
    async with asyncio.timeout(5):
        assert await sandbox.wait() == Exit(None, signal.SIGKILL)
    await guarded.close()
    close(sandbox)


async def test_close_refuses_starts_and_ends_those_under_way():
    driver = Slow()
    guarded = Guarded(driver, CLOCK)
    start = asyncio.create_task(guarded.start(spec_of("")))
    await asyncio.sleep(0.01)
    await guarded.close()
    with pytest.raises(SandboxError, match="shutting down"):
        await start
    with pytest.raises(SandboxError, match="shutting down"):
        await guarded.start(spec_of(""))
    await guarded.close()


async def test_the_guard_passes_on_what_it_does_not_guard():
    driver = FakeDriver(polite, CLOCK)
    guarded = Guarded(driver, CLOCK)
    assert guarded.name == "fake"
    assert guarded.capabilities() == Capabilities(Grade.NONE, False, False, False, False)
    assert await guarded.sweep() == 0
    assert driver.swept == 1
    sandbox = await guarded.start(spec_of(""))
    driver.started[0].process.memory_bytes = 77
    assert sandbox.max_memory_bytes() == 77
    sandbox.limit_cpu()
    assert driver.started[0].process.is_cpu_limited
    assert await sandbox.stop(5) == Exit(5)
    await guarded.close()
    close(sandbox)


async def test_the_twin_plays_a_runtime_over_the_real_socket():
    async def runtime(process: FakeProcess) -> Exit:
        host, port = process.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"next")
        process.write(f"got {(await reader.read(100)).decode()}")
        process.write_telemetry(b"frame")
        writer.close()
        await writer.wait_closed()
        return Exit(None, signal.SIGKILL, out_of_memory=True)

    driver = FakeDriver(runtime, CLOCK)
    sandbox = await driver.start(spec_of("", environ={"A": "b"}))
    assert driver.started[0].process.environ["A"] == "b"
    peer, _ = await asyncio.get_running_loop().sock_accept(sandbox.runtime_api)
    with peer:
        assert await asyncio.get_running_loop().sock_recv(peer, 100) == b"next"
        await asyncio.get_running_loop().sock_sendall(peer, b"event")
        assert await sandbox.wait() == Exit(None, signal.SIGKILL, out_of_memory=True)
    assert await read(sandbox.output) == b"got event"
    assert await read(sandbox.telemetry) == b"frame"
    assert isinstance(sandbox.runtime_api, socket.socket)
    await driver.close()
    close(sandbox)


async def test_a_sandbox_that_no_kill_ends_is_told_of_when_half_a_minute_has_passed():
    """As one whose process waits in the kernel for a file system that doesn't answer."""
    answers = asyncio.Event()

    async def stuck(process: FakeProcess) -> Exit:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await answers.wait()
        return Exit(None, signal.SIGKILL)

    clock = VirtualClock()
    sandbox = await Guarded(FakeDriver(stuck, clock), clock).start(spec_of(""))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(sandbox.stop(0))
    await clock.advance(29.9)
    assert not stopping.done()
    await clock.advance(0.2)
    with pytest.raises(Unstoppable, match="doesn't end"):
        await stopping
    answers.set()
    assert await sandbox.wait() == Exit(None, signal.SIGKILL)
    close(sandbox)
