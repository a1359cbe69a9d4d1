"""Rules over a function's configuration, with AWS's words."""

from dataclasses import replace
from typing import Any

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import ApiError, InvalidParameterValueException
from lampion.domain.function import (
    CREATING,
    DeploymentPackage,
    Function,
    FunctionConfiguration,
    LastUpdateStatus,
    LoggingConfig,
    Reason,
    State,
)
from lampion.domain.function_rules import (
    check_configuration,
    check_invocable,
    check_name,
    check_revision,
    check_updatable,
)

ON_INSTANCES = {
    "LambdaManagedInstancesCapacityProviderConfig": {
        "CapacityProviderArn": "arn:aws:lambda:us-east-1:123456789012:capacity-provider:p"
    }
}
GOOD = FunctionConfiguration(
    role="arn:aws:iam::123456789012:role/role",
    runtime="python3.12",
    handler="a.b",
    logging=LoggingConfig("/aws/lambda/f"),
)
FUNCTION = Function(
    key=FunctionKey("123456789012", "us-east-1", "f"),
    configuration=GOOD,
    package=DeploymentPackage("ab", "cd", 1),
    revision_id="one",
    last_modified_epoch_ms=0,
)
ACTIVE = replace(FUNCTION, state=State.ACTIVE, state_reason=None, last_update_status=LastUpdateStatus.SUCCESSFUL)


def above(value: int, path: str, maximum: int) -> str:
    limit = f"Member must have value less than or equal to {maximum}"
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {limit}"


def test_a_name_of_64_characters_is_the_longest() -> None:
    check_name("a" * 64)
    with pytest.raises(InvalidParameterValueException) as caught:
        check_name("a" * 65)
    assert caught.value.message == (
        f"1 validation error detected: Value '{'a' * 65}' at 'functionName' failed to satisfy constraint: "
        "Member must have length less than or equal to 64"
    )


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"timeout_seconds": 900, "memory_mib": 10_240, "ephemeral_storage_mib": 10_240},
        {"environment": {"a": "x" * 4088}},
        {"timeout_seconds": 5400, "memory_mib": 32_768, "capacity_provider_config": ON_INSTANCES},
        {
            "memory_mib": 2048,
            "ephemeral_storage_mib": 32_768,
            "capacity_provider_config": ON_INSTANCES,
            "accelerator_config": {"AcceleratorMemorySize": 1},
        },
        {"logging": LoggingConfig("/aws/mine")},
        {"logging": LoggingConfig("g", "JSON", "DEBUG", "WARN")},
    ],
)
def test_what_is_allowed(change: dict[str, Any]) -> None:
    check_configuration(replace(GOOD, **change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"timeout_seconds": 901}, above(901, "timeout", 900)),
        (
            {"memory_mib": 10_241},
            "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 10240",
        ),
        ({"ephemeral_storage_mib": 10_241}, above(10_241, "ephemeralStorage.size", 10_240)),
        (
            {"accelerator_config": {"AcceleratorMemorySize": 1}},
            "AcceleratorConfig is supported only for functions on capacity providers.",
        ),
        *(
            (
                {"logging": LoggingConfig("g", "Text", application, system)},
                'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or '
                'change the LogFormat to "JSON" and try again.',
            )
            for application, system in (("INFO", None), (None, "DEBUG"))
        ),
        *(
            (
                {"logging": LoggingConfig(group)},
                "Log groups starting with AWS/ are reserved for AWS. Update the LogGroup value and try again.",
            )
            for group in ("aws/mine", "AWS/mine")
        ),
        (
            {"runtime": None},
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ),
        (
            {"environment": {"AWS_REGION": "x", "ok": "y", "_HANDLER": "z"}},
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. "
            "Reserved keys used in this request: AWS_REGION, _HANDLER",
        ),
        (
            {"environment": {"a": "x" * 4089}},
            "Lambda was unable to configure your environment variables because the environment variables you have "
            'provided exceeded the 4KB limit. String measured: {"a":"' + "x" * 4089 + '"}',
        ),
    ],
)
def test_what_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        check_configuration(replace(GOOD, **change))
    assert caught.value.message == message


