"""Chains that have become loops are stopped where a function doesn't allow them, and short chains cost nothing."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.recursion import RecursionConfig
from lampion.invoke.recursion import RecursionGuard
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources, MemoryTables
from lampion.store.recursion_configs import RECURSION_CONFIGS
from lampion.store.resources import Stored

T = TypeVar("T")

KEY = FunctionKey("123456789012", "us-east-1", "loop")


class Counted(MemoryResources):
    """Counts what is read."""

    reads = 0

    async def read(self, work: Callable[[Stored], T]) -> T:
        self.reads += 1
        return await super().read(work)


@pytest.fixture
def stored() -> Counted:
    return Counted(MemoryTables())


@pytest.fixture
def resources(stored: Counted) -> CachedResources:
    return CachedResources(stored, CachedFunctions(MemoryFunctions()))


async def keep(resources: CachedResources, recursive_loop: str) -> None:
    await resources.change(lambda stored: stored.put(RECURSION_CONFIGS, RecursionConfig(KEY, recursive_loop)))


@pytest.mark.parametrize(
    ("times", "recursive_loop", "expected"),
    [
        (1, None, False),
        (16, None, False),
        (17, None, True),
        (256, None, True),
        (16, "Terminate", False),
        (17, "Terminate", True),
        (17, "Allow", False),
        (256, "Allow", False),
    ],
)
async def test_the_seventeenth_time_is_stopped_unless_allowed(
    resources: CachedResources, times: int, recursive_loop: str | None, expected: bool
) -> None:
    if recursive_loop is not None:
        await keep(resources, recursive_loop)
    guard = RecursionGuard(resources)
    assert await guard.stops(KEY, times) is expected


async def test_nothing_is_looked_up_for_a_short_chain_and_once_for_a_loop(
    stored: Counted, resources: CachedResources
) -> None:
    guard = RecursionGuard(resources)
    assert not await guard.stops(KEY, 16)
    assert stored.reads == 0
    assert await guard.stops(KEY, 17)
    assert await guard.stops(KEY, 18)
    assert stored.reads == 1


async def test_what_a_function_allows_counts_at_once(resources: CachedResources) -> None:
    guard = RecursionGuard(resources)
    assert await guard.stops(KEY, 17)
    await keep(resources, "Allow")
    assert not await guard.stops(KEY, 17)
    await keep(resources, "Terminate")
    assert await guard.stops(KEY, 17)
