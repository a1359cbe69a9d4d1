"""Runtime management: when a version of a function moves to a newer version of its runtime. Pure.

Sources: Lambda developer guide, pages "Understanding how Lambda manages runtime version updates" and
"Rolling back a Lambda runtime version". A machine has one version of each runtime: Manual can only name that one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lampion.domain.errors import InvalidParameterValueException


class UpdateRuntimeOn(StrEnum):
    AUTO = "Auto"
    FUNCTION_UPDATE = "FunctionUpdate"
    MANUAL = "Manual"


@dataclass(frozen=True, slots=True)
class RuntimeManagement:
    """`runtime_version_arn` says which version of the runtime is wanted, and only where that is Manual."""

    update_runtime_on: UpdateRuntimeOn = UpdateRuntimeOn.AUTO
    runtime_version_arn: str | None = None


AUTOMATIC: Final = RuntimeManagement()


def runtime_management(mode: str, *, asked_arn: str | None, present_arn: str | None) -> RuntimeManagement:
    """What a caller asks for, of a function that runs on `present_arn` (None: it has no managed runtime).

    An ARN means something with Manual only; beside the other modes AWS answers none. Raises
    InvalidParameterValueException.
    """
    if present_arn is None:
        raise InvalidParameterValueException(
            "Runtime management configuration is not supported for functions without a managed runtime."
        )
    update_runtime_on = UpdateRuntimeOn(mode)
    if update_runtime_on is not UpdateRuntimeOn.MANUAL:
        return RuntimeManagement(update_runtime_on)
    if asked_arn is None:
        raise InvalidParameterValueException("RuntimeVersionArn is required when UpdateRuntimeOn is set to 'Manual'.")
    if asked_arn != present_arn:
        raise InvalidParameterValueException(
            f"Runtime version {asked_arn} is not available. The function's runtime is at version {present_arn}."
        )
    return RuntimeManagement(update_runtime_on, asked_arn)


def check_runtime_changeable(
    management: RuntimeManagement, *, changes_runtime: bool = False, changes_architecture: bool = False
) -> None:
    """A version of a runtime is of one runtime and one architecture. Raises InvalidParameterValueException."""
    what = "runtime identifier" if changes_runtime else "architecture" if changes_architecture else None
    if what is not None and management.update_runtime_on is UpdateRuntimeOn.MANUAL:
        raise InvalidParameterValueException(
            f"Cannot change {what} when runtime management configuration is set to 'Manual'. "
            "Change the runtime management configuration to 'Auto' or 'FunctionUpdate', then retry."
        )
