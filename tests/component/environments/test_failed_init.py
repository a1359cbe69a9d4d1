"""Init that fails: repeated inside the first invocation, and told with the payload, status and lines that AWS gives."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

from lampion.clock.virtual import VirtualClock
from lampion.domain import limits
from lampion.environments.courtesy import MOST_CREDIT_SECONDS
from lampion.environments.endings import CannotStart, NoProgram
from lampion.environments.state import Phase
from lampion.sandbox.driver import Exit, Sandbox
from tests.component.environments.scripted_runtime import Runtime, echo, forever
from tests.component.environments.stage import Stage, invocation, stage, until

INIT_ERROR = {"errorMessage": "no module", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}


async def test_a_failed_init_is_repeated_inside_the_first_invocation_and_its_error_answered() -> None:
    async def script(runtime: Runtime) -> Exit:
        runtime.process.write("importing\n")
        await runtime.fail_init("Runtime.ImportModuleError", INIT_ERROR)
        return Exit(1)

    async with stage(script) as on:
        await on.environment.start()
        assert on.environment.phase is Phase.INIT_FAILED
        outcome = await on.environment.invoke(invocation())
        assert len(on.driver.started) == 2
    assert json.loads(outcome.payload) == INIT_ERROR
    assert (outcome.function_error, outcome.error_type) == ("Unhandled", "Runtime.ImportModuleError")
    assert on.log.first_words() == [
        "INIT_START",
        "importing",
        "INIT_REPORT",
        "importing",
        "INIT_REPORT",
        "START",
        "END",
        "REPORT",
    ]
    assert on.log.lines[2].endswith("\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError")
    assert on.log.lines[4].endswith("\tPhase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError")
    assert on.log.lines[-1].endswith("\tStatus: error\tError Type: Runtime.ImportModuleError")
    assert "Init Duration" not in on.log.lines[-1]


async def test_an_init_that_works_the_second_time_serves_the_invocation() -> None:
    attempts: list[int] = []

    async def script(runtime: Runtime) -> Exit:
        attempts.append(1)
        return Exit(1) if len(attempts) == 1 else await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        outcome = await on.environment.invoke(invocation("in the end"))
        assert (outcome.payload, on.environment.phase) == (b'"in the end"', Phase.IDLE)
        assert "Init Duration" not in on.log.lines[-1]


async def begun(on: Stage, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    """`work` under way, with one more sandbox whose Init has begun."""
    sandboxes = len(on.driver.started)
    task = asyncio.create_task(work)
    await until(lambda: len(on.driver.started) > sandboxes)
    await asyncio.sleep(0.05)
    return task


async def test_a_long_init_gives_way_and_a_repeated_one_from_its_beginning() -> None:
    clock = VirtualClock()
    async with stage(forever, clock=clock) as on:
        starting = await begun(on, on.environment.start())
        seen = []
        for seconds in (
            MOST_CREDIT_SECONDS * 0.9,
            MOST_CREDIT_SECONDS * 0.2,
            limits.INIT_SECONDS - MOST_CREDIT_SECONDS,
        ):
            await clock.advance(seconds)
            seen.append(on.driver.started[0].process.gives_way)
        assert seen == [False, True, True]
        await starting
        running = await begun(on, on.environment.invoke(invocation()))
        await clock.advance(MOST_CREDIT_SECONDS * 0.2)
        assert on.driver.started[1].process.gives_way
        await clock.advance(3.1)
        await running


async def test_init_has_ten_seconds_and_its_repetition_the_functions_timeout() -> None:
    clock = VirtualClock()
    async with stage(forever, clock=clock) as on:
        starting = await begun(on, on.environment.start())
        await clock.advance(9.9)
        assert not starting.done()
        await clock.advance(0.2)
        await starting
        assert on.log.lines[-1] == "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout"
        running = await begun(on, on.environment.invoke(invocation()))
        await clock.advance(3.1)
        outcome = await running
    assert json.loads(outcome.payload)["errorType"] == "Sandbox.Timedout"
    assert "\tBilled Duration: 3000 ms\t" in on.log.lines[-1]
    assert on.log.lines[-1].endswith("\tStatus: timeout")


async def test_a_function_without_a_program_fails_each_init_in_awss_words() -> None:
    async with stage(echo) as on:
        ending = NoProgram("Runtime.InvalidEntrypoint", "fork/exec /var/task/bootstrap: permission denied")

        async def launch() -> Sandbox:
            raise CannotStart(ending)

        on.environment._launch = launch
        await on.environment.start()
        outcome = await on.environment.invoke(invocation())
        assert on.environment.phase is Phase.GONE
    request_id = invocation().request_id
    message = f"RequestId: {request_id} Error: fork/exec /var/task/bootstrap: permission denied"
    assert json.loads(outcome.payload) == {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": message}
    assert outcome.error_type == "Runtime.InvalidEntrypoint"
    assert on.log.first_words() == ["INIT_START", "INIT_REPORT", "INIT_REPORT", "START", "END", "REPORT"]
    assert on.log.lines[-1].endswith("\tStatus: error\tError Type: Runtime.InvalidEntrypoint")
