"""What every store of durable queues promises: in memory and in SQLite."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lampion.store.entries import Change, Ending, Entries, NewEntry, Postponed, QueueKey
from lampion.store.errors import StoreError
from lampion.store.memory_entries import MemoryEntries
from lampion.store.queue_contents import Depth, KeptEnding, Latest, QueueContents, Spot
from lampion.store.sqlite.database import Database, open_database
from lampion.store.sqlite.entries import SqliteEntries
from lampion.store.sqlite.migrations import known_migrations
from lampion.store.sqlite.queue_contents import SqliteQueueContents

ORDERS = QueueKey("event", "111122223333", "us-east-1", "orders")
MAILS = QueueKey("event", "111122223333", "us-east-1", "mails")
OUTBOX = QueueKey("delivery", "111122223333", "us-east-1", "arn:aws:sqs:us-east-1:111122223333:done")


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Database]:
    database = await open_database(tmp_path / "events.db", migrations=known_migrations("queue_migrations"))
    yield database
    await database.close()


@pytest.fixture
def on_disk(opened: Database) -> Entries:
    return SqliteEntries(opened)


@pytest.fixture(params=["memory", "sqlite"])
def entries(request: pytest.FixtureRequest) -> Entries:
    if request.param == "memory":
        return MemoryEntries()
    found: Entries = request.getfixturevalue("on_disk")
    return found


@pytest.fixture
def contents(entries: Entries, request: pytest.FixtureRequest) -> QueueContents:
    return entries if isinstance(entries, MemoryEntries) else SqliteQueueContents(request.getfixturevalue("opened"))


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


async def kept_in(contents: QueueContents, queue: QueueKey = ORDERS, *, before: int | None = None) -> list[KeptEnding]:
    return list(await contents.kept(queue, before=before, limit=10, payload_bytes=1000))


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


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 17, 53])
async def test_each_of_many_entries_of_one_change_has_its_own_number(entries: Entries, count: int):
    (before,) = await put(entries, new(MAILS, 5))
    added = [new((ORDERS, MAILS)[number % 3 == 2], 5, b"%d" % number) for number in range(count)]
    sequences = await put(entries, *added)
    stored = {
        entry.sequence: (entry.queue, entry.payload)
        for queue in (ORDERS, MAILS)
        for entry in (await due(entries, queue, 5, limit=100)).entries
        if entry.sequence != before
    }
    assert [stored[sequence] for sequence in sequences] == [(one.queue, one.payload) for one in added]
    assert len(stored) == count


@pytest.mark.parametrize("count", [1, 5, 20])
async def test_the_number_of_an_entry_is_never_given_again(tmp_path: Path, count: int):
    """Not to the entries of a next server either, when all of the last one's are done."""
    steps, last = known_migrations("queue_migrations"), 0
    for _ in range(3):
        database = await open_database(tmp_path / "again.db", migrations=steps)
        entries = SqliteEntries(database)
        sequences = await put(entries, *(new(ORDERS, 5) for _ in range(count)))
        assert min(sequences) > last
        last = max(sequences)
        for sequence in sequences:
            await entries.apply(Change(of=sequence))
        await database.close()


async def test_a_queue_whose_making_was_undone_is_made_again(opened: Database):
    """A change that fails takes the queues with it that it made; those of changes written with it stay."""
    entries = SqliteEntries(opened)
    impossible = NewEntry(OUTBOX, 5, b"{}", None)  # type: ignore[arg-type]
    outcomes = await asyncio.gather(
        entries.apply(Change(put=[new(MAILS, 5), impossible])), put(entries, new(ORDERS, 5)), return_exceptions=True
    )
    assert isinstance(outcomes[0], StoreError)
    assert outcomes[1] == [1]
    await put(entries, new(MAILS, 5), new(OUTBOX, 5))
    for queue in (ORDERS, MAILS, OUTBOX):
        assert len((await due(entries, queue, 5)).entries) == 1


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


