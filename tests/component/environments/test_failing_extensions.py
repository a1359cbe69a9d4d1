"""Extensions that fail, in every phase: what it means for the environment and for callers."""

import asyncio
import json
from collections.abc import Callable

import pytest

from lampion.environments.extensions import TooManyExtensions
from lampion.environments.state import Phase
from lampion.sandbox.companions import NotStarted
from lampion.sandbox.driver import Exit
from tests.component.environments.scripted_extension import Extension, hang, play_extensions, shorten_phases, told
from tests.component.environments.scripted_runtime import Runtime, echo, forever
from tests.component.environments.stage import invocation, stage, until


def failure(payload: bytes) -> tuple[str, str]:
    said = json.loads(payload)
    return said["errorType"], said["errorMessage"].partition("Error: ")[2]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_phases(monkeypatch)


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
