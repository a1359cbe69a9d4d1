"""Where reserved and provisioned concurrency are kept: with their function, the latter by version or alias."""

from collections.abc import Mapping, Sequence
from typing import Final

from lampion.domain.arn import FunctionKey
from lampion.domain.concurrency import Claims, ReservedConcurrency
from lampion.domain.provisioned_concurrency import ProvisionedConcurrency
from lampion.store.resources import Kind, Place, Stored, every, function_owner


def reserved_place(key: FunctionKey) -> Place:
    return Place.of_function(key)


def provisioned_place(key: FunctionKey, qualifier: str) -> Place:
    return Place.of_function(key, qualifier)


RESERVED: Final = Kind("reserved_concurrency", ReservedConcurrency, place=lambda one: reserved_place(one.key))
PROVISIONED: Final = Kind(
    "provisioned_concurrency", ProvisionedConcurrency, place=lambda one: provisioned_place(one.key, one.qualifier)
)


def provisioned_of(stored: Stored, key: FunctionKey) -> Sequence[ProvisionedConcurrency]:
    """All that a function has provisioned, by qualifier."""
    return every(stored, PROVISIONED, key.account_id, key.region, owner=function_owner(key.name))


def by_function(reserved: Sequence[ReservedConcurrency]) -> Mapping[str, int]:
    """What each function of one account and region reserves, by its name."""
    return {one.key.name: one.executions for one in reserved}


def claims(stored: Stored, account_id: str, region: str, *, limit: int) -> Claims:
    """What the functions of an account hold of its limit."""
    provisioned: dict[str, int] = {}
    for one in every(stored, PROVISIONED, account_id, region):
        provisioned[one.key.name] = provisioned.get(one.key.name, 0) + one.executions
    reserved = by_function(every(stored, RESERVED, account_id, region))
    return Claims(limit=limit, reserved=reserved, provisioned=provisioned)
