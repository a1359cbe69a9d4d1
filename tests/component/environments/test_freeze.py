"""Between invocations nothing of a function runs; an invocation that follows at once pays nothing for that."""

import asyncio

from lampion.clock.virtual import VirtualClock
from lampion.sandbox.driver import Exit
from lampion.sandbox.drivers.fake import FakeProcess
from tests.component.environments.scripted_runtime import Runtime, echo, forever
from tests.component.environments.stage import Stage, invocation, stage, until


def process_of(on: Stage) -> FakeProcess:
    return on.driver.started[-1].process


async def test_an_idle_environment_is_frozen_and_thawed_by_the_next_invocation() -> None:
    async with stage(echo) as on:
        await on.environment.start()
        for number in range(3):
            outcome = await on.environment.invoke(invocation(number))
            assert outcome.payload == str(number).encode()
            assert not process_of(on).is_frozen
            await until(lambda: on.environment._running is not None and on.environment._running.session.is_waiting)
            on.environment.freeze()
            on.environment.freeze()
            assert process_of(on).is_frozen
    assert on.environment._running is None


async def test_a_runtime_that_has_not_asked_for_more_may_go_on_but_not_for_ever() -> None:
    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        await runtime.respond(event.request_id, None)
        return await forever(runtime)

    clock = VirtualClock()
    async with stage(script, clock=clock) as on:
        await on.environment.start()
        await on.environment.invoke(invocation())
        on.environment.freeze()
        assert not process_of(on).is_frozen
        await clock.advance(1.0)
        assert not process_of(on).is_frozen
        await clock.advance(4.0)  # its timeout is 3 seconds
        assert process_of(on).is_frozen


async def test_a_runtime_that_asks_late_is_frozen_then() -> None:
    asks = asyncio.Event()

    async def script(runtime: Runtime) -> Exit:
        event = await runtime.next()
        await runtime.respond(event.request_id, None)
        await asks.wait()
        await runtime.next()
        return await forever(runtime)

    clock = VirtualClock()
    async with stage(script, clock=clock) as on:
        await on.environment.start()
        await on.environment.invoke(invocation())
        on.environment.freeze()
        asks.set()
        await until(lambda: on.environment._running is not None and on.environment._running.session.is_waiting)
        await clock.advance(0.01)
        assert process_of(on).is_frozen


async def test_what_is_in_use_or_gone_is_not_frozen() -> None:
    async with stage(echo) as on:
        await on.environment.start()
        on.environment.freeze()
        answering = asyncio.create_task(on.environment.invoke(invocation(1)))
        await asyncio.sleep(0)
        on.environment.freeze()
        assert (await answering).payload == b"1"
        assert not process_of(on).is_frozen
        process = process_of(on)
        await on.environment.stop()
        on.environment.freeze()
        assert not process.is_frozen
