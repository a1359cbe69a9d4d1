"""One execution environment through its life, with a scripted runtime on a real Runtime API socket."""

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.environments.narrator import Narrator
from lampion.environments.state import Phase
from lampion.sandbox.driver import Exit, SandboxError
from lampion.sandbox.drivers.fake import FakeProcess
from tests.component.environments.scripted_runtime import Runtime, echo, forever, play
from tests.component.environments.stage import FUNCTION, INSTANCE, Lines, invocation, stage, until

if TYPE_CHECKING:
    from lampion.environments.environment import Environment


async def test_an_invocation_gets_the_answer_and_its_log() -> None:
    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        runtime.process.write("hello from the function\nand an unfinished line")
        await runtime.respond(event.request_id, {"answer": json.loads(event.body)})
        return await forever(runtime)

    async with stage(script) as on:
        await on.environment.start()
        outcome = await on.environment.invoke(invocation(42, wants_log=True))
        assert outcome.payload == b'{"answer": 42}'
        assert (outcome.function_error, outcome.error_type, outcome.executed_version) == (None, None, "$LATEST")
        assert on.log.first_words() == ["INIT_START", "START", "hello", "and", "END", "REPORT"]
        assert "Init Duration: " in on.log.lines[-1]
        tail = outcome.log_tail.decode()
        assert tail.startswith("START RequestId: 11111111-1111-4111-8111-111111111111 Version: $LATEST\nhello")
        assert tail.endswith(on.log.lines[-1] + "\n")


async def test_the_second_invocation_is_warm_and_its_log_its_own() -> None:
    async with stage(echo) as on:
        await on.environment.start()
        first = await on.environment.invoke(invocation(1, wants_log=True))
        assert on.environment.phase is Phase.IDLE
        outcome = await on.environment.invoke(invocation(2, "22222222-2222-4222-8222-222222222222", wants_log=True))
        assert outcome.payload == b"2"
        assert b"START RequestId: 1111" in first.log_tail
        assert outcome.log_tail.startswith(b"START RequestId: 2222")
        assert b"1111" not in outcome.log_tail
        assert b"Init Duration" not in outcome.log_tail
        assert on.log.first_words().count("INIT_START") == 1


async def test_one_that_is_spent_takes_no_more_work() -> None:
    async with stage(echo) as on:
        await on.environment.start()
        assert on.environment.is_reusable
        on.environment.is_spent = True
        assert (on.environment.phase, on.environment.is_reusable) == (Phase.IDLE, False)


async def test_who_does_not_want_the_log_gets_none_of_it_and_it_is_written_all_the_same() -> None:
    async with stage(echo) as on:
        await on.environment.start()
        assert (await on.environment.invoke(invocation(1))).log_tail == b""
        await asyncio.sleep(0)
        assert on.log.first_words() == ["INIT_START", "START", "END", "REPORT"]


async def test_the_report_comes_after_the_answer_but_before_anything_else() -> None:
    once = ["START", "END", "REPORT"]
    async with stage(echo) as on:
        await on.environment.start()
        await on.environment.invoke(invocation(1))
        assert on.log.first_words() == ["INIT_START", "START"]
        await asyncio.sleep(0)
        assert on.log.first_words() == ["INIT_START", *once]
        await on.environment.invoke(invocation(2))
        await on.environment.invoke(invocation(3))
        await on.environment.stop()
        assert on.log.first_words() == ["INIT_START", *once * 3]


async def test_a_report_that_is_written_at_the_end_tells_the_memory_all_the_same() -> None:
    async def script(runtime: Runtime) -> Exit:
        runtime.process.memory_bytes = 40 * 1024 * 1024
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        await on.environment.invoke(invocation(1))
        await on.environment.stop()
        assert "\tMax Memory Used: 40 MB" in on.log.lines[-1]


def test_a_start_bears_the_time_of_before_its_hand_over() -> None:
    log = Lines()
    narrator = Narrator(FUNCTION, stream=log, instance=INSTANCE, clock=VirtualClock())
    narrator.start(invocation(), 5.0)
    assert (log.first_words(), log.times_ms) == (["START"], [5000])


