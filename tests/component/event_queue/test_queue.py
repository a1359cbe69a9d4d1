"""Queues over a store and a clock: what is handed out when, and what a restart finds."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from lampion.clock.adjustable import AdjustableClock
from lampion.event_queue.inbox import NotAccepted
from lampion.event_queue.queues import DELIVERIES, EVENTS, Queues
from lampion.event_queue.turns import LOADED_MOST
from lampion.store.entries import Change, Entries, Entry, NewEntry, Postponed, QueueKey
from lampion.store.errors import StoreError
from lampion.store.memory_entries import MemoryEntries
from tests.simulation.loop import SimulatedClock, SimulatedLoop, simulate

ORDERS = QueueKey(EVENTS, "111122223333", "us-east-1", "orders")
MAILS = QueueKey(EVENTS, "111122223333", "us-east-1", "mails")
OUTBOX = QueueKey(DELIVERIES, "111122223333", "us-east-1", "arn:aws:sqs:us-east-1:111122223333:done")


class Stage:
    """Queues on a clock that can be waited on."""

    def __init__(self, loop: SimulatedLoop, entries: Entries | None = None) -> None:
        self.loop = loop
        self.clock = SimulatedClock(loop)
        self.entries = entries or MemoryEntries()
        self.queues = Queues(self.entries, self.clock, self.clock, most_events=100)

    def new(self, queue: QueueKey, payload: bytes = b"{}", *, in_seconds: float = 0) -> NewEntry:
        return NewEntry(queue, self.queues.time.epoch_ms() + int(in_seconds * 1000), b"{}", payload)

    async def next(self, *, within_seconds: float = 0.1) -> Entry | None:
        """The next event; None when there is none in time."""
        try:
            async with asyncio.timeout(within_seconds):
                return await self.queues.events.next()
        except TimeoutError:
            return None


def on_stage(play: Callable[[Stage], Awaitable[None]]) -> None:
    async def perform(loop: SimulatedLoop) -> None:
        await play(Stage(loop))

    simulate(1, perform)


def test_what_is_accepted_is_handed_out_once_and_gone_when_settled():
    async def play(stage: Stage) -> None:
        await stage.queues.accept(stage.new(ORDERS, b"1"))
        entry = await stage.next()
        assert entry is not None
        assert entry.payload == b"1"
        assert await stage.next() is None
        await stage.queues.settle(Change(of=entry.sequence))
        stage.queues.events.done(entry)
        assert await stage.next(within_seconds=1000) is None

    on_stage(play)


def test_an_entry_is_handed_out_at_its_time_and_not_before():
    async def play(stage: Stage) -> None:
        await stage.queues.accept(stage.new(ORDERS, in_seconds=60))
        assert await stage.next(within_seconds=59.9) is None
        assert await stage.next(within_seconds=0.2) is not None

    on_stage(play)


def test_a_postponed_entry_comes_again_at_its_new_time():
    async def play(stage: Stage) -> None:
        await stage.queues.accept(stage.new(ORDERS))
        entry = await stage.next()
        assert entry is not None
        due = stage.queues.time.epoch_ms() + 60_000
        await stage.queues.settle(Change(of=entry.sequence, postponed=Postponed(entry.sequence, due, b"again")))
        stage.queues.events.postponed(entry, due)
        assert await stage.next(within_seconds=59.9) is None
        again = await stage.next(within_seconds=0.2)
        assert again is not None
        assert (again.sequence, again.document) == (entry.sequence, b"again")

    on_stage(play)


def test_setting_the_machines_clock_moves_no_due_time():
    async def play(stage: Stage) -> None:
        for jump in (-86_400.0, 86_400.0):
            await stage.queues.accept(stage.new(ORDERS, in_seconds=60))
            stage.clock.jump(jump)
            assert await stage.next(within_seconds=59.9) is None
            entry = await stage.next(within_seconds=0.2)
            assert entry is not None
            await stage.queues.settle(Change(of=entry.sequence))
            stage.queues.events.done(entry)

    on_stage(play)


def test_a_restart_goes_on_with_all_that_is_stored():
    async def play(stage: Stage) -> None:
        for queue, wait in ((ORDERS, 0), (MAILS, 0), (ORDERS, 30)):
            await stage.queues.accept(stage.new(queue, in_seconds=wait))
        taken = await stage.next()
        assert taken is not None  # and never settled: the server died
        again = Stage(stage.loop, stage.entries)
        await again.queues.open()
        first, second = await again.next(), await again.next()
        assert first is not None
        assert second is not None
        assert {first.queue, second.queue} == {ORDERS, MAILS}
        assert await again.next(within_seconds=25) is None
        assert await again.next(within_seconds=10) is not None

    on_stage(play)


def test_more_of_one_queue_run_than_are_read_at_once():
    async def play(stage: Stage) -> None:
        for _ in range(80 + LOADED_MOST + 5):
            await stage.queues.accept(stage.new(ORDERS))
        for _ in range(80):  # the window grows as long as all goes well
            await one_ends_well(stage)
        running = [await stage.next() for _ in range(LOADED_MOST + 5)]
        assert None not in running

    on_stage(play)


async def one_ends_well(stage: Stage) -> None:
    entry = await stage.next()
    assert entry is not None
    await stage.queues.settle(Change(of=entry.sequence))
    stage.queues.events.done(entry)


def test_an_earlier_due_time_is_kept_beside_a_later_one():
    async def play(stage: Stage) -> None:
        await stage.queues.accept(stage.new(ORDERS, b"late", in_seconds=120))
        await stage.queues.accept(stage.new(ORDERS, b"early", in_seconds=60))
        early = await stage.next(within_seconds=60.1)
        assert early is not None
        assert early.payload == b"early"
        late = await stage.next(within_seconds=60.1)
        assert late is not None
        assert late.payload == b"late"

    on_stage(play)


def test_one_function_does_not_keep_another_waiting():
    async def play(stage: Stage) -> None:
        for _ in range(500):
            await stage.queues.accept(stage.new(ORDERS))
        await stage.queues.accept(stage.new(MAILS, b"mail"))
        taken = [await stage.next() for _ in range(4)]
        assert b"mail" in [entry.payload for entry in taken if entry is not None]

    on_stage(play)


@pytest.mark.parametrize("at_once", [1, 8])
def test_failures_back_off_together_however_many_fail_at_once(at_once: int):
    async def play(stage: Stage) -> None:
        for _ in range(at_once):
            await stage.queues.accept(stage.new(ORDERS))
        taken = [await stage.next() for _ in range(at_once)]
        waits = [stage.queues.events.failed(entry) for entry in taken if entry is not None]
        assert waits == [1.0] + [0.0] * (at_once - 1)
        assert await stage.next(within_seconds=0.9) is None
        entry = await stage.next(within_seconds=0.2)
        assert entry is not None
        assert await stage.next() is None, "one alone is tried"
        assert stage.queues.events.failed(entry) == 2.0

    on_stage(play)


def test_a_refused_entry_waits_for_another_of_its_queue():
    async def play(stage: Stage) -> None:
        for payload in (b"1", b"2"):
            await stage.queues.accept(stage.new(ORDERS, payload))
        first, second = await stage.next(), await stage.next()
        assert first is not None
        assert second is not None
        stage.queues.events.refused(second)
        assert await stage.next(within_seconds=500) is None
        await stage.queues.settle(Change(of=first.sequence))
        stage.queues.events.done(first)
        again = await stage.next()
        assert again is not None
        assert again.payload == b"2"

    on_stage(play)


def test_what_a_step_brings_about_is_handed_out_by_its_own_queue():
    async def play(stage: Stage) -> None:
        await stage.queues.accept(stage.new(ORDERS))
        entry = await stage.next()
        assert entry is not None
        await stage.queues.settle(Change(of=entry.sequence, put=[stage.new(OUTBOX, b"record")]))
        delivery = await stage.queues.deliveries.next()
        assert delivery.payload == b"record"

    on_stage(play)


class Failing(MemoryEntries):
    """A store that fails, or takes its time, as often as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0
        self.seconds = 0.0
        self.writes = 0

    async def apply(self, change: Change) -> Sequence[int] | None:
        self.writes += 1
        await asyncio.sleep(self.seconds)
        if self.failures:
            self.failures -= 1
            raise StoreError("no space left on device")
        return await super().apply(change)


