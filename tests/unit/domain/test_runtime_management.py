"""Runtime management: what may be asked for, and what Manual holds fast."""

import pytest

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.runtime_management import (
    AUTOMATIC,
    RuntimeManagement,
    UpdateRuntimeOn,
    check_runtime_changeable,
    runtime_management,
)

PRESENT = "arn:aws:lambda:us-east-1::runtime:" + "a" * 64
OTHER = "arn:aws:lambda:us-east-1::runtime:" + "b" * 64
MANUAL = RuntimeManagement(UpdateRuntimeOn.MANUAL, PRESENT)


@pytest.mark.parametrize(
    ("mode", "asked_arn", "management"),
    [
        ("Auto", None, AUTOMATIC),
        ("Auto", OTHER, AUTOMATIC),
        ("FunctionUpdate", None, RuntimeManagement(UpdateRuntimeOn.FUNCTION_UPDATE)),
        ("FunctionUpdate", PRESENT, RuntimeManagement(UpdateRuntimeOn.FUNCTION_UPDATE)),
        ("Manual", PRESENT, MANUAL),
    ],
)
def test_an_arn_is_kept_with_manual_only(mode: str, asked_arn: str | None, management: RuntimeManagement) -> None:
    assert runtime_management(mode, asked_arn=asked_arn, present_arn=PRESENT) == management


@pytest.mark.parametrize(
    ("mode", "asked_arn", "present_arn", "names"),
    [
        ("Manual", None, PRESENT, "RuntimeVersionArn is required"),
        ("Manual", OTHER, PRESENT, f"{OTHER} is not available"),
        ("Manual", PRESENT, None, "without a managed runtime"),
        ("Auto", None, None, "without a managed runtime"),
    ],
)
def test_what_cannot_be_asked_for(mode: str, asked_arn: str | None, present_arn: str | None, names: str) -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        runtime_management(mode, asked_arn=asked_arn, present_arn=present_arn)
    assert names in caught.value.message


def test_manual_holds_the_runtime_and_the_architecture_fast() -> None:
    check_runtime_changeable(MANUAL)
    with pytest.raises(InvalidParameterValueException) as caught:
        check_runtime_changeable(MANUAL, changes_runtime=True)
    assert caught.value.message == (
        "Cannot change runtime identifier when runtime management configuration is set to 'Manual'. "
        "Change the runtime management configuration to 'Auto' or 'FunctionUpdate', then retry."
    )
    with pytest.raises(InvalidParameterValueException) as caught:
        check_runtime_changeable(MANUAL, changes_architecture=True)
    assert caught.value.message.startswith("Cannot change architecture when")


@pytest.mark.parametrize("mode", ["Auto", "FunctionUpdate"])
def test_the_other_modes_hold_nothing(mode: str) -> None:
    management = runtime_management(mode, asked_arn=None, present_arn=PRESENT)
    check_runtime_changeable(management, changes_runtime=True, changes_architecture=True)
