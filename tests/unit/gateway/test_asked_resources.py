"""What operations of Lambda's API are about, to IAM."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pytest

from lampion.aws.model import load_service
from lampion.aws.parser import parse
from lampion.domain.errors import ApiError
from lampion.gateway.asked_resources import (
    OF_WHOLE_FUNCTIONS,
    action_of,
    also_wanted,
    facts_of,
    passed_role,
    resource_of,
)

PREFIX = "arn:aws:lambda:eu-west-1:123456789012"
FOREIGN = "arn:aws:lambda:us-east-1:210987654321:function:other"


@pytest.mark.parametrize(
    ("operation", "members", "resource"),
    [
        ("ListFunctions", {}, "*"),
        ("GetAccountSettings", {}, "*"),
        ("GetFunction", {"FunctionName": "f"}, f"{PREFIX}:function:f"),
        ("Invoke", {"FunctionName": "f", "Qualifier": "live"}, f"{PREFIX}:function:f:live"),
        ("Invoke", {"FunctionName": "f:7"}, f"{PREFIX}:function:f:7"),
        ("Invoke", {"FunctionName": FOREIGN}, FOREIGN),
        ("Invoke", {"FunctionName": "210987654321:function:other"}, f"{PREFIX[:-12]}210987654321:function:other"),
        ("Invoke", {"FunctionName": "not a name"}, "*"),
        ("CreateEventSourceMapping", {"FunctionName": "f"}, "*"),
        ("ListEventSourceMappings", {"FunctionName": "f"}, "*"),
        ("GetEventSourceMapping", {"UUID": "u"}, f"{PREFIX}:event-source-mapping:u"),
        ("PublishLayerVersion", {"LayerName": "l"}, f"{PREFIX}:layer:l"),
        ("ListTags", {"Resource": FOREIGN}, FOREIGN),
        ("GetLayerVersion", {"LayerName": "l", "VersionNumber": 3}, f"{PREFIX}:layer:l:3"),
        ("GetLayerVersion", {"LayerName": f"{PREFIX}:layer:l", "VersionNumber": 3}, f"{PREFIX}:layer:l:3"),
        ("DeleteLayerVersion", {"LayerName": "l", "VersionNumber": 3}, f"{PREFIX}:layer:l:3"),
        ("GetLayerVersionByArn", {"Arn": f"{PREFIX}:layer:l:3"}, f"{PREFIX}:layer:l:3"),
        ("ListLayerVersions", {"LayerName": "l"}, f"{PREFIX}:layer:l"),
        ("UpdateFunctionCode", {"FunctionName": "f:live"}, f"{PREFIX}:function:f"),
        ("UpdateFunctionCode", {"FunctionName": "f:$LATEST"}, f"{PREFIX}:function:f"),
        ("CreateFunction", {"FunctionName": f"{PREFIX}:function:f:1"}, f"{PREFIX}:function:f"),
        ("InvokeAsync", {"FunctionName": "f:live"}, f"{PREFIX}:function:f:live"),
        ("Invoke", {"FunctionName": "f" * 513}, "*"),
        ("PutResourcePolicy", {"ResourceArn": FOREIGN, "Policy": "{}"}, FOREIGN),
        ("GetCapacityProvider", {"CapacityProviderName": "c"}, f"{PREFIX}:capacity-provider:c"),
    ],
)
def test_the_resource_of_an_operation(operation: str, members: Mapping[str, Any], resource: str) -> None:
    assert resource_of(operation, members, "123456789012", "eu-west-1") == resource


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("ListTags", {"Resource": "arn:aws{}:lambda:eu-west-1:123456789012:function:f"}),
        ("PutResourcePolicy", {"ResourceArn": "arn:aws{}:lambda:eu-west-1:123456789012:function:f"}),
        ("DeleteFunction", {"FunctionName": "arn:aws{}:lambda:eu-west-1:123456789012:function:f"}),
        ("GetLayerVersionByArn", {"Arn": "arn:aws{}:lambda:eu-west-1:123456789012:layer:l:3"}),
        ("DeleteCodeSigningConfig", {"CodeSigningConfigArn": "arn:aws{}:lambda:eu-west-1:1:code-signing-config:csc-1"}),
        ("TagResource", {"Resource": "arn:aws{}:lambda:eu-west-1:123456789012:event-source-mapping:u"}),
        ("GetCapacityProvider", {"CapacityProviderName": "arn:aws{}:lambda:eu-west-1:1:capacity-provider:c"}),
    ],
)
def test_an_arn_of_another_partition_is_judged_as_what_it_means(operation: str, members: Mapping[str, str]) -> None:
    """Else it would be a way around whatever denies a resource by its ARN."""
    those = [{name: text.format(partition) for name, text in members.items()} for partition in ("", "-cn", "-us-gov")]
    assert len({resource_of(operation, one, "123456789012", "eu-west-1") for one in those}) == 1


def test_operations_without_a_qualifier_are_about_the_whole_function() -> None:
    """InvokeAsync has none either, but invokes what the name says."""
    operations = load_service("lambda").operations.values()
    named = [one for one in operations if one.input and "FunctionName" in one.shapes[one.input].members]
    whole = {one.name for one in named if one.input and "Qualifier" not in one.shapes[one.input].members}
    of_mappings = {"CreateEventSourceMapping", "ListEventSourceMappings", "UpdateEventSourceMapping"}
    assert whole - of_mappings - {"InvokeAsync"} == OF_WHOLE_FUNCTIONS


TAGS = {"Tags": {"a": "b"}}
ON_PROVIDER = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": f"{PREFIX}:capacity-provider:c"}}


@pytest.mark.parametrize(
    ("operation", "members", "wanted"),
    [
        ("Invoke", {"FunctionName": "f"}, []),
        ("TagResource", {"Resource": f"{PREFIX}:function:f", "Tags": {"a": "b"}}, []),
        ("CreateFunction", {"FunctionName": "f", "Tags": {}}, []),
        ("CreateFunction", {"FunctionName": "f", **TAGS}, [("TagResource", "function:f")]),
        ("CreateCapacityProvider", {"CapacityProviderName": "c", **TAGS}, [("TagResource", "capacity-provider:c")]),
        ("CreateEventSourceMapping", {"FunctionName": "f", **TAGS}, [("TagResource", "event-source-mapping:*")]),
        ("CreateCodeSigningConfig", TAGS, [("TagResource", "code-signing-config:*")]),
        (
            "UpdateFunctionConfiguration",
            {"FunctionName": "f", "Layers": [f"{PREFIX}:layer:l:1", f"{PREFIX.replace('aws', 'aws-cn')}:layer:m:02"]},
            [("GetLayerVersion", "layer:l:1"), ("GetLayerVersion", "layer:m:2")],
        ),
        (
            "CreateFunction",
            {"FunctionName": "f", "CapacityProviderConfig": ON_PROVIDER},
            [("PassCapacityProvider", "capacity-provider:c")],
        ),
    ],
)
def test_what_an_operation_wants_besides(
    operation: str, members: Mapping[str, Any], wanted: Sequence[tuple[str, str]]
) -> None:
    found = also_wanted(operation, members, "123456789012", "eu-west-1")
    assert [one[:2] for one in found] == [(f"lambda:{action}", f"{PREFIX}:{rest}") for action, rest in wanted]


ODD: list[Any] = [None, 5, "", "x", [], [None], ["x", None], {}, {"a": None}, {"a": 5}]
ODD += [{"SubnetIds": [None]}, {"SubnetIds": None}, {"CapacityProviderOperatorRoleArn": None}]
ODD += [{"LambdaManagedInstancesCapacityProviderConfig": one} for one in (None, {"CapacityProviderArn": None})]


def test_whatever_a_body_holds_is_judged_before_the_model_refuses_it() -> None:
    """Who may and who may not are told so, and nobody that the server failed."""
    judged = 0
    for operation in load_service("lambda").operations.values():
        for member, odd in product(operation.shapes[operation.input].members if operation.input else (), ODD):
            try:
                members = parse(operation, defaultdict(lambda: "x"), "", {}, json.dumps({member: odd}).encode())
            except ApiError:
                continue
            asked = (operation.name, members, "123456789012", "eu-west-1")
            assert all(isinstance(one, str) for values in facts_of(*asked).values() for one in values)
            assert all(isinstance(one.resource, str) for one in also_wanted(*asked))
            assert isinstance(resource_of(*asked), str)
            assert isinstance(passed_role(members), str | None)
            judged += 1
    assert judged > 1000


def test_the_roles_that_lambda_takes_on() -> None:
    operator = {"PermissionsConfig": {"CapacityProviderOperatorRoleArn": "operator"}}
    assert [passed_role(one) for one in ({"Role": "r"}, operator, {})] == ["r", "operator", None]


@pytest.mark.parametrize(
    ("operation", "action"),
    [("Invoke", "InvokeFunction"), ("InvokeAsync", "InvokeFunction"), ("TagResource", "TagResource")],
)
def test_the_action_of_an_operation(operation: str, action: str) -> None:
    assert action_of(operation) == action


@pytest.mark.parametrize(
    ("operation", "members", "facts"),
    [
        ("GetFunction", {"FunctionName": "f"}, {}),
        ("CreateFunction", {"Tags": {"Team": "x"}}, {"aws:requesttag/team": ("x",), "aws:tagkeys": ["Team"]}),
        ("UntagResource", {"TagKeys": ["a", "b"]}, {"aws:tagkeys": ["a", "b"]}),
        ("AddPermission", {"Principal": "s3.amazonaws.com"}, {"lambda:principal": ["s3.amazonaws.com"]}),
        (
            "CreateFunction",
            {"Layers": [f"{PREFIX}:layer:l:1", f"{PREFIX.replace('aws', 'aws-cn')}:layer:m:2"]},
            {"lambda:layer": [f"{PREFIX}:layer:l:1", f"{PREFIX}:layer:m:2"]},
        ),
        ("CreateFunctionUrlConfig", {"AuthType": "NONE"}, {"lambda:functionurlauthtype": ["NONE"]}),
        (
            "CreateFunction",
            {"VpcConfig": {"SubnetIds": ["s"], "SecurityGroupIds": ["g"]}},
            {"lambda:subnetids": ["s"], "lambda:securitygroupids": ["g"]},
        ),
        ("CreateEventSourceMapping", {"FunctionName": "f"}, {"lambda:functionarn": [f"{PREFIX}:function:f"]}),
    ],
)
def test_the_condition_keys_of_an_operation(
    operation: str, members: Mapping[str, Any], facts: Mapping[str, Any]
) -> None:
    assert facts_of(operation, members, "123456789012", "eu-west-1") == facts
