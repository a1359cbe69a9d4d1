"""Where reserved and provisioned concurrency are kept: with their function, the latter by version or alias."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from lampion.domain.arn import FunctionKey
from lampion.domain.concurrency import Claims, Commitments, ReservedConcurrency
from lampion.domain.provisioned_concurrency import ProvisionedConcurrency
from lampion.domain.version import version_number
from lampion.store.aliases import ALIASES, alias_place
from lampion.store.cached_resources import View
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


class ProvisionedVersion(msgspec.Struct, frozen=True):
    """A configuration, and the version for which it counts now."""

    config: ProvisionedConcurrency
    version: str


def _commitments(stored: Stored, account_id: str, region: str) -> Commitments:
    return Commitments(
        reserved=_by_function(every(stored, RESERVED, account_id, region)),
        provisioned={
            (one.config.key.name, one.version): one.config.executions
            for one in provisioned_versions(stored, account_id, region)
        },
    )


def provisioned_versions(stored: Stored, account_id: str, region: str) -> Sequence[ProvisionedVersion]:
    """All that an account has provisioned in a region."""
    return with_versions(stored, every(stored, PROVISIONED, account_id, region))


def with_versions(stored: Stored, configs: Sequence[ProvisionedConcurrency]) -> Sequence[ProvisionedVersion]:
    """An alias stands for its main version."""
    return [
        ProvisionedVersion(config, version)
        for config in configs
        if (version := _version_of(stored, config)) is not None
    ]


def _version_of(stored: Stored, config: ProvisionedConcurrency) -> str | None:
    if version_number(config.qualifier) is not None:
        return config.qualifier
    alias = stored.get(ALIASES, alias_place(config.key, config.qualifier))
    return None if alias is None else alias.function_version


PROVISIONED_KINDS: Final = frozenset((PROVISIONED.name, ALIASES.name))
"""Whose changes change what is provisioned for which version."""

PROVISIONED_VERSIONS: Final = View("provisioned versions", PROVISIONED_KINDS, provisioned_versions)

COMMITMENTS: Final = View("commitments", PROVISIONED_KINDS | {RESERVED.name}, _commitments)
"""What functions hold of an account's concurrency."""


def _by_function(reserved: Sequence[ReservedConcurrency]) -> Mapping[str, int]:
    return {one.key.name: one.executions for one in reserved}


def claims(stored: Stored, account_id: str, region: str, *, limit: int) -> Claims:
    """What the functions of an account hold of its limit."""
    provisioned: dict[str, int] = {}
    for one in every(stored, PROVISIONED, account_id, region):
        provisioned[one.key.name] = provisioned.get(one.key.name, 0) + one.executions
    reserved = _by_function(every(stored, RESERVED, account_id, region))
    return Claims(limit=limit, reserved=reserved, provisioned=provisioned)
