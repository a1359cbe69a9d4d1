"""Provisioned concurrency: on which versions and aliases it can be configured, and what has become of it. Pure.

Shape: ProvisionedConcurrencyConfigListItem (botocore `lambda` 2015-03-31). Source: the Lambda developer guide, page
"Configuring provisioned concurrency".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

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


NOTHING_YET: Final = Allocation(0, 0, Status.IN_PROGRESS)
"""What has become of a new configuration."""

INIT_FAILURE: Final = "FUNCTION_ERROR_INIT_FAILURE"
"""AWS's StatusReason when the function's own initialization fails."""


def allocation(
    requested: int, *, ready: int, free: int, outgoing_ready: int = 0, outgoing_free: int = 0, failure: str | None
) -> Allocation:
    """How far a configuration has got: environments `ready` for its version, of which `free` are without work.

    While an alias moves, those of its former version count until as many of the new one are ready, as on AWS.
    """
    if failure is not None:
        status = Status.FAILED
    elif ready < requested:
        status = Status.IN_PROGRESS
    else:
        status = Status.READY
    return Allocation(min(requested, ready + outgoing_ready), min(requested, free + outgoing_free), status, failure)


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
