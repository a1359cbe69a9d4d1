"""What is stored of provisioned concurrency is carried out, and what is said of it is true."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import pytest

from lampion.domain.function import State
from lampion.domain.provisioned_concurrency import Status
from lampion.invoke.provisioning import Provisioning
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.errors import StoreError
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources
from lampion.store.resources import Stored
from tests.simulation.world import Limits, World, key, world

if TYPE_CHECKING:
    from lampion.domain.arn import FunctionKey

LIMITS = Limits(concurrency=100, environments=20, memory_mib=10_000)
T = TypeVar("T")
Said = tuple[int, int, Status]


@asynccontextmanager
async def deployed(limits: Limits = LIMITS) -> AsyncIterator[World]:
    """Function f with versions 1 to 3, and alias live of version 1."""
    async with world(1, limits) as on:
        await on.create("f", memory_mib=128, versions=3)
        await on.point("f", "live", "1")
        yield on


async def said(on: World, qualifier: str = "live") -> Said:
    allocation, _, _ = (await on.allocations())["f", qualifier]
    return allocation.allocated, allocation.available, allocation.status


async def test_what_is_put_is_there_and_what_is_deleted_ends() -> None:
    async with deployed() as on:
        await on.provision("f", "live", 3)
        assert await said(on) == (0, 0, Status.IN_PROGRESS)
        await on.clock.advance(5)
        assert (await said(on), on.ready_ahead("f", "1")) == ((3, 3, Status.READY), 3)
        await on.provision("f", "live", 5)
        assert await said(on) == (3, 3, Status.IN_PROGRESS)
        await on.clock.advance(5)
        assert (await said(on), on.ready_ahead("f", "1")) == ((5, 5, Status.READY), 5)
        await on.provision("f", "live", None)
        await on.clock.advance(5)
        assert (await on.allocations(), on.ready_ahead("f", "1")) == ({}, 0)


async def test_a_new_configuration_begins_with_nothing_whatever_a_deleted_one_has_left() -> None:
    async with deployed() as on:
        await on.provision("f", "1", 2)
        await on.clock.advance(5)
        assert await said(on, "1") == (2, 2, Status.READY)
        await on.provision("f", "1", None)
        await on.provision("f", "live", 2)
        assert await said(on) == (0, 0, Status.IN_PROGRESS)
        await on.clock.advance(5)
        assert (await said(on), len(on.environments.live)) == ((2, 2, Status.READY), 2)


async def test_a_deployments_changes_are_carried_out_as_one() -> None:
    async with deployed() as on:
        for wanted in (9, 4, 1):
            await on.provision("f", "live", wanted)
            await on.clock.advance(0.01)
        await on.clock.advance(5)
        assert (await said(on), len(on.environments.made)) == ((1, 1, Status.READY), 1)


async def test_they_move_with_their_alias() -> None:
    async with deployed() as on:
        await on.provision("f", "live", 2)
        await on.clock.advance(5)
        await on.point("f", "live", "2")
        assert await said(on) == (2, 2, Status.IN_PROGRESS)
        assert on.ready_ahead("f", "1") == 2
        await on.clock.advance(5)
        assert await said(on) == (2, 2, Status.READY)
        assert (on.ready_ahead("f", "1"), on.ready_ahead("f", "2")) == (0, 2)


async def test_on_a_full_host_they_move_as_well() -> None:
    async with deployed(replace(LIMITS, environments=2)) as on:
        await on.provision("f", "live", 2)
        await on.clock.advance(5)
        await on.point("f", "live", "2")
        await on.clock.advance(5)
        assert (await said(on), on.ready_ahead("f", "2")) == ((2, 2, Status.READY), 2)


async def test_they_end_with_alias_and_function() -> None:
    async with deployed() as on:
        await on.provision("f", "live", 2)
        await on.provision("f", "3", 1)
        await on.clock.advance(5)
        await on.resources.change(lambda stored: stored.delete_owned(key("f"), "live"))
        await on.clock.advance(5)
        assert (on.ready_ahead("f", "1"), on.ready_ahead("f", "3")) == (0, 1)
        await on.delete("f")
        await on.clock.advance(5)
        assert on.environments.live == []


async def test_a_configuration_that_is_put_again_after_a_failure_is_tried_at_once() -> None:
    async with deployed() as on:
        on.environments.faults.init_fails = 1.0
        await on.provision("f", "live", 1)
        await on.clock.advance(30)
        allocation, _, _ = (await on.allocations())["f", "live"]
        assert (allocation.status, allocation.reason) == (Status.FAILED, "FUNCTION_ERROR_INIT_FAILURE")
        on.environments.faults.init_fails = 0.0
        await on.provision("f", "live", 1)
        assert await said(on) == (0, 0, Status.IN_PROGRESS), "what failed was the one before"
        await on.clock.advance(1)
        assert await said(on) == (1, 1, Status.READY)


async def test_one_that_failed_gets_ready_by_itself_once_it_can() -> None:
    async with deployed() as on:
        on.environments.faults.no_sandbox = 1.0
        await on.provision("f", "live", 2)
        await on.clock.advance(5)
        assert (await said(on))[2] is Status.FAILED
        on.environments.faults.no_sandbox = 0.0
        await on.clock.advance(20)
        assert await said(on) == (2, 2, Status.READY)


async def test_a_version_that_is_being_made_is_waited_for() -> None:
    async with deployed() as on:
        version = await on.functions.get(key("f"), "2")
        assert version is not None
        pending = replace(version, state=State.PENDING, revision_id="p")
        await on.functions.replace(pending, expected_revision_id=version.revision_id)
        await on.provision("f", "live", 1)
        await on.clock.advance(5)
        await on.point("f", "live", "2")
        await on.clock.advance(5)
        assert (await said(on), on.ready_ahead("f", "1")) == ((1, 1, Status.IN_PROGRESS), 1)
        await on.functions.replace(version, expected_revision_id="p")
        await on.clock.advance(5)
        assert (await said(on), on.ready_ahead("f", "2")) == ((1, 1, Status.READY), 1)


async def test_a_version_whose_environments_are_lost_with_a_change_of_it_gets_new_ones() -> None:
    async with deployed() as on:
        await on.provision("f", "live", 1)
        await on.clock.advance(5)
        before = await on.functions.get(key("f"), "1")
        assert before is not None
        changed = replace(before, configuration=replace(before.configuration, timeout_seconds=9), revision_id="c")
        await on.functions.replace(changed, expected_revision_id=before.revision_id)
        call = asyncio.create_task(on.invoke("f", "live"))
        await on.clock.advance(10)
        assert (await call).executed_version == "1"
        assert (await said(on), on.ready_ahead("f", "1")) == ((1, 1, Status.READY), 1)


class Troubled(MemoryResources):
    """A store that can't be read at first."""

    failures = 3

    async def read(self, work: Callable[[Stored], T]) -> T:
        if self.failures:
            self.failures -= 1
            raise StoreError("disk")
        return await super().read(work)


@pytest.mark.parametrize("failures", [0, 3])
async def test_a_server_that_starts_finds_what_is_stored_even_if_not_at_once(failures: int) -> None:
    async with deployed() as on:
        await on.provision("f", "live", 2)
        tables = on.resources._resources._tables  # type: ignore[attr-defined]
        store = Troubled(tables)
        store.failures = failures
        functions = CachedFunctions(MemoryFunctions(tables))
        seen: list[tuple[FunctionKey, int]] = []

        class Noting:
            """Only notes what is wanted."""

            provisioned_of = staticmethod(on.pool.provisioned_of)
            follow_provisioned = staticmethod(lambda listener: None)
            unprovision = staticmethod(lambda key, version: None)

            def provision(self, function: object, wanted: int, *, anew: bool) -> None:
                seen.append((function.key, wanted))  # type: ignore[attr-defined]

        starting = Provisioning(
            resources=CachedResources(store, functions), functions=functions, environments=Noting(), clock=on.clock
        )
        running = asyncio.create_task(starting.run())
        await on.clock.advance(10)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert seen == [(key("f"), 2)]
