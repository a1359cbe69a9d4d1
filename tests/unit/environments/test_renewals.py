"""Keys that end: an environment is replaced before, never in its work; one made ahead has its successor first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from lampion.environments.provisioned import NONE, Provisioned
from lampion.environments.renewals import REPLACEMENT_SECONDS, Renewals
from tests.unit.environments.pool_stage import Stage, function, settle, stage

if TYPE_CHECKING:
    from lampion.clock.clock import Clock
    from lampion.environments.environment import Environment

VERSION = function(version="1")
LIFETIME_SECONDS = 12 * 3600.0
DUE_SECONDS = LIFETIME_SECONDS - 900 - REPLACEMENT_SECONDS - 60


@dataclass
class Keys:
    """That end, or are replaced by others without anybody's doing."""

    end_epoch_seconds: float | None
    are_void: bool = False

    async def count(self) -> bool:
        return not self.are_void


@dataclass(eq=False)
class _Worn:
    """As much of an environment as has keys."""

    keys: Keys


class _Jumping:
    """A clock of which the time of day is set."""

    def __init__(self) -> None:
        self.now_seconds = 0.0
        self.timers: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> float:
        return self.now_seconds

    def call_later(self, seconds: float, call: Callable[[], object]) -> None:
        self.timers.append((seconds, call))


def with_keys(on: Stage, *, end: bool = True) -> None:
    """All environments from now on have them."""
    on.new_keys = lambda: Keys(on.clock.now() + LIFETIME_SECONDS if end else None)


def stopped(on: Stage) -> list[bool]:
    return [environment.stopped for environment in on.made]


async def test_one_that_works_begins_nothing_more_and_ends_with_its_work() -> None:
    async with stage() as on:
        with_keys(on)
        async with on.pool.acquire(VERSION):
            await on.clock.advance(DUE_SECONDS + 1)
            assert (stopped(on), on.made[0].is_spent) == ([False], True)
            on.made[0].is_reusable = False  # as it is with the real one
        await settle()
        assert stopped(on) == [True]
        async with on.pool.acquire(VERSION):
            assert len(on.made) == 2


async def test_one_without_work_ends_at_once_and_not_before() -> None:
    async with stage() as on:
        with_keys(on)
        async with on.pool.acquire(VERSION):
            await on.clock.advance(DUE_SECONDS - 10)
        await on.clock.advance(9)
        assert stopped(on) == [False]
        await on.clock.advance(2)
        assert stopped(on) == [True]


def test_a_machine_that_slept_notices_within_a_minute() -> None:
    """Keys end by the time of day; timers wait for time in which the machine runs."""
    clock, renewed = _Jumping(), list[object]()
    worn = _worn(LIFETIME_SECONDS)
    renewals = Renewals(cast("Clock", clock), renewed.append)
    renewals.add(worn)
    clock.now_seconds = LIFETIME_SECONDS
    seconds, look = clock.timers.pop()
    assert (seconds <= 60, renewed) == (True, [])
    look()
    assert renewed == [worn]


def test_one_that_is_launched_again_is_due_after_those_that_were_launched_before() -> None:
    clock, renewed = _Jumping(), list[object]()
    renewals = Renewals(cast("Clock", clock), renewed.append)
    again, other = _worn(LIFETIME_SECONDS), _worn(LIFETIME_SECONDS + 10)
    renewals.add(again)
    renewals.add(other)
    again.keys = _worn(2 * LIFETIME_SECONDS).keys
    renewals.add(again)
    clock.now_seconds = LIFETIME_SECONDS
    clock.timers.pop()[1]()
    assert renewed == [other]


def _worn(end_epoch_seconds: float) -> "Environment":
    return cast("Environment", _Worn(Keys(end_epoch_seconds)))


async def test_keys_that_renew_themselves_end_nothing() -> None:
    async with stage() as on:
        with_keys(on, end=False)
        async with on.pool.acquire(VERSION):
            await on.clock.advance(10 * LIFETIME_SECONDS)
            assert not on.made[0].is_spent


