"""What an environment's log tells of its runtime and extensions, in both formats; and whom that costs nothing."""

import asyncio
import json
from typing import Any

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.domain.function import LoggingConfig
from lampion.sandbox.driver import Exit
from tests.component.environments.scripted_extension import Extension, play_extensions
from tests.component.environments.scripted_runtime import Runtime, echo, forever
from tests.component.environments.stage import Lines, invocation, stage, until

DEBUG = LoggingConfig("/aws/lambda/fn", log_format="JSON", system_log_level="DEBUG")
INFO = LoggingConfig("/aws/lambda/fn", log_format="JSON")
TEXT = LoggingConfig("/aws/lambda/fn")


def events(log: Lines) -> list[tuple[str, Any]]:
    """Of Lambda's own lines, kind and record; of others, the text."""
    found = []
    for line in log.lines:
        told: dict[str, Any] = json.loads(line) if line.startswith("{") else {"type": line, "record": None}
        found.append((told["type"].removeprefix("platform."), told["record"]))
    return found


async def test_a_runtime_s_part_is_told_in_detail_at_level_debug() -> None:
    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        runtime.process.write("working\n")
        await runtime.begin_stream(event.request_id)
        await runtime.write(b"abc")
        await asyncio.sleep(0.05)
        await runtime.write(b"de")
        await runtime.end_stream()
        return await forever(await working_again(runtime))

    async def working_again(runtime: Runtime) -> Runtime:
        await runtime.next()
        return runtime

    async with stage(script, logging=DEBUG) as on:
        await on.environment.start()
        assert (await on.environment.invoke(invocation())).payload == b"abcde"
        await until(lambda: "report" in dict(events(on.log)))
        told = events(on.log)
    assert [kind for kind, _ in told][-4:] == ["start", "working", "runtimeDone", "report"]
    done = dict(told)["runtimeDone"]
    assert (done["status"], done["metrics"]["producedBytes"]) == ("success", 5)
    assert [span["name"] for span in done["spans"]] == ["responseLatency", "responseDuration", "runtimeOverhead"]
    assert done["spans"][1]["durationMs"] >= 40
    assert done["metrics"]["durationMs"] == pytest.approx(sum(span["durationMs"] for span in done["spans"]), abs=0.01)


@pytest.mark.parametrize("own_error", [True, False])
async def test_an_init_that_failed_twice_is_told_with_its_phases(own_error: bool) -> None:
    async def script(runtime: Runtime) -> Exit:
        if own_error:
            await runtime.fail_init("Runtime.ImportModuleError", {"errorType": "Runtime.ImportModuleError"})
        return Exit(1)

    async with stage(script, logging=DEBUG) as on:
        await on.environment.start()
        await on.environment.invoke(invocation())
        told = [(kind, record) for kind, record in events(on.log) if kind in ("initRuntimeDone", "initReport")]
    error_type = "Runtime.ImportModuleError" if own_error else "Runtime.ExitError"
    assert [(kind, record["phase"]) for kind, record in told] == [
        ("initRuntimeDone", "init"),
        ("initReport", "init"),
        ("initRuntimeDone", "invoke"),
        ("initReport", "invoke"),
    ]
    for _, record in told:
        assert (record["status"], record["errorType"]) == ("error", error_type)


async def test_every_invocation_has_its_own_and_one_alone() -> None:
    async with stage(echo, logging=DEBUG) as on:
        await on.environment.start()
        for text in ("a", "bcd"):
            await on.environment.invoke(invocation(text, wants_log=True))
        done = [record["metrics"]["producedBytes"] for kind, record in events(on.log) if kind == "runtimeDone"]
    assert done == [len('"a"'), len('"bcd"')]


@pytest.mark.parametrize("logging", [INFO, TEXT])
async def test_no_other_function_s_runtime_is_watched(logging: LoggingConfig) -> None:
    async with stage(echo, logging=logging) as on:
        await on.environment.start()
        await on.environment.invoke(invocation(wants_log=True))
        assert on.narrator.telling is None
        assert "runtimeDone" not in " ".join(on.log.lines)


@pytest.mark.parametrize("logging", [DEBUG, INFO])
@pytest.mark.parametrize("ending", [None, Exit(3)])
async def test_an_invocation_that_breaks_off_is_told_once_in_json(logging: LoggingConfig, ending: Exit | None) -> None:
    async def script(runtime: Runtime) -> Exit:
        await runtime.next()
        runtime.process.write("last words\n")
        return ending or await forever(runtime)

    clock = VirtualClock()
    async with stage(script, clock=clock, logging=logging) as on:
        await on.environment.start()
        running = asyncio.create_task(on.environment.invoke(invocation()))
        await until(lambda: "last words" in on.log.lines)
        await clock.advance(3.1)
        await running
    told = events(on.log)
    assert [kind for kind, _ in told][-4:] == ["start", "last words", "runtimeDone", "report"]
    expected = {"status": "timeout"} if ending is None else {"status": "error", "errorType": "Runtime.ExitError"}
    for kind in ("runtimeDone", "report"):
        assert expected.items() <= dict(told)[kind].items()
    assert dict(told)["runtimeDone"]["metrics"]["producedBytes"] == 0
    assert "spans" not in dict(told)["runtimeDone"]


