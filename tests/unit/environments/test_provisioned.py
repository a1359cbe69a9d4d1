"""Environments ahead of invocations: as many as wanted, taken first, kept, replaced, and ended when unwanted."""

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from lampion.domain.function import Function
from lampion.environments.environment import Environment
from lampion.environments.provisioned import NO_ROOM, NONE, Provisioned
from tests.unit.environments.pool_stage import ScriptedEnvironment, Stage, function, settle, stage

if TYPE_CHECKING:
    from lampion.domain.arn import FunctionKey

VERSION = function(version="1")


def state(on: Stage, of: Function = VERSION) -> Provisioned:
    return on.pool.provisioned_of(of.key, of.version)


def scripted(environment: Environment) -> ScriptedEnvironment:
    return cast("ScriptedEnvironment", environment)


def stopped(on: Stage) -> list[bool]:
    return [environment.stopped for environment in on.made]


async def test_so_many_are_initialised_and_two_are_launched_at_a_time() -> None:
    async with stage(ready=False) as on:
        on.pool.provision(VERSION, 5)
        await settle()
        assert ([one.is_ahead for one in on.made], state(on)) == ([True, True], Provisioned())
        for number in range(5):
            on.made[number].ready()
            await settle()
        assert (len(on.made), state(on)) == (5, Provisioned(5, 5))


async def test_they_are_taken_first_and_invocations_beyond_start_others() -> None:
    async with stage() as on:
        async with on.pool.acquire(VERSION) as on_demand:
            pass
        on.pool.provision(VERSION, 2)
        await settle()
        async with on.pool.acquire(VERSION) as one, on.pool.acquire(VERSION) as two:
            assert (scripted(one).is_ahead, scripted(two).is_ahead, state(on)) == (True, True, Provisioned(2, 0))
            async with on.pool.acquire(VERSION) as three, on.pool.acquire(VERSION) as four:
                assert (three is on_demand, scripted(four).is_ahead) == (True, False)
        assert state(on) == Provisioned(2, 2)


async def test_who_waits_for_a_start_gets_one_that_is_ready_before() -> None:
    async with stage(ready=False) as on:
        waiting = asyncio.create_task(on.pool.acquire(VERSION).__aenter__())
        await settle()
        on.pool.provision(VERSION, 1)
        await settle()
        on.made[1].ready()
        assert scripted(await waiting).is_ahead
        on.made[0].ready()
        await settle()


async def test_they_are_frozen_but_neither_retired_nor_evicted() -> None:
    async with stage(capacity=2) as on:
        on.pool.provision(VERSION, 1)
        await on.clock.advance(1000)
        assert (on.made[0].times_frozen, stopped(on)) == (1, [False])
        for name in ("a", "b", "c"):
            async with on.pool.acquire(function(name)):
                pass
        assert stopped(on)[0] is False
        assert state(on) == Provisioned(1, 1)


async def test_they_count_all_their_memory_though_they_have_no_work() -> None:
    async with stage(memory_mib=300) as on:
        on.pool.provision(VERSION, 2)
        await settle()
        for environment in on.made:
            environment.used_bytes = 2**20
        await on.clock.advance(1)
        waiting = asyncio.create_task(on.pool.acquire(function("other")).__aenter__())
        await settle()
        assert not waiting.done()
        async with on.pool.acquire(VERSION), on.pool.acquire(VERSION):
            pass  # these always can
        waiting.cancel()


async def test_idle_ones_of_others_make_room_for_them() -> None:
    async with stage(capacity=2) as on:
        for name in ("a", "b"):
            async with on.pool.acquire(function(name)):
                pass
        on.pool.provision(VERSION, 1)
        await settle()
        assert (stopped(on), state(on)) == ([True, False, False], Provisioned(1, 1))


async def test_one_that_is_spent_is_replaced_at_once() -> None:
    async with stage() as on:
        on.pool.provision(VERSION, 1)
        await settle()
        async with on.pool.acquire(VERSION):
            on.made[0].is_reusable = False
        await settle()
        assert (stopped(on), state(on)) == ([True, False], Provisioned(1, 1))


async def test_one_whose_process_ends_again_and_again_is_replaced_later_and_later() -> None:
    async with stage() as on:
        on.pool.provision(VERSION, 1)
        await settle()
        for pause_seconds in (1, 2, 4, 8):
            on.made[-1].on_idle_exit(on.made[-1])
            await settle()
            assert state(on) == Provisioned(0, 0)
            await on.clock.advance(pause_seconds - 0.1)
            assert state(on) == Provisioned(0, 0)
            await on.clock.advance(0.2)
            assert state(on) == Provisioned(1, 1)
        async with on.pool.acquire(VERSION):
            pass  # it works: the next pause is short again
        on.made[-1].on_idle_exit(on.made[-1])
        await on.clock.advance(1.1)
        assert state(on) == Provisioned(1, 1)


