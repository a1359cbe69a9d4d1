"""Who may run at once: what is reserved is a function's alone, and all of it."""

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.concurrency import ReservedConcurrency
from lampion.domain.errors import TooManyRequestsException
from lampion.invoke.concurrency import Concurrency, Division
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.concurrency import RESERVED, reserved_place
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources, MemoryTables

ACCOUNT, REGION = "123456789012", "us-east-1"
ACCOUNT_FULL, FUNCTION_FULL = "ConcurrentInvocationLimitExceeded", "ReservedFunctionConcurrentInvocationLimitExceeded"


def key(name: str, *, account_id: str = ACCOUNT, region: str = REGION) -> FunctionKey:
    return FunctionKey(account_id, region, name)


def reserving(**reserved: int) -> tuple[ReservedConcurrency, ...]:
    return tuple(ReservedConcurrency(key=key(name), executions=n) for name, n in reserved.items())


def division(limit: int, **reserved: int) -> Division:
    made = Division(limit)
    made.divide(reserving(**reserved))
    return made


def taken(division: Division, *names: str) -> Division:
    for name in names:
        division.take(name)
    return division


def refused(division: Division, name: str) -> str:
    with pytest.raises(TooManyRequestsException) as caught:
        division.take(name)
    assert caught.value.message == "Rate Exceeded."
    return caught.value.members["Reason"]


def test_all_together_run_no_more_than_the_limit() -> None:
    full = taken(division(3), "f", "g", "f")
    assert refused(full, "f") == refused(full, "h") == ACCOUNT_FULL
    full.release("g")
    taken(full, "h")
    assert refused(full, "f") == ACCOUNT_FULL


def test_a_function_runs_no_more_than_it_reserves() -> None:
    full = taken(division(10, f=2), "f", "f")
    assert refused(full, "f") == FUNCTION_FULL
    full.release("f")
    taken(full, "f")
    assert refused(full, "f") == FUNCTION_FULL


def test_a_function_that_reserves_nothing_at_all_is_off() -> None:
    assert refused(division(10, f=0), "f") == FUNCTION_FULL


def test_what_is_reserved_is_not_for_others_and_what_is_not_is_not_for_it() -> None:
    full = taken(division(5, f=3), "g", "g")
    assert refused(full, "g") == refused(full, "h") == ACCOUNT_FULL
    taken(full, "f", "f", "f")
    assert refused(full, "f") == FUNCTION_FULL
    full.release("f")
    assert refused(full, "g") == ACCOUNT_FULL


def test_what_runs_already_counts_where_it_belongs_when_the_reservations_change() -> None:
    moved = taken(division(4), "f", "f", "g")
    moved.divide(reserving(f=2))
    assert refused(moved, "f") == FUNCTION_FULL
    assert refused(taken(moved, "g"), "g") == ACCOUNT_FULL
    moved.divide(reserving(f=1))  # less than runs: those end in peace
    moved.release("f")
    assert refused(moved, "f") == FUNCTION_FULL
    moved.release("f")
    taken(moved, "f")
    moved.divide(())
    assert moved.running == 3
    assert refused(taken(moved, "f"), "g") == ACCOUNT_FULL
    for name in ("f", "f", "g", "g"):
        moved.release(name)
    assert moved.running == 0
    assert refused(taken(moved, "h", "h", "h", "h"), "h") == ACCOUNT_FULL


def test_a_limit_below_what_is_reserved_leaves_nothing_to_others() -> None:
    low = division(2, f=5)
    assert refused(low, "g") == ACCOUNT_FULL
    taken(low, "f", "f", "f", "f", "f")


@pytest.fixture
def resources() -> CachedResources:
    return CachedResources(MemoryResources(MemoryTables()), CachedFunctions(MemoryFunctions()))


async def test_an_admission_is_given_back_whatever_happens(resources: CachedResources) -> None:
    concurrency = Concurrency(1, resources)

    async def fail() -> None:
        async with concurrency.admit(key("f")):
            assert concurrency.running(ACCOUNT, REGION) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert concurrency.running(ACCOUNT, REGION) == 0
    async with concurrency.admit(key("f")):
        with pytest.raises(TooManyRequestsException):
            async with concurrency.admit(key("g")):
                pass
    assert concurrency.running(ACCOUNT, REGION) == 0


async def test_accounts_and_regions_have_limits_of_their_own(resources: CachedResources) -> None:
    concurrency = Concurrency(1, resources)
    async with (
        concurrency.admit(key("f")),
        concurrency.admit(key("f", region="eu-west-1")),
        concurrency.admit(key("f", account_id="210987654321")),
    ):
        assert concurrency.running(ACCOUNT, "eu-west-1") == 1


async def test_a_reservation_holds_from_its_answer_on(resources: CachedResources) -> None:
    concurrency, reserved = Concurrency(10, resources), reserving(f=0)[0]
    async with concurrency.admit(key("f")):
        await resources.change(lambda stored: stored.put(RESERVED, reserved))
        with pytest.raises(TooManyRequestsException):
            async with concurrency.admit(key("f")):
                pass
    await resources.change(lambda stored: stored.delete(RESERVED, reserved_place(key("f"))))
    async with concurrency.admit(key("f")):
        pass
    await resources.change(lambda stored: stored.put(RESERVED, reserved))
    await resources.change(lambda stored: stored.delete_function(key("f")))
    async with concurrency.admit(key("f")):
        pass
