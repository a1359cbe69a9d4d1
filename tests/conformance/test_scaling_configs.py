"""boto3 against a live server: the bounds of versions on a capacity provider, which nothing runs here yet."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.refusals import refusal
from tests.deployment import Functions, arn_of, unique_name

NOTHING = "def handler(event, context): return None\n"


@pytest.fixture
def provider(lambda_client: Any) -> Iterator[dict[str, Any]]:
    """CapacityProviderConfig of a provider that is there until its functions are gone."""
    name = unique_name("scaled")
    made = lambda_client.create_capacity_provider(
        CapacityProviderName=name,
        VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        PermissionsConfig={"CapacityProviderOperatorRoleArn": "arn:aws:iam::123456789012:role/operator"},
    )["CapacityProvider"]
    yield {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": made["CapacityProviderArn"]}}
    lambda_client.delete_capacity_provider(CapacityProviderName=name)


def asked(client: Any, name: str) -> dict[str, Any]:
    answer = client.get_function_scaling_config(FunctionName=name, Qualifier="1")
    del answer["ResponseMetadata"]
    return dict(answer)


def test_bounds_are_kept_and_none_is_said_to_be_applied(
    lambda_client: Any, provider: dict[str, Any], make_function: Functions
) -> None:
    name = make_function(NOTHING, CapacityProviderConfig=provider, MemorySize=2048)
    lambda_client.publish_version(FunctionName=name)
    put = lambda_client.put_function_scaling_config
    where = {"FunctionName": name, "Qualifier": "1"}
    assert asked(lambda_client, name) == {"FunctionArn": arn_of(name, ":1")}
    bounds = {"MinExecutionEnvironments": 0, "MaxExecutionEnvironments": 15_000}
    answer = put(**where, FunctionScalingConfig=bounds)
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["FunctionState"]) == (202, "Active")
    assert asked(lambda_client, name) == {
        "FunctionArn": arn_of(name, ":1"),
        "RequestedFunctionScalingConfig": bounds,
    }
    put(**where, FunctionScalingConfig={"MaxExecutionEnvironments": 7})
    assert asked(lambda_client, name)["RequestedFunctionScalingConfig"] == {"MaxExecutionEnvironments": 7}
    crossed = {"MinExecutionEnvironments": 8, "MaxExecutionEnvironments": 7}
    status, code, _ = refusal(put, **where, FunctionScalingConfig=crossed)
    assert (status, code) == (400, "InvalidParameterValueException")
    status, code, message = refusal(put, FunctionName=name, Qualifier="2", FunctionScalingConfig=bounds)
    assert (status, code, message) == (
        404,
        "ResourceNotFoundException",
        f"Function not found: {arn_of(name, ':2')}",
    )
    assert asked(lambda_client, name)["RequestedFunctionScalingConfig"] == {"MaxExecutionEnvironments": 7}
    put(**where)
    assert asked(lambda_client, name) == {"FunctionArn": arn_of(name, ":1")}


def test_functions_elsewhere_have_no_bounds(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING)
    lambda_client.publish_version(FunctionName=name)
    for call in (lambda_client.put_function_scaling_config, lambda_client.get_function_scaling_config):
        assert refusal(call, FunctionName=name, Qualifier="1") == (
            403,
            "AccessDeniedException",
            "The function provided by the arn does not contain a capacity provider configuration",
        )
