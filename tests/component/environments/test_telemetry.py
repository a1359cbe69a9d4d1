"""An environment with an extension that subscribes: what is told, and in which of its phases."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lampion.clock.clock import SystemClock
from lampion.domain.function import LoggingConfig
from lampion.sandbox.driver import Exit
from lampion.sandbox.drivers.fake import FakeDriver
from tests.component.environments.scripted_extension import Extension, obedient, play_extensions
from tests.component.environments.scripted_runtime import Answer, Runtime, Script, forever, play
from tests.component.environments.snapshot_stage import snapshot_stage
from tests.component.environments.stage import Stage, invocation, stage
from tests.component.function_telemetry.receivers import Receiver, never, receiving, until

ID = "11111111-1111-4111-8111-111111111111"
OTHER_ID = "22222222-2222-4222-8222-222222222222"
PATHS = {"telemetry": "/2022-07-01/telemetry", "logs": "/2020-08-15/logs"}


async def subscribe(extension: Extension, port: int, api: str = "telemetry", **changes: Any) -> Answer:
    wanted = {
        "schemaVersion": "2025-01-29" if api == "telemetry" else "2021-03-18",
        "types": ["platform", "function", "extension"],
        "buffering": {"timeoutMs": 25},
        "destination": {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{port}"},
        **changes,
    }
    return await extension.put(PATHS[api], json.dumps(wanted).encode())


def listener(receiver: Receiver, **wanted: Any) -> Callable[[Extension], Awaitable[Exit]]:
    """An extension that subscribes for `receiver`, and waits a little for the rest when it is told to end."""

    async def script(extension: Extension) -> Exit:
        await extension.register()
        answer = await subscribe(extension, receiver.port, **wanted)
        assert (answer.status, answer.body) == (200, b'"OK"')
        extension.process.write("listening\n")
        while (await extension.next())["eventType"] != "SHUTDOWN":
            pass
        await asyncio.sleep(0.2)
        return Exit(0)

    return script


async def echo_loudly(runtime: Runtime) -> Exit:
    runtime.process.write("loading\n")
    while True:
        event = await runtime.next()
        runtime.process.write("working\n")
        await runtime.respond(event.request_id, json.loads(event.body))


@asynccontextmanager
async def told(script: Script = echo_loudly, **configuration: Any) -> AsyncIterator[tuple[Stage, Receiver]]:
    wanted = configuration.pop("wanted", {})
    async with receiving() as receiver:
        companion = play_extensions(outer=listener(receiver, **wanted))
        async with stage(script, companion=companion, companions=["outer"], **configuration) as on:
            await on.environment.start()
            yield on, receiver


def names(receiver: Receiver) -> list[str]:
    return [kind.removeprefix("platform.") for kind in receiver.kinds]


def record(receiver: Receiver, kind: str) -> Any:
    return [event["record"] for event in receiver.events if event["type"] == f"platform.{kind}"][-1]


INIT = ["initStart", "telemetrySubscription", "extension", "function", "initRuntimeDone", "extension", "initReport"]


async def test_init_and_an_invocation_in_their_order() -> None:
    async with told() as (on, receiver):
        await until(lambda: len(receiver.events) >= len(INIT))
        assert names(receiver)[:-3] == INIT[:-3] or names(receiver)[2:4] == ["function", "extension"]
        assert names(receiver)[-3:] == INIT[-3:]
        lines = [event["record"] for event in receiver.events if event["type"] in ("function", "extension")]
        assert sorted(lines) == ["listening\n", "loading\n"]
        started = record(receiver, "initStart")
        assert (started["initializationType"], started["phase"], started["functionName"]) == ("on-demand", "init", "fn")
        assert record(receiver, "extension") == {
            "name": "outer",
            "state": "Ready",
            "events": ["INVOKE", "SHUTDOWN"],
        }
        assert record(receiver, "initReport")["status"] == "success"
        outcome = await on.environment.invoke(invocation({"a": 1}))
        assert json.loads(outcome.payload) == {"a": 1}
        await until(lambda: "report" in names(receiver))
        assert names(receiver)[len(INIT) :] == ["start", "function", "runtimeDone", "report"]
        assert record(receiver, "start")["functionArn"].endswith(":function:fn")
        done, report = record(receiver, "runtimeDone"), record(receiver, "report")
        assert done["metrics"]["producedBytes"] == len(outcome.payload)
        assert done["metrics"]["durationMs"] <= report["metrics"]["durationMs"]
        assert [span["name"] for span in done["spans"]] == ["responseLatency", "responseDuration", "runtimeOverhead"]
        assert report["metrics"]["initDurationMs"] == pytest.approx(
            record(receiver, "initReport")["metrics"]["durationMs"], abs=50
        )
        assert sorted(line for line in on.log.lines if line.endswith("ing") and " " not in line) == [
            "listening",
            "loading",
            "working",
        ]


async def test_a_stream_tells_when_it_began_and_how_much_it_was() -> None:
    async def streams(runtime: Runtime) -> Exit:
        while True:
            event = await runtime.next()
            await asyncio.sleep(0.05)
            await runtime.begin_stream(event.request_id)
            await runtime.write(b"abc")
            await asyncio.sleep(0.05)
            await runtime.write(b"de")
            await runtime.end_stream()
            await asyncio.sleep(0.05)

    async with told(streams) as (on, receiver):
        await on.environment.invoke(invocation())
        await until(lambda: "report" in names(receiver))
        done = record(receiver, "runtimeDone")
        assert done["metrics"]["producedBytes"] == 5
        assert [span["durationMs"] >= 40 for span in done["spans"]] == [True, True, True]


@pytest.mark.parametrize("kind", ["exit", "timeout"])
async def test_how_an_invocation_broke_off_is_told_before_the_end(kind: str) -> None:
    async def fails(runtime: Runtime) -> Exit:
        await runtime.next()
        runtime.process.write("last words\n")
        if kind == "timeout":
            await asyncio.sleep(60)
        return Exit(3)

    async with told(fails, timeout_seconds=1, wanted={"api": "logs"}) as (on, receiver):
        await on.environment.invoke(invocation())
        await until(lambda: "report" in names(receiver))
        tail = ["start", "function", "runtimeDone", "fault", "end", "report"]
        assert names(receiver)[-len(tail) :] == tail
        assert record(receiver, "runtimeDone")["status"] == {"exit": "failure", "timeout": "timeout"}[kind]


async def test_lines_in_json_are_objects() -> None:
    async def loud(runtime: Runtime) -> Exit:
        while True:
            event = await runtime.next()
            runtime.process.write('{"level":"INFO","message":"hi"}\nplain\n')
            await runtime.respond(event.request_id, 1)

    logging = LoggingConfig("/aws/lambda/fn", log_format="JSON")
    async with told(loud, logging=logging) as (on, receiver):
        await on.environment.invoke(invocation())
        await until(lambda: "report" in names(receiver))
        lines = [event["record"] for event in receiver.events if event["type"] == "function"]
        assert lines == [{"level": "INFO", "message": "hi"}, "plain\n"]


async def test_while_frozen_nothing_comes_and_afterwards_everything() -> None:
    async with told(wanted={"buffering": {"timeoutMs": 200}}) as (on, receiver):
        await until(lambda: len(receiver.events) >= len(INIT))
        await on.environment.invoke(invocation())
        await until(lambda: on.environment.is_reusable)
        on.environment.freeze()
        assert on.environment.is_frozen
        await asyncio.sleep(0.3)
        await never(lambda: "start" in names(receiver))
        await on.environment.invoke(invocation(request_id=OTHER_ID))
        await until(lambda: names(receiver).count("report") >= 1)
        ids = [event["record"]["requestId"] for event in receiver.events if event["type"] == "platform.start"]
        assert ids[0] == ID


async def test_when_the_environment_ends_what_waits_is_sent() -> None:
    """The rest of it comes within the time that its extensions have."""
    async with told(wanted={"buffering": {"timeoutMs": 30_000}}) as (on, receiver):
        await on.environment.invoke(invocation())
        await until(lambda: on.environment.is_reusable)
        await never(lambda: receiver.events != [])
        await on.environment.stop()
        await until(lambda: "report" in names(receiver))


async def test_an_internal_extension_may_subscribe_too() -> None:
    async with receiving() as receiver:

        async def script(runtime: Runtime) -> Exit:
            connection = await Runtime.connect(runtime.process)
            extension = Extension(connection, "inner")
            await extension.register(["INVOKE"])
            assert (await subscribe(extension, receiver.port)).status == 200
            waiting = asyncio.ensure_future(serve(extension))
            try:
                return await echo_loudly(runtime)
            finally:
                waiting.cancel()
                connection.close()

        async with stage(script) as on:
            await on.environment.start()
            await on.environment.invoke(invocation())
            await until(lambda: "report" in names(receiver))


async def serve(extension: Extension) -> None:
    while True:
        await extension.next()


async def test_while_a_snapshot_is_to_be_taken_too() -> None:
    """Even though none is, of a function with extensions."""
    async with receiving() as receiver:

        async def script(runtime: Runtime) -> Exit:
            extension = Extension(runtime, "inner")
            await extension.register([])
            assert (await subscribe(extension, receiver.port)).status == 200
            await until(lambda: "telemetrySubscription" in names(receiver))
            await runtime.call("GET", "/2018-06-01/runtime/restore/next")
            return await forever(runtime)

        clock = SystemClock()
        async with snapshot_stage(FakeDriver(play(script), clock, takes_snapshots=True), Path("/"), clock) as on:
            assert await on.snapshots.prepare(on.function) is None
        assert names(receiver)[:2] == ["initStart", "telemetrySubscription"]
        assert record(receiver, "initStart")["initializationType"] == "snap-start"


async def test_without_subscribers_nobody_is_told_anything_any_more() -> None:
    for companions in ([], ["outer"]):
        async with stage(echo_loudly, companion=play_extensions(outer=obedient), companions=companions) as on:
            assert on.narrator.telling is not None
            await on.environment.start()
            assert on.narrator.telling is None


async def test_what_is_answered_to_those_who_subscribe() -> None:
    answers: dict[str, Answer] = {}

    async def asks(extension: Extension) -> Exit:
        telemetry, other = PATHS["telemetry"], "22222222-2222-4222-8222-222222222222"
        answers["nobody"] = await extension.put(telemetry, b"{}")
        await extension.register()
        answers["no id"] = await extension.put(telemetry, b"{}", Lambda_Extension_Identifier="x")
        answers["unknown"] = await extension.put(telemetry, b"{}", Lambda_Extension_Identifier=other)
        answers["invalid"] = await subscribe(extension, 1, types=[])
        answers["invalid logs"] = await subscribe(extension, 9001, api="logs", types=[])
        answers["no json"] = await extension.put(telemetry, b"{")
        answers["taken"] = await subscribe(extension, 1)
        answers["again"] = await subscribe(extension, 2)
        answers["with a slash"] = await extension.put(f"{telemetry}/", b"")
        answers["no PUT"] = await extension.put(telemetry, b"{}", method="POST")
        answers["other api"] = await subscribe(extension, 1, api="logs")
        await extension.next()
        answers["late"] = await subscribe(extension, 1)
        answers["late logs"] = await subscribe(extension, 1, api="logs", types=[])
        await extension.next()
        return Exit(0)

    async with stage(echo_loudly, companion=play_extensions(outer=asks), companions=["outer"]) as on:
        await on.environment.start()
        await on.environment.invoke(invocation())
        await until(lambda: "late logs" in answers)
    told = {name: (answer.status, json.loads(answer.body)) for name, answer in answers.items()}
    assert told.pop("taken") == told.pop("again") == (200, "OK")
    assert {name: (status, body["errorType"]) for name, (status, body) in told.items()} == {
        "nobody": (403, "Extension.MissingExtensionIdentifier"),
        "no id": (403, "Extension.InvalidExtensionIdentifier"),
        "unknown": (403, "Extension.UnknownExtensionIdentifier"),
        "invalid": (400, "ValidationError"),
        "invalid logs": (400, "Logs.ValidationError"),
        "no json": (400, "ValidationError"),
        "with a slash": (400, "ValidationError"),
        "no PUT": (404, "NotFound"),
        "other api": (400, "Logs.ValidationError"),
        "late": (403, "Telemetry.SubscriptionClosed"),
        "late logs": (403, "Logs.SubscriptionClosed"),
    }
    assert told["invalid logs"][1]["errorMessage"] == "URI port 9001 is reserved; types should not be empty"
    assert told["late"][1]["errorMessage"] == "Telemetry API subscription is closed already"


async def test_a_failed_init_is_told_and_the_next_one_to_the_same_subscriber() -> None:
    attempts: list[int] = []

    async def fails_once(runtime: Runtime) -> Exit:
        attempts.append(1)
        if len(attempts) == 1:
            await asyncio.sleep(0.1)
            return Exit(1)
        return await echo_loudly(runtime)

    async with told(fails_once) as (on, receiver):
        await on.environment.invoke(invocation())
        await until(lambda: "report" in names(receiver))
        phases = [event["record"]["phase"] for event in receiver.events if event["type"] == "platform.initStart"]
        assert phases == ["init", "invoke"]
        states = [
            event["record"]["state"] for event in receiver.events if event["type"] == "platform.telemetrySubscription"
        ]
        assert states == ["Subscribed", "Already subscribed"]
        reports = [event["record"] for event in receiver.events if event["type"] == "platform.initReport"]
        assert [(found["phase"], found["status"]) for found in reports] == [("init", "error"), ("invoke", "success")]
