"""External extensions through an environment's life, played by coroutines on a real Runtime API socket."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from lampion.domain import limits
from lampion.environments.extensions import TooManyExtensions
from lampion.environments.state import Phase
from lampion.sandbox.companions import NotStarted
from lampion.sandbox.driver import Exit
from lampion.sandbox.drivers.fake import FakeProcess
from tests.component.environments.scripted_extension import Extension, obedient, play_extensions
from tests.component.environments.scripted_runtime import Runtime, echo, forever, play
from tests.component.environments.stage import Stage, invocation, stage, until

READY = "EXTENSION\tName: x\tState: Ready\tEvents: [INVOKE, SHUTDOWN]"


def failure(payload: bytes) -> tuple[str, str]:
    said = json.loads(payload)
    return said["errorType"], said["errorMessage"].partition("Error: ")[2]


def told(on: Stage, word: str) -> str:
    (line,) = (line for line in on.log.lines if line.startswith(word))
    return line


async def hang(_: object) -> Exit:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Phases that nobody ends by himself end soon."""
    monkeypatch.setattr(limits, "INIT_SECONDS", 0.3)
    monkeypatch.setattr(limits, "EXTERNAL_SHUTDOWN_SECONDS", 0.3)
    monkeypatch.setattr(limits, "RUNTIME_SHUTDOWN_SECONDS", 0.1)
    monkeypatch.setattr(limits, "INTERNAL_SHUTDOWN_SECONDS", 0.1)


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


async def crash(extension: Extension) -> Exit:
    return Exit(1)


async def crash_when_registered(extension: Extension) -> Exit:
    await extension.register()
    return Exit(0)


async def report_init(extension: Extension) -> Exit:
    await extension.register()
    assert (await extension.report("init", "Extension.NoConfig")).status == 202
    return Exit(3)


async def report_exit(extension: Extension) -> Exit:
    await extension.register()
    assert (await extension.report("exit", "Extension.NoMore")).status == 202
    return Exit(None, 9)


async def not_executable(extension: Extension) -> NotStarted:
    return NotStarted(13)


async def not_a_program(extension: Extension) -> NotStarted:
    return NotStarted(8)


@pytest.mark.parametrize(
    ("script", "error_type", "message", "line"),
    [
        (crash, "Extension.Crash", "exit status 1", "State: Started\tEvents: []"),
        (crash_when_registered, "Extension.Crash", "exit code 0", "State: Registered\tEvents: [INVOKE, SHUTDOWN]"),
        (
            report_init,
            "Extension.InitError",
            "exit status 3",
            "State: InitError\tEvents: [INVOKE, SHUTDOWN]\tError Type: Extension.NoConfig",
        ),
        (
            report_exit,
            "Extension.ExitError",
            "signal: killed",
            "State: ExitError\tEvents: [INVOKE, SHUTDOWN]\tError Type: Extension.NoMore",
        ),
        (
            not_executable,
            "Extension.LaunchError",
            "fork/exec /opt/extensions/x: permission denied",
            "State: LaunchError\tEvents: []\tError Type: PermissionDenied",
        ),
        (
            not_a_program,
            "Extension.LaunchError",
            "fork/exec /opt/extensions/x: exec format error",
            "State: LaunchError\tEvents: []\tError Type: UnknownError",
        ),
    ],
)
async def test_an_extension_that_fails_fails_init_and_the_invocation_that_repeats_it(
    script: Callable[[Extension], object], error_type: str, message: str, line: str
) -> None:
    async with stage(echo, companion=play_extensions(x=script), companions=["x"]) as on:  # type: ignore[arg-type]
        await on.environment.start()
        assert not on.environment.is_reusable
        outcome = await on.environment.invoke(invocation(1))
        assert failure(outcome.payload) == (error_type, message)
        assert (outcome.function_error, outcome.error_type) == ("Unhandled", error_type)
        assert on.log.lines.count(f"EXTENSION\tName: x\t{line}") == 2
        reports = [text for text in on.log.lines if text.startswith("INIT_REPORT")]
        assert [text.split("\t")[1:] for text in reports] == [
            [f"Phase: {phase}", "Status: error", f"Error Type: {error_type}"] for phase in ("init", "invoke")
        ]
        assert told(on, "REPORT").endswith(f"Status: error\tError Type: {error_type}")
        assert on.environment.phase is Phase.GONE


