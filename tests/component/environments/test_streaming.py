"""Answers in streaming mode: from a scripted runtime, over the Runtime API, to who reads the stream."""

import asyncio
import base64
import json

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.domain.invocation import Outcome
from lampion.environments.response_stream import HELD_BYTES, ResponseStream
from lampion.environments.state import Phase
from lampion.sandbox.driver import Exit
from tests.component.environments.scripted_runtime import API, Runtime, echo, forever
from tests.component.environments.stage import Stage, invocation, stage, until

PIECE = bytes(16 * 1024)


async def read_all(stream: ResponseStream) -> bytes:
    pieces = []
    while piece := await stream.read():
        pieces.append(piece)
    return b"".join(pieces)


async def invoke_streamed(on: Stage) -> tuple[bytes, Outcome, ResponseStream]:
    """What came through the stream, and how the invocation ended."""
    stream = ResponseStream()
    running = asyncio.create_task(on.environment.invoke(invocation(wants_log=True), stream))
    running.add_done_callback(lambda _: stream.finish())
    data = await read_all(stream)
    return data, await running, stream


async def test_pieces_reach_the_reader_before_the_answer_is_complete() -> None:
    go_on = asyncio.Event()

    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        await runtime.begin_stream(event.request_id)
        await runtime.write(b"one")
        await go_on.wait()
        await runtime.write(b"two")
        assert (await runtime.end_stream()).status == 202
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        stream = ResponseStream()
        running = asyncio.create_task(on.environment.invoke(invocation(), stream))
        assert await stream.begun()
        assert stream.content_type == "text/plain"
        assert await stream.read() == b"one"
        assert not running.done()
        go_on.set()
        assert await stream.read() == b"two"
        assert await stream.read() == b""
        outcome = await running
        assert (outcome.payload, outcome.function_error) == (b"", None)
        assert on.environment.phase is Phase.IDLE
        assert (await on.environment.invoke(invocation(5))).payload == b"5"


async def test_without_a_stream_the_pieces_are_the_payload() -> None:
    async def script(runtime: Runtime) -> Exit:
        await runtime.stream((await runtime.next()).request_id, b"[1,", b"2]")
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        assert (await on.environment.invoke(invocation())).payload == b"[1,2]"


async def test_a_function_that_does_not_stream_leaves_its_stream_alone() -> None:
    async with stage(echo) as on:
        await on.environment.start()
        data, outcome, stream = await invoke_streamed(on)
        assert (data, outcome.payload, stream.has_begun) == (b"", b"null", False)


async def test_what_happens_after_the_stream_belongs_to_the_invocation() -> None:
    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        await runtime.stream(event.request_id, b"x")
        await asyncio.sleep(0.1)
        runtime.process.write("afterwards\n")
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        _, outcome, stream = await invoke_streamed(on)
        assert stream.has_ended
        assert on.log.first_words() == ["INIT_START", "START", "afterwards", "END", "REPORT"]
        assert b"afterwards" in outcome.log_tail


async def test_the_reader_has_everything_while_the_function_goes_on() -> None:
    go_on = asyncio.Event()

    async def script(runtime: Runtime) -> Exit:
        await runtime.stream((await runtime.next()).request_id, b"x")
        await go_on.wait()
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        stream = ResponseStream()
        running = asyncio.create_task(on.environment.invoke(invocation(), stream))
        assert await read_all(stream) == b"x"
        assert not running.done()
        go_on.set()
        await running


@pytest.mark.parametrize("wants_stream", [True, False])
async def test_an_answer_stands_when_its_process_ends_after_it(wants_stream: bool) -> None:
    async def script(runtime: Runtime) -> Exit:
        await runtime.stream((await runtime.next()).request_id, b"all")
        return Exit(code=3)

    async with stage(script) as on:
        await on.environment.start()
        stream = ResponseStream() if wants_stream else None
        outcome = await on.environment.invoke(invocation(), stream)
        assert (outcome.function_error, outcome.payload) == (None, b"" if wants_stream else b"all")
        assert "Status: error\tError Type: Runtime.ExitError" in on.log.lines[-1]
        assert on.environment.phase is Phase.GONE


