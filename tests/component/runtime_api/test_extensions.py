"""The Extensions API's endpoints: every call that is out of order, and extensions inside the runtime's process."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from lampion.domain import limits
from lampion.environments.state import Phase
from lampion.sandbox.driver import Exit
from tests.component.environments.scripted_extension import Extension, obedient, play_extensions
from tests.component.environments.scripted_runtime import Answer, Runtime, echo, forever
from tests.component.environments.stage import Stage, invocation, stage, until

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EXTERNAL_SHUTDOWN_SECONDS", 0.3)
    monkeypatch.setattr(limits, "RUNTIME_SHUTDOWN_SECONDS", 0.1)
    monkeypatch.setattr(limits, "INTERNAL_SHUTDOWN_SECONDS", 0.3)


def refused(answer: Answer) -> tuple[int, str, str]:
    said = json.loads(answer.body)
    return answer.status, said["errorType"], said["errorMessage"]


@asynccontextmanager
async def calling(calls: Callable[[Extension], Awaitable[None]]) -> AsyncIterator[Stage]:
    """An environment whose only extension `x` makes these calls during Init, and then behaves."""
    problems = list[BaseException]()

    async def script(extension: Extension) -> Exit:
        try:
            await calls(extension)
        except BaseException as problem:
            problems.append(problem)
            raise
        if not extension.identifier:
            await extension.register()
        while (await extension.next())["eventType"] != "SHUTDOWN":
            pass
        return Exit(0)

    async with stage(echo, companion=play_extensions(x=script), companions=["x"]) as on:
        await on.environment.start()
        assert problems == []
        yield on


@pytest.mark.parametrize(
    ("headers", "body", "error_type", "message"),
    [
        ({}, b'{"events":["INVOKE"]}', "Extension.InvalidExtensionName", "Empty extension name"),
        ({"Lambda_Extension_Name": "x"}, b"", "InvalidRequestFormat", None),
        ({"Lambda_Extension_Name": "x"}, b"[" * 100_000, "InvalidRequestFormat", None),
        ({"Lambda_Extension_Name": "x"}, b'{"events":"INVOKE"}', "InvalidRequestFormat", None),
        ({"Lambda_Extension_Name": "x"}, b'{"events":[1]}', "InvalidRequestFormat", None),
        ({"Lambda_Extension_Name": "x"}, b'{"events":["\xff"]}', "InvalidRequestFormat", None),
        (
            {"Lambda_Extension_Name": "x"},
            b'{"configurationKeys":["a"]}',
            "InvalidRequestFormat",
            "configurationKeys are deprecated; use environment variables instead",
        ),
        (
            {"Lambda_Extension_Name": "x"},
            b'{"events":["INVOKE","SLEEP"]}',
            "Extension.InvalidEventType",
            "SLEEP: ErrorInvalidEventType",
        ),
        (
            {"Lambda_Extension_Name": "other"},
            b'{"events":["SHUTDOWN"]}',
            "Extension.InvalidEventType",
            "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension",
        ),
    ],
)
async def test_registrations_that_are_refused(
    headers: dict[str, str], body: bytes, error_type: str, message: str | None
) -> None:
    async def calls(extension: Extension) -> None:
        status, found_type, found = refused(await extension.call("POST", "/register", body, **headers))
        assert (status, found_type) == (403, error_type)
        assert message in (None, found)

    async with calling(calls) as on:
        assert on.environment.phase is Phase.IDLE


async def test_what_a_registration_is_answered() -> None:
    async def calls(extension: Extension) -> None:
        answer = await extension.register([], Lambda_Extension_Accept_Feature="some, accountId")
        assert answer.headers["content-type"] == "application/json"
        assert json.loads(answer.body) == {
            "functionName": "fn",
            "functionVersion": "$LATEST",
            "handler": "app.handler",
            "accountId": "123456789012",
        }

    async def script(extension: Extension) -> Exit:
        await calls(extension)
        return await forever(extension._connection)

    async with stage(echo, companion=play_extensions(x=script), companions=["x"], handler="app.handler") as on:
        starting = asyncio.create_task(on.environment.start())
        await asyncio.sleep(0.1)
        await on.environment.stop()
        await asyncio.wait([starting])


async def test_calls_without_an_identifier_that_is_known() -> None:
    async def calls(extension: Extension) -> None:
        unknown = "Extension.UnknownExtensionIdentifier"
        for method, path in (("GET", "/event/next"), ("POST", "/init/error"), ("POST", "/exit/error")):
            missing = await extension.call(method, path)
            assert refused(missing) == (
                403,
                "Extension.MissingExtensionIdentifier",
                "Missing Lambda-Extension-Identifier header",
            )
            invalid = await extension.call(method, path, Lambda_Extension_Identifier="42")
            assert refused(invalid) == (
                403,
                "Extension.InvalidExtensionIdentifier",
                "Invalid Lambda-Extension-Identifier",
            )
        nobodys = await extension.call("GET", "/event/next", Lambda_Extension_Identifier=NOBODY)
        assert refused(nobodys) == (403, unknown, f"Unknown extension {NOBODY}")
        more = {"Lambda_Extension_Identifier": NOBODY, "Lambda_Extension_Function_Error_Type": "Extension.X"}
        assert refused(await extension.call("POST", "/init/error", b"", **more)) == (
            403,
            unknown,
            "Unknown Lambda-Extension-Identifier",
        )
        without = await extension.call("POST", "/exit/error", Lambda_Extension_Identifier=NOBODY)
        assert refused(without)[1] == "Extension.MissingHeader"

    async with calling(calls) as on:
        assert on.environment.phase is Phase.IDLE


async def test_calls_out_of_order_and_endpoints_that_do_not_exist() -> None:
    async def script(extension: Extension) -> Exit:
        await extension.register()
        identifier = extension.identifier
        again = refused(await extension.call("POST", "/register", b"{}", Lambda_Extension_Name="x"))
        assert again == (
            403,
            "Extension.InvalidExtensionState",
            "State transition from Registered to Registered failed for extension x."
            " Error: State transition is not allowed",
        )
        assert (await extension.call("POST", "/event/next")).status == 404
        assert (await extension.call("GET", "/register")).status == 404
        assert (await extension.call("GET", "/else")).status == 404
        missing = await extension.call("POST", "/init/error")
        assert refused(missing) == (
            403,
            "Extension.MissingHeader",
            "Lambda-Extension-Function-Error-Type not found",
        )
        while (await extension.next())["eventType"] != "SHUTDOWN":
            late = refused(await extension.report("init", "Extension.Late"))
            assert late == (
                403,
                "Extension.InvalidExtensionState",
                f"State transition from Running to InitError failed for extension {identifier}."
                " Error: State transition is not allowed",
            )
        return Exit(0)

    async with stage(echo, companion=play_extensions(x=script), companions=["x"]) as on:
        await on.environment.start()
        await on.environment.invoke(invocation(1, wants_log=True))
        assert on.environment.phase is Phase.IDLE


_OPEN: list[Runtime] = []


@pytest.fixture(autouse=True)
async def closes() -> AsyncIterator[None]:
    yield
    while _OPEN:
        _OPEN.pop().close()
    await asyncio.sleep(0)


async def internal(runtime: Runtime, name: str = "inside") -> Extension:
    """On one more connection of the runtime's process."""
    _OPEN.append(await Runtime.connect(runtime.process))
    return Extension(_OPEN[-1], name)