async def test_one_that_never_registers_makes_init_time_out() -> None:
    async with stage(echo, companion=play_extensions(x=hang), companions=["x"], timeout_seconds=1) as on:
        await on.environment.start()
        assert told(on, "INIT_REPORT").endswith("Phase: init\tStatus: timeout")
        assert told(on, "EXTENSION") == "EXTENSION\tName: x\tState: Started\tEvents: []"
        outcome = await on.environment.invoke(invocation(1))
        assert failure(outcome.payload) == ("Sandbox.Timedout", "Task timed out after 1.00 seconds")


async def test_more_than_ten_are_too_many() -> None:
    names = tuple(f"e{number:02}" for number in range(12))

    async def launch() -> object:
        raise TooManyExtensions(names)

    async with stage(echo) as on:
        on.environment._launch = launch  # type: ignore[assignment]
        await on.environment.start()
        outcome = await on.environment.invoke(invocation(1))
        assert failure(outcome.payload)[0] == "Extension.LaunchError"
        first, second = (
            [line for line in on.log.lines if line.startswith("EXTENSION")][start : start + 11] for start in (0, 11)
        )
        assert first == second
        assert first == [
            *(f"EXTENSION\tName: {name}\tState: Started\tEvents: []" for name in names[:10]),
            "EXTENSION\tName: e10\tState: LaunchError\tEvents: []\tError Type: TooManyExtensions",
        ]


async def test_a_crash_during_an_invocation_is_its_end() -> None:
    async def fragile(extension: Extension) -> Exit:
        await extension.register()
        await extension.next()
        return Exit(2)

    async with stage(forever_after_next, companion=play_extensions(x=fragile), companions=["x"]) as on:
        await on.environment.start()
        outcome = await on.environment.invoke(invocation(1))
        assert failure(outcome.payload) == ("Extension.Crash", "exit status 2")
        assert on.environment.phase is Phase.GONE


async def forever_after_next(runtime: Runtime) -> Exit:
    await runtime.next()
    return await forever(runtime)


async def test_a_crash_after_the_answer_leaves_the_answer_alone() -> None:
    async def fragile(extension: Extension) -> Exit:
        await extension.register()
        await extension.next()
        await asyncio.sleep(0.1)
        return Exit(2)

    async with stage(echo, companion=play_extensions(x=fragile), companions=["x"]) as on:
        await on.environment.start()
        assert (await on.environment.invoke(invocation(1))).payload == b"1"
        assert on.environment.finishing is not None
        await on.environment.finishing
        assert on.environment.phase is Phase.GONE
        assert told(on, "REPORT").endswith("Status: error\tError Type: Extension.Crash")


async def test_a_runtime_that_exits_ends_the_invocation_and_the_extension_learns_of_the_failure() -> None:
    seen = list[str]()

    async def watching(extension: Extension) -> Exit:
        await extension.register()
        while (event := await extension.next())["eventType"] != "SHUTDOWN":
            pass
        seen.append(event["shutdownReason"])
        return Exit(0)

    async def script(runtime: Runtime) -> Exit:
        await runtime.next()
        return Exit(1)

    async with stage(script, companion=play_extensions(x=watching), companions=["x"]) as on:
        await on.environment.start()
        outcome = await on.environment.invoke(invocation(1))
        assert failure(outcome.payload) == ("Runtime.ExitError", "Runtime exited with error: exit status 1")
        assert seen == ["failure"]


async def test_a_crash_between_invocations_is_told_to_who_keeps_the_environment() -> None:
    crashes = asyncio.Event()

    async def fragile(extension: Extension) -> Exit:
        await extension.register()
        asyncio.ensure_future(extension.next()).add_done_callback(lambda done: done.exception())
        await crashes.wait()
        return Exit(1)

    async with stage(echo, companion=play_extensions(x=fragile), companions=["x"]) as on:
        await on.environment.start()
        gone = list[object]()
        on.environment.on_idle_exit = gone.append
        crashes.set()
        await until(lambda: bool(gone))
        assert gone == [on.environment]


async def test_one_that_is_stopped_while_extensions_work_on_comes_to_its_end() -> None:
    async def stuck(extension: Extension) -> Exit:
        await extension.register()
        await extension.next()
        return await hang(extension)

    async with stage(echo, companion=play_extensions(x=stuck), companions=["x"]) as on:
        await on.environment.start()
        assert (await on.environment.invoke(invocation(1))).payload == b"1"
        finishing = on.environment.finishing
        assert finishing is not None
        await on.environment.stop()
        await finishing
        assert on.environment.phase is Phase.GONE
        assert on.environment.finishing is None
