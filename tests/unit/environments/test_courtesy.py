"""A sandbox gives way when it is busy for long, in one invocation or in many, and not when it isn't."""

from contextlib import suppress

from lampion.clock.virtual import VirtualClock
from lampion.environments.courtesy import MOST_CREDIT_SECONDS, Courtesy


class Stage:
    """A sandbox's courtesy; `told` lists what it was told of giving way, and "late"."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
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
