"""An answer that asks for the next event at once: offered to every runtime, used by ours, never needed."""

import asyncio
import gc
import json
import sys
from pathlib import Path

import pytest

import lampion
from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.environments.environ import SessionCredentials, environment_variables
from lampion.environments.environment import Environment
from lampion.environments.narrator import Narrator
from lampion.http.application import Exchange
from lampion.http.exchange import OpenExchange
from lampion.http.message import Request
from lampion.runtime_api.door import RuntimeApi, RuntimeApiServer
from lampion.sandbox.driver import Exit
from lampion.sandbox.drivers.process import ProcessDriver
from lampion.sandbox.spec import Limits, Mount, SandboxSpec
from tests.component.environments.scripted_runtime import API, Runtime, forever
from tests.component.environments.stage import FUNCTION, INSTANCE, Lines, invocation, release, stage, until

BOOTSTRAP = Path(lampion.__file__).parent / "runtimes" / "python"


async def test_an_answer_with_the_header_is_answered_with_the_next_event() -> None:
    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        assert event.headers["lampion-runtime-next"] == "true"
        while True:
            path = f"{API}/invocation/{event.request_id}/response"
            event = await runtime.call("POST", path, event.body, Lampion_Runtime_Next="true")
            assert event.status == 200

    async with stage(script) as on:
        await on.environment.start()
        for number in range(3):
            request_id = f"{number}1111111-1111-4111-8111-111111111111"
            outcome = await on.environment.invoke(invocation(number, request_id))
            assert outcome.payload == json.dumps(number).encode()


async def test_the_answer_of_a_runtime_that_is_about_to_end_counts_when_it_has_ended() -> None:
    """So that nobody is given an environment that will not be there."""
    has_answered, may_end = asyncio.Event(), asyncio.Event()

    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        path = f"{API}/invocation/{event.request_id}/error"
        answer = await runtime.call("POST", path, b'{"errorMessage":"bad"}', Lampion_Runtime_Next="never")
        assert answer.status == 202
        has_answered.set()
        await may_end.wait()
        return Exit(255)

    async with stage(script) as on:
        await on.environment.start()
        invoked = asyncio.create_task(on.environment.invoke(invocation()))
        await has_answered.wait()
        assert not invoked.done()
        may_end.set()
        outcome = await invoked
        assert (outcome.payload, outcome.function_error) == (b'{"errorMessage":"bad"}', "Unhandled")
        assert not on.environment.is_reusable


async def test_an_event_that_was_sent_is_not_kept_until_garbage_is_collected() -> None:
    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        while True:
            path = f"{API}/invocation/{event.request_id}/response"
            event = await runtime.call("POST", path, event.body, Lampion_Runtime_Next="true")

    async with stage(script) as on:
        await on.environment.start()
        gc.collect()
        gc.disable()
        try:
            for number in range(9):
                await on.environment.invoke(invocation(number, f"{number}1111111-1111-4111-8111-111111111111"))
            kept = [one for one in gc.get_objects() if isinstance(one, OpenExchange)]
        finally:
            gc.enable()
    assert len(kept) <= 2, "the one that waits for an event, and maybe the one before it"


async def test_a_refused_answer_is_told_and_brings_no_event() -> None:
    statuses: list[int] = []

    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        path = f"{API}/invocation/99999999-9999-4999-8999-999999999999/response"
        statuses.append((await runtime.call("POST", path, b"1", Lampion_Runtime_Next="true")).status)
        await runtime.respond(event.request_id, "still mine")
        return await forever(runtime)

    async with stage(script) as on:
        await on.environment.start()
        assert (await on.environment.invoke(invocation())).payload == b'"still mine"'
    assert statuses == [400]


async def test_our_runtime_asks_for_its_first_event_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    start = RuntimeApi.start

    def noting(self: RuntimeApi, request: Request, exchange: Exchange) -> None:
        seen.append(f"{request.head.method} {request.head.path.rpartition('/')[2]}")
        start(self, request, exchange)

    monkeypatch.setattr(RuntimeApi, "start", noting)
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return 1 / event\n")
    clock, log = SystemClock(), Lines()
    driver = ProcessDriver(clock)
    variables = environment_variables(FUNCTION, log_stream="s", credentials=SessionCredentials("a", "b", "c"))
    spec = SandboxSpec(
        sandbox_id="own",
        argv=(sys.executable, "-S", "/var/runtime/bootstrap.py"),
        environ={**variables, "_HANDLER": "app.handler"},
        working_directory="/var/task",
        mounts=(Mount(tmp_path, "/var/task"), Mount(BOOTSTRAP, "/var/runtime")),
        limits=Limits(memory_mib=512, cpu_cores=1),
    )
    environment = Environment(
        FUNCTION,
        launch=lambda: driver.start(spec),
        release=release,
        runtime_server=RuntimeApiServer(clock),
        narrator=Narrator(FUNCTION, stream=log, instance=INSTANCE, clock=clock),
        clock=clock,
        rng=SystemRng(),
    )
    await environment.start()
    errors = [(await environment.invoke(invocation(event))).error_type for event in (1, 0, 2)]
    await until(lambda: len(seen) == 4)
    await asyncio.sleep(0.05)
    await environment.stop()
    await driver.close()
    assert errors == [None, "ZeroDivisionError", None]
    assert seen == ["GET next", "POST response", "POST error", "POST response"]