async def test_an_answer_stands_when_time_runs_out_after_it() -> None:
    clock = VirtualClock()

    async def script(runtime: Runtime) -> Exit:
        await runtime.stream((await runtime.next()).request_id, b"all")
        return await forever(runtime)

    async with stage(script, clock=clock) as on:
        await on.environment.start()
        stream = ResponseStream()
        running = asyncio.create_task(on.environment.invoke(invocation(), stream))
        assert await read_all(stream) == b"all"
        await clock.advance(3)
        assert (await running).function_error is None
        assert "Duration: 3000.00 ms" in on.log.lines[-1]
        assert "Status: timeout" in on.log.lines[-1]


ERROR = base64.b64encode(b'{"errorType":"E"}').decode()


@pytest.mark.parametrize(
    ("trailers", "error_type", "payload"),
    [
        ({"Error_Type": "E", "Error_Body": ERROR}, "E", b'{"errorType":"E"}'),
        ({"Error_Body": ERROR}, "Runtime.Unknown", b'{"errorType":"E"}'),
        ({"Error_Type": "E"}, "E", b""),
        ({"Error_Type": "E", "Error_Body": "no base64!"}, "E", b""),
    ],
    ids=["both", "no type", "no body", "a body that is none"],
)
@pytest.mark.parametrize("wants_stream", [True, False])
async def test_errors_come_in_trailers(
    trailers: dict[str, str], error_type: str, payload: bytes, wants_stream: bool
) -> None:
    async def script(runtime: Runtime) -> Exit:
        named = {f"Lambda_Runtime_Function_{name}": text for name, text in trailers.items()}
        assert (await runtime.stream((await runtime.next()).request_id, b"part", **named)).status == 202
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        if wants_stream:
            data, outcome, stream = await invoke_streamed(on)
            assert data == b"part"
            assert not stream.has_ended
        else:
            outcome = await on.environment.invoke(invocation())
        assert (outcome.function_error, outcome.error_type, outcome.payload) == ("Unhandled", error_type, payload)
        assert on.environment.phase is Phase.IDLE


async def test_other_trailers_mean_nothing() -> None:
    async def script(runtime: Runtime) -> Exit:
        await runtime.stream((await runtime.next()).request_id, b"all", Some_Thing="else")
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        assert (await on.environment.invoke(invocation())).payload == b"all"


@pytest.mark.parametrize("wants_stream", [True, False])
async def test_a_connection_that_breaks_off_is_explained_by_the_exit_that_follows(wants_stream: bool) -> None:
    async def script(runtime: Runtime) -> Exit:
        await runtime.begin_stream((await runtime.next()).request_id)
        await runtime.write(b"part")
        await asyncio.sleep(0.05)
        runtime.close()
        await asyncio.sleep(0.05)
        return Exit(code=None, signal=9, out_of_memory=True)

    async with stage(script) as on:
        await on.environment.start()
        outcome = await on.environment.invoke(invocation(), ResponseStream() if wants_stream else None)
        assert (outcome.function_error, outcome.error_type) == ("Unhandled", "Runtime.OutOfMemory")
        assert "signal: killed" in json.loads(outcome.payload)["errorMessage"]


async def test_a_connection_that_breaks_off_without_an_exit_is_a_truncated_response() -> None:
    clock = VirtualClock()

    async def script(runtime: Runtime) -> Exit:
        await runtime.begin_stream((await runtime.next()).request_id)
        await runtime.write(b"part")
        runtime.close()
        return await forever(runtime)

    async with stage(script, clock=clock) as on:
        await on.environment.start()
        stream = ResponseStream()
        running = asyncio.create_task(on.environment.invoke(invocation(), stream))
        assert await stream.read() == b"part"
        await asyncio.sleep(0.1)
        await clock.advance(1)
        outcome = await asyncio.wait_for(running, 10)
        assert outcome.error_type == "Runtime.TruncatedResponse"
        assert "Error Type: Runtime.TruncatedResponse" in on.log.lines[-1]
        assert on.environment.phase is Phase.GONE


async def test_time_that_runs_out_in_the_middle() -> None:
    clock = VirtualClock()

    async def script(runtime: Runtime) -> Exit:
        await runtime.begin_stream((await runtime.next()).request_id)
        await runtime.write(b"part")
        return await forever(runtime)

    async with stage(script, clock=clock) as on:
        await on.environment.start()
        stream = ResponseStream()
        running = asyncio.create_task(on.environment.invoke(invocation(), stream))
        assert await stream.read() == b"part"
        await clock.advance(3)
        assert (await running).error_type == "Sandbox.Timedout"