@pytest.mark.parametrize("ending", [None, Exit(3), Exit(None, 9, out_of_memory=True)])
async def test_an_invocation_that_breaks_off_is_told_by_its_report_alone_in_text(ending: Exit | None) -> None:
    """The developer guide's new style of log output: no line "Task timed out", and no "Runtime exited with error"."""

    async def script(runtime: Runtime) -> Exit:
        await runtime.next()
        return ending or await forever(runtime)

    clock = VirtualClock()
    async with stage(script, clock=clock, logging=TEXT) as on:
        await on.environment.start()
        running = asyncio.create_task(on.environment.invoke(invocation()))
        await until(lambda: "START" in on.log.first_words())
        await clock.advance(3.1)
        await running
    assert on.log.first_words() == ["INIT_START", "START", "END", "REPORT"]


async def test_what_extensions_alone_went_on_with_is_a_span_of_the_report() -> None:
    async def works_on(extension: Extension) -> Exit:
        await extension.register()
        while (await extension.next())["eventType"] != "SHUTDOWN":
            await asyncio.sleep(0.1)
        return Exit(0)

    async with stage(echo, companion=play_extensions(outer=works_on), companions=["outer"], logging=INFO) as on:
        await on.environment.start()
        await on.environment.invoke(invocation(wants_log=True))
        report = dict(events(on.log))["report"]
    (span,) = report["spans"]
    assert span["name"] == "extensionOverhead"
    assert 80 <= span["durationMs"] <= report["metrics"]["durationMs"]


async def test_a_runtime_that_was_done_when_an_extension_failed_was_done_well() -> None:
    async def crashes(extension: Extension) -> Exit:
        await extension.register()
        await extension.next()
        await asyncio.sleep(0.1)
        return Exit(1)

    told = {}
    for logging in (INFO, DEBUG):
        companion = play_extensions(outer=crashes)
        async with stage(echo, companion=companion, companions=["outer"], logging=logging) as on:
            await on.environment.start()
            await on.environment.invoke(invocation(wants_log=True))
            told[logging] = dict(events(on.log))
    assert "runtimeDone" not in told[INFO]
    assert "spans" not in told[INFO]["report"]
    assert told[DEBUG]["runtimeDone"]["status"] == "success"
    assert told[INFO]["report"]["errorType"] == told[DEBUG]["report"]["errorType"] == "Extension.Crash"


@pytest.mark.parametrize(
    ("runtime", "message", "mend"),
    [
        (
            "nodejs22.x",
            "Cannot find package '@aws-sdk/client-polly' imported from x",
            "--package @aws-sdk/client-polly,",
        ),
        ("python3.12", "No module named 'boto3'", "lampion sdk install python3.12, and restart the server."),
        ("ruby3.3", "cannot load such file -- aws-sdk-s3", "put the gem into the function's package or into a layer."),
        ("nodejs22.x", "Cannot find package 'express' imported from x", ""),
    ],
)
@pytest.mark.parametrize("loads", ["early", "late"])
async def test_what_aws_s_runtime_would_have_had_is_told_with_how_to_get_it(
    runtime: str, message: str, mend: str, loads: str
) -> None:
    async def script(runtime: Runtime) -> Exit:
        error = {"errorType": "Error", "errorMessage": message}
        if loads == "early":
            await runtime.fail_init("Error", error)
            return Exit(1)
        await runtime.fail((await runtime.next()).request_id, "Error", error)
        return await forever(runtime)

    async with stage(script, runtime=runtime) as on:
        await on.environment.start()
        if loads == "late":
            outcome = await on.environment.invoke(invocation(wants_log=True))
            assert json.loads(outcome.payload)["errorMessage"] == message  # Lampion leaves it alone
            assert on.log.first_words()[-2:] == ["END", "REPORT"]
        told = [line for line in on.log.lines if line.startswith("LAMPION ")]
    assert len(told) == bool(mend)
    assert all(mend in line for line in told)


async def test_who_subscribes_is_written_to_the_log() -> None:
    async def subscribes(extension: Extension) -> Exit:
        await extension.register()
        wanted = {
            "schemaVersion": "2022-12-13",
            "types": ["platform", "function"],
            "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:1"},
        }
        await extension.put("/2022-07-01/telemetry", json.dumps(wanted).encode())
        while (await extension.next())["eventType"] != "SHUTDOWN":
            pass
        return Exit(0)

    companion = play_extensions(outer=subscribes)
    async with stage(echo, companion=companion, companions=["outer"]) as on:
        await on.environment.start()
        lines = [line for line in on.log.lines if line.startswith(("TELEMETRY", "EXTENSION"))]
    assert lines[0] == "TELEMETRY\tName: outer\tState: Subscribed\tTypes: [Platform, Function]"
    assert lines[1].startswith("EXTENSION\tName: outer\tState: Ready")
