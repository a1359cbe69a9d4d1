"""Capacity providers: what one can be, which functions may use one, and how many."""

from dataclasses import replace
from typing import Any

import pytest

from lampion.domain.capacity_provider import (
    CapacityProvider,
    check_capacity,
    check_compute_type_kept,
    check_provider,
    check_room_for_provider,
    check_room_for_version,
    check_unused,
    used_provider,
)
from lampion.domain.errors import (
    CapacityProviderLimitExceededException,
    FunctionVersionsPerCapacityProviderLimitExceededException,
    InvalidParameterValueException,
    ResourceConflictException,
)
from lampion.domain.function import FunctionConfiguration, LoggingConfig

PROVIDER = CapacityProvider(
    account_id="123456789012",
    region="us-east-1",
    name="p",
    vpc_config={},
    permissions_config={},
    instance_requirements={"Architectures": ["x86_64"]},
    scaling_config={},
    last_modified_epoch_ms=0,
)


def on_provider(memory_mib: int = 2048, **instances: Any) -> FunctionConfiguration:
    config = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": PROVIDER.arn, **instances}}
    return FunctionConfiguration(
        role="r", logging=LoggingConfig("g"), memory_mib=memory_mib, capacity_provider_config=config
    )


def plain() -> FunctionConfiguration:
    return replace(on_provider(), capacity_provider_config=None)


def test_which_provider_a_function_uses() -> None:
    assert used_provider(on_provider()) == "arn:aws:lambda:us-east-1:123456789012:capacity-provider:p"
    assert used_provider(plain()) is None


def test_a_name_is_as_long_as_its_arn_allows() -> None:
    longest = 140 - len(PROVIDER.arn) + 1
    check_provider(replace(PROVIDER, name="p" * longest))
    with pytest.raises(InvalidParameterValueException) as caught:
        check_provider(replace(PROVIDER, name="p" * (longest + 1)))
    assert caught.value.message.endswith(f"Member must have length less than or equal to {longest}")


def test_instance_types_are_allowed_or_excluded() -> None:
    check_provider(replace(PROVIDER, instance_requirements={"AllowedInstanceTypes": ["m7g.large"]}))
    check_provider(replace(PROVIDER, instance_requirements={"ExcludedInstanceTypes": ["m7g.*"]}))
    with pytest.raises(InvalidParameterValueException):
        check_provider(
            replace(PROVIDER, instance_requirements={"AllowedInstanceTypes": ["a"], "ExcludedInstanceTypes": ["b"]})
        )


@pytest.mark.parametrize(
    "fine",
    [
        replace(plain(), memory_mib=128),
        on_provider(2048),
        on_provider(2048, ExecutionEnvironmentMemoryGiBPerVCpu=2.0),
        on_provider(4096, ExecutionEnvironmentMemoryGiBPerVCpu=4.0),
        on_provider(32_768, ExecutionEnvironmentMemoryGiBPerVCpu=8.0),
    ],
)
def test_functions_that_instances_have_room_for(fine: FunctionConfiguration) -> None:
    check_capacity(fine)


@pytest.mark.parametrize(
    "wrong",
    [
        on_provider(2047),
        on_provider(2048, ExecutionEnvironmentMemoryGiBPerVCpu=4.0),
        on_provider(8191, ExecutionEnvironmentMemoryGiBPerVCpu=8.0),
        on_provider(8192, ExecutionEnvironmentMemoryGiBPerVCpu=3.0),
    ],
)
def test_functions_smaller_than_one_processor_of_an_instance(wrong: FunctionConfiguration) -> None:
    with pytest.raises(InvalidParameterValueException):
        check_capacity(wrong)


def test_a_function_keeps_the_kind_of_compute_it_was_created_with() -> None:
    check_compute_type_kept(plain(), plain())
    check_compute_type_kept(on_provider(), on_provider(CapacityProviderArn="another"))
    for before, after in ((plain(), on_provider()), (on_provider(), plain())):
        with pytest.raises(InvalidParameterValueException):
            check_compute_type_kept(before, after)


def test_the_quotas() -> None:
    check_room_for_provider(999)
    with pytest.raises(CapacityProviderLimitExceededException):
        check_room_for_provider(1000)
    check_room_for_version(PROVIDER.arn, 99)
    with pytest.raises(FunctionVersionsPerCapacityProviderLimitExceededException):
        check_room_for_version(PROVIDER.arn, 100)


def test_a_provider_in_use_is_kept() -> None:
    check_unused(PROVIDER.arn, 0)
    with pytest.raises(ResourceConflictException):
        check_unused(PROVIDER.arn, 1)