async def test_a_runtime_waits_for_who_reads() -> None:
    written = 0

    async def script(runtime: Runtime) -> Exit:
        nonlocal written
        await runtime.begin_stream((await runtime.next()).request_id)
        for _ in range(2000):
            await runtime.write(PIECE)
            written += 1
        await runtime.end_stream()
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        stream = ResponseStream()
        running = asyncio.create_task(on.environment.invoke(invocation(), stream))
        await until(lambda: stream.is_full)
        await asyncio.sleep(0.2)
        stuck_at = written
        await asyncio.sleep(0.1)
        assert written == stuck_at < 1500
        assert len(await stream.read()) < HELD_BYTES + 512 * 1024
        assert len(await read_all(stream)) > 1000 * len(PIECE)
        await running
        assert written == 2000


async def test_a_runtime_whose_reader_is_gone_waits_for_nobody() -> None:
    async def script(runtime: Runtime) -> Exit:
        await runtime.begin_stream((await runtime.next()).request_id)
        for _ in range(2000):
            await runtime.write(PIECE)
        await runtime.end_stream()
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        stream = ResponseStream()
        running = asyncio.create_task(on.environment.invoke(invocation(), stream))
        await until(lambda: stream.is_full)
        stream.abandon()
        assert (await asyncio.wait_for(running, 5)).function_error is None
        assert await stream.read() == b""


async def test_too_much_for_a_caller_who_wants_it_whole() -> None:
    async def script(runtime: Runtime) -> Exit:
        await runtime.begin_stream((await runtime.next()).request_id)
        for _ in range(500):
            await runtime.write(PIECE)
        return await forever(runtime)

    async with stage(script) as on:
        await on.environment.start()
        outcome = await on.environment.invoke(invocation())
        assert outcome.error_type == "Function.ResponseSizeTooLarge"


async def test_a_stream_may_ask_for_the_next_event_too() -> None:
    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        while True:
            await runtime.begin_stream(event.request_id, Lampion_Runtime_Next="true")
            await runtime.write(event.body)
            event = await runtime.end_stream()
            assert event.status == 200

    async with stage(script) as on:
        await on.environment.start()
        for number in range(3):
            request_id = f"{number}1111111-1111-4111-8111-111111111111"
            assert (await on.environment.invoke(invocation(number, request_id))).payload == b"%d" % number


async def test_calls_out_of_order_are_refused_and_change_nothing() -> None:
    statuses: list[int] = []

    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        other = "99999999-9999-4999-8999-999999999999"
        statuses.append((await runtime.stream(other, b"x")).status)
        path = f"{API}/invocation/{event.request_id}/response"
        statuses.append((await runtime.call("POST", path, b"x", Lambda_Runtime_Function_Response_Mode="Odd")).status)
        statuses.append((await runtime.call("GET", path, Lambda_Runtime_Function_Response_Mode="streaming")).status)
        statuses.append((await runtime.stream(event.request_id, b"mine")).status)
        statuses.append((await runtime.stream(event.request_id, b"again")).status)
        statuses.append((await runtime.fail(event.request_id, "E", {})).status)
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        assert (await on.environment.invoke(invocation())).payload == b"mine"
        assert statuses == [400, 400, 404, 202, 400, 400]
        assert (await on.environment.invoke(invocation(7))).payload == b"7"


async def test_no_next_event_while_a_stream_is_open() -> None:
    statuses: list[int] = []

    async def script(runtime: Runtime) -> Exit:
        await runtime.begin_stream((await runtime.next()).request_id)
        await runtime.write(b"part")
        second = await Runtime.connect(runtime.process)
        statuses.append((await second.next()).status)
        second.close()
        await runtime.end_stream()
        return await echo(runtime)

    async with stage(script) as on:
        await on.environment.start()
        assert (await on.environment.invoke(invocation())).payload == b"part"
    assert statuses == [403]


async def test_an_error_that_is_posted_meanwhile_ends_the_invocation() -> None:
    """As a Node.js runtime does when nobody catches an exception."""

    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        await runtime.begin_stream(event.request_id)
        await runtime.write(b"part")
        second = await Runtime.connect(runtime.process)
        assert (await second.fail(event.request_id, "TypeError", {"errorMessage": "uncaught"})).status == 202
        second.close()
        return Exit(code=129)

    async with stage(script) as on:
        await on.environment.start()
        data, outcome, _ = await invoke_streamed(on)
        assert data == b"part"
        assert (outcome.error_type, json.loads(outcome.payload)) == ("TypeError", {"errorMessage": "uncaught"})