def test_nothing_is_accepted_that_is_not_on_disk():
    async def play(stage: Stage) -> None:
        store = Failing()
        failing = Stage(stage.loop, store)
        store.failures = 1
        with pytest.raises(NotAccepted, match="no space left on device"):
            await failing.queues.accept(failing.new(ORDERS))
        await failing.queues.accept(failing.new(ORDERS, b"2"))
        entry = await failing.next()
        assert entry is not None
        assert entry.payload == b"2"

    on_stage(play)


def test_a_disk_that_takes_too_long_accepts_nothing_and_what_got_there_is_handed_out():
    async def play(stage: Stage) -> None:
        store = Failing()
        slow = Stage(stage.loop, store)
        store.seconds = 60.0
        with pytest.raises(NotAccepted, match="after 10 s"):
            await slow.queues.accept(slow.new(ORDERS, b"late"))
        entry = await slow.next(within_seconds=60)
        assert entry is not None
        assert entry.payload == b"late"

    on_stage(play)


def test_an_advanced_agenda_hands_out_what_is_due_and_doesnt_hurry_the_disk():
    async def play(stage: Stage) -> None:
        store, agenda = Failing(), AdjustableClock(stage.clock)
        queues = Queues(store, stage.clock, agenda, most_events=100)
        store.seconds = 5.0
        due = queues.time.epoch_ms()
        accepting = asyncio.create_task(queues.accept(NewEntry(ORDERS, due + 60_000, b"{}", b"later")))
        await asyncio.sleep(1)
        await agenda.advance(30)
        assert not accepting.done(), "ten seconds have passed for the agenda only"
        await accepting
        store.seconds = 0.0
        handed_out = asyncio.create_task(queues.events.next())
        await asyncio.sleep(1)
        assert not handed_out.done()
        await agenda.advance(30)
        async with asyncio.timeout(1):
            assert (await handed_out).payload == b"later"
        await queues.close()

    on_stage(play)