async def test_an_internal_extension_is_a_part_of_the_runtime() -> None:
    seen = list[str]()

    async def listen(extension: Extension) -> None:
        while True:
            event = await extension.next()
            await asyncio.sleep(0.1)
            seen.append(event["eventType"])

    async def script(runtime: Runtime) -> Exit:
        extension = await internal(runtime)
        assert (await extension.register(["INVOKE"])).status == 200
        listening = asyncio.ensure_future(listen(extension))
        serving = asyncio.ensure_future(echo(runtime))
        await runtime.process.terminated.wait()
        seen.append("SIGTERM")
        for task in (listening, serving):
            task.cancel()
        return Exit(0)

    async with stage(script) as on:
        await on.environment.start()
        assert on.log.lines[-1] == "EXTENSION\tName: inside\tState: Ready\tEvents: [INVOKE]"
        assert (await on.environment.invoke(invocation(1))).payload == b"1"
        assert on.environment.finishing is not None
        assert (await on.environment.finishing).extensions_ms > 90
        await on.environment.stop()
        assert seen == ["INVOKE", "SIGTERM"]


async def test_init_waits_for_an_internal_extension_too() -> None:
    async def script(runtime: Runtime) -> Exit:
        extension = await internal(runtime)
        await extension.register([])
        asyncio.get_running_loop().call_later(0.2, lambda: asyncio.ensure_future(extension.next()))
        return await echo(runtime)

    async with stage(script) as on:
        started = asyncio.get_running_loop().time()
        await on.environment.start()
        assert asyncio.get_running_loop().time() - started > 0.19


async def test_registration_is_closed_once_the_runtime_is_ready() -> None:
    answers = list[Answer]()

    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        answers.append(await (await internal(runtime, "late")).register(["INVOKE"]))
        await runtime.respond(event.request_id, 1)
        return await forever(runtime)

    async with stage(script) as on:
        await on.environment.start()
        await on.environment.invoke(invocation(1))
        assert [refused(answer) for answer in answers] == [
            (403, "Extension.RegistrationClosed", "Extension registration closed already")
        ]
        assert not any(line.startswith("EXTENSION") for line in on.log.lines)


async def test_ten_extensions_are_the_most() -> None:
    answers = list[Answer]()

    async def script(runtime: Runtime) -> Exit:
        for number in range(10):
            one = await internal(runtime, f"inside-{number}")
            answers.append(await one.register([]))
            asyncio.ensure_future(one.next()).add_done_callback(lambda done: done.exception())
        return await echo(runtime)

    async with stage(script, companion=play_extensions(x=obedient), companions=["x"]) as on:
        await on.environment.start()
        assert [answer.status for answer in answers] == [200] * 9 + [403]
        assert refused(answers[-1])[1:] == ("Extension.TooManyExtensions", "Extension limit (10) reached")


async def test_each_event_has_an_identifier() -> None:
    answers = list[Answer]()

    async def script(extension: Extension) -> Exit:
        await extension.register()
        answers.append(await extension.call("GET", "/event/next"))
        answers.append(await extension.call("GET", "/event/next"))
        return Exit(0)

    async with stage(echo, companion=play_extensions(x=script), companions=["x"]) as on:
        await on.environment.start()
        await on.environment.invoke(invocation(1))
        await until(lambda: on.environment.phase is Phase.IDLE)
        await on.environment.stop()
        identifiers = [answer.headers["lambda-extension-event-identifier"] for answer in answers]
        assert len(set(identifiers)) == 2
        assert all(len(identifier) == 36 for identifier in identifiers)
        shutdown = json.loads(answers[1].body)
        assert (shutdown.pop("deadlineMs") > 0, shutdown) == (
            True,
            {"eventType": "SHUTDOWN", "shutdownReason": "spindown"},
        )
