"""boto3 against a live server: every member of a function's configuration, and what is refused of it."""

import json
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.conformance.refusals import refused
from tests.deployment import (
    ROLE,
    RUNTIME,
    Functions,
    configuration,
    creation,
    unique_name,
    wait_active,
    wait_updated,
    zipped,
)
from tests.live_server import LiveServer

SOURCE = "def handler(event, context):\n    return 'first'\n"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:letters"
VPC = {"SubnetIds": ["subnet-0a", "subnet-0b"], "SecurityGroupIds": ["sg-0a"]}
NO_VPC = {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": "", "Ipv6AllowedForDualStack": False}
MOUNT = {
    "Arn": "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0",
    "LocalMountPath": "/mnt/data",
}


def update(client: Any, name: str, **members: Any) -> dict[str, Any]:
    client.update_function_configuration(FunctionName=name, **members)
    wait_updated(client, name)
    return configuration(client, name)


SENT: dict[str, Any] = {
    "Description": "all of it",
    "Timeout": 5,
    "MemorySize": 256,
    "Environment": {"Variables": {"WORD": "x"}},
    "TracingConfig": {"Mode": "Active"},
    "DeadLetterConfig": {"TargetArn": QUEUE},
    "FileSystemConfigs": [MOUNT],
    "EphemeralStorage": {"Size": 1024},
    "LoggingConfig": {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "DEBUG",
        "SystemLogLevel": "WARN",
        "LogGroup": "/mine",
    },
}


@pytest.fixture
def sent(live_server: LiveServer) -> dict[str, Any]:
    """Of all members, with a key that is there."""
    with closing(live_server.client("kms")) as kms:
        return {**SENT, "KMSKeyArn": kms.create_key()["KeyMetadata"]["Arn"]}


def test_every_member_comes_back_and_what_an_update_leaves_out_stays(
    lambda_client: Any, make_idle: Any, sent: dict[str, Any]
) -> None:
    created = make_idle(**sent, VpcConfig=VPC, Architectures=["x86_64"], SnapStart={"ApplyOn": "None"})
    shown_vpc = {**VPC, "Ipv6AllowedForDualStack": False}
    assert {member: created[member] for member in sent} == sent
    assert created["VpcConfig"] == shown_vpc
    wait_active(lambda_client, created["FunctionName"])
    changed = update(lambda_client, created["FunctionName"], Timeout=6, VpcConfig={"SecurityGroupIds": ["sg-0b"]})
    assert {member: changed[member] for member in sent} == {**sent, "Timeout": 6}
    assert changed["VpcConfig"] == {**shown_vpc, "SecurityGroupIds": ["sg-0b"]}


def test_members_that_were_never_set_are_not_shown(lambda_client: Any, make_function: Functions) -> None:
    shown = configuration(lambda_client, make_function(SOURCE))
    unset = {"Environment", "KMSKeyArn", "DeadLetterConfig", "VpcConfig", "FileSystemConfigs", "Layers"}
    unset |= {"ImageConfigResponse", "TenancyConfig", "DurableConfig", "CapacityProviderConfig", "ConfigSha256"}
    assert unset.isdisjoint(shown)


@pytest.mark.parametrize(
    ("emptied", "shown"),
    [
        ({"KMSKeyArn": ""}, {"KMSKeyArn": None}),
        ({"DeadLetterConfig": {"TargetArn": ""}}, {"DeadLetterConfig": None}),
        ({"DeadLetterConfig": {}}, {"DeadLetterConfig": None}),
        ({"FileSystemConfigs": []}, {"FileSystemConfigs": None}),
        ({"Environment": {"Variables": {}}}, {"Environment": {"Variables": {}}}),
        ({"Description": ""}, {"Description": ""}),
        (
            {"FileSystemConfigs": [], "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []}},
            {"FileSystemConfigs": None, "VpcConfig": NO_VPC},
        ),
    ],
)
def test_an_empty_value_takes_away_what_was_there(
    lambda_client: Any, make_idle: Any, sent: dict[str, Any], emptied: dict[str, Any], shown: dict[str, Any]
) -> None:
    name = make_idle(**sent, VpcConfig=VPC)["FunctionName"]
    wait_active(lambda_client, name)
    before = configuration(lambda_client, name)
    after = update(lambda_client, name, **emptied)
    assert {member: after.get(member) for member in shown} == shown
    for changing in (*shown, "RevisionId", "LastModified"):
        before.pop(changing, None)
        after.pop(changing, None)
    assert after == before


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"VpcConfig": {"SubnetIds": ["subnet-0a"]}}, "SubnetIds and SecurityIds must coexist or be both empty list."),
    (
        {"VpcConfig": {"Ipv6AllowedForDualStack": True}},
        "Ipv6AllowedForDualStack cannot be true without subnet or security groups. "
        "Please remove Ipv6AllowedForDualStack value from your request and try again.",
    ),
    (
        {"FileSystemConfigs": [MOUNT]},
        f"Function must be configured to execute in a VPC to reference access point {MOUNT['Arn']}. "
        "Please update the function configuration to include VPC subnets and security groups.",
    ),
    (
        {"DeadLetterConfig": {"TargetArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s"}},
        "Invalid dead letter queue ARN: The service specified by the TargetArn is not supported for dead letter "
        "configuration.",
    ),
    (
        {"ImageConfig": {"Command": ["a"]}},
        "The ImageConfig parameter is not supported for functions created with deployment packages.",
    ),
    (
        {"Timeout": 901},
        "Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900",
    ),
    (
        {"MemorySize": 10_241},
        "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 10240",
    ),
    (
        {"LoggingConfig": {"LogFormat": "Text", "SystemLogLevel": "WARN"}},
        'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the '
        'LogFormat to "JSON" and try again.',
    ),
    (
        {"LoggingConfig": {"LogGroup": "aws/lambda/mine"}},
        "Log groups starting with AWS/ are reserved for AWS. Update the LogGroup value and try again.",
    ),
    (
        {"Runtime": "python2.7"},
        "The runtime parameter of python2.7 is no longer supported for creating or updating AWS Lambda functions. We "
        "recommend you use a supported runtime while creating or updating functions.",
    ),
]


