"""What every store of durable queues promises: in memory and in SQLite."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lampion.store.entries import Change, Depth, Ending, Entries, NewEntry, Postponed, QueueKey
from lampion.store.memory_entries import MemoryEntries
from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.entries import SqliteEntries
from lampion.store.sqlite.migrations import known_migrations

ORDERS = QueueKey("event", "111122223333", "us-east-1", "orders")
MAILS = QueueKey("event", "111122223333", "us-east-1", "mails")
OUTBOX = QueueKey("delivery", "111122223333", "us-east-1", "arn:aws:sqs:us-east-1:111122223333:done")


@pytest.fixture
async def on_disk(tmp_path: Path) -> AsyncIterator[Entries]:
    opened = await open_database(tmp_path / "events.db", migrations=known_migrations("queue_migrations"))
    yield SqliteEntries(opened)
    await opened.close()


@pytest.fixture(params=["memory", "sqlite"])
def entries(request: pytest.FixtureRequest) -> Entries:
    if request.param == "memory":
        return MemoryEntries()
    found: Entries = request.getfixturevalue("on_disk")
    return found


def new(queue: QueueKey, due: int, payload: bytes = b"{}") -> NewEntry:
    return NewEntry(queue, due, b'{"a":1}', payload)


async def put(entries: Entries, *added: NewEntry) -> list[int]:
    sequences = await entries.apply(Change(put=added))
    assert sequences is not None
    return list(sequences)


def ending(of: int, queue: QueueKey = ORDERS, *, at: int = 10, payload: bytes | None = None) -> Ending:
    return Ending(
        sequence=of,
        queue=queue,
        request_id=f"request-{of}",
        ended_epoch_ms=at,
        ending="Success" if payload is None else "RetriesExhausted",
        document=None if payload is None else b'{"of":%d}' % of,
        payload=payload,
    )


async def due(entries: Entries, queue: QueueKey, now: int, *, limit: int = 10, without: tuple[int, ...] = ()):
    return await entries.due(queue, now, limit=limit, without=without)


async def test_what_was_put_is_due_at_its_time_the_longest_due_first(entries: Entries):
    late, early, never = await put(entries, new(ORDERS, 20, b"late"), new(ORDERS, 10, b"early"), new(ORDERS, 30))
    assert await due(entries, ORDERS, 9) == ([], True, 10)
    found = await due(entries, ORDERS, 20)
    assert [(entry.sequence, entry.payload) for entry in found.entries] == [(early, b"early"), (late, b"late")]
    assert found.entries[0].document == b'{"a":1}'
    assert found.entries[0].queue == ORDERS
    assert (found.are_all, found.next_due_epoch_ms) == (True, 30)
    assert never not in [entry.sequence for entry in found.entries]


async def test_equally_due_entries_come_in_the_order_of_their_acceptance(entries: Entries):
    sequences = await put(entries, *(new(ORDERS, 5) for _ in range(4)))
    assert sequences == sorted(sequences)
    assert [entry.sequence for entry in (await due(entries, ORDERS, 5)).entries] == sequences


async def test_entries_in_hand_are_left_out(entries: Entries):
    first, second, third = await put(entries, *(new(ORDERS, 5) for _ in range(3)))
    found = await due(entries, ORDERS, 5, without=(first, third))
    assert [entry.sequence for entry in found.entries] == [second]
    assert found.are_all


async def test_a_limit_is_kept_and_said(entries: Entries):
    first, second, third = await put(entries, *(new(ORDERS, 5) for _ in range(3)))
    found = await due(entries, ORDERS, 5, limit=2)
    assert [entry.sequence for entry in found.entries] == [first, second]
    assert not found.are_all
    rest = await due(entries, ORDERS, 5, limit=2, without=(first, second, 4000))
    assert [entry.sequence for entry in rest.entries] == [third]


async def test_queues_do_not_see_one_another(entries: Entries):
    (order,), (mail,) = await put(entries, new(ORDERS, 1)), await put(entries, new(MAILS, 2))
    assert [entry.sequence for entry in (await due(entries, ORDERS, 9)).entries] == [order]
    assert [entry.sequence for entry in (await due(entries, MAILS, 9)).entries] == [mail]
    assert (await due(entries, OUTBOX, 9)).entries == []


async def test_a_step_is_done_as_a_whole(entries: Entries):
    (order,) = await put(entries, new(ORDERS, 1))
    sequences = await entries.apply(Change(of=order, put=[new(OUTBOX, 3, b"record")], ending=ending(order)))
    assert sequences is not None
    assert len(sequences) == 1
    assert (await due(entries, ORDERS, 9)).entries == []
    assert [entry.payload for entry in (await due(entries, OUTBOX, 9)).entries] == [b"record"]


async def test_nothing_is_done_for_an_entry_that_is_gone(entries: Entries):
    (order,) = await put(entries, new(ORDERS, 1))
    step = Change(of=order, put=[new(OUTBOX, 3)], ending=ending(order, payload=b"kept"))
    assert await entries.apply(step) is not None
    assert await entries.apply(step) is None
    assert len((await due(entries, OUTBOX, 9)).entries) == 1
    assert len(await entries.kept(ORDERS, before=None, limit=10)) == 1
    assert await entries.apply(Change(of=order, postponed=Postponed(order, 5, b"{}"))) is None


async def test_a_postponed_entry_keeps_its_payload_and_sequence(entries: Entries):
    (order,) = await put(entries, new(ORDERS, 1, b"payload"))
    await entries.apply(Change(of=order, postponed=Postponed(order, 50, b'{"attempts":1}')))
    assert await due(entries, ORDERS, 49) == ([], True, 50)
    (entry,) = (await due(entries, ORDERS, 50)).entries
    assert (entry.sequence, entry.document, entry.payload) == (order, b'{"attempts":1}', b"payload")


async def test_sequences_are_never_given_twice(entries: Entries):
    (first,) = await put(entries, new(ORDERS, 1))
    await entries.apply(Change(of=first))
    (second,) = await put(entries, new(ORDERS, 1))
    assert second > first


async def test_queues_of_a_kind_are_found_with_their_first_due_time(entries: Entries):
    (order,) = await put(entries, new(ORDERS, 7))
    await put(entries, new(MAILS, 30), new(MAILS, 20), new(OUTBOX, 1))
    await entries.apply(Change(of=order))
    assert sorted(await entries.first_due("event")) == [(MAILS, 20), (ORDERS, None)]
    assert await entries.first_due("delivery") == [(OUTBOX, 1)]
    assert await entries.first_due("other") == []


async def test_depth(entries: Entries):
    assert await entries.depth(ORDERS, 5) == Depth(0, 0, None, 0)
    failed, *_ = await put(entries, new(ORDERS, 1), new(ORDERS, 2), new(ORDERS, 3), new(ORDERS, 30), new(MAILS, 1))
    await entries.apply(Change(of=failed, ending=ending(failed, payload=b"kept")))
    assert await entries.depth(ORDERS, 5) == Depth(2, 1, 2, 1)


async def test_entries_are_listed_in_pages(entries: Entries):
    sequences = await put(entries, new(ORDERS, 30), new(ORDERS, 20), new(MAILS, 1), new(ORDERS, 10))
    page = await entries.page(ORDERS, after=0, limit=2)
    assert [entry.sequence for entry in page] == sequences[:2]
    assert [entry.sequence for entry in await entries.page(ORDERS, after=page[-1].sequence, limit=2)] == sequences[3:]


async def test_what_failed_is_kept_and_what_succeeded_is_not(entries: Entries):
    one, two, three = await put(entries, *(new(ORDERS, 1) for _ in range(3)))
    await entries.apply(Change(of=one, ending=ending(one)))
    await entries.apply(Change(of=two, ending=ending(two, payload=b"2")))
    await entries.apply(Change(of=three, ending=ending(three, payload=b"3")))
    latest, before = await entries.kept(ORDERS, before=None, limit=10)
    assert (latest.ending.payload, before.ending.payload) == (b"3", b"2")
    assert latest.ending == ending(three, payload=b"3")
    assert await entries.kept(ORDERS, before=latest.number, limit=10) == [before]
    assert await entries.kept(MAILS, before=None, limit=10) == []


async def test_what_failed_can_be_done_again_once(entries: Entries):
    (order,) = await put(entries, new(ORDERS, 1, b"payload"))
    await entries.apply(Change(of=order, ending=ending(order, payload=b"payload")))
    (kept,) = await entries.kept(ORDERS, before=None, limit=10)
    renewed = {kept.number: b"renewed", kept.number + 7: b"of nothing"}
    assert await entries.redrive(renewed, due_epoch_ms=60) == [ORDERS]
    assert await entries.redrive(renewed, due_epoch_ms=60) == []
    assert await entries.kept(ORDERS, before=None, limit=10) == []
    (again,) = (await due(entries, ORDERS, 60)).entries
    assert (again.payload, again.document) == (b"payload", b"renewed")
    assert again.sequence > order


async def test_old_failures_are_forgotten(entries: Entries):
    for at in (1, 2, 3, 4, 100):
        (order,) = await put(entries, new(ORDERS, 1))
        await entries.apply(Change(of=order, ending=ending(order, at=at, payload=b"x")))
    for expected in (3, 1, 0):
        assert await entries.prune(keep_done=0, failed_before_epoch_ms=50, limit=3) == expected
    assert [one.ending.ended_epoch_ms for one in await entries.kept(ORDERS, before=None, limit=9)] == [100]


async def test_of_successes_the_latest_are_kept(entries: Entries):
    (failed,) = await put(entries, new(ORDERS, 1))
    await entries.apply(Change(of=failed, ending=ending(failed, at=1, payload=b"x")))
    for _ in range(6):
        (order,) = await put(entries, new(ORDERS, 1))
        await entries.apply(Change(of=order, ending=ending(order)))
    for expected in (3, 1, 0):
        assert await entries.prune(keep_done=2, failed_before_epoch_ms=0, limit=3) == expected
    assert len(await entries.kept(ORDERS, before=None, limit=9)) == 1


async def test_large_payloads_are_not_all_read_at_once(on_disk: Entries):
    entries = on_disk
    megabyte = b"x" * 1024 * 1024
    sequences = await put(entries, *(new(ORDERS, 1, megabyte) for _ in range(8)))
    found = await due(entries, ORDERS, 1, limit=8)
    assert [entry.sequence for entry in found.entries] == sequences[:4]
    assert not found.are_all