def test_the_environment_limit_counts_bytes() -> None:
    check_configuration(replace(GOOD, environment={"a": "é" * 2044}))
    with pytest.raises(InvalidParameterValueException):
        check_configuration(replace(GOOD, environment={"a": "é" * 2045}))


def test_a_revision_id_must_be_the_current_one() -> None:
    check_revision(FUNCTION, None)
    check_revision(FUNCTION, "one")
    with pytest.raises(ApiError) as caught:
        check_revision(FUNCTION, "two")
    assert caught.value.code == "PreconditionFailedException"


@pytest.mark.parametrize(
    ("function", "updatable", "invocable"),
    [
        pytest.param(FUNCTION, False, False, id="being created"),
        pytest.param(ACTIVE, True, True, id="active"),
        pytest.param(replace(ACTIVE, last_update_status=LastUpdateStatus.IN_PROGRESS), False, True, id="being updated"),
        pytest.param(replace(ACTIVE, state=State.FAILED), True, False, id="failed"),
    ],
)
def test_when_a_function_may_change_and_run(function: Function, updatable: bool, invocable: bool) -> None:
    for check, allowed in ((check_updatable, updatable), (check_invocable, invocable)):
        if allowed:
            check(function)
        else:
            with pytest.raises(ApiError) as caught:
                check(function)
            assert caught.value.code == "ResourceConflictException"


NO_INTERPRETER = Reason("No interpreter.", "InvalidRuntime")


@pytest.mark.parametrize(
    ("before", "failure", "state", "update"),
    [
        (FUNCTION, None, State.ACTIVE, LastUpdateStatus.SUCCESSFUL),
        (FUNCTION, NO_INTERPRETER, State.FAILED, LastUpdateStatus.FAILED),
        (ACTIVE, None, State.ACTIVE, LastUpdateStatus.SUCCESSFUL),
        (ACTIVE, NO_INTERPRETER, State.ACTIVE, LastUpdateStatus.FAILED),
        (
            replace(ACTIVE, state=State.FAILED, state_reason=NO_INTERPRETER),
            None,
            State.ACTIVE,
            LastUpdateStatus.SUCCESSFUL,
        ),
    ],
)
def test_how_outstanding_work_ends(
    before: Function, failure: Reason | None, state: State, update: LastUpdateStatus
) -> None:
    if before is not FUNCTION:
        before = before.changed(revision_id="next", now_epoch_ms=1)
        assert (before.last_update_status, before.last_update_reason) == (LastUpdateStatus.IN_PROGRESS, CREATING)
    after = before.settled(failure=failure, revision_id="last")
    assert (after.state, after.last_update_status, after.last_update_reason) == (state, update, failure)
    assert after.revision_id == "last"
    assert after.is_settled


@pytest.mark.parametrize(
    ("before", "failure", "goes_back"),
    [
        pytest.param(ACTIVE, NO_INTERPRETER, True, id="active, failed"),
        pytest.param(ACTIVE, None, False, id="active, successful"),
        pytest.param(replace(ACTIVE, state=State.FAILED), NO_INTERPRETER, False, id="nothing to go back to"),
    ],
)
def test_a_failed_update_leaves_the_configuration_and_code_that_ran(
    before: Function, failure: Reason | None, goes_back: bool
) -> None:
    configuration, package = replace(GOOD, runtime="java21"), DeploymentPackage("new", "new", 2)
    updated = before.changed(configuration=configuration, package=package, revision_id="next", now_epoch_ms=1)
    assert (updated.configuration, updated.package) == (configuration, package)
    after = updated.settled(failure=failure, revision_id="last")
    expected = (before.configuration, before.package) if goes_back else (configuration, package)
    assert (after.configuration, after.package, after.before_update) == (*expected, None)