async def test_what_the_runtime_gets_with_an_event() -> None:
    seen: dict[str, str] = {}

    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        seen.update(event.headers)
        await runtime.respond(event.request_id, None)
        return await forever(runtime)

    clock = VirtualClock(epoch=1_800_000_000.0)
    async with stage(script, clock=clock) as on:
        await on.environment.start()
        await on.environment.invoke(invocation({}, client_context='{"custom":\n{"name":"é"}}'))
    assert seen["lambda-runtime-aws-request-id"] == "11111111-1111-4111-8111-111111111111"
    assert seen["lambda-runtime-deadline-ms"] == "1800000003000"
    assert seen["lambda-runtime-invoked-function-arn"] == invocation().invoked_arn
    assert seen["lambda-runtime-trace-id"] == "Root=1-0-0"
    context = seen["lambda-runtime-client-context"].encode("latin-1").decode()
    assert json.loads(context) == {"custom": {"name": "é"}}


async def test_a_handler_error_is_passed_on_and_the_environment_stays() -> None:
    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        await runtime.fail(event.request_id, "ValueError", {"errorMessage": "boom", "errorType": "ValueError"})
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        outcome = await on.environment.invoke(invocation())
        assert json.loads(outcome.payload) == {"errorMessage": "boom", "errorType": "ValueError"}
        assert outcome.function_error == "Unhandled"
        assert "Status" not in on.log.lines[-1]
        assert (await on.environment.invoke(invocation("again"))).payload == b'"again"'


async def test_a_timeout_ends_the_sandbox_with_lambdas_answer() -> None:
    async def script(runtime: Runtime) -> Exit:
        await runtime.next()
        return await forever(runtime)

    clock = VirtualClock()
    async with stage(script, clock=clock) as on:
        await on.environment.start()
        running = asyncio.create_task(on.environment.invoke(invocation()))
        await until(lambda: "START" in on.log.first_words())
        await clock.advance(2.9)
        assert not running.done()
        await clock.advance(0.2)
        outcome = await running
    assert json.loads(outcome.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {invocation().request_id} Error: Task timed out after 3.00 seconds",
    }
    assert (outcome.function_error, on.environment.phase) == ("Unhandled", Phase.GONE)
    assert "\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\t" in on.log.lines[-1]
    assert on.log.lines[-1].endswith("\tStatus: timeout")


@pytest.mark.parametrize(
    ("exit_", "error_type", "reason"),
    [
        (Exit(0), "Runtime.ExitError", "Runtime exited without providing a reason"),
        (Exit(127), "Runtime.ExitError", "Runtime exited with error: exit status 127"),
        (Exit(None, 9), "Runtime.ExitError", "Runtime exited with error: signal: killed"),
        (Exit(None, 11), "Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"),
        (Exit(None, 9, out_of_memory=True), "Runtime.OutOfMemory", "Runtime exited with error: signal: killed"),
    ],
)
async def test_a_runtime_that_ends_is_an_error_with_its_reason(exit_: Exit, error_type: str, reason: str) -> None:
    async def script(runtime: Runtime) -> Exit:
        await runtime.next()
        runtime.process.write("last words\n")
        return exit_

    async with stage(script) as on:
        await on.environment.start()
        outcome = await on.environment.invoke(invocation())
    assert json.loads(outcome.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {invocation().request_id} Error: {reason}",
    }
    assert outcome.error_type == error_type
    assert on.log.lines[-1].endswith(f"\tStatus: error\tError Type: {error_type}")
    assert "last words" in on.log.lines
    assert on.environment.phase is Phase.GONE


async def test_a_response_over_the_limit_fails_the_invocation_and_ends_the_environment() -> None:
    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        await runtime.respond(event.request_id, "x" * 6_291_556)
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        outcome = await on.environment.invoke(invocation())
        assert json.loads(outcome.payload) == {
            "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
            "errorType": "Function.ResponseSizeTooLarge",
        }
        assert on.environment.phase is Phase.GONE