async def test_an_init_that_fails_is_told_and_tried_again() -> None:
    async with stage(ready=False) as on:
        on.pool.provision(VERSION, 1)
        await settle()
        fail_init(on.made[0])
        await settle()
        assert (stopped(on), state(on)) == ([True], Provisioned(failure="FUNCTION_ERROR_INIT_FAILURE"))
        on.pool.provision(VERSION, 1)
        await settle()
        assert len(on.made) == 1, "who says the same again doesn't hurry it"
        await on.clock.advance(1.1)
        assert len(on.made) == 2
        on.made[1].break_launch(RuntimeError("no disk"))
        await settle()
        assert "no disk" in str(state(on).failure)
        on.pool.provision(VERSION, 1, anew=True)
        await settle()
        assert (len(on.made), state(on)) == (3, Provisioned())
        on.made[2].ready()
        await settle()
        assert state(on) == Provisioned(1, 1)


def fail_init(environment: ScriptedEnvironment) -> None:
    environment.ready()
    environment.is_reusable = False


async def test_fewer_and_none_end_free_ones_now_and_others_with_their_work() -> None:
    async with stage() as on:
        on.pool.provision(VERSION, 3)
        await settle()
        async with on.pool.acquire(VERSION) as busy:
            on.pool.provision(VERSION, 2)
            await settle()
            assert (sorted(stopped(on)), state(on)) == ([False, False, True], Provisioned(2, 1))
            on.pool.unprovision(VERSION.key, "1")
            await settle()
            assert (sorted(stopped(on)), state(on)) == ([False, True, True], Provisioned())
            assert not scripted(busy).stopped
        await settle()
        assert (stopped(on), state(on)) == ([True] * 3, Provisioned())
        async with on.pool.acquire(VERSION) as fresh:
            assert not scripted(fresh).is_ahead
        assert state(on) == NONE


async def test_those_that_start_when_none_are_wanted_any_more_end() -> None:
    async with stage(ready=False) as on:
        on.pool.provision(VERSION, 2)
        await settle()
        on.pool.unprovision(VERSION.key, "1")
        for environment in on.made:
            environment.ready()
        await settle()
        assert stopped(on) == [True, True]
        on.pool.provision(VERSION, 1)
        await settle()
        on.made[2].ready()
        await settle()
        assert state(on) == Provisioned(1, 1)


@pytest.mark.parametrize("busy", [False, True])
async def test_they_end_with_their_version(busy: bool) -> None:
    async with stage() as on:
        on.pool.provision(VERSION, 1)
        await settle()
        if busy:
            async with on.pool.acquire(VERSION):
                on.pool.retire_function(VERSION.key)
                await settle()
                assert stopped(on) == [False]
        else:
            on.pool.retire_version(VERSION.key, "1")
        await settle()
        assert (stopped(on), state(on)) == ([True], NONE)


async def test_more_than_the_host_has_room_for_says_so_and_the_rest_is_there() -> None:
    async with stage(capacity=3) as on:
        on.pool.provision(VERSION, 5)
        await settle()
        assert state(on) == Provisioned(3, 3, NO_ROOM, lacks_room=True)
        on.pool.provision(VERSION, 3)
        await settle()
        assert state(on) == Provisioned(3, 3)


async def test_what_waits_for_others_to_end_gets_their_room() -> None:
    async with stage(capacity=2) as on:
        async with on.pool.acquire(function("a")):
            on.pool.provision(VERSION, 2)
            await settle()
            assert state(on) == Provisioned(1, 1, lacks_room=True)
        await settle()
        assert state(on) == Provisioned(2, 2)


async def test_who_follows_learns_when_something_has_changed() -> None:
    async with stage(ready=False) as on:
        heard: list[tuple[FunctionKey, str, Provisioned]] = []
        on.pool.follow_provisioned(lambda key, version: heard.append((key, version, state(on))))
        on.pool.provision(VERSION, 1)
        await settle()
        on.made[0].ready()
        await settle()
        assert heard[-1] == (VERSION.key, "1", Provisioned(1, 1))
        heard.clear()
        on.pool.retire_function(VERSION.key)
        assert heard == [(VERSION.key, "1", NONE)]