async def test_nothing_is_done_for_an_entry_that_is_gone(entries: Entries, contents: QueueContents):
    (order,) = await put(entries, new(ORDERS, 1))
    step = Change(of=order, put=[new(OUTBOX, 3)], ending=ending(order, payload=b"kept"))
    assert await entries.apply(step) is not None
    assert await entries.apply(step) is None
    assert len((await due(entries, OUTBOX, 9)).entries) == 1
    assert len(await kept_in(contents)) == 1
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


async def test_depth_is_counted_up_to_a_limit(entries: Entries, contents: QueueContents):
    assert await contents.depth(ORDERS, 5, most=9) == Depth(0, 0, 0)
    failed, *_ = await put(entries, new(ORDERS, 1), *(new(ORDERS, at) for at in (2, 3, 30, 31, 32)), new(MAILS, 1))
    await entries.apply(Change(of=failed, ending=ending(failed, payload=b"kept")))
    assert await contents.depth(ORDERS, 5, most=9) == Depth(2, 3, 1)
    assert await contents.depth(ORDERS, 5, most=2) == Depth(2, 2, 1)


async def test_entries_are_listed_in_pages_as_they_fall_due(entries: Entries, contents: QueueContents):
    late, _, early, same, again = await put(
        entries, new(ORDERS, 30), new(MAILS, 1), *(new(ORDERS, at, b"payload") for at in (10, 20, 20))
    )
    expected, after, found = [early, same, again, late], None, []
    while page := await contents.page(ORDERS, after=after, limit=1, payload_bytes=3):
        assert len(page) == 1
        found.append(page[0].entry.sequence)
        after = Spot(page[0].entry.due_epoch_ms, page[0].entry.sequence)
    assert found == expected
    (first, *_, last) = await contents.page(ORDERS, after=None, limit=9, payload_bytes=3)
    assert (first.entry.payload, first.payload_bytes, first.entry.document) == (b"pay", 7, b'{"a":1}')
    assert (last.entry.payload, last.payload_bytes) == (b"{}", 2)


async def test_queues_that_hold_something_are_found_by_name(entries: Entries, contents: QueueContents):
    order, mail = [*await put(entries, new(ORDERS, 1)), *await put(entries, new(MAILS, 1))]
    await put(entries, new(OUTBOX, 1), new(ORDERS._replace(region="eu-west-1", name="elsewhere"), 1))
    of = (ORDERS.account_id, ORDERS.region)

    async def holding(kind: str, after: str | None = None, limit: int = 9) -> list[QueueKey]:
        return list(await contents.holding(kind, *of, after=after, limit=limit))

    assert await holding("event") == [MAILS, ORDERS]
    assert await holding("event", limit=1) == [MAILS]
    assert await holding("event", after="mails") == [ORDERS]
    assert await holding("delivery") == [OUTBOX]
    await entries.apply(Change(of=order, ending=ending(order)))
    await entries.apply(Change(of=mail, ending=ending(mail, MAILS, payload=b"kept")))
    assert await holding("event") == [MAILS], "what is kept is held, what succeeded is not"
    assert await contents.is_known(ORDERS)
    assert not await contents.is_known(ORDERS._replace(name="never"))


async def test_what_is_kept_is_found_by_request_and_from_its_beginning(entries: Entries, contents: QueueContents):
    sequences = await put(entries, *(new(ORDERS, 1) for _ in range(3)))
    for one in sequences:
        await entries.apply(Change(of=one, ending=ending(one, payload=b"payload")))
    first, second, third = reversed(await kept_in(contents))
    (found,) = await contents.kept_of(ORDERS, f"request-{sequences[1]}", limit=9)
    assert (found.number, found.ending.payload, found.payload_bytes) == (second.number, b"", 7)
    assert found.ending.document == second.ending.document
    assert await contents.kept_of(MAILS, f"request-{sequences[1]}", limit=9) == []
    oldest = await contents.kept_from(ORDERS, after=0, limit=2)
    assert [(one.number, one.ending.payload) for one in oldest] == [(first.number, b""), (second.number, b"")]
    assert [one.number for one in await contents.kept_from(ORDERS, after=second.number, limit=9)] == [third.number]