@pytest.mark.parametrize(("members", "message"), REFUSED)
def test_what_is_refused_changes_nothing(
    lambda_client: Any, make_function: Functions, members: dict[str, Any], message: str
) -> None:
    name = unique_name("refused")
    created = refused(lambda_client.create_function, **creation(name, SOURCE, **members))
    assert created == ("InvalidParameterValueException", message)
    assert refused(lambda_client.get_function, FunctionName=name)[0] == "ResourceNotFoundException"
    name = make_function(SOURCE)
    before = configuration(lambda_client, name)
    updated = refused(lambda_client.update_function_configuration, FunctionName=name, **members)
    assert updated == ("InvalidParameterValueException", message)
    assert configuration(lambda_client, name) == before


def test_a_vpc_is_left_only_without_ipv6(lambda_client: Any, make_idle: Any) -> None:
    name = make_idle(VpcConfig={**VPC, "Ipv6AllowedForDualStack": True})["FunctionName"]
    wait_active(lambda_client, name)
    leave: dict[str, Any] = {"SubnetIds": [], "SecurityGroupIds": []}
    answer = refused(lambda_client.update_function_configuration, FunctionName=name, VpcConfig=leave)
    assert answer[1].startswith("Ipv6AllowedForDualStack cannot be true without subnet or security groups. ")
    left = update(lambda_client, name, VpcConfig={**leave, "Ipv6AllowedForDualStack": False})
    assert left["VpcConfig"] == NO_VPC


def test_a_new_function_has_no_empty_dead_letter_target(lambda_client: Any) -> None:
    empty = creation(unique_name(), SOURCE, DeadLetterConfig={"TargetArn": ""})
    assert refused(lambda_client.create_function, **empty) == (
        "InvalidParameterValueException",
        "Invalid dead letter queue ARN: ARNs must start with 'arn:'",
    )


def test_a_durable_function_is_durable_from_its_creation(lambda_client: Any, make_idle: Any) -> None:
    name = make_idle(DurableConfig={"ExecutionTimeout": 60})["FunctionName"]
    wait_active(lambda_client, name)
    changed = update(lambda_client, name, DurableConfig={"ExecutionTimeout": 90})
    assert changed["DurableConfig"] == {"ExecutionTimeout": 90, "RetentionPeriodInDays": 14}
    plain = make_idle()["FunctionName"]
    wait_active(lambda_client, plain)
    durable = {"FunctionName": plain, "DurableConfig": {"ExecutionTimeout": 60}}
    assert refused(lambda_client.update_function_configuration, **durable)[0] == "InvalidParameterValueException"
    assert "DurableConfig" not in configuration(lambda_client, plain)


def test_unknown_members_and_nulls_are_as_if_they_were_not_there(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("--auth", "open")
    body = {
        "FunctionName": "nulls",
        "Runtime": RUNTIME,
        "Role": ROLE,
        "Handler": "index.handler",
        "Code": {"ZipFile": b64encode(zipped(SOURCE)).decode(), "S3Bucket": None, "Unknown": 1},
        "Description": None,
        "VpcConfig": None,
        "DeadLetterConfig": {"TargetArn": None},
        "LoggingConfig": {"LogFormat": None},
        "Unknown": {"a": [1]},
    }
    request = urllib.request.Request(f"{server.url}/2015-03-31/functions", json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as response:
        created = json.load(response)
    assert (response.status, created["Description"], created["LoggingConfig"]["LogFormat"]) == (201, "", "Text")
    assert {"VpcConfig", "DeadLetterConfig", "Unknown"}.isdisjoint(created)
