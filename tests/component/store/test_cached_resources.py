"""The cache answers without the store, knows what isn't there, is bounded, and never tells what was before a change."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

import pytest

from lampion.domain.version import counted, published
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources, Change, View
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources, MemoryTables
from lampion.store.resources import Stored, every
from tests.component.store.samples import ACCOUNT, REGION, function, key
from tests.component.store.test_resources_contract import NOTES, OTHERS, Note, place

T = TypeVar("T")


def all_names(stored: Stored, account_id: str, region: str) -> list[str]:
    return [one.name for kind in (NOTES, OTHERS) for one in stored.page(kind, account_id, region, limit=100)]


NAMES: Final = View("names", frozenset((NOTES.name, OTHERS.name)), all_names)


ALL: Final[View[tuple[Note, ...]]] = View(
    "all notes", frozenset((NOTES.name,)), lambda stored, *where: tuple(every(stored, NOTES, *where))
)


class SlowResources(MemoryResources):
    """Counts reads; each ends only when the gate is open."""

    def __init__(self, tables: MemoryTables) -> None:
        super().__init__(tables)
        self.reads = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, work: Callable[[Stored], T]) -> T:
        self.reads += 1
        found = await super().read(work)
        await self.gate.wait()
        return found


@pytest.fixture
def slow() -> SlowResources:
    return SlowResources(MemoryTables())


@pytest.fixture
def functions() -> CachedFunctions:
    return CachedFunctions(MemoryFunctions())


@pytest.fixture
def cached(slow: SlowResources, functions: CachedFunctions) -> CachedResources:
    return CachedResources(slow, functions, capacity=2)


async def found(cached: CachedResources, note: Note) -> Note | None:
    return await cached.get(NOTES, place(note))


async def sought(cached: CachedResources, subject: str) -> Note | None:
    return await cached.find(NOTES, ACCOUNT, REGION, by=subject)


async def test_a_resource_is_read_once(cached: CachedResources, slow: SlowResources):
    note = Note(owner="", name="n")
    await cached.change(lambda stored: stored.put(NOTES, note))
    assert [await found(cached, note) for _ in range(3)] == [note] * 3
    assert slow.reads == 1


async def test_that_there_is_none_is_kept_until_there_is_one(cached: CachedResources, slow: SlowResources):
    note = Note(owner="", name="n")
    assert [await found(cached, note) for _ in range(3)] == [None] * 3
    assert slow.reads == 1
    await cached.change(lambda stored: stored.put(NOTES, note))
    assert await cached.get(NOTES, place(note)) == note


async def test_what_was_used_longest_ago_is_dropped(cached: CachedResources, slow: SlowResources):
    a, b, c = (Note(owner="", name=name) for name in "abc")
    for note in (a, b, a, c):
        await cached.get(NOTES, place(note))
    assert slow.reads == 3
    await cached.get(NOTES, place(a))
    assert slow.reads == 3
    await cached.get(NOTES, place(b))
    assert slow.reads == 4


@pytest.mark.parametrize("how", ["put", "delete", "owned", "version", "function"])
async def test_a_change_is_seen_at_once(cached: CachedResources, slow: SlowResources, how: str):
    note = Note(owner="function:hello", name="1")
    latest = counted(function(settled=True), revision_id="r")
    version = published(latest, description=None, revision_id="v")

    def begin(stored: Stored) -> None:
        stored.insert_function(latest, published=version)
        stored.put(NOTES, note)

    await cached.change(begin)
    assert await cached.get(NOTES, place(note)) == note
    changed = replace(note, text="changed")
    changes: dict[str, Callable[[Stored], object]] = {
        "put": lambda stored: stored.put(NOTES, changed),
        "delete": lambda stored: stored.delete(NOTES, place(note)),
        "owned": lambda stored: stored.delete_owned(key(), "1"),
        "version": lambda stored: stored.delete_version(key(), "1"),
        "function": lambda stored: stored.delete_function(key()),
    }
    await cached.change(changes[how])
    assert await cached.get(NOTES, place(note)) == (changed if how == "put" else None)


async def test_a_read_that_a_change_overtook_is_not_kept(cached: CachedResources, slow: SlowResources):
    note = Note(owner="", name="n")
    slow.gate.clear()
    reading = asyncio.create_task(found(cached, note))
    await asyncio.sleep(0)
    await cached.change(lambda stored: stored.put(NOTES, note))
    slow.gate.set()
    assert await reading is None  # as it was when it asked
    assert await cached.get(NOTES, place(note)) == note


async def test_a_change_whose_caller_gave_up_is_seen_as_well(slow: SlowResources, functions: CachedFunctions):
    note, gate = Note(owner="", name="n"), asyncio.Event()

    class Waiting(SlowResources):
        async def change(self, work: Callable[[Stored], T]) -> T:
            await gate.wait()
            return await super().change(work)

    cached = CachedResources(Waiting(MemoryTables()), functions)
    changing = asyncio.create_task(cached.change(lambda stored: stored.put(NOTES, note)))
    await asyncio.sleep(0)
    assert await found(cached, note) is None
    changing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await changing
    gate.set()
    await asyncio.sleep(0.01)
    assert await cached.get(NOTES, place(note)) == note


async def test_functions_that_a_change_writes_are_read_again():
    tables = MemoryTables()
    functions = CachedFunctions(MemoryFunctions(tables))
    cached = CachedResources(MemoryResources(tables), functions)
    await cached.change(lambda stored: stored.insert_function(function()))
    assert await functions.get(key()) == function()
    newer = function(revision_id="r2")
    await cached.change(lambda stored: stored.replace_function(newer, expected_revision_id="r1"))
    assert await functions.get(key()) == newer
    await cached.change(lambda stored: stored.delete_function(key()))
    assert await functions.get(key()) is None


async def test_all_of_a_kind_are_read_once_until_one_changes(cached: CachedResources, slow: SlowResources):
    a, b = Note(owner="function:hello", name="a"), Note(owner="", name="b")
    assert await cached.see(ALL, ACCOUNT, REGION) == ()
    await cached.change(lambda stored: stored.put(NOTES, a))
    both = await cached.see(ALL, ACCOUNT, REGION)
    assert both == (a,)
    assert await cached.see(ALL, ACCOUNT, REGION) is both
    await cached.change(lambda stored: stored.put(OTHERS, a))
    await cached.change(lambda stored: stored.put(NOTES, replace(a, region="eu-west-1")))
    assert await cached.see(ALL, ACCOUNT, REGION) is both
    assert slow.reads == 2
    await cached.change(lambda stored: stored.put(NOTES, b))
    assert await cached.see(ALL, ACCOUNT, REGION) == (b, a)
    await cached.change(lambda stored: stored.delete(NOTES, place(b)))
    assert await cached.see(ALL, ACCOUNT, REGION) == (a,)


@pytest.mark.parametrize("how", ["owned", "version", "function"])
async def test_what_goes_with_its_owner_is_no_longer_among_all_of_its_kind(cached: CachedResources, how: str):
    note = Note(owner="function:hello", name="1")
    latest = counted(function(settled=True), revision_id="r")
    version = published(latest, description=None, revision_id="v")

    def begin(stored: Stored) -> None:
        stored.insert_function(latest, published=version)
        stored.put(NOTES, note)

    await cached.change(begin)
    assert await cached.see(ALL, ACCOUNT, REGION) == (note,)
    changes: dict[str, Callable[[Stored], object]] = {
        "owned": lambda stored: stored.delete_owned(key(), "1"),
        "version": lambda stored: stored.delete_version(key(), "1"),
        "function": lambda stored: stored.delete_function(key()),
    }
    await cached.change(changes[how])
    assert await cached.see(ALL, ACCOUNT, REGION) == ()


async def test_all_of_a_kind_as_read_before_a_change_are_not_kept(cached: CachedResources, slow: SlowResources):
    note = Note(owner="", name="n")
    slow.gate.clear()
    reading = asyncio.create_task(cached.see(ALL, ACCOUNT, REGION))
    await asyncio.sleep(0)
    await cached.change(lambda stored: stored.put(NOTES, note))
    slow.gate.set()
    assert await reading == ()
    assert await cached.see(ALL, ACCOUNT, REGION) == (note,)


async def test_what_is_looked_for_is_read_once_until_one_of_its_kind_changes(
    cached: CachedResources, slow: SlowResources
):
    a = Note(owner="function:hello", name="a", subject="red")
    await cached.change(lambda stored: stored.put(NOTES, a))
    assert [await sought(cached, "red") for _ in range(3)] == [a] * 3
    await cached.change(lambda stored: stored.put(OTHERS, a))
    await cached.change(lambda stored: stored.put(NOTES, replace(a, region="eu-west-1")))
    assert await sought(cached, "red") == a
    assert slow.reads == 1
    blue = replace(a, subject="blue")
    await cached.change(lambda stored: stored.put(NOTES, blue))
    assert await sought(cached, "red") is None
    assert await sought(cached, "blue") == blue
    await cached.change(lambda stored: stored.delete_owned(key(), "a"))
    assert await sought(cached, "blue") is None


async def test_what_is_not_found_is_not_kept_and_what_is_found_is_bounded(cached: CachedResources, slow: SlowResources):
    subjects = ["red", "green", "blue"]

    def put(stored: Stored) -> None:
        for subject in subjects:
            stored.put(NOTES, Note(owner="", name=subject, subject=subject))

    await cached.change(put)
    for _ in range(2):
        assert await sought(cached, "no such subject") is None
    assert slow.reads == 2
    found = [await sought(cached, subject) for subject in [*subjects, "red"]]
    assert [note and note.subject for note in found] == [*subjects, "red"]
    assert slow.reads == 2 + 4  # of three, two are kept at most


async def test_what_was_found_before_a_change_is_not_kept(cached: CachedResources, slow: SlowResources):
    note = Note(owner="", name="n", subject="red")
    await cached.change(lambda stored: stored.put(NOTES, note))
    slow.gate.clear()
    reading = asyncio.ensure_future(sought(cached, "red"))
    await asyncio.sleep(0)
    await cached.change(lambda stored: stored.delete(NOTES, place(note)))
    slow.gate.set()
    assert await reading == note
    assert await sought(cached, "red") is None


async def test_a_view_is_read_once_until_one_of_its_kinds_changes(cached: CachedResources, slow: SlowResources):
    a, b = Note(owner="function:hello", name="a"), Note(owner="", name="b")
    assert cached.seen(NAMES, ACCOUNT, REGION) is None
    assert await cached.see(NAMES, ACCOUNT, REGION) == []
    await cached.change(lambda stored: stored.put(NOTES, a))
    found = await cached.see(NAMES, ACCOUNT, REGION)
    assert found == ["a"]
    await cached.change(lambda stored: stored.put(NOTES, replace(a, region="eu-west-1")))
    await cached.change(lambda stored: stored.insert_function(function()))
    assert cached.seen(NAMES, ACCOUNT, REGION) is found
    assert slow.reads == 2
    await cached.change(lambda stored: stored.put(OTHERS, b))
    assert await cached.see(NAMES, ACCOUNT, REGION) == ["a", "b"]
    await cached.change(lambda stored: stored.delete_function(key()))
    assert await cached.see(NAMES, ACCOUNT, REGION) == ["b"]


async def test_who_follows_changes_learns_of_each_when_it_can_be_seen(cached: CachedResources):
    heard: list[Change] = []
    cached.subscribe(heard.append)
    cached.subscribe(lambda _: looked.append(cached.seen(NAMES, ACCOUNT, REGION)))
    looked: list[list[str] | None] = []
    a, b = Note(owner="function:hello", name="a"), Note(owner="", name="b", region="eu-west-1")
    await cached.see(NAMES, ACCOUNT, REGION)

    def put_all(stored: Stored) -> None:
        stored.put(NOTES, a)
        stored.put(OTHERS, a)
        stored.put(NOTES, b)

    await cached.change(put_all)
    both = Change(ACCOUNT, REGION, frozenset((NOTES.name, OTHERS.name)))
    assert sorted(heard, key=lambda one: one.region) == [
        Change(ACCOUNT, "eu-west-1", frozenset((NOTES.name,))),
        both,
    ]
    assert None in looked, "what was seen before is forgotten when they are told"
    assert (both.touches(frozenset((OTHERS.name,))), both.touches(frozenset(("alias",)))) == (True, False)
    heard.clear()
    await cached.read(lambda stored: stored.get(NOTES, place(a)))
    assert heard == []
    await cached.change(lambda stored: stored.delete_function(key()))
    assert heard == [Change(ACCOUNT, REGION, None)]
    assert heard[0].touches(frozenset(("alias",)))
