"""External extensions through an environment's life, played by coroutines on a real Runtime API socket."""

import asyncio
import json
from typing import Any

import pytest

from lampion.environments.state import Phase
from lampion.sandbox.driver import Exit
from lampion.sandbox.drivers.fake import FakeProcess
from tests.component.environments.scripted_extension import (
    Extension,
    hang,
    obedient,
    play_extensions,
    shorten_phases,
    told,
)
from tests.component.environments.scripted_runtime import Runtime, echo, play
from tests.component.environments.stage import invocation, stage, until

READY = "EXTENSION\tName: x\tState: Ready\tEvents: [INVOKE, SHUTDOWN]"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_phases(monkeypatch)


async def test_the_runtime_starts_when_all_have_registered_and_init_ends_when_all_are_ready() -> None:
    events, goes_on = list[str](), asyncio.Event()

    async def slow(extension: Extension) -> Exit:
        events.append("extension")
        await goes_on.wait()
        answer = await extension.register()
        assert json.loads(answer.body) == {"functionName": "fn", "functionVersion": "$LATEST", "handler": ""}
        events.append("registered")
        await asyncio.sleep(0.1)
        events.append("ready")
        return await obedient_from_next(extension)

    async def script(runtime: Runtime) -> Exit:
        events.append("runtime")
        return await echo(runtime)

    async with stage(script, companion=play_extensions(x=slow), companions=["x"]) as on:
        starting = asyncio.create_task(on.environment.start())
        await asyncio.sleep(0.1)
        assert events == ["extension"]
        goes_on.set()
        await starting
        assert events == ["extension", "registered", "runtime", "ready"]
        assert on.environment.phase is Phase.IDLE
        assert on.log.lines[1:] == [READY]


async def obedient_from_next(extension: Extension) -> Exit:
    while (await extension.next())["eventType"] != "SHUTDOWN":
        pass
    return Exit(0)


async def test_an_extension_is_told_of_each_invocation() -> None:
    seen = list[dict[str, Any]]()

    async def curious(extension: Extension) -> Exit:
        await extension.register()
        for _ in range(2):
            seen.append(await extension.next())
        return await obedient_from_next(extension)

    async with stage(echo, companion=play_extensions(x=curious), companions=["x"]) as on:
        await on.environment.start()
        for number in (1, 2):
            assert (await on.environment.invoke(invocation(number))).payload == str(number).encode()
            await until(lambda: on.environment.phase is Phase.IDLE)
        assert [event.pop("deadlineMs") == event.get("deadlineMs", 0) for event in seen] == [False, False]
        assert (
            seen
            == [
                {
                    "eventType": "INVOKE",
                    "requestId": "11111111-1111-4111-8111-111111111111",
                    "invokedFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:fn",
                    "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1-0-0"},
                }
            ]
            * 2
        )


async def test_the_caller_has_the_answer_while_extensions_work_on_and_the_environment_has_not_rested() -> None:
    goes_on = asyncio.Event()

    async def slow(extension: Extension) -> Exit:
        await extension.register()
        await extension.next()
        extension.process.write("still at it\n")
        await goes_on.wait()
        return await obedient_from_next(extension)

    async with stage(echo, companion=play_extensions(x=slow), companions=["x"]) as on:
        await on.environment.start()
        outcome = await on.environment.invoke(invocation(1))
        assert outcome.payload == b"1"
        was_reusable, finishing = on.environment.is_reusable, on.environment.finishing
        assert finishing is not None
        await asyncio.sleep(0.1)
        assert not any(line.startswith("REPORT") for line in on.log.lines)
        goes_on.set()
        finished = await finishing
        assert finished.extensions_ms > 90
        assert finished.duration_ms > outcome.duration_ms + 90
        assert (was_reusable, on.environment.is_reusable) == (False, True)
        assert on.log.lines[-3:-1] == ["still at it", "END RequestId: 11111111-1111-4111-8111-111111111111"]
        assert f"Duration: {finished.duration_ms:.2f} ms" in told(on, "REPORT")


async def test_who_wants_the_log_gets_the_whole_of_it() -> None:
    async def slow(extension: Extension) -> Exit:
        await extension.register()
        await extension.next()
        await asyncio.sleep(0.1)
        extension.process.write("done\n")
        return await obedient_from_next(extension)

    async with stage(echo, companion=play_extensions(x=slow), companions=["x"]) as on:
        await on.environment.start()
        tail = (await on.environment.invoke(invocation(1, wants_log=True))).log_tail.decode().splitlines()
        assert [line.split(" ")[0] for line in tail] == ["START", "done", "END", "REPORT"]
        assert on.environment.is_reusable


async def test_one_that_registered_for_no_invocation_is_not_awaited() -> None:
    async def aloof(extension: Extension) -> Exit:
        await extension.register(["SHUTDOWN"])
        return Exit(0) if (await extension.next())["eventType"] == "SHUTDOWN" else Exit(1)

    async with stage(echo, companion=play_extensions(x=aloof), companions=["x"]) as on:
        await on.environment.start()
        await on.environment.invoke(invocation(1, wants_log=True))
        assert on.environment.is_reusable


async def test_a_timeout_after_the_answer_resets_the_environment_and_leaves_the_answer_alone() -> None:
    seen = list[str]()

    async def stuck(extension: Extension) -> Exit:
        await extension.register()
        await extension.next()
        return await hang(extension)

    async def watching(extension: Extension) -> Exit:
        await extension.register()
        while (event := await extension.next())["eventType"] != "SHUTDOWN":
            pass
        seen.append(event["shutdownReason"])
        return Exit(0)

    both = play_extensions(x=stuck, y=watching)
    async with stage(echo, companion=both, companions=["x", "y"], timeout_seconds=1) as on:
        await on.environment.start()
        outcome = await on.environment.invoke(invocation(1))
        assert (outcome.payload, outcome.function_error) == (b"1", None)
        finishing = on.environment.finishing
        assert finishing is not None
        assert (await finishing).duration_ms > 1000
        assert on.environment.phase is Phase.GONE
        assert told(on, "REPORT").endswith("Status: timeout")
        assert seen == ["timeout"]


async def test_at_the_end_the_runtime_is_asked_first_then_each_extension_by_the_event() -> None:
    order = list[str]()

    async def runtime_and_signal(process: FakeProcess) -> Exit:
        serving = asyncio.ensure_future(play(echo)(process))
        await process.terminated.wait()
        order.append("runtime")
        serving.cancel()
        return Exit(0)

    async def polite(extension: Extension) -> Exit:
        await extension.register()
        event = await extension.next()
        order.append(f"{event['eventType']} {event['shutdownReason']}")
        return Exit(0)

    async with stage(
        None, program=runtime_and_signal, companion=play_extensions(x=polite, y=obedient), companions=["x", "y"]
    ) as on:
        await on.environment.start()
        await on.environment.stop()
        assert order == ["runtime", "SHUTDOWN spindown"]
        assert on.environment.phase is Phase.GONE


async def test_who_does_not_end_is_killed() -> None:
    async def deaf(extension: Extension) -> Exit:
        await extension.register()
        await extension.next()
        return await hang(extension)

    async with stage(echo, companion=play_extensions(x=deaf, y=deaf), companions=["x", "y"]) as on:
        await on.environment.start()
        started = asyncio.get_running_loop().time()
        await on.environment.stop()
        assert 0.25 < asyncio.get_running_loop().time() - started < 1.5
        assert on.environment.phase is Phase.GONE
