"""The cache answers without the store, is bounded, and never tells anything older than the last write."""

import asyncio

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import Function
from lampion.store.cached_functions import CachedFunctions
from lampion.store.memory import MemoryFunctions
from tests.component.store.samples import function, key


class SlowFunctions(MemoryFunctions):
    """Counts reads; reads and replacements end only when their gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.read_gate, self.write_gate = asyncio.Event(), asyncio.Event()
        self.read_gate.set()
        self.write_gate.set()

    async def get(self, key: FunctionKey, version: str = LATEST) -> Function | None:
        self.reads += 1
        found = await super().get(key, version)
        await self.read_gate.wait()
        return found

    async def replace(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        await self.write_gate.wait()
        await super().replace(function, expected_revision_id=expected_revision_id, published=published)


async def test_a_function_is_read_once_and_then_at_hand_without_waiting():
    slow = SlowFunctions()
    cached = CachedFunctions(slow)
    await cached.insert(function())
    assert cached.get_cached(key()) is None
    assert await cached.get(key()) == function()
    assert cached.get_cached(key()) == function()
    assert await cached.get(key()) == function()
    assert slow.reads == 1


async def test_the_cache_keeps_the_most_recently_used():
    cached = CachedFunctions(MemoryFunctions(), capacity=2)
    for name in ("a", "b", "c"):
        await cached.insert(function(name))
    await cached.get(key("a"))
    await cached.get(key("b"))
    cached.get_cached(key("a"))
    await cached.get(key("c"))
    assert [name for name in "abc" if cached.get_cached(key(name))] == ["a", "c"]


async def test_a_read_that_a_write_overtook_is_not_kept():
    slow = SlowFunctions()
    cached = CachedFunctions(slow)
    await cached.insert(function(revision_id="r1"))
    slow.read_gate.clear()
    reading = asyncio.create_task(cached.get(key()))
    await asyncio.sleep(0)
    await cached.replace(function(revision_id="r2"), expected_revision_id="r1")
    slow.read_gate.set()
    await reading
    found = cached.get_cached(key()) or await cached.get(key())
    assert found is not None
    assert found.revision_id == "r2"


async def test_a_read_during_a_write_is_forgotten_when_the_write_is_done():
    slow = SlowFunctions()
    cached = CachedFunctions(slow)
    await cached.insert(function(revision_id="r1"))
    slow.write_gate.clear()
    writing = asyncio.create_task(cached.replace(function(revision_id="r2"), expected_revision_id="r1"))
    await asyncio.sleep(0)
    assert await cached.get(key()) == function(revision_id="r1")
    slow.write_gate.set()
    await writing
    assert await cached.get(key()) == function(revision_id="r2")


async def test_a_write_whose_caller_gave_up_still_takes_effect_in_the_cache():
    slow = SlowFunctions()
    cached = CachedFunctions(slow)
    await cached.insert(function(revision_id="r1"))
    slow.write_gate.clear()
    writing = asyncio.create_task(cached.replace(function(revision_id="r2"), expected_revision_id="r1"))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    slow.write_gate.set()
    await cached.get(key())
    for _ in range(5):
        await asyncio.sleep(0)
    found = cached.get_cached(key()) or await cached.get(key())
    assert found is not None
    assert found.revision_id == "r2"
