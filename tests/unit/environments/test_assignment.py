"""The assignment of environments to waiting requests, case by case and as invariants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampion.environments.assignment import Assignment, Demand, assign

COUNT = st.integers(0, 50)


def demand(**counts: int) -> Demand:
    usual = {"waiting": 0, "idle": 0, "starting": 0, "environments": 0, "capacity": 10, "evictable": 0, "launches": 9}
    return Demand(**(usual | counts))


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(demand(), Assignment(), id="nobody waits"),
        pytest.param(demand(waiting=1), Assignment(start=1), id="a cold start"),
        pytest.param(demand(waiting=1, idle=1, environments=1), Assignment(reuse=1), id="a warm start"),
        pytest.param(demand(waiting=3, idle=1, environments=1), Assignment(reuse=1, start=2), id="both"),
        pytest.param(demand(waiting=2, starting=2, environments=2), Assignment(), id="enough are under way"),
        pytest.param(demand(waiting=3, starting=1, environments=1), Assignment(start=2), id="one is under way"),
        pytest.param(demand(waiting=1, environments=10), Assignment(), id="the host is full"),
        pytest.param(demand(waiting=2, environments=9), Assignment(start=1), id="room for one of two"),
        pytest.param(
            demand(waiting=1, environments=10, evictable=3), Assignment(start=1, evict=1), id="others' idle ones go"
        ),
        pytest.param(
            demand(waiting=5, environments=9, evictable=2), Assignment(start=3, evict=2), id="room, then eviction"
        ),
        pytest.param(demand(waiting=0, idle=3, environments=10, evictable=5), Assignment(), id="no need, no eviction"),
        pytest.param(demand(waiting=5, launches=2), Assignment(start=2), id="two launches at once are enough"),
        pytest.param(demand(waiting=5, launches=0, starting=2), Assignment(), id="and these are under way"),
        pytest.param(
            demand(waiting=5, environments=10, evictable=3, launches=2), Assignment(start=2, evict=2), id="evict as few"
        ),
        pytest.param(demand(waiting=1, environments=12), Assignment(), id="over capacity after it was lowered"),
    ],
)
def test_cases(situation: Demand, expected: Assignment) -> None:
    assert assign(situation) == expected


@given(waiting=COUNT, idle=COUNT, starting=COUNT, busy=COUNT, capacity=COUNT, evictable=COUNT, launches=COUNT)
def test_invariants(
    waiting: int, idle: int, starting: int, busy: int, capacity: int, evictable: int, launches: int
) -> None:
    environments = idle + starting + busy + evictable
    decision = assign(
        demand(
            waiting=waiting,
            idle=idle,
            starting=starting,
            environments=environments,
            capacity=capacity,
            evictable=evictable,
            launches=launches,
        )
    )
    assert 0 <= decision.reuse <= min(waiting, idle)
    assert 0 <= decision.evict <= evictable
    assert 0 <= decision.start <= launches
    assert decision.reuse + decision.start + starting <= max(waiting, decision.reuse + starting)
    assert environments + decision.start - decision.evict <= max(capacity, environments)
    assert decision.evict == 0 or decision.start > 0
