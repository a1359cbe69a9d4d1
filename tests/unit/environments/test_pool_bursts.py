"""A burst of requests launches few sandboxes at once, and nobody waits for another version's."""

import asyncio

from tests.unit.environments.pool_stage import function, settle, stage


async def test_a_burst_launches_two_at_a_time_and_those_that_others_served_never() -> None:
    async with stage(ready=False) as on:
        holders = [on.pool.acquire(function()) for _ in range(5)]
        entering = [asyncio.create_task(holder.__aenter__()) for holder in holders]
        await settle()
        assert len(on.made) == 2
        on.made[0].launched()
        await settle()
        assert len(on.made) == 3  # what it does in Init is its own affair
        on.made[0].ready()
        for served in (0, 1):  # and each gives it back to the next
            await entering[served]
            await holders[served].__aexit__(None, None, None)
        for environment in on.made[1:]:
            environment.ready()
        await asyncio.gather(*entering)
        assert len(on.made) == 3


async def test_a_launch_of_one_version_holds_up_no_other() -> None:
    async with stage(ready=False) as on:
        waiting = [
            asyncio.create_task(on.pool.acquire(function(name)).__aenter__()) for name in ("one", "two") for _ in "123"
        ]
        await settle()
        assert [environment.function.key.name for environment in on.made] == ["one", "one", "two", "two"]
        for number in range(6):
            on.made[number].ready()
            await settle()
        await asyncio.gather(*waiting)


async def test_a_launch_that_fails_makes_way_for_the_next() -> None:
    async with stage(ready=False) as on:
        waiting = [asyncio.create_task(on.pool.acquire(function()).__aenter__()) for _ in range(3)]
        await settle()
        on.made[0].break_launch(RuntimeError("no sandbox"))
        await settle()
        assert len(on.made) == 3
        for environment in on.made[1:]:
            environment.ready()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result).__name__ for result in results] == ["RuntimeError", *["ScriptedEnvironment"] * 2]


async def test_who_waits_for_a_launch_of_a_host_with_room_is_not_refused() -> None:
    async with stage(ready=False) as on:
        waiting = [asyncio.create_task(on.pool.acquire(function()).__aenter__()) for _ in range(3)]
        await settle()
        await on.clock.advance(25)
        await settle()
        assert not any(each.done() for each in waiting)
        for number in range(3):
            on.made[number].ready()
            await settle()
        assert all(each.done() for each in waiting)
