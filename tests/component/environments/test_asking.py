"""An environment has its next invocation when its runtime has asked for it, and none when the runtime never will."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.clock.virtual import VirtualClock
from lampion.environments.asking import RuntimeGone, asks_again
from lampion.environments.session import RuntimeSession
from lampion.environments.state import Phase
from lampion.sandbox.driver import Exit
from tests.component.environments.scripted_runtime import Runtime, Script, forever
from tests.component.environments.stage import FUNCTION, invocation, stage, until


def answers_once(then: Callable[[Runtime], Awaitable[Exit]]) -> Script:
    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        await runtime.respond(event.request_id, "first")
        return await then(runtime)

    return script


async def test_an_exit_after_the_answer_is_not_the_next_invocations_error() -> None:
    ends = asyncio.Event()

    async def exit_later(_: Runtime) -> Exit:
        await ends.wait()
        return Exit(code=3)

    async with stage(answers_once(exit_later)) as on:
        await on.environment.start()
        assert (await on.environment.invoke(invocation())).payload == b'"first"'
        second = asyncio.create_task(on.environment.invoke(invocation(2)))
        await asyncio.sleep(0.01)
        assert not second.done()
        ends.set()
        with pytest.raises(RuntimeGone):
            await second
        assert on.environment.phase is Phase.GONE
        assert on.log.first_words().count("START") == 1


async def test_what_comes_after_such_an_exit_finds_the_environment_gone() -> None:
    async def exit_now(_: Runtime) -> Exit:
        return Exit(code=0)

    async with stage(answers_once(exit_now)) as on:
        await on.environment.start()
        await on.environment.invoke(invocation())
        running = on.environment._running
        assert running is not None
        await until(lambda: running.session.ended is not None)
        with pytest.raises(RuntimeGone):
            await on.environment.invoke(invocation(2))


async def test_the_time_of_an_invocation_begins_when_its_runtime_asks_for_it() -> None:
    asks = asyncio.Event()

    async def ask_late(runtime: Runtime) -> Exit:
        await asks.wait()
        event = await runtime.next()
        await runtime.respond(event.request_id, int(event.headers["lambda-runtime-deadline-ms"]))
        return await forever(runtime)

    clock = VirtualClock()
    async with stage(answers_once(ask_late), clock=clock) as on:
        await on.environment.start()
        await on.environment.invoke(invocation())
        second = asyncio.create_task(on.environment.invoke(invocation(2)))
        await clock.advance(2.5)  # its timeout is 3 seconds
        asks.set()
        outcome = await second
        assert int(outcome.payload) == int((clock.now() + 3) * 1000)
        assert outcome.duration_ms < 1


async def test_a_runtime_that_asks_and_ends_at_once_is_gone() -> None:
    session = RuntimeSession(FUNCTION, SystemRng().uuid4)
    asking = asyncio.create_task(asks_again(session, SystemClock(), 3.0))
    await asyncio.sleep(0)
    session.next(lambda _: None)
    session.end(Exit(code=0))
    assert not await asking


@pytest.mark.parametrize("seconds", [1.0, 10.0], ids=["while it waits", "before it came"])
async def test_a_runtime_that_never_asks_is_given_up_after_its_timeout(seconds: float) -> None:
    clock = VirtualClock()
    async with stage(answers_once(forever), clock=clock) as on:
        await on.environment.start()
        await on.environment.invoke(invocation())
        await clock.advance(seconds)
        on.environment.freeze()
        second = asyncio.create_task(on.environment.invoke(invocation(2)))
        await asyncio.sleep(0.01)
        assert second.done() == (seconds > 3)
        await clock.advance(3.0)
        with pytest.raises(RuntimeGone):
            await second
        assert on.environment.phase is Phase.GONE


async def test_a_runtime_that_lost_its_connection_may_ask_again() -> None:
    goes_on = asyncio.Event()

    async def script(runtime: Runtime) -> Exit:
        asking = asyncio.create_task(runtime.next())
        await asyncio.sleep(0.05)
        asking.cancel()
        runtime.close()
        await goes_on.wait()
        again = await Runtime.connect(runtime.process)
        try:
            event = await again.next()
            await again.respond(event.request_id, "again")
            return await forever(again)
        finally:
            again.close()

    async with stage(script) as on:
        await on.environment.start()
        running = on.environment._running
        assert running is not None
        await until(lambda: not running.session.is_waiting)
        answering = asyncio.create_task(on.environment.invoke(invocation()))
        await asyncio.sleep(0.01)
        goes_on.set()
        assert (await answering).payload == b'"again"'
