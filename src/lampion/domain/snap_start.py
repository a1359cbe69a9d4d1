"""SnapStart's rules: which functions may have it, and which versions want a snapshot. Pure.

Source: Lambda developer guide, page "Improving startup performance with Lambda SnapStart".
"""

import re
from enum import StrEnum
from typing import Final

from lampion.domain import limits
from lampion.domain.arn import LATEST
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import Function, FunctionConfiguration
from lampion.domain.tenancy import check_shared

PUBLISHED_VERSIONS: Final = "PublishedVersions"
_SINCE: Final = {"python": (3, 12), "java": (11, 0), "dotnet": (8, 0)}
_RUNTIME = re.compile(r"(?P<language>[a-z]+)(?P<major>\d+)(?:\.(?P<minor>\d+))?(?:\.al\d+)?")


class OptimizationStatus(StrEnum):
    """Whether environments of a version start from a snapshot."""

    ON = "On"
    OFF = "Off"


def wants_snapshot(configuration: FunctionConfiguration) -> bool:
    return configuration.snap_start_apply_on == PUBLISHED_VERSIONS


def is_snap_started(function: Function) -> bool:
    """Whether a snapshot of this very version is wanted: never of $LATEST."""
    return function.version != LATEST and wants_snapshot(function.configuration)


def check_snap_start(configuration: FunctionConfiguration) -> None:
    """Raises InvalidParameterValueException for what SnapStart can't be combined with."""
    if not wants_snapshot(configuration):
        return
    if configuration.runtime is not None and not _is_supported(configuration.runtime):
        raise _refusal(configuration.runtime)
    check_shared(configuration, "SnapStart")
    if configuration.ephemeral_storage_mib > limits.EPHEMERAL_STORAGE_MIB_DEFAULT:
        raise _refusal(f"EphemeralStorage greater than {limits.EPHEMERAL_STORAGE_MIB_DEFAULT} MB")
    for name, value in (
        ("FileSystemConfigs", configuration.file_system_configs),
        ("CapacityProviderConfig", configuration.capacity_provider_config),
    ):
        if value:
            raise _refusal(name)


def _is_supported(runtime: str) -> bool:
    match = _RUNTIME.fullmatch(runtime)
    if match is None or match["language"] not in _SINCE:
        return False
    return (int(match["major"]), int(match["minor"] or 0)) >= _SINCE[match["language"]]


def _refusal(what: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(f"{what} is not supported for SnapStart enabled functions.")
