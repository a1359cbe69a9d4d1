"""The assignment of environments to waiting requests, case by case and as invariants."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampion.environments.assignment import Assignment, Demand, assign
from lampion.environments.room import Space

COUNT = st.integers(0, 50)
MIB = st.integers(0, 10_000)
SIZE = 128


def demand(**changes: Any) -> Demand:
    usual: dict[str, Any] = {
        "waiting": 0,
        "starting": 0,
        "launches": 9,
        "memory_mib": SIZE,
        "free": Space(10, 10 * SIZE),
    }
    return Demand(**(usual | changes))


def room(environments: int) -> Space:
    return Space(environments, environments * SIZE)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(demand(), Assignment(), id="nobody waits"),
        pytest.param(demand(waiting=1), Assignment(start=1), id="a cold start"),
        pytest.param(demand(waiting=1, growths=[0]), Assignment(reuse=1), id="a warm start"),
        pytest.param(demand(waiting=3, growths=[0]), Assignment(reuse=1, start=2), id="both"),
        pytest.param(demand(waiting=2, starting=2), Assignment(), id="enough are under way"),
        pytest.param(demand(waiting=3, starting=1), Assignment(start=2), id="one is under way"),
        pytest.param(demand(waiting=1, free=room(0)), Assignment(short=1), id="the host is full"),
        pytest.param(demand(waiting=2, free=room(1)), Assignment(start=1, short=1), id="room for one of two"),
        pytest.param(
            demand(waiting=1, free=room(0), evictable=[SIZE] * 3), Assignment(evict=1, short=1), id="others' idle go"
        ),
        pytest.param(
            demand(waiting=5, free=room(1), evictable=[SIZE] * 2), Assignment(start=1, evict=2, short=4), id="all go"
        ),
        pytest.param(demand(growths=[0] * 3, free=room(0), evictable=[SIZE]), Assignment(), id="no need, no eviction"),
        pytest.param(demand(waiting=5, launches=2), Assignment(start=2), id="two launches at once are enough"),
        pytest.param(demand(waiting=5, launches=0, starting=2), Assignment(), id="and these are under way"),
        pytest.param(demand(waiting=5, launches=-1), Assignment(), id="or more of them"),
        pytest.param(
            demand(waiting=5, free=room(0), evictable=[SIZE] * 9, launches=2),
            Assignment(evict=2, short=2),
            id="evict as few as may be launched",
        ),
        pytest.param(demand(waiting=1, free=Space(-2, -300)), Assignment(short=1), id="over capacity"),
        pytest.param(demand(waiting=2, free=Space(9, 200)), Assignment(start=1, short=1), id="memory for one of two"),
        pytest.param(
            demand(waiting=1, free=Space(9, 100), evictable=[10, 10, 10, 10]),
            Assignment(evict=3, short=1),
            id="as many small ones go as make room for it",
        ),
        pytest.param(
            demand(waiting=1, free=Space(9, 50), evictable=[10, 10]), Assignment(short=1), id="none goes for nothing"
        ),
        pytest.param(
            demand(waiting=2, free=Space(9, 0), evictable=[90, 30, 8, 100]),
            Assignment(evict=3, short=2),
            id="nor one more than gives room to some",
        ),
        pytest.param(
            demand(waiting=1, free=room(0), soon_free=room(1), evictable=[SIZE]),
            Assignment(short=1),
            id="what is ending is enough",
        ),
        pytest.param(
            demand(waiting=2, growths=[100, 100], free=Space(9, 150)),
            Assignment(reuse=1, short=1),
            id="an idle one works only if it fits",
        ),
        pytest.param(
            demand(waiting=1, growths=[100], free=Space(0, 50), evictable=[40, 40, 40]),
            Assignment(evict=2, short=1),
            id="room is made for it, too, and no more than it needs",
        ),
        pytest.param(
            demand(waiting=2, growths=[100], free=Space(0, 50), evictable=[60, 110, 120]),
            Assignment(evict=3, short=2),
            id="and then for a start",
        ),
        pytest.param(
            demand(waiting=1, growths=[100], starting=1, free=Space(0, 50), evictable=[60]),
            Assignment(),
            id="but not when one is under way",
        ),
    ],
)
def test_cases(situation: Demand, expected: Assignment) -> None:
    assert assign(situation) == expected


@given(
    waiting=COUNT,
    starting=COUNT,
    launches=COUNT,
    memory_mib=st.integers(1, 3000),
    growths=st.lists(MIB, max_size=20),
    free=st.builds(Space, st.integers(-5, 50), st.integers(-1000, 50_000)),
    soon_free=st.builds(Space, COUNT, MIB),
    evictable=st.lists(MIB, max_size=20),
)
def test_invariants(**situation: Any) -> None:
    decision, of = assign(Demand(**situation)), Demand(**situation)
    used_mib = sum(of.growths[: decision.reuse]) + decision.start * of.memory_mib
    assert used_mib <= max(0, of.free.memory_mib)
    assert decision.start <= max(0, of.free.places)
    assert 0 <= decision.reuse <= min(of.waiting, len(of.growths))
    assert 0 <= decision.start <= of.launches
    assert decision.short <= max(0, of.launches - decision.start) + max(0, len(of.growths) - decision.reuse)
    assert decision.reuse + decision.start + decision.short + of.starting <= max(
        of.waiting, decision.reuse + of.starting
    )
    assert 0 <= decision.evict <= len(situation["evictable"])
    assert not decision.evict or decision.short


@given(
    waiting=st.integers(1, 20),
    memory_mib=st.integers(1, 3000),
    free=st.builds(Space, st.integers(-5, 5), st.integers(-1000, 5000)),
    evictable=st.lists(MIB, max_size=20),
)
def test_as_few_are_evicted_as_serve_as_many_as_can_be(
    waiting: int, memory_mib: int, free: Space, evictable: list[int]
) -> None:
    """Compared with trying all numbers."""
    decision = assign(demand(waiting=waiting, launches=99, memory_mib=memory_mib, free=free, evictable=evictable))

    def served(evicted: int) -> int:
        places = free.places + evicted - decision.start
        left_mib = free.memory_mib + sum(evictable[:evicted]) - decision.start * memory_mib
        return min(decision.short, max(0, min(places, left_mib // memory_mib)))

    best = max(served(number) for number in range(len(evictable) + 1))
    assert decision.evict == next(number for number in range(len(evictable) + 1) if served(number) == best)