def test_what_waits_to_be_written_is_bounded():
    async def play(stage: Stage) -> None:
        store = Failing()
        slow = Stage(stage.loop, store)
        store.seconds = 5.0
        megabytes = b"x" * 100 * 1024 * 1024
        accepting = [asyncio.create_task(slow.queues.accept(slow.new(ORDERS, megabytes))) for _ in range(2)]
        await asyncio.sleep(1)
        with pytest.raises(NotAccepted, match="too much waits"):
            await slow.queues.accept(slow.new(MAILS, megabytes))
        await asyncio.gather(*accepting)
        await slow.queues.accept(slow.new(MAILS))

    on_stage(play)


def test_a_step_is_stored_however_long_the_store_fails():
    async def play(stage: Stage) -> None:
        store = Failing()
        failing = Stage(stage.loop, store)
        await failing.queues.accept(failing.new(ORDERS))
        entry = await failing.next()
        assert entry is not None
        store.failures = 30
        assert await failing.queues.settle(Change(of=entry.sequence, put=[failing.new(OUTBOX)]))
        assert (await failing.queues.deliveries.next()).queue == OUTBOX

    on_stage(play)


def test_what_comes_while_the_disk_writes_is_written_together():
    async def play(stage: Stage) -> None:
        store = Failing()
        slow = Stage(stage.loop, store)
        store.seconds = 1.0
        await asyncio.gather(*(slow.queues.accept(slow.new(ORDERS)) for _ in range(100)))
        assert store.writes == 1, "they were all there when the first was written"
        await asyncio.gather(*(slow.queues.accept(slow.new(ORDERS, in_seconds=n)) for n in range(3)))
        assert store.writes == 2

    on_stage(play)


def test_a_disk_that_takes_too_long_refuses_who_comes_meanwhile_at_once_and_then_takes_again():
    async def play(stage: Stage) -> None:
        store = Failing()
        slow = Stage(stage.loop, store)
        store.seconds = 30.0
        first = asyncio.create_task(slow.queues.accept(slow.new(ORDERS, b"first")))
        await asyncio.sleep(5)
        behind = asyncio.create_task(slow.queues.accept(slow.new(ORDERS, b"behind")))
        with pytest.raises(NotAccepted):
            await first
        with pytest.raises(NotAccepted):
            await behind
        began = slow.clock.monotonic()
        with pytest.raises(NotAccepted):
            await slow.queues.accept(slow.new(ORDERS, b"refused"))
        assert slow.clock.monotonic() == began
        store.seconds = 0.0
        await asyncio.sleep(30)
        await slow.queues.accept(slow.new(MAILS, b"taken"))
        payloads = {entry.payload for entry in [await slow.next(), await slow.next()] if entry is not None}
        assert payloads == {b"first", b"taken"}
        assert await slow.next() is None

    on_stage(play)
