"""What environments count of the host's memory, and that all that exist fit."""

from dataclasses import dataclass

import pytest

from lampion.environments.room import Room, Space

MIB = 2**20


@dataclass(eq=False)
class One:
    memory_mib: int
    used_bytes: int = 0


def test_one_that_starts_or_works_counts_all_that_it_may_use_and_a_frozen_one_what_it_has() -> None:
    room, one = Room(Space(9, 1000)), One(400)
    room.enter(one)
    assert (len(room), room.used_mib, room.free) == (1, 400, Space(8, 600))
    one.used_bytes = 30 * MIB + 1
    room.rest(one)
    assert (room.used_mib, room.charge_of(one), room.growth_of(one)) == (31, 31, 369)
    assert room.work(one)
    assert (room.used_mib, room.growth_of(one)) == (400, 0)
    assert room.work(one), "again: nothing more"
    assert room.used_mib == 400
    room.leave(one)
    room.leave(one)
    assert (len(room), room.free) == (0, Space(9, 1000))


def test_one_works_only_if_it_fits() -> None:
    room, idle, busy = Room(Space(9, 1000)), One(600, 100 * MIB), One(500)
    room.enter(idle)
    room.rest(idle)
    room.enter(busy)
    assert not room.work(idle)
    assert room.used_mib == 600
    room.leave(busy)
    assert room.work(idle)
    assert room.used_mib == 600


def test_where_nobody_can_tell_what_is_used_all_counts() -> None:
    room, one = Room(Space(9, 1000)), One(400, used_bytes=0)
    room.enter(one)
    room.rest(one)
    assert room.used_mib == 400


def test_one_never_counts_more_than_it_may_use() -> None:
    """What is shared with others is counted by the kernel with who touched it first."""
    room, one = Room(Space(9, 1000)), One(128, used_bytes=200 * MIB)
    room.enter(one)
    room.rest(one)
    assert room.used_mib == 128


def test_a_function_larger_than_the_host_counts_as_all_of_it() -> None:
    room, one = Room(Space(9, 1000)), One(10_240, 10 * MIB)
    assert room.size_of(10_240) == 1000
    room.enter(one)
    assert room.free == Space(8, 0)
    room.rest(one)
    assert room.growth_of(one) == 990
    assert room.work(one)
    assert room.free == Space(8, 0)


def test_what_is_ending_is_not_free_yet() -> None:
    room, one, two = Room(Space(2, 1000)), One(400), One(300)
    for each in (one, two):
        room.enter(each)
        room.leave_soon(each)
    assert (room.free, room.soon_free) == (Space(0, 300), Space(2, 700))
    room.leave(one)
    assert (room.free, room.soon_free) == (Space(1, 700), Space(1, 300))


@pytest.mark.parametrize(
    ("space", "fitting"),
    [(Space(3, 1000), 3), (Space(9, 1000), 7), (Space(9, 127), 0), (Space(-1, 1000), 0), (Space(3, -500), 0)],
)
def test_how_many_fit(space: Space, fitting: int) -> None:
    assert space.fits(128) == fitting
