"""What is withdrawn from the consumer: nothing that runs, and nothing comes back that is gone."""

from collections.abc import Collection

import pytest

from lampion.event_queue.turns import Turns
from lampion.store.entries import Change, Due, Entry
from lampion.store.memory_entries import MemoryEntries
from tests.component.event_queue.test_queue import ORDERS, Stage, on_stage


async def put(stage: Stage, count: int) -> list[int]:
    for _ in range(count):
        await stage.queues.accept(stage.new(ORDERS))
    assert isinstance(stage.entries, MemoryEntries)
    return [seen.entry.sequence for seen in await stage.entries.page(ORDERS, after=None, limit=999, payload_bytes=0)]


async def remove(stage: Stage, sequences: Collection[int]) -> None:
    for sequence in sequences:
        await stage.entries.apply(Change(of=sequence))


def test_what_runs_is_left_out_and_the_rest_is_not_handed_out():
    async def play(stage: Stage) -> None:
        sequences = await put(stage, 3)
        running = await stage.next()
        assert running is not None
        assert stage.queues.events.running(ORDERS) == 1
        with stage.queues.events.withdrawn(ORDERS, sequences) as taken:
            assert sorted(taken) == sequences[1:]
            assert await stage.next() is None
            await remove(stage, taken)
        assert await stage.next(within_seconds=1000) is None
        await stage.queues.settle(Change(of=running.sequence))
        stage.queues.events.done(running)
        assert stage.queues.events.running(ORDERS) == 0

    on_stage(play)


def test_what_is_still_there_after_a_failure_is_handed_out_again():
    async def play(stage: Stage) -> None:
        sequences = await put(stage, 3)
        with pytest.raises(OSError, match="disk"), stage.queues.events.withdrawn(ORDERS, sequences):  # noqa: PT012
            await remove(stage, sequences[:1])
            raise OSError("disk")
        found = [await stage.next() for _ in range(3)]
        assert [one and one.sequence for one in found] == [*sequences[1:], None]

    on_stage(play)


def test_two_who_withdraw_do_not_get_the_same():
    async def play(stage: Stage) -> None:
        sequences = await put(stage, 2)
        with stage.queues.events.withdrawn(ORDERS, sequences[:1]) as first:
            with stage.queues.events.withdrawn(ORDERS, sequences) as second:
                assert (sorted(first), sorted(second)) == (sequences[:1], sequences[1:])
                await remove(stage, second)
            assert await stage.next() is None, "the first one still has it, and the queue isn't forgotten meanwhile"
            await remove(stage, first)
        assert await stage.next(within_seconds=1000) is None

    on_stage(play)


def test_what_was_read_before_it_was_gone_is_not_handed_out():
    turns = Turns(most_running=9, most_of_queue=9)
    old, kept = Entry(7, ORDERS, 0, b"{}", b"{}"), Entry(8, ORDERS, 0, b"{}", b"{}")
    line = turns.line(ORDERS)
    line.has_more = True
    turns.start_load(line)
    turns.return_withdrawn(ORDERS, turns.withdraw(ORDERS, [7]), are_gone=True)
    turns.finish_load(line, Due([old, kept], are_all=True, next_due_epoch_ms=None))
    assert turns.take() == kept
    assert turns.take() is None
    assert not line.gone, "of the next reading nothing is left out"


def test_a_queue_of_which_something_is_withdrawn_is_not_forgotten():
    turns = Turns(most_running=9, most_of_queue=9)
    turns.withdraw(ORDERS, [7])
    turns.forget_idle(turns.line(ORDERS))
    turns.add(Entry(7, ORDERS, 0, b"{}", b"{}"))
    assert turns.take() is None
    turns.forget_idle(turns.return_withdrawn(ORDERS, {7}, are_gone=True))
    assert turns.queues() == ()


def test_an_entry_that_comes_late_from_its_own_writer_stays_withdrawn():
    turns = Turns(most_running=9, most_of_queue=9)
    entry = Entry(7, ORDERS, 0, b"{}", b"{}")
    assert set(turns.withdraw(ORDERS, [7])) == {7}
    turns.add(entry)
    assert turns.take() is None
