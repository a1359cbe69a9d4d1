"""A log's lines in their order and at their times, over pipes that the event loop has had no turn to read."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.domain.function import LoggingConfig
from lampion.environments.narrator import Narrator
from lampion.environments.session import RuntimeSession
from lampion.environments.teller import Teller
from lampion.function_logs.platform_facts import RunSummary
from lampion.function_telemetry.subscription import Stream
from tests.component.environments.stage import FUNCTION, INSTANCE, Lines, invocation
from tests.unit.environments.test_run_telling import Heard
from tests.unit.function_logs.test_framing import frame

if TYPE_CHECKING:
    from lampion.sandbox.driver import Sandbox

NOW_MS = 1_800_000_000_000
SUMMARY = RunSummary(duration_ms=1.0, init_ms=None, max_memory_bytes=0, status="", error_type=None)


@dataclass
class Pipes:
    """What a narrator reads of a sandbox, and our ends of it."""

    output: int
    telemetry: int
    output_in: int
    telemetry_in: int
    processes: "Processes | None" = None


@dataclass
class Processes:
    """What the extensions of a sandbox write."""

    output: int


@pytest.fixture
async def pipes() -> AsyncIterator[Pipes]:
    (output, output_in), (telemetry, telemetry_in) = os.pipe(), os.pipe()
    for descriptor in (output, telemetry):
        os.set_blocking(descriptor, False)
    yield Pipes(output, telemetry, output_in, telemetry_in)
    os.close(output_in)
    os.close(telemetry_in)


def narrate(
    log: Lines, pipes: Pipes, logging: LoggingConfig, clock: VirtualClock, teller: Teller | None = None
) -> Narrator:
    function = replace(FUNCTION, configuration=replace(FUNCTION.configuration, logging=logging))
    narrator = Narrator(function, stream=log, instance=INSTANCE, clock=clock, teller=teller)
    narrator.attach(cast("Sandbox", pipes))
    return narrator


async def test_what_a_function_wrote_last_stands_before_what_is_told_of_its_runtime(pipes: Pipes) -> None:
    log, clock = Lines(), VirtualClock()
    debug = LoggingConfig("/aws/lambda/fn", log_format="JSON", system_log_level="DEBUG")
    narrator = narrate(log, pipes, debug, clock)
    narrator.close_subscriptions(RuntimeSession(FUNCTION, lambda: "x"))
    narrator.start(invocation(), clock.now())
    os.write(pipes.output_in, b"a line\nthe beginning of another")
    assert narrator.telling is not None
    narrator.telling.end(SUMMARY, None)
    narrator.close()
    kinds = [line.partition('"type":"')[2].partition('"')[0] or line for line in log.lines]
    assert kinds == ["platform.start", "a line", "the beginning of another", "platform.runtimeDone"]


async def test_what_has_no_end_when_the_sandbox_has_is_written_all_the_same(pipes: Pipes) -> None:
    log = Lines()
    narrator = narrate(log, pipes, LoggingConfig("/aws/lambda/fn"), VirtualClock())
    os.write(pipes.output_in, b"a line without its end")
    os.write(pipes.telemetry_in, frame(b"a record without its end")[:-4])
    narrator.detach()
    assert log.lines == ["a line without its end", "a record without its"]
    assert log.times_ms == [NOW_MS, NOW_MS]
    narrator.close()
    assert log.closed
    assert len(log.lines) == 2


async def test_so_is_what_an_extension_wrote_and_subscribers_are_told_of_all_of_it(pipes: Pipes) -> None:
    log, clock = Lines(), VirtualClock()
    heard = Heard(clock)
    output, output_in = os.pipe()
    os.set_blocking(output, False)
    pipes.processes = Processes(output)
    teller = Teller(INSTANCE, heard, clock, is_json=False)
    narrator = narrate(log, pipes, LoggingConfig("/aws/lambda/fn"), clock, teller)
    os.write(pipes.output_in, b"of the function")
    os.write(output_in, b"of an extension")
    os.close(output_in)
    narrator.detach()
    assert sorted(log.lines) == ["of an extension", "of the function"]
    told = {(event.stream, event.line, event.time_ms) for event in heard.events}
    assert told == {
        (Stream.FUNCTION, b"of the function\n", NOW_MS),
        (Stream.EXTENSION, b"of an extension\n", NOW_MS),
    }
    narrator.close()


async def test_lampion_s_own_words_have_their_time_too(pipes: Pipes) -> None:
    log = Lines()
    narrator = narrate(log, pipes, LoggingConfig("/aws/lambda/fn"), VirtualClock())
    narrator.launch_failed("no such file")
    narrator.remark("something")
    assert (log.lines, log.times_ms) == (["no such file", "LAMPION something"], [NOW_MS, NOW_MS])
    narrator.close()
