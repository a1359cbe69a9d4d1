"""A function that floods its log waits for the reader; others don't, and no line is lost."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.environments.log_rate import LINE_BYTES, LogRate
from lampion.environments.narrator import Narrator
from lampion.function_logs.platform_facts import RunSummary
from tests.component.environments.stage import FUNCTION, INSTANCE, Lines, invocation

if TYPE_CHECKING:
    from lampion.sandbox.driver import Sandbox

RATE = LogRate(burst_bytes=400_000, bytes_per_second=100_000)
LINE = b"y" * 99 + b"\n"
COST = len(LINE) + LINE_BYTES
SUMMARY = RunSummary(duration_ms=1.0, init_ms=None, max_memory_bytes=0, status="", error_type=None)


@dataclass
class Pipes:
    """What a narrator reads of a sandbox, and our ends of it."""

    output: int
    telemetry: int
    output_in: int
    telemetry_in: int
    processes: None = None

    def flood(self) -> int:
        """As many lines as the pipe takes without waiting."""
        count = 0
        try:
            while True:
                count += os.write(self.output_in, LINE) // len(LINE)
        except BlockingIOError:
            return count


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def log() -> Lines:
    return Lines()


@pytest.fixture
async def pipes() -> AsyncIterator[Pipes]:
    (output, output_in), (telemetry, telemetry_in) = os.pipe(), os.pipe()
    for descriptor in (output, output_in, telemetry, telemetry_in):
        os.set_blocking(descriptor, False)
    yield Pipes(output, telemetry, output_in, telemetry_in)
    os.close(output_in)
    os.close(telemetry_in)


@pytest.fixture
async def narrator(clock: VirtualClock, log: Lines, pipes: Pipes) -> AsyncIterator[Narrator]:
    narrator = Narrator(FUNCTION, stream=log, instance=INSTANCE, clock=clock, rate=RATE)
    narrator.attach(cast("Sandbox", pipes))
    yield narrator
    narrator.close()


async def read_what_may_be_read(pipes: Pipes) -> int:
    """Flood until nothing more goes into the pipe; the lines written."""
    written = 0
    while more := pipes.flood():
        written += more
        for _ in range(20):
            await asyncio.sleep(0.001)
    return written


async def test_after_its_burst_a_flood_is_read_at_the_rate_and_no_line_is_lost(narrator, log, pipes, clock):
    written = await read_what_may_be_read(pipes)
    burst = len(log.lines)
    assert RATE.burst_bytes <= burst * COST < RATE.burst_bytes + 100_000

    for _ in range(10):
        await clock.advance(1)
        written += await read_what_may_be_read(pipes)

    read = len(log.lines) - burst
    assert 8 * RATE.bytes_per_second <= read * COST <= 11 * RATE.bytes_per_second
    narrator.detach()
    assert len(log.lines) == written


async def test_telemetry_waits_with_the_output(narrator, log, pipes, clock):
    await read_what_may_be_read(pipes)
    before = len(log.lines)
    os.write(pipes.telemetry_in, b"raw text\n")
    await asyncio.sleep(0.01)
    assert len(log.lines) == before
    for _ in range(5):
        await clock.advance(1)
        await asyncio.sleep(0.01)
    assert "raw text" in log.lines


async def test_an_invocations_lines_stand_before_its_end_however_much_it_wrote(narrator, log, pipes, clock):
    written = await read_what_may_be_read(pipes)
    assert len(log.lines) < written

    narrator.finish(invocation(), SUMMARY)

    assert len([line for line in log.lines if line.startswith("y")]) == written
    assert log.first_words()[-2:] == ["END", "REPORT"]


async def test_a_pause_that_is_running_ends_with_the_sandbox(narrator, log, pipes, clock):
    await read_what_may_be_read(pipes)
    narrator.detach()
    lines = len(log.lines)
    await clock.advance(100)
    assert len(log.lines) == lines