async def test_the_latest_numbers(entries: Entries, contents: QueueContents):
    assert await contents.latest() == Latest(0, 0)
    one, two = await put(entries, new(ORDERS, 1), new(MAILS, 1))
    await entries.apply(Change(of=one, ending=ending(one)))
    assert await contents.latest() == Latest(two, 1)


async def test_what_is_discarded_is_kept_no_longer_and_its_ending_stays(entries: Entries, contents: QueueContents):
    sequences = await put(entries, *(new(ORDERS, 1) for _ in range(4)))
    for one in sequences:
        await entries.apply(Change(of=one, ending=ending(one, payload=b"x")))
    *_, second, first = await kept_in(contents)
    assert await entries.discard_kept(MAILS, up_to=99, limit=9) == 0
    assert await entries.discard_kept(ORDERS, up_to=99, limit=1) == 1
    assert await entries.discard_kept(ORDERS, up_to=second.number, limit=9) == 1
    assert await entries.discard_kept(ORDERS, up_to=second.number, limit=9) == 0
    assert first.number not in (left := [one.number for one in await kept_in(contents)])
    assert len(left) == 2
    assert await entries.redrive({first.number: b"gone"}, due_epoch_ms=1) == []
    assert (await contents.latest()).number == 4


async def test_what_failed_is_kept_and_what_succeeded_is_not(entries: Entries, contents: QueueContents):
    one, two, three = await put(entries, *(new(ORDERS, 1) for _ in range(3)))
    await entries.apply(Change(of=one, ending=ending(one)))
    await entries.apply(Change(of=two, ending=ending(two, payload=b"2")))
    await entries.apply(Change(of=three, ending=ending(three, payload=b"3")))
    latest, before = await kept_in(contents)
    assert (latest.ending.payload, before.ending.payload) == (b"3", b"2")
    assert latest.ending == ending(three, payload=b"3")
    assert await kept_in(contents, before=latest.number) == [before]
    assert await kept_in(contents, MAILS) == []


async def test_what_failed_can_be_done_again_once(entries: Entries, contents: QueueContents):
    (order,) = await put(entries, new(ORDERS, 1, b"payload"))
    await entries.apply(Change(of=order, ending=ending(order, payload=b"payload")))
    (kept,) = await kept_in(contents)
    renewed = {kept.number: b"renewed", kept.number + 7: b"of nothing"}
    assert await entries.redrive(renewed, due_epoch_ms=60) == [ORDERS]
    assert await entries.redrive(renewed, due_epoch_ms=60) == []
    assert await kept_in(contents) == []
    (again,) = (await due(entries, ORDERS, 60)).entries
    assert (again.payload, again.document) == (b"payload", b"renewed")
    assert again.sequence > order


async def test_old_failures_are_forgotten(entries: Entries, contents: QueueContents):
    for at in (1, 2, 3, 4, 100):
        (order,) = await put(entries, new(ORDERS, 1))
        await entries.apply(Change(of=order, ending=ending(order, at=at, payload=b"x")))
    for expected in (3, 1, 0):
        assert await entries.prune(keep_done=0, failed_before_epoch_ms=50, limit=3) == expected
    assert [one.ending.ended_epoch_ms for one in await kept_in(contents)] == [100]


async def test_of_successes_the_latest_are_kept(entries: Entries, contents: QueueContents):
    (failed,) = await put(entries, new(ORDERS, 1))
    await entries.apply(Change(of=failed, ending=ending(failed, at=1, payload=b"x")))
    for _ in range(6):
        (order,) = await put(entries, new(ORDERS, 1))
        await entries.apply(Change(of=order, ending=ending(order)))
    for expected in (3, 1, 0):
        assert await entries.prune(keep_done=2, failed_before_epoch_ms=0, limit=3) == expected
    assert len(await kept_in(contents)) == 1


async def test_large_payloads_are_not_all_read_at_once(on_disk: Entries):
    entries = on_disk
    megabyte = b"x" * 1024 * 1024
    sequences = await put(entries, *(new(ORDERS, 1, megabyte) for _ in range(8)))
    found = await due(entries, ORDERS, 1, limit=8)
    assert [entry.sequence for entry in found.entries] == sequences[:4]
    assert not found.are_all