async def test_a_response_at_the_limit_passes() -> None:
    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        await runtime.respond(event.request_id, "x" * 6_291_554)
        return await forever(runtime)

    async with stage(script) as on:
        await on.environment.start()
        outcome = await on.environment.invoke(invocation())
        assert (len(outcome.payload), outcome.function_error) == (6_291_556, None)


async def test_cpu_is_limited_once_init_is_over() -> None:
    async with stage(echo) as on:
        await on.environment.start()
        assert on.driver.started[0].process.is_cpu_limited


async def test_report_shows_the_high_water_mark_of_memory() -> None:
    async def script(runtime: Runtime) -> Exit:
        runtime.process.memory_bytes = 35 * 1024 * 1024 + 1
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        await on.environment.invoke(invocation(wants_log=True))
        assert "\tMemory Size: 128 MB\tMax Memory Used: 36 MB\t" in on.log.lines[-1]


async def test_who_freezes_at_once_knows_what_memory_was_used() -> None:
    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        runtime.process.memory_bytes = 50 * 1024 * 1024
        await runtime.respond(event.request_id, None)
        return await forever(runtime)

    async with stage(script) as on:
        await on.environment.start()
        await on.environment.invoke(invocation())
        on.environment.freeze()
        assert on.environment.used_bytes == 50 * 1024 * 1024


async def test_a_late_or_foreign_answer_is_refused() -> None:
    statuses: list[int] = []

    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        statuses.append((await runtime.respond("99999999-9999-4999-8999-999999999999", 1)).status)
        statuses.append((await runtime.respond(event.request_id, 1)).status)
        statuses.append((await runtime.respond(event.request_id, 2)).status)
        return await forever(runtime)

    async with stage(script) as on:
        await on.environment.start()
        assert (await on.environment.invoke(invocation())).payload == b"1"
        await until(lambda: len(statuses) == 3)
    assert statuses == [400, 202, 400]


async def test_calls_out_of_order_are_refused() -> None:
    statuses: list[int] = []

    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        statuses.append((await runtime.next()).status)
        statuses.append((await runtime.fail_init("Too.Late", {})).status)
        await runtime.respond(event.request_id, None)
        return await forever(runtime)

    async with stage(script) as on:
        await on.environment.start()
        await on.environment.invoke(invocation())
    assert statuses == [403, 403]


async def test_a_process_that_ends_while_idle_is_told_to_whoever_holds_the_environment() -> None:
    async def script(runtime: Runtime) -> Exit:
        await runtime.next()
        raise AssertionError

    ending = asyncio.Event()

    async def program(process: FakeProcess) -> Exit:
        playing = asyncio.ensure_future(play(script)(process))
        await ending.wait()
        playing.cancel()
        return Exit(1)

    async with stage(None, program=program) as on:
        told: list[Environment] = []
        on.environment.on_idle_exit = told.append
        await on.environment.start()
        ending.set()
        await until(lambda: told == [on.environment])


async def test_the_holder_learns_when_the_sandbox_is_there_and_the_function_has_not_begun() -> None:
    order: list[str] = []

    async def script(runtime: Runtime) -> Exit:
        order.append("init")
        return await echo(runtime)

    async with stage(script) as on:
        on.environment.on_launched = lambda _: order.append("launched")
        await on.environment.start()
        assert order == ["launched", "init"]


async def test_a_sandbox_that_cannot_start_is_the_platforms_error() -> None:
    async with stage(echo) as on:
        on.driver.start_error = "no room"
        with pytest.raises(SandboxError, match="no room"):
            await on.environment.start()


async def test_stopping_gives_everything_back() -> None:
    async with stage(echo) as on:
        await on.environment.start()
        await on.environment.stop()
        await on.environment.stop()
        assert (on.environment.phase, on.log.closed) == (Phase.GONE, True)
        assert (await on.driver.started[0].wait()).signal == 9
