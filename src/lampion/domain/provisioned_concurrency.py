"""Provisioned concurrency: on which versions and aliases it can be configured, and what has become of it. Pure.

Shape: ProvisionedConcurrencyConfigListItem (botocore `lambda` 2015-03-31). Source: the Lambda developer guide, page
"Configuring provisioned concurrency".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from lampion.domain.alias import Alias
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.errors import InvalidParameterValueException, ResourceConflictException
from lampion.domain.function import Function
from lampion.domain.snap_start import is_snap_started


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedConcurrency:
    """How many environments of a version, or of what an alias points to, are to be initialised ahead of invocations."""

    key: FunctionKey
    qualifier: str
    executions: int
    last_modified_epoch_ms: int

    @property
    def arn(self) -> str:
        return self.key.qualified_arn(self.qualifier)


class Status(StrEnum):
    IN_PROGRESS = "IN_PROGRESS"
    READY = "READY"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Allocation:
    """How far a configuration has been carried out: environments made, and those of them that are free."""

    allocated: int
    available: int
    status: Status
    reason: str | None = None


REQUESTED = Allocation(0, 0, Status.IN_PROGRESS)
"""What AWS answers to the request itself."""

NOT_ALLOCATED = Allocation(
    0,
    0,
    Status.FAILED,
    "Lampion doesn't initialize execution environments ahead of invocations yet. "
    "The configuration is kept; invocations run on demand.",
)
"""What has become of any configuration, as long as nothing here makes such environments."""


def check_published(version: str) -> None:
    """Raises InvalidParameterValueException for $LATEST."""
    if version == LATEST:
        raise InvalidParameterValueException(
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
        )


def check_starts_anew(function: Function) -> None:
    """Raises InvalidParameterValueException for a version with SnapStart, which AWS doesn't combine with this."""
    if is_snap_started(function):
        raise InvalidParameterValueException(
            "Provisioned Concurrency is not supported for SnapStart enabled functions."
        )


def check_unweighted(alias: Alias) -> None:
    """Raises InvalidParameterValueException for an alias of two versions."""
    if alias.additional_version_weights:
        raise InvalidParameterValueException("Alias with weights can not be used with Provisioned Concurrency")


def check_only_one(qualifier: str, provisioned: Iterable[str], aliases: Mapping[str, Alias]) -> None:
    """A version has one configuration: its own, or that of one alias that points to it.

    `provisioned` are the qualifiers configured already; `aliases` all aliases of the function. Raises
    ResourceConflictException.
    """
    others = [one for one in provisioned if one != qualifier]
    alias = aliases.get(qualifier)
    if alias is None:
        if any(one in aliases and qualifier in aliases[one].versions for one in others):
            raise ResourceConflictException("Version is pointed by a Provisioned Concurrency alias")
        return
    taken = {version for one in others for version in (aliases[one].versions if one in aliases else (one,))}
    if taken.intersection(alias.versions):
        raise ResourceConflictException(
            "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
        )
