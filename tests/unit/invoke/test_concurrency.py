"""Who may run at once: what is reserved is a function's alone, and all of it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.domain.alias import Alias
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.concurrency import Commitments, ReservedConcurrency
from lampion.domain.errors import TooManyRequestsException
from lampion.domain.function import Function
from lampion.domain.provisioned_concurrency import ProvisionedConcurrency
from lampion.invoke.concurrency import Concurrency, Division
from lampion.store.aliases import ALIASES
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.concurrency import PROVISIONED, RESERVED, reserved_place
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources, MemoryTables
from tests.component.store.samples import function as sample

ACCOUNT, REGION = "123456789012", "us-east-1"
ACCOUNT_RATE, FUNCTION_RATE = "FunctionInvocationRateLimitExceeded", "ReservedFunctionInvocationRateLimitExceeded"
ACCOUNT_FULL, FUNCTION_FULL = "ConcurrentInvocationLimitExceeded", "ReservedFunctionConcurrentInvocationLimitExceeded"


def key(name: str, *, account_id: str = ACCOUNT, region: str = REGION) -> FunctionKey:
    return FunctionKey(account_id, region, name)


def function(name: str, *, version: str = LATEST, **where: str) -> Function:
    return replace(sample(), key=key(name, **where), version=version)


def setting_aside(provisioned: Mapping[str, int] | None = None, **reserved: int) -> Commitments:
    """Reserved by function; provisioned by function and version, as in "f:1"."""
    given = {tuple(name.split(":")): n for name, n in (provisioned or {}).items()}
    return Commitments(reserved=reserved, provisioned=given)  # type: ignore[arg-type]


def division(limit: int, provisioned: Mapping[str, int] | None = None, **reserved: int) -> Division:
    made = Division(limit, 0.0)
    made.divide(setting_aside(provisioned, **reserved), 0.0)
    return made


def of(name: str) -> tuple[str, str]:
    function, _, version = name.partition(":")
    return function, version or LATEST


def taken(division: Division, *names: str) -> Division:
    for name in names:
        division.take(*of(name))
    return division


def refused(division: Division, name: str, now: float | None = None) -> str:
    with pytest.raises(TooManyRequestsException) as caught:
        division.take(*of(name), now)
    assert caught.value.message == "Rate Exceeded."
    assert caught.value.members.get("retryAfterSeconds") == (None if now is None else "1")
    return caught.value.members["Reason"]


def test_all_together_run_no_more_than_the_limit() -> None:
    full = taken(division(3), "f", "g", "f")
    assert refused(full, "f") == refused(full, "h") == ACCOUNT_FULL
    full.release(*of("g"))
    taken(full, "h")
    assert refused(full, "f") == ACCOUNT_FULL


def test_a_function_runs_no_more_than_it_reserves() -> None:
    full = taken(division(10, f=2), "f", "f")
    assert refused(full, "f") == FUNCTION_FULL
    full.release(*of("f"))
    taken(full, "f")
    assert refused(full, "f") == FUNCTION_FULL


def test_a_function_that_reserves_nothing_at_all_is_off() -> None:
    assert refused(division(10, f=0), "f") == FUNCTION_FULL


def test_what_is_reserved_is_not_for_others_and_what_is_not_is_not_for_it() -> None:
    full = taken(division(5, f=3), "g", "g")
    assert refused(full, "g") == refused(full, "h") == ACCOUNT_FULL
    taken(full, "f", "f", "f")
    assert refused(full, "f") == FUNCTION_FULL
    full.release(*of("f"))
    assert refused(full, "g") == ACCOUNT_FULL


def test_what_runs_already_counts_where_it_belongs_when_the_reservations_change() -> None:
    moved = taken(division(4), "f", "f", "g")
    moved.divide(setting_aside(f=2), 0.0)
    assert refused(moved, "f") == FUNCTION_FULL
    assert refused(taken(moved, "g"), "g") == ACCOUNT_FULL
    moved.divide(setting_aside(f=1), 0.0)  # less than runs: those end in peace
    moved.release(*of("f"))
    assert refused(moved, "f") == FUNCTION_FULL
    moved.release(*of("f"))
    taken(moved, "f")
    moved.divide(setting_aside(), 0.0)
    assert moved.running == 3
    assert refused(taken(moved, "f"), "g") == ACCOUNT_FULL
    for name in ("f", "f", "g", "g"):
        moved.release(*of(name))
    assert moved.running == 0
    assert refused(taken(moved, "h", "h", "h", "h"), "h") == ACCOUNT_FULL


def test_a_limit_below_what_is_reserved_leaves_nothing_to_others() -> None:
    low = division(2, f=5)
    assert refused(low, "g") == ACCOUNT_FULL
    assert refused(taken(low, "f", "f"), "f") == ACCOUNT_FULL, "and is never exceeded"


def test_what_runs_on_what_is_set_aside_since_counts_until_it_ends() -> None:
    full = taken(division(3), "g", "g", "g")
    full.divide(setting_aside(f=2), 0.0)
    assert refused(full, "f") == ACCOUNT_FULL
    full.release("g", LATEST)
    assert refused(full, "g") == ACCOUNT_FULL
    taken(full, "f")


def test_what_is_provisioned_is_taken_from_what_nobody_reserves() -> None:
    full = taken(division(5, {"f:1": 3}), "g", "g")
    assert refused(full, "g") == refused(full, "f") == refused(full, "f:2") == ACCOUNT_FULL
    taken(full, "f:1", "f:1", "f:1")
    assert refused(full, "f:1") == ACCOUNT_FULL
    full.release("g", LATEST)
    taken(full, "f:1")
    assert refused(full, "g") == ACCOUNT_FULL, "it has spilled over to what is left"


def test_what_is_provisioned_is_part_of_what_its_function_reserves() -> None:
    full = taken(division(10, {"f:1": 2}, f=3), "f")
    assert refused(full, "f") == refused(full, "f:2") == FUNCTION_FULL
    taken(full, "f:1", "f:1")
    assert refused(full, "f:1") == FUNCTION_FULL
    full.release("f", LATEST)
    taken(full, "f:1")
    assert full.running == 3


def test_where_all_that_is_reserved_is_provisioned_nothing_else_of_the_function_runs() -> None:
    all_of_it = division(10, {"f:1": 2}, f=2)
    assert refused(all_of_it, "f") == FUNCTION_FULL
    assert refused(taken(all_of_it, "f:1", "f:1"), "f:1") == FUNCTION_FULL


def test_what_runs_already_counts_where_it_belongs_when_something_is_provisioned_or_moves() -> None:
    moved = taken(division(4), "f:1", "f:1", "f:2")
    moved.divide(setting_aside({"f:1": 2}), 0.0)
    assert refused(taken(moved, "g"), "g") == ACCOUNT_FULL
    moved.divide(setting_aside({"f:2": 2}), 0.0)
    moved.release("f", "1")
    assert refused(moved, "g") == ACCOUNT_FULL, "that of version 1 and g have what is left"
    taken(moved, "f:2")
    moved.release("f", "2")
    taken(moved, "f:2")
    for name in ("f:1", "f:2", "f:2", "g"):
        moved.release(*of(name))
    assert moved.running == 0
    assert refused(taken(moved, "g", "g"), "g") == ACCOUNT_FULL


def test_a_function_never_runs_more_than_it_reserves_while_what_is_provisioned_moves() -> None:
    moved = taken(division(10, {"f:1": 2}, f=3), "f:1", "f:1", "f")
    moved.divide(setting_aside({"f:2": 2}, f=3), 0.0)
    assert refused(moved, "f:2") == FUNCTION_FULL
    moved.release("f", "1")
    assert refused(taken(moved, "f:2"), "f:2") == FUNCTION_FULL


def test_ten_requests_in_a_second_for_each_unit_of_concurrency() -> None:
    busy = division(3, f=1)
    for name, most, reason in (("f", 10, FUNCTION_RATE), ("g", 20, ACCOUNT_RATE)):
        for _ in range(most):
            busy.take(name, LATEST, 0.0)
            busy.release(name, LATEST)
        assert refused(busy, name, 0.0) == reason
        busy.take(name, LATEST)  # an event that was accepted before
        busy.release(name, LATEST)
    assert refused(busy, "f", 0.09) == FUNCTION_RATE
    busy.take("f", LATEST, 0.11)
    busy.release("f", LATEST)
    for _ in range(10):
        busy.take("f", LATEST, 60.0)
        busy.release("f", LATEST)
    assert refused(busy, "f", 60.0) == FUNCTION_RATE, "a pause saves no more than a second's"
    assert busy.running == 0


def test_a_refused_request_takes_none_of_those_in_a_second() -> None:
    full = division(10, f=1)
    full.take("f", LATEST, 0.0)
    for _ in range(20):
        with pytest.raises(TooManyRequestsException):
            full.take("f", LATEST, 0.0)
    full.release("f", LATEST)
    full.take("f", LATEST, 0.0)


def test_the_requests_in_a_second_follow_what_is_reserved() -> None:
    changed = division(100, f=1)
    for _ in range(10):
        changed.take("f", LATEST, 0.0)
        changed.release("f", LATEST)
    changed.divide(setting_aside(f=5), 1.0)
    for _ in range(10):  # as many as had come meanwhile
        changed.take("f", LATEST, 1.0)
        changed.release("f", LATEST)
    for _ in range(50):
        changed.take("f", LATEST, 2.0)
        changed.release("f", LATEST)
    assert refused(changed, "f", 2.0) == FUNCTION_RATE
    changed.divide(setting_aside(), 2.0)
    changed.take("f", LATEST, 2.0)


@pytest.fixture
def resources() -> CachedResources:
    return CachedResources(MemoryResources(MemoryTables()), CachedFunctions(MemoryFunctions()))


async def test_an_admission_is_given_back_whatever_happens(resources: CachedResources) -> None:
    concurrency = Concurrency(1, resources, VirtualClock())

    async def fail() -> None:
        async with concurrency.admit(function("f")):
            assert concurrency.running(ACCOUNT, REGION) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert concurrency.running(ACCOUNT, REGION) == 0
    async with concurrency.admit(function("f")):
        with pytest.raises(TooManyRequestsException):
            async with concurrency.admit(function("g")):
                pass
    assert concurrency.running(ACCOUNT, REGION) == 0


async def test_accounts_and_regions_have_limits_of_their_own(resources: CachedResources) -> None:
    concurrency = Concurrency(1, resources, VirtualClock())
    async with (
        concurrency.admit(function("f")),
        concurrency.admit(function("f", region="eu-west-1")),
        concurrency.admit(function("f", account_id="210987654321")),
    ):
        assert concurrency.running(ACCOUNT, "eu-west-1") == 1


async def test_a_reservation_holds_from_its_answer_on(resources: CachedResources) -> None:
    concurrency, reserved = Concurrency(10, resources, VirtualClock()), ReservedConcurrency(key=key("f"), executions=0)
    async with concurrency.admit(function("f")):
        await resources.change(lambda stored: stored.put(RESERVED, reserved))
        with pytest.raises(TooManyRequestsException):
            async with concurrency.admit(function("f")):
                pass
    await resources.change(lambda stored: stored.delete(RESERVED, reserved_place(key("f"))))
    async with concurrency.admit(function("f")):
        pass
    await resources.change(lambda stored: stored.put(RESERVED, reserved))
    await resources.change(lambda stored: stored.delete_function(key("f")))
    async with concurrency.admit(function("f")):
        pass


async def test_what_is_provisioned_for_an_alias_counts_for_its_version_from_the_answer_on(
    resources: CachedResources,
) -> None:
    concurrency = Concurrency(2, resources, VirtualClock())
    alias = Alias(key=key("f"), name="live", function_version="1", revision_id="r")
    config = ProvisionedConcurrency(key=key("f"), qualifier="live", executions=2, last_modified_epoch_ms=0)
    await resources.change(lambda stored: stored.put(ALIASES, alias))
    async with concurrency.admit(function("g")):
        pass
    await resources.change(lambda stored: stored.put(PROVISIONED, config))
    with pytest.raises(TooManyRequestsException):
        async with concurrency.admit(function("g")):
            pass
    async with concurrency.admit(function("f", version="1")), concurrency.admit(function("f", version="1")):
        pass
    await resources.change(lambda stored: stored.put(ALIASES, replace(alias, function_version="2")))
    with pytest.raises(TooManyRequestsException):
        async with concurrency.admit(function("f", version="1")):
            pass
    async with concurrency.admit(function("f", version="2")):
        pass
    await resources.change(lambda stored: stored.delete_owned(key("f"), "live"))
    async with concurrency.admit(function("g")):
        pass
    assert concurrency.running(ACCOUNT, REGION) == 0
