"""Who gets room on a host that has too little, and who makes some."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from lampion.environments.fairness import gives_way, least_served, work_of
from lampion.environments.version_pool import Turn, VersionPool
from tests.unit.environments.pool_stage import function

if TYPE_CHECKING:
    import asyncio


def pool(name: str, *, at_work: int = 0, since: float | None = None, tenant: str | None = None) -> VersionPool:
    """`since` when somebody waits."""
    of = function(name)
    made = VersionPool((of.key, of.version, tenant), of, 128, busy=at_work)
    if since is not None:
        made.waiting.append(Turn(cast("asyncio.Future[Any]", None), since))
    return made


def test_the_function_with_the_least_at_work_comes_first_then_who_waits_longest() -> None:
    busy, first, second = pool("a", at_work=2, since=1), pool("b", at_work=1, since=3), pool("c", at_work=1, since=2)
    work = work_of([busy, first, second])
    assert least_served([busy, first, second], work) is second
    assert least_served([busy, first], work) is first


def test_versions_and_tenants_of_a_function_share_alike() -> None:
    blue, red, other = (
        pool("t", at_work=2, since=1, tenant="blue"),
        pool("t", at_work=0, since=5, tenant="red"),
        pool("x", at_work=3, since=0),
    )
    assert least_served([other, blue, red], work_of([other, blue, red])) is red


@pytest.mark.parametrize(
    ("holder", "others", "now", "expected"),
    [
        pytest.param(pool("a", at_work=3), [], 10, False, id="nobody wants any"),
        pytest.param(pool("a", at_work=1), [pool("b", since=9.9)], 10, True, id="it has more"),
        pytest.param(pool("a", at_work=0), [pool("b", since=9.9)], 10, False, id="no more, and asked just now"),
        pytest.param(pool("a", at_work=0), [pool("b", since=9.0)], 10, True, id="turn by turn where there is little"),
        pytest.param(pool("a", at_work=1), [pool("b", at_work=2, since=0)], 10, False, id="it has less"),
        pytest.param(pool("a", at_work=5), [pool("b")], 10, False, id="nobody waits there any more"),
        pytest.param(
            pool("t", at_work=2, tenant="blue"), [pool("t", since=9.9, tenant="red")], 10, True, id="another tenant"
        ),
    ],
)
def test_who_makes_room(holder: VersionPool, others: list[VersionPool], now: float, expected: bool) -> None:
    assert gives_way(holder, [holder, *others], work_of([holder, *others]), now) is expected
