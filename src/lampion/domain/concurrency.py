"""How an account's concurrency is divided: what functions reserve, what is provisioned, what is left. Pure.

Source: the Lambda developer guide, pages "Configuring reserved concurrency" and "Monitoring concurrency".
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lampion.domain import limits
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import InvalidParameterValueException


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedConcurrency:
    """The invocations of a function, all versions together, that always may and at most can run at once."""

    key: FunctionKey
    executions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What an account's functions hold of its `limit` in a region, by function name; `provisioned` are sums."""

    limit: int
    reserved: Mapping[str, int]
    provisioned: Mapping[str, int]

    @property
    def unreserved(self) -> int:
        """What is left for functions that reserve nothing (UnreservedConcurrentExecutions)."""
        return unreserved(self.limit, self.reserved)

    def held(self, name: str) -> int:
        """What is provisioned is part of what is reserved, if anything is."""
        return self.reserved.get(name, self.provisioned.get(name, 0))

    def left_by_others(self, name: str) -> int:
        """What is left of the limit when only the other functions hold something."""
        return self.limit - sum(self.held(one) for one in {*self.reserved, *self.provisioned} - {name})


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitments:
    """What is set aside for functions: reserved by name, provisioned by name and version."""

    reserved: Mapping[str, int]
    provisioned: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How a limit is divided: `provisioned` is for a version alone, `reserved` for the rest of a function that
    reserves, `unreserved` for all others. Together never more than the limit, unless more was set aside before.
    """

    provisioned: Mapping[tuple[str, str], int]
    reserved: Mapping[str, int]
    unreserved: int


def divided(limit: int, commitments: Commitments) -> Shares:
    """What is provisioned is part of what its function reserves, or else of what nobody reserves.

    Developer guide, "Understanding Lambda function scaling" and "Configuring provisioned concurrency": when all that
    a function reserves is provisioned, its other versions don't run.
    """
    provisioned: dict[str, int] = {}
    for (name, _), executions in commitments.provisioned.items():
        provisioned[name] = provisioned.get(name, 0) + executions
    reserved = {name: max(0, most - provisioned.get(name, 0)) for name, most in commitments.reserved.items()}
    alone = sum(executions for name, executions in provisioned.items() if name not in reserved)
    return Shares(
        provisioned=commitments.provisioned,
        reserved=reserved,
        unreserved=max(0, unreserved(limit, commitments.reserved) - alone),
    )


def unreserved(limit: int, reserved: Mapping[str, int]) -> int:
    """A limit that was lowered since can be less than what is reserved: then nothing is left."""
    return max(0, limit - sum(reserved.values()))


def check_reservation(claims: Claims, name: str, executions: int) -> None:
    """Raises InvalidParameterValueException when the function can't reserve so much, or so little."""
    provisioned = claims.provisioned.get(name, 0)
    if executions < provisioned:
        raise InvalidParameterValueException(
            f"ReservedConcurrentExecutions  {executions} should not be lower than function's "
            f"total provisioned concurrency [{provisioned}]."
        )
    _check_left(claims, name, executions, "ReservedConcurrentExecutions")


def check_provisioned_total(claims: Claims, name: str, executions: int) -> None:
    """Raises InvalidParameterValueException when all that the function has provisioned can't be so much."""
    reserved = claims.reserved.get(name)
    if reserved is None:
        _check_left(claims, name, executions, "ConcurrentExecutions")
    elif executions > reserved:
        raise InvalidParameterValueException(
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
        )


def _check_left(claims: Claims, name: str, executions: int, what: str) -> None:
    """Holding less is always allowed, also where a limit that was lowered since leaves too little."""
    least = min(limits.UNRESERVED_CONCURRENCY_MIN, claims.limit)
    if executions > claims.held(name) and claims.left_by_others(name) - executions < least:
        raise InvalidParameterValueException(
            f"Specified {what} for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{least}]."
        )
