"""What functions may reserve and have provisioned, out of what an account has."""

import pytest

from lampion.domain.concurrency import Claims, Commitments, check_provisioned_total, check_reservation, divided
from lampion.domain.errors import InvalidParameterValueException


def claims(limit: int = 1000, *, reserved: dict[str, int] | None = None, provisioned: dict[str, int] | None = None):
    return Claims(limit=limit, reserved=reserved or {}, provisioned=provisioned or {})


def below_minimum(what: str, least: int) -> str:
    return (
        f"Specified {what} for function decreases account's UnreservedConcurrentExecution "
        f"below its minimum value of [{least}]."
    )


RESERVED, PROVISIONED = "ReservedConcurrentExecutions", "ConcurrentExecutions"


@pytest.mark.parametrize(
    ("others", "executions", "refusal"),
    [
        (claims(), 0, None),
        (claims(), 900, None),
        (claims(), 901, below_minimum(RESERVED, 100)),
        (claims(reserved={"g": 500}), 400, None),
        (claims(reserved={"g": 500}), 401, below_minimum(RESERVED, 100)),
        (claims(provisioned={"g": 500}), 400, None),
        (claims(provisioned={"g": 500}), 401, below_minimum(RESERVED, 100)),
        (claims(reserved={"g": 500}, provisioned={"g": 500}), 400, None),  # the same 500
        (claims(reserved={"f": 900}), 900, None),
        (claims(reserved={"f": 900}), 901, below_minimum(RESERVED, 100)),
        (claims(reserved={"f": 0}), 901, below_minimum(RESERVED, 100)),
        (claims(100), 1, below_minimum(RESERVED, 100)),
        (claims(101), 1, None),
        (claims(10), 1, below_minimum(RESERVED, 10)),
        (claims(10), 0, None),
        (claims(100, reserved={"f": 500}), 400, None),  # the limit was lowered since; less is always allowed
        (claims(100, reserved={"f": 500}), 501, below_minimum(RESERVED, 100)),
        (claims(100, reserved={"g": 500}), 0, None),
    ],
)
def test_what_may_be_reserved(others: Claims, executions: int, refusal: str | None) -> None:
    if refusal is None:
        check_reservation(others, "f", executions)
        return
    with pytest.raises(InvalidParameterValueException) as caught:
        check_reservation(others, "f", executions)
    assert caught.value.message == refusal


def test_what_is_reserved_holds_what_is_provisioned() -> None:
    check_reservation(claims(provisioned={"f": 50}), "f", 50)
    with pytest.raises(InvalidParameterValueException) as caught:
        check_reservation(claims(provisioned={"f": 50}), "f", 49)
    assert caught.value.message == (
        "ReservedConcurrentExecutions  49 should not be lower than function's total provisioned concurrency [50]."
    )


@pytest.mark.parametrize(
    ("others", "executions", "refusal"),
    [
        (claims(), 900, None),
        (claims(), 901, below_minimum(PROVISIONED, 100)),
        (claims(10), 1, below_minimum(PROVISIONED, 10)),
        (claims(reserved={"g": 800}), 101, below_minimum(PROVISIONED, 100)),
        (claims(reserved={"g": 800}), 100, None),
        (claims(reserved={"f": 5}), 5, None),
        (
            claims(reserved={"f": 5}),
            6,
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
        ),
        (claims(50, reserved={"f": 5}), 5, None),  # it comes out of what the function has reserved already
        (claims(100, provisioned={"f": 500}), 499, None),
    ],
)
def test_what_may_be_provisioned(others: Claims, executions: int, refusal: str | None) -> None:
    if refusal is None:
        check_provisioned_total(others, "f", executions)
        return
    with pytest.raises(InvalidParameterValueException) as caught:
        check_provisioned_total(others, "f", executions)
    assert caught.value.message == refusal


@pytest.mark.parametrize(
    ("account", "left"),
    [
        (claims(), 1000),
        (claims(reserved={"f": 300, "g": 0}, provisioned={"h": 200}), 700),
        (claims(100, reserved={"f": 300}), 0),
    ],
)
def test_what_is_unreserved(account: Claims, left: int) -> None:
    assert account.unreserved == left


@pytest.mark.parametrize(
    ("reserved", "provisioned", "rest", "unreserved"),
    [
        ({}, {}, {}, 100),
        ({"f": 30}, {}, {"f": 30}, 70),
        ({}, {("f", "1"): 10, ("f", "2"): 5, ("g", "1"): 5}, {}, 80),
        ({"f": 30}, {("f", "1"): 10, ("f", "2"): 5, ("g", "1"): 5}, {"f": 15}, 65),
        ({"f": 15}, {("f", "1"): 10, ("f", "2"): 5}, {"f": 0}, 85),
        ({"f": 80, "g": 40}, {("h", "1"): 5}, {"f": 80, "g": 40}, 0),  # the limit was lowered since
        ({"f": 95}, {("h", "1"): 10}, {"f": 95}, 0),
    ],
)
def test_how_a_hundred_are_divided(
    reserved: dict[str, int], provisioned: dict[tuple[str, str], int], rest: dict[str, int], unreserved: int
) -> None:
    shares = divided(100, Commitments(reserved=reserved, provisioned=provisioned))
    assert (shares.provisioned, shares.reserved, shares.unreserved) == (provisioned, rest, unreserved)
