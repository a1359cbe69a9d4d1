"""A sandbox gives way when it is busy for long, in one invocation or in many, and not when it isn't."""

from collections.abc import Callable
from contextlib import suppress

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lampion.clock.timers import HeapTimer
from lampion.clock.virtual import VirtualClock
from lampion.environments.courtesy import MOST_CREDIT_SECONDS, Courtesy


class CountingClock(VirtualClock):
    """Knows how many timers were set."""

    timers = 0

    def call_later(self, seconds: float, action: Callable[[], object]) -> HeapTimer:
        self.timers += 1
        return super().call_later(seconds, action)


class Stage:
    """A sandbox's courtesy; `told` lists what it was told of giving way, and "late"."""

    def __init__(self) -> None:
        self.clock = CountingClock()
        self.told: list[object] = []
        self._courtesy = Courtesy(self, self.clock)

    def replace(self) -> None:
        """Another sandbox stands in for a spent one."""
        self._courtesy = Courtesy(self, self.clock, self._courtesy)
        self.told.append("replaced")

    def give_way(self, *, to_others: bool) -> None:
        self.told.append(to_others)

    async def busy(self, seconds: float, *, limit_seconds: float = 3.0) -> None:
        self._courtesy.begin(limit_seconds, lambda: self.told.append("late"))
        await self.clock.advance(seconds)
        self._courtesy.end()

    async def idle(self, seconds: float) -> None:
        await self.clock.advance(seconds)

    def end(self) -> None:
        """The sandbox has ended."""
        self._courtesy.close()


async def test_a_short_invocation_does_not() -> None:
    on = Stage()
    await on.busy(MOST_CREDIT_SECONDS * 0.9)
    await on.idle(60)
    assert on.told == []


async def test_a_long_one_does_from_when_its_credit_is_used_up_until_another_begins() -> None:
    on = Stage()
    await on.busy(MOST_CREDIT_SECONDS * 1.1)
    assert on.told == [True]
    await on.idle(1)
    assert on.told == [True], "idle, it takes nothing from others"
    await on.busy(0.01)
    assert on.told == [True, False]


async def test_many_short_ones_one_after_the_other_do() -> None:
    on = Stage()
    for _ in range(200):
        await on.busy(0.01)
        await on.idle(0.001)
    assert on.told == [True]


async def test_many_short_ones_do_not_when_it_is_idle_for_as_long_as_it_is_busy() -> None:
    on = Stage()
    for _ in range(200):
        await on.busy(0.01)
        await on.idle(0.011)
    assert on.told == []


async def test_it_gains_nothing_by_dying_again_and_again() -> None:
    on = Stage()
    for _ in range(3):
        await on.busy(1)
        on.replace()
    assert on.told == [True, "replaced"] * 3
    await on.idle(MOST_CREDIT_SECONDS)
    await on.busy(MOST_CREDIT_SECONDS / 2)
    assert on.told == [True, "replaced"] * 3, "but when it was quiet for a while"


async def test_it_goes_on_giving_way_until_half_of_its_credit_is_back() -> None:
    on = Stage()
    await on.busy(1)
    await on.idle(MOST_CREDIT_SECONDS * 0.4)
    await on.busy(0.001)
    assert on.told == [True]
    await on.idle(MOST_CREDIT_SECONDS * 0.2)
    await on.busy(0.001)
    assert on.told == [True, False]


async def test_the_limit_is_kept_to_the_moment_whether_it_gives_way_or_not() -> None:
    for limit_seconds in (MOST_CREDIT_SECONDS / 2, MOST_CREDIT_SECONDS, 3.0):
        on = Stage()
        await on.busy(limit_seconds * 0.999, limit_seconds=limit_seconds)
        assert "late" not in on.told
        await on.idle(60)
        assert "late" not in on.told, "it has ended in time"
        await on.busy(limit_seconds * 1.001, limit_seconds=limit_seconds)
        assert on.told[-1] == "late"
    on = Stage()
    await on.busy(1)
    await on.busy(0.5, limit_seconds=0.4)
    assert on.told == [True, "late"]


async def test_the_limit_is_kept_even_where_giving_way_fails() -> None:
    on = Stage()

    def broken(*, to_others: bool) -> None:
        raise OSError(f"read-only, {to_others}")

    on.give_way = broken  # type: ignore[method-assign]
    with suppress(OSError):
        await on.busy(1, limit_seconds=3.0)
    await on.clock.advance(3)
    assert on.told == ["late"]


async def test_short_invocations_one_after_the_other_share_their_timers() -> None:
    on = Stage()
    for _ in range(1000):
        await on.busy(0.0004)
        await on.idle(0.0006)
    assert on.told == []
    assert on.clock.timers <= 1 + 1.0 / MOST_CREDIT_SECONDS * 2


async def test_nothing_is_due_any_more_of_a_sandbox_that_has_ended() -> None:
    on = Stage()
    await on.busy(0.01)
    on.end()
    on.end()
    assert on.clock.pending == 0


MILLISECONDS = st.integers(1, 400)


@settings(deadline=None)
@given(st.lists(st.tuples(MILLISECONDS, MILLISECONDS, MILLISECONDS), max_size=12))
async def test_whatever_came_before_each_limit_and_each_credit_is_kept_to_the_moment(
    steps: list[tuple[int, int, int]],
) -> None:
    """Each step is busy for some time, has a limit, and is idle for some time, in milliseconds."""
    on = Stage()
    expected: list[object] = []
    most = credit = MOST_CREDIT_SECONDS * 1000
    gives_way = False
    for busy, limit, idle in steps:
        assume(busy not in (limit, credit) and credit not in (limit, most / 2))  # a tie is decided by rounding
        if gives_way and credit >= most / 2:
            gives_way = False
            expected.append(False)
        if not gives_way and credit < limit and credit <= busy:
            gives_way = True
            expected.append(True)
        if limit <= busy:
            expected.append("late")
        credit = min(most, max(0, credit - busy) + idle)
        await on.busy(busy / 1000, limit_seconds=limit / 1000)
        await on.idle(idle / 1000)
        assert on.told == expected
