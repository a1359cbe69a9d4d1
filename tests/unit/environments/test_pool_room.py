"""The pool on a host that is full: memory, eviction, fairness, tenants, and AWS's scaling rate."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, cast

import pytest

from lampion.domain.errors import TooManyRequestsException
from lampion.domain.function import Function
from lampion.environments.acquired import Acquired
from lampion.environments.environment import Environment
from tests.unit.environments.pool_stage import ScriptedEnvironment, Stage, function, settle, stage

MIB = 2**20


def sized(name: str, memory_mib: int) -> Function:
    return function(name, configuration=replace(function().configuration, memory_mib=memory_mib))


def scripted(environment: Environment) -> ScriptedEnvironment:
    return cast("ScriptedEnvironment", environment)


async def used_and_frozen(on: Stage, of: Function, used_mib: int) -> None:
    """Leave an idle environment behind that has used so much."""
    async with on.pool.acquire(of):
        on.made[-1].used_bytes = used_mib * MIB
    on.made[-1].idle_since = on.clock.monotonic()
    await on.clock.advance(0.02)


def entering(on: Stage, of: Function, tenant_id: str | None = None) -> "asyncio.Task[Any]":
    return asyncio.create_task(on.pool.acquire(of, tenant_id).__aenter__())


async def test_environments_at_work_never_may_use_more_than_there_is() -> None:
    async with stage(memory_mib=1000) as on:
        holders = [on.pool.acquire(sized("one", 400)) for _ in range(2)]
        for holder in holders:
            await holder.__aenter__()
        third = entering(on, sized("one", 400))
        await settle()
        assert (len(on.made), third.done()) == (2, False)
        await holders[0].__aexit__(None, None, None)
        assert (await third, len(on.made)) == (on.made[0], 2)


async def test_idle_environments_count_what_they_have_used() -> None:
    async with stage(memory_mib=1000) as on:
        for name in "abcde":
            await used_and_frozen(on, sized(name, 400), 100)
        assert not any(environment.stopped for environment in on.made)
        async with on.pool.acquire(sized("a", 400)) as again:
            assert scripted(again) is on.made[0]
            assert not any(environment.stopped for environment in on.made), "400 and 4 times 100 fit"


async def test_room_for_a_start_is_made_by_those_used_least_recently_and_no_more_of_them() -> None:
    async with stage(memory_mib=1000) as on:
        for name in "abcd":
            await used_and_frozen(on, sized(name, 400), 150)
        async with on.pool.acquire(sized("large", 600)):
            assert [environment.stopped for environment in on.made] == [True, True, False, False, False]


async def test_nothing_is_started_before_room_is_really_there() -> None:
    async with stage(capacity=1) as on:
        async with on.pool.acquire(function("one")):
            pass
        ended = asyncio.Event()
        on.made[0].ended = ended
        waiting = entering(on, function("two"))
        await settle()
        assert (on.made[0].stopped, len(on.made)) == (True, 1)
        ended.set()
        await waiting
        assert len(on.made) == 2


async def test_an_idle_one_works_again_only_when_there_is_room_for_it_and_others_make_it() -> None:
    async with stage(memory_mib=1000) as on:
        for name, memory_mib in (("a", 600), ("large", 850), ("b", 600), ("c", 600)):
            await used_and_frozen(on, sized(name, memory_mib), 150)
        async with on.pool.acquire(sized("large", 850)) as again:
            assert scripted(again) is on.made[1]
            assert [environment.stopped for environment in on.made] == [True, False, True, False]


async def test_its_own_idle_ones_make_room_for_a_function_too() -> None:
    async with stage(memory_mib=1000) as on:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(on.pool.acquire(sized("one", 500)))
                on.made[-1].used_bytes = 300 * MIB
        for environment in on.made:
            environment.idle_since = on.clock.monotonic()
        await on.clock.advance(0.02)
        async with on.pool.acquire(sized("one", 500)), on.pool.acquire(sized("one", 500)):
            assert len(on.made) == 2, "both fit exactly"
        await on.clock.advance(0.02)
        async with on.pool.acquire(sized("two", 700)):
            assert sorted(environment.stopped for environment in on.made) == [False, False, True]


async def test_who_waits_for_room_gets_it_when_another_function_has_nothing_to_do() -> None:
    async with stage(capacity=1) as on:
        holder = on.pool.acquire(function("one"))
        await holder.__aenter__()
        waiting = entering(on, function("two"))
        await settle()
        await holder.__aexit__(None, None, None)
        assert (await waiting) is on.made[1]
        assert on.made[0].stopped


async def test_a_hot_function_shares_a_full_host_with_another() -> None:
    async with stage(capacity=2) as on:
        holders = [on.pool.acquire(function("hot")) for _ in range(2)]
        for holder in holders:
            await holder.__aenter__()
        queue = [entering(on, function("hot")) for _ in range(5)]
        late = entering(on, function("late"))
        await settle()
        await holders[0].__aexit__(None, None, None)
        await settle()
        assert late.done()
        assert not any(each.done() for each in queue)
        await holders[1].__aexit__(None, None, None)
        await settle()
        assert [each.done() for each in queue] == [True, False, False, False, False]
        for each in queue[1:]:
            each.cancel()


async def test_with_room_for_one_two_functions_take_turns() -> None:
    async with stage(capacity=1) as on:
        turns: list[str] = []

        async def keep_asking(name: str) -> None:
            for _ in range(40):
                async with on.pool.acquire(function(name)):
                    turns.append(name)
                    await on.clock.sleep(0.1)

        callers = [asyncio.create_task(keep_asking(name)) for name in ("a", "b", "a", "b")]
        await on.clock.advance(30)
        await asyncio.gather(*callers)
        assert turns.count("a") == turns.count("b") == 80
        assert len(on.made) < 40, "and not at every invocation, for each turn is a cold start"


async def test_tenants_never_share_an_environment() -> None:
    async with stage() as on:
        async with on.pool.acquire(function(), "blue") as blue:
            pass
        async with on.pool.acquire(function(), "red") as red, on.pool.acquire(function(), "blue") as again:
            assert (red is blue, again is blue) == (False, True)
        assert "one:$LATEST/blue 1 idle" in repr(on.pool)


async def test_nothing_is_kept_of_a_tenant_without_environments() -> None:
    async with stage(capacity=3) as on:
        for number in range(20):
            async with on.pool.acquire(function(), f"tenant-{number}"):
                pass
        await settle()
        assert repr(on.pool).count("/tenant-") == 3
        await on.clock.advance(300)
        assert "tenant" not in repr(on.pool)
        async with on.pool.acquire(function(), "spent"):
            on.made[-1].is_reusable = False
        await settle()
        assert "spent" not in repr(on.pool)


async def test_all_tenants_environments_end_with_their_version() -> None:
    async with stage() as on:
        for tenant_id in ("blue", "red"):
            async with on.pool.acquire(function(), tenant_id):
                pass
        async with on.pool.acquire(changed(), "blue"):
            await settle()
            assert [environment.stopped for environment in on.made] == [True, True, False]


def changed() -> Function:
    return function(package=replace(function().package, sha256="new"))


async def test_a_function_starts_no_more_than_a_thousand_environments_in_ten_seconds() -> None:
    async with stage(capacity=5000) as on:
        holders = [on.pool.acquire(function()) for _ in range(1000)]
        for holder in holders:
            await holder.__aenter__()
        await refused_at_once(on.pool.acquire(function()))
        await refused_at_once(on.pool.acquire(function(version="1")))
        async with on.pool.acquire(function("other")):
            pass
        await holders[0].__aexit__(None, None, None)
        async with on.pool.acquire(function()):
            pass  # nothing has to be started for it
        await on.clock.advance(1)
        more = [on.pool.acquire(function()) for _ in range(101)]
        for holder in more:
            await holder.__aenter__()
        await refused_at_once(on.pool.acquire(function()))
        for holder in holders[1:] + more:
            await holder.__aexit__(None, None, None)


async def refused_at_once(acquired: Acquired) -> None:
    with pytest.raises(TooManyRequestsException) as caught:
        await acquired.__aenter__()
    assert caught.value.members == {"Reason": "ConcurrentInvocationLimitExceeded", "retryAfterSeconds": "1"}


async def test_one_that_cannot_be_frozen_yet_counts_in_full() -> None:
    async with stage(memory_mib=1000) as on:
        async with on.pool.acquire(sized("one", 600)):
            on.made[0].used_bytes = 100 * MIB
            on.made[0].can_freeze = False
        await on.clock.advance(1)
        async with on.pool.acquire(sized("two", 600)):
            assert on.made[0].stopped


async def test_who_gives_up_at_the_moment_of_being_served_leaves_the_environment_to_others() -> None:
    async with stage(capacity=1) as on:
        holder = on.pool.acquire(function())
        await holder.__aenter__()
        late = entering(on, function())
        await settle()
        await holder.__aexit__(None, None, None)
        late.cancel()
        await settle()
        assert "1 idle, 0 busy, 0 starting, 0 waiting" in repr(on.pool)
