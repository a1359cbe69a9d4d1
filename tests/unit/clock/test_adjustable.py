"""A clock that is advanced runs what falls due, in order and each at its own time, and goes on as its base does."""

import asyncio
from collections.abc import Callable

import pytest

from lampion.clock.adjustable import ADVANCE_SECONDS_MAX, AdjustableClock
from lampion.clock.clock import Clock, SystemClock
from lampion.clock.timers import TimerHeap
from lampion.clock.virtual import VirtualClock


@pytest.fixture
def base() -> VirtualClock:
    return VirtualClock(epoch=1000.0)


@pytest.fixture
def clock(base: VirtualClock) -> AdjustableClock:
    return AdjustableClock(base)


def noting(clock: Clock, notes: list[tuple[str, float]], name: str) -> Callable[[], None]:
    return lambda: notes.append((name, clock.monotonic()))


async def test_it_goes_with_its_base_ahead_by_what_it_was_advanced(base: VirtualClock, clock: AdjustableClock) -> None:
    assert (clock.now(), clock.monotonic(), clock.ahead_seconds) == (1000.0, 0.0, 0.0)
    await clock.advance(120)
    assert (clock.now(), clock.monotonic(), clock.ahead_seconds) == (1120.0, 120.0, 120.0)
    assert (base.now(), base.monotonic()) == (1000.0, 0.0), "the base stays where it is"
    await base.advance(5)
    await clock.advance(0.5)
    assert (clock.now(), clock.monotonic(), clock.ahead_seconds) == (1125.5, 125.5, 120.5)


async def test_timers_run_with_the_base_when_nothing_is_advanced(base: VirtualClock, clock: AdjustableClock) -> None:
    notes: list[tuple[str, float]] = []
    clock.call_later(10, noting(clock, notes, "b"))
    clock.call_later(5, noting(clock, notes, "a"))
    clock.call_later(7, noting(clock, notes, "never")).cancel()
    await base.advance(4.9)
    assert notes == []
    await base.advance(20)
    assert notes == [("a", 5.0), ("b", 10.0)]
    assert base.pending == 0, "no timer of the base is left"


async def test_an_advance_runs_what_falls_due_in_order_each_at_its_time(
    base: VirtualClock, clock: AdjustableClock
) -> None:
    notes: list[tuple[str, float]] = []

    def again() -> None:
        notes.append(("first", clock.monotonic()))
        clock.call_later(60, noting(clock, notes, "set on the way"))
        clock.call_later(600, noting(clock, notes, "not yet"))

    clock.call_later(90, noting(clock, notes, "second"))
    clock.call_later(60, again)
    clock.call_later(60, noting(clock, notes, "at the same time"))
    clock.call_later(121, noting(clock, notes, "later"))
    await clock.advance(120)
    assert notes == [("first", 60.0), ("at the same time", 60.0), ("second", 90.0), ("set on the way", 120.0)]
    assert base.monotonic() == 0.0
    await base.advance(1)
    assert notes[-1] == ("later", 121.0)
    await clock.advance(10_000)
    assert notes[-1] == ("not yet", 660.0)
    assert clock.monotonic() == 10_121.0


async def test_sleepers_wake_one_after_the_other_and_may_sleep_again(clock: AdjustableClock) -> None:
    woke: list[float] = []

    async def retry() -> None:
        for delay in (60, 120, 240):
            await clock.sleep(delay)
            woke.append(clock.monotonic())

    task = asyncio.create_task(retry())
    await clock.advance(200)
    assert woke == [60.0, 180.0]
    await clock.advance(220)
    assert woke == [60.0, 180.0, 420.0]
    await task


async def test_deadlines_pass_with_the_advance(clock: AdjustableClock) -> None:
    async def limited(seconds: float) -> str:
        try:
            async with clock.deadline(seconds):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            return f"late after {clock.monotonic()}"
        raise AssertionError

    short, long = asyncio.create_task(limited(30)), asyncio.create_task(limited(90))
    await clock.advance(60)
    assert short.done()
    assert short.result() == "late after 30.0"
    assert not long.done()
    await clock.advance(60)
    assert await long == "late after 90.0"


async def test_who_gives_up_sleeping_leaves_no_timer(base: VirtualClock, clock: AdjustableClock) -> None:
    task = asyncio.create_task(clock.sleep(50))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with clock.deadline(50):
        pass
    await clock.advance(100)
    assert base.pending == 0


async def test_an_action_that_fails_is_reported_and_stops_nothing(clock: AdjustableClock) -> None:
    notes: list[tuple[str, float]] = []
    reported: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(str(context["exception"])))
    clock.call_later(1, lambda: 1 / 0)
    clock.call_later(2, noting(clock, notes, "after it"))
    await clock.advance(5)
    assert notes == [("after it", 2.0)]
    assert reported == ["division by zero"]


async def test_a_timer_called_off_by_another_of_the_same_time_does_not_run(clock: AdjustableClock) -> None:
    notes: list[tuple[str, float]] = []
    clock.call_later(1, lambda: second.cancel())
    second = clock.call_later(1, noting(clock, notes, "second"))
    await clock.advance(1)
    assert notes == []


async def test_advances_at_the_same_time_follow_one_another(clock: AdjustableClock) -> None:
    notes: list[tuple[str, float]] = []
    for due in (30, 90, 150):
        clock.call_later(due, noting(clock, notes, str(due)))
    await asyncio.gather(clock.advance(60), clock.advance(60))
    assert notes == [("30", 30.0), ("90", 90.0)]
    assert clock.ahead_seconds == 120.0


async def test_listeners_hear_of_every_advance_after_it(clock: AdjustableClock) -> None:
    heard: list[tuple[float, float]] = []
    clock.when_advanced(lambda seconds: heard.append((seconds, clock.monotonic())))
    await clock.advance(10)
    await clock.advance(5)
    assert heard == [(10, 10.0), (5, 15.0)]


@pytest.mark.parametrize("seconds", [0, -1, ADVANCE_SECONDS_MAX + 1, float("nan"), float("inf")])
async def test_time_goes_forward_and_within_reason(clock: AdjustableClock, seconds: float) -> None:
    with pytest.raises(ValueError, match="more than 0 and at most"):
        await clock.advance(seconds)
    assert clock.ahead_seconds == 0.0


async def test_a_timer_that_sets_itself_again_without_end_ends(clock: AdjustableClock) -> None:
    runs = 0

    def again() -> None:
        nonlocal runs
        runs += 1
        if runs < 150_000:
            clock.call_later(0, again)

    clock.call_later(0, again)
    async with asyncio.timeout(60):
        await clock.advance(1)
    assert clock.monotonic() == 1.0
    assert runs >= 100_000


async def test_over_the_machines_clock() -> None:
    clock = AdjustableClock(SystemClock())
    before = clock.monotonic()
    sleepers = [asyncio.create_task(clock.sleep(seconds)) for seconds in (0.02, 3600)]
    await asyncio.wait_for(sleepers[0], 5)
    assert not sleepers[1].done()
    await clock.advance(3600)
    await asyncio.wait_for(sleepers[1], 5)
    assert 3600 < clock.monotonic() - before < 3605


def test_timers_that_were_called_off_dont_pile_up() -> None:
    heap = TimerHeap()
    kept = [heap.add(1e6 + number, print) for number in range(10)]
    for _ in range(50_000):
        heap.add(1e5, print).cancel()
    assert len(heap) == 10
    assert len(heap._timers) <= 1000
    assert [heap.next_due and heap.pop() for _ in range(10)] == kept
