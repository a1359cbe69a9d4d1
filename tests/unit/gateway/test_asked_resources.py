"""What operations of Lambda's API are about, to IAM."""

from collections.abc import Mapping
from typing import Any

import pytest

from lampion.gateway.asked_resources import action_of, facts_of, resource_of

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
        ("PutResourcePolicy", {"ResourceArn": FOREIGN, "Policy": "{}"}, FOREIGN),
        ("GetCapacityProvider", {"CapacityProviderName": "c"}, f"{PREFIX}:capacity-provider:c"),
    ],
)
def test_the_resource_of_an_operation(operation: str, members: Mapping[str, Any], resource: str) -> None:
    assert resource_of(operation, members, "123456789012", "eu-west-1") == resource


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
        ("CreateFunction", {"Layers": ["l1", "l2"]}, {"lambda:layer": ["l1", "l2"]}),
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
