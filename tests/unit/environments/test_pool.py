"""The pool: reuse, cold starts, capacity, retirement, failure; its state is read as text."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, cast

import pytest

from lampion.domain.errors import TooManyRequestsException
from lampion.domain.function import AttachedLayer, DeploymentPackage, FunctionConfiguration, LoggingConfig, layers_name
from lampion.environments.courtesy import Courtesy
from lampion.environments.environment import Environment
from tests.unit.environments.pool_stage import ScriptedEnvironment, function, settle, stage


async def test_the_first_invocation_starts_an_environment_and_the_second_reuses_it() -> None:
    async with stage() as on:
        async with on.pool.acquire(function()) as first:
            pass
        async with on.pool.acquire(function()) as second:
            assert second is first
        assert repr(on.pool) == "<EnvironmentPool 1/10: one:$LATEST 1 idle, 0 busy, 0 starting, 0 waiting>"


async def test_simultaneous_invocations_get_an_environment_each() -> None:
    async with stage() as on, on.pool.acquire(function()) as one, on.pool.acquire(function()) as two:
        assert one is not two
        assert "2 busy" in repr(on.pool)


async def test_the_most_recently_used_environment_is_reused() -> None:
    async with stage() as on:
        async with AsyncExitStack() as stack:
            older = await stack.enter_async_context(on.pool.acquire(function()))
            async with on.pool.acquire(function()):
                pass
        async with on.pool.acquire(function()) as reused:
            assert reused is older


async def test_a_freed_environment_serves_who_waits_for_a_start() -> None:
    async with stage(ready=False) as on:
        holder = on.pool.acquire(function())
        entering = asyncio.create_task(holder.__aenter__())
        await settle()
        on.made[0].ready()
        first = await entering
        waiting = asyncio.create_task(on.pool.acquire(function()).__aenter__())
        await settle()
        assert len(on.made) == 2
        await holder.__aexit__(None, None, None)
        assert await waiting is first
        on.made[1].ready()
        await settle()
        assert "1 idle, 1 busy" in repr(on.pool)


async def test_a_spent_environment_is_not_reused() -> None:
    async with stage() as on:
        async with on.pool.acquire(function()):
            on.made[0].is_reusable = False
        async with on.pool.acquire(function()) as fresh:
            assert fresh is not cast("Environment", on.made[0])
        assert on.made[0].stopped


async def test_who_takes_the_place_of_an_ended_environment_has_no_more_credit_than_it() -> None:
    async with stage() as on:
        async with on.pool.acquire(function()) as spent:
            on.made[0].is_reusable = False
            spent.courtesy = Courtesy(cast("Any", None), on.clock)
        async with on.pool.acquire(function()) as successor, on.pool.acquire(function("two")) as other:
            assert (successor.courtesy, other.courtesy) == (spent.courtesy, None)
            exited = successor.courtesy = Courtesy(cast("Any", None), on.clock)
        on.made[1].on_idle_exit(on.made[1])
        async with on.pool.acquire(function()) as third:
            assert third.courtesy is exited


async def test_a_start_that_fails_reaches_the_one_who_waits() -> None:
    async with stage(ready=False) as on:
        waiting = asyncio.create_task(on.pool.acquire(function()).__aenter__())
        await settle()
        on.made[0].break_launch(RuntimeError("no sandbox"))
        with pytest.raises(RuntimeError, match="no sandbox"):
            await waiting
        await settle()
        assert on.made[0].stopped
        assert repr(on.pool).startswith("<EnvironmentPool 0/10")


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        pytest.param({"package": DeploymentPackage("new", "new", 2)}, False, id="new code"),
        pytest.param(
            {"configuration": FunctionConfiguration(role="r", memory_mib=256, logging=LoggingConfig(log_group="g"))},
            False,
            id="new configuration",
        ),
        pytest.param({"revision_id": "2"}, True, id="a new revision id alone"),
        pytest.param({"tags": {"a": "b"}}, True, id="tags alone"),
    ],
)
async def test_a_changed_function_runs_in_new_environments(change: dict[str, Any], kept: bool) -> None:
    async with stage() as on:
        async with on.pool.acquire(function()) as before:
            pass
        async with on.pool.acquire(function(**change)) as after:
            assert (after is before) is kept
        await settle()
        assert on.made[0].stopped is not kept


async def test_an_environment_in_use_during_a_change_ends_after_its_invocation() -> None:
    async with stage() as on:
        changed = function(package=DeploymentPackage("new", "new", 2))
        async with on.pool.acquire(function()), on.pool.acquire(changed):
            assert [environment.stopped for environment in on.made] == [False, False]
        await settle()
        assert [environment.stopped for environment in on.made] == [True, False]


async def test_a_deleted_functions_environments_end() -> None:
    async with stage() as on:
        async with on.pool.acquire(function()):
            pass
        on.pool.retire_function(function().key)
        await settle()
        assert on.made[0].stopped


async def test_versions_run_side_by_side_with_latest() -> None:
    latest, version = function(), function(version="1", package=DeploymentPackage("old", "cd", 1))
    async with stage() as on:
        async with on.pool.acquire(latest) as one, on.pool.acquire(version) as two:
            assert [one.function, two.function] == [latest, version]
        async with on.pool.acquire(version) as again, on.pool.acquire(latest) as also:
            assert (again, also) == (two, one)
        assert on.pool.packages_in_use() == {"ab", "old"}


async def test_layers_of_environments_are_in_use() -> None:
    package = DeploymentPackage("layer", "=", 1, 1)
    layers = (AttachedLayer(arn="arn", package=package),)
    layered = function(configuration=replace(function().configuration, layers=layers))
    async with stage() as on, on.pool.acquire(layered):
        assert on.pool.packages_in_use() == {"ab", "layer", layers_name(layers)}


async def test_a_change_of_latest_keeps_the_environments_of_versions() -> None:
    async with stage() as on:
        for version in ("$LATEST", "1", "2"):
            async with on.pool.acquire(function(version=version)):
                pass
        async with on.pool.acquire(function(package=DeploymentPackage("new", "new", 1))):
            pass
        await settle()
        assert [environment.stopped for environment in on.made] == [True, False, False, False]


async def test_a_deleted_versions_environments_end_and_no_others() -> None:
    async with stage() as on:
        for version in ("$LATEST", "1", "2"):
            async with on.pool.acquire(function(version=version)):
                pass
        on.pool.retire_version(function().key, "1")
        on.pool.retire_version(function().key, "7")
        await settle()
        assert [environment.stopped for environment in on.made] == [False, True, False]


async def test_a_deleted_functions_versions_end_with_it() -> None:
    async with stage() as on:
        for name, version in (("one", "$LATEST"), ("one", "1"), ("two", "1")):
            async with on.pool.acquire(function(name, version=version)):
                pass
        on.pool.retire_function(function().key)
        await settle()
        assert [environment.stopped for environment in on.made] == [True, True, False]


async def test_a_full_host_evicts_idle_environments_of_others() -> None:
    async with stage(capacity=1) as on:
        async with on.pool.acquire(function("one")):
            pass
        async with on.pool.acquire(function("two")):
            assert on.made[0].stopped


async def test_a_full_host_makes_requests_wait_and_then_throttles() -> None:
    async with stage(capacity=1) as on, on.pool.acquire(function("one")):
        waiting = asyncio.create_task(on.pool.acquire(function("two")).__aenter__())
        await on.clock.advance(9)
        assert not waiting.done()
        await on.clock.advance(2)
        with pytest.raises(TooManyRequestsException) as caught:
            await waiting
        assert caught.value.members == {"Reason": "ConcurrentInvocationLimitExceeded", "retryAfterSeconds": "1"}


async def test_a_request_waiting_for_room_gets_it_when_another_function_frees_some() -> None:
    async with stage(capacity=1) as on:
        holder = on.pool.acquire(function("one"))
        await holder.__aenter__()
        waiting = asyncio.create_task(on.pool.acquire(function("two")).__aenter__())
        await settle()
        on.made[0].is_reusable = False
        await holder.__aexit__(None, None, None)
        assert (await waiting).function.key.name == "two"


async def test_idle_environments_retire_in_order_of_last_use() -> None:
    async with stage() as on:
        async with on.pool.acquire(function("one")):
            pass
        await on.clock.advance(60)
        async with on.pool.acquire(function("two")):
            pass
        await on.clock.advance(50)
        assert [environment.stopped for environment in on.made] == [True, False]
        await on.clock.advance(60)
        assert [environment.stopped for environment in on.made] == [True, True]


async def test_an_environment_whose_process_ends_while_idle_is_not_handed_out() -> None:
    async with stage() as on:
        async with on.pool.acquire(function()):
            pass
        on.made[0].on_idle_exit(on.made[0])
        async with on.pool.acquire(function()) as fresh:
            assert fresh is not cast("Environment", on.made[0])


async def test_a_cancelled_wait_leaves_the_line_and_wastes_no_environment() -> None:
    async with stage(ready=False) as on:
        waiting = asyncio.create_task(on.pool.acquire(function()).__aenter__())
        await settle()
        waiting.cancel()
        await settle()
        on.made[0].ready()
        await settle()
        assert "1 idle, 0 busy, 0 starting, 0 waiting" in repr(on.pool)


async def test_an_environment_is_frozen_when_it_has_been_idle_for_ten_milliseconds_and_only_then() -> None:
    async with stage() as on:
        async with on.pool.acquire(function()) as environment:
            await on.clock.advance(1)
            assert scripted(environment).times_frozen == 0, "it is in use"
        scripted(environment).idle_since = on.clock.monotonic()
        await on.clock.advance(0.005)
        async with on.pool.acquire(function()) as again:
            assert again is environment
            await on.clock.advance(0.1)
            assert scripted(environment).times_frozen == 0, "it was used again at once"
        scripted(environment).idle_since = on.clock.monotonic()
        await on.clock.advance(0.011)
        assert scripted(environment).times_frozen == 1
        await on.clock.advance(50)
        assert scripted(environment).times_frozen == 1


async def test_each_idle_environment_is_frozen_in_its_turn() -> None:
    async with stage() as on:
        async with on.pool.acquire(function("one")) as one, on.pool.acquire(function("two")) as two:
            pass
        scripted(one).idle_since = on.clock.monotonic()
        await on.clock.advance(0.006)
        scripted(two).idle_since = on.clock.monotonic()
        await on.clock.advance(0.006)
        assert (scripted(one).times_frozen, scripted(two).times_frozen) in [(1, 0), (0, 0)]
        await on.clock.advance(0.02)
        assert (scripted(one).times_frozen, scripted(two).times_frozen) == (1, 1)


def scripted(environment: Environment) -> ScriptedEnvironment:
    return cast("ScriptedEnvironment", environment)


async def test_what_was_idle_for_long_enough_by_an_advanced_clock_ends_and_what_is_busy_goes_on() -> None:
    async with stage() as on:

        def stopped() -> list[bool]:
            return [environment.stopped for environment in on.made]

        async with on.pool.acquire(function("two")):
            async with on.pool.acquire(function("one")):
                pass
            on.pool.age(99)
            await on.clock.advance(0.5)
            assert stopped() == [False, False]
            await on.clock.advance(1)
            assert stopped() == [False, True], "its timer has followed"
            on.pool.age(1e6)
            await settle()
            assert stopped() == [False, True]
        for seconds, expected in ((50, False), (50, True)):
            on.pool.age(seconds)
            await settle()
            assert stopped() == [expected, True]


async def test_an_environment_whose_extensions_work_on_is_handed_out_when_they_are_done() -> None:
    async with stage() as on:
        async with on.pool.acquire(function()) as first:
            finishing: asyncio.Future[object] = asyncio.get_running_loop().create_future()
            on.made[0].finishing = finishing
        async with on.pool.acquire(function()) as second:
            assert second is not first
        on.made[0].finishing = None
        finishing.set_result(None)
        await settle()
        async with on.pool.acquire(function()) as third:
            assert third is first


async def test_one_that_ends_while_its_extensions_work_on_is_not_handed_out() -> None:
    async with stage() as on:
        async with on.pool.acquire(function()) as first:
            finishing: asyncio.Future[object] = asyncio.get_running_loop().create_future()
            on.made[0].finishing = finishing
        on.made[0].finishing, on.made[0].is_reusable = None, False
        finishing.set_result(None)
        await settle()
        assert on.made[0].stopped
        async with on.pool.acquire(function()) as second:
            assert second is not first