@pytest.mark.parametrize("busy", [False, True])
async def test_the_successor_of_one_made_ahead_is_ready_first(busy: bool) -> None:
    async with stage(ready=False) as on:
        with_keys(on)
        on.pool.provision(VERSION, 1)
        await settle()
        on.made[0].ready()
        await settle()
        work = on.pool.acquire(VERSION)
        if busy:
            await work.__aenter__()
        await on.clock.advance(DUE_SECONDS + 1)
        assert ([one.is_ahead for one in on.made], stopped(on)) == ([True, True], [False, False])
        assert state(on).ready == 1
        on.made[1].ready()
        await settle()
        assert (stopped(on), state(on)) == ([not busy, False], Provisioned(1, 1))
        if busy:
            await work.__aexit__(None, None, None)
            await settle()
        assert (stopped(on), state(on)) == ([True, False], Provisioned(1, 1))
        await on.clock.advance(2 * REPLACEMENT_SECONDS)
        assert (stopped(on), state(on)) == ([True, False], Provisioned(1, 1))


async def test_without_room_for_a_successor_it_works_on_as_long_as_its_keys_allow() -> None:
    async with stage(capacity=1) as on:
        with_keys(on)
        on.pool.provision(VERSION, 1)
        await on.clock.advance(DUE_SECONDS + REPLACEMENT_SECONDS - 10)
        assert (stopped(on), state(on).ready) == ([False], 1)
        await on.clock.advance(11)
        assert (stopped(on), state(on)) == ([True, False], Provisioned(1, 1))


async def test_one_that_works_beyond_its_last_moment_begins_nothing_more() -> None:
    async with stage(capacity=1) as on:
        with_keys(on)
        on.pool.provision(VERSION, 1)
        await settle()
        async with on.pool.acquire(VERSION):
            await on.clock.advance(DUE_SECONDS + REPLACEMENT_SECONDS - 1)
            assert not on.made[0].is_spent
            await on.clock.advance(2)
            assert (stopped(on), on.made[0].is_spent) == ([False], True)


async def test_of_one_that_has_ended_nothing_is_kept() -> None:
    async with stage() as on:
        with_keys(on)
        async with on.pool.acquire(VERSION):
            on.made[0].is_reusable = False
        await settle()
        assert stopped(on) == [True]
        assert not vars(vars(on.pool)["_renewals"])["_live"]


async def test_one_whose_keys_are_void_before_it_is_ready_gives_way_to_another_at_once() -> None:
    async with stage(ready=False) as on:
        with_keys(on)
        on.pool.provision(VERSION, 1)
        await settle()
        on.made[0].launched()
        await settle()
        on.made[0].keys.are_void = True
        await on.pool.renew_where_keys_are_void("123456789012")
        on.made[0].ready()
        on.made[0].is_reusable = False  # as it is with the real one
        await settle()
        assert (stopped(on), state(on)) == ([True, False], Provisioned())
        on.made[1].ready()
        await settle()
        assert state(on) == Provisioned(1, 1)


async def test_fewer_wanted_ones_end_the_worn_before_others() -> None:
    async with stage(ready=False) as on:
        with_keys(on)
        on.pool.provision(VERSION, 2)
        await settle()
        on.made[0].ready()
        await settle()
        await on.clock.advance(100)
        on.made[1].ready()
        await on.clock.advance(DUE_SECONDS - 50)
        on.pool.renew(cast("Environment", on.made[0]))
        on.pool.provision(VERSION, 1)
        await settle()
        assert stopped(on)[:2] == [True, False]
        on.pool.unprovision(VERSION.key, "1")
        for environment in on.made[2:]:
            environment.ready()
        await settle()
        assert state(on) == NONE


async def test_what_runs_in_a_role_that_is_gone_is_replaced_in_that_account_alone() -> None:
    async with stage() as on:
        with_keys(on)
        for name in ("a", "b"):
            async with on.pool.acquire(function(name)):
                pass
        on.made[0].keys.are_void = True
        await on.pool.renew_where_keys_are_void("210987654321")
        await settle()
        assert stopped(on) == [False, False]
        await on.pool.renew_where_keys_are_void("123456789012")
        await settle()
        assert stopped(on) == [True, False]


def state(on: Stage) -> Provisioned:
    return on.pool.provisioned_of(VERSION.key, "1")
