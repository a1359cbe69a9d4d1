"""VPC, file systems, dead-letter targets and keys: what their names and combinations say, with AWS's words."""

from dataclasses import replace
from typing import Any

import pytest

from lampion.domain.connections import (
    changed_dead_letter_config,
    changed_vpc_config,
    check_connections,
    new_dead_letter_config,
)
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import FunctionConfiguration, LoggingConfig

GOOD = FunctionConfiguration(
    role="arn:aws:iam::123456789012:role/role",
    runtime="python3.12",
    handler="a.b",
    logging=LoggingConfig("/aws/lambda/f"),
)
IN_VPC = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"], "Ipv6AllowedForDualStack": False}
EFS = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"
S3_FILES = "arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0"
DIRECT = {"DirectS3Read": "AUTO"}
QUEUE = "arn:aws:sqs:us-east-1:123456789012:letters"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"
NOT_IN_A_VPC = (
    "Function must be configured to execute in a VPC to reference access point {}. "
    "Please update the function configuration to include VPC subnets and security groups."
)
HALF_A_VPC = "SubnetIds and SecurityIds must coexist or be both empty list."


def mount(arn: str, **members: Any) -> tuple[dict[str, Any]]:
    return ({"Arn": arn, "LocalMountPath": "/mnt/data", **members},)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"vpc_config": IN_VPC},
        {"vpc_config": {**IN_VPC, "Ipv6AllowedForDualStack": True}},
        {"vpc_config": {"SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": False}},
        {"vpc_config": IN_VPC, "file_system_configs": mount(EFS)},
        {"vpc_config": IN_VPC, "file_system_configs": mount(S3_FILES, S3FilesConfig=DIRECT)},
        {"dead_letter_config": {"TargetArn": QUEUE}},
        {"dead_letter_config": {"TargetArn": "arn:aws:sns:us-east-1:123456789012:topic"}},
        {"kms_key_arn": KEY, "environment": {"A": "b"}},
        {"kms_key_arn": "arn:aws:kms:us-east-1:123456789012:alias/mine"},
        {"durable_config": {"ExecutionTimeout": 1, "KMSKeyArn": KEY}},
    ],
)
def test_what_is_allowed(change: dict[str, Any]) -> None:
    check_connections(replace(GOOD, **change), region="us-east-1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vpc_config": {**IN_VPC, "SecurityGroupIds": []}}, HALF_A_VPC),
        ({"vpc_config": {**IN_VPC, "SubnetIds": []}}, HALF_A_VPC),
        (
            {"vpc_config": {"SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": True}},
            "Ipv6AllowedForDualStack cannot be true without subnet or security groups. "
            "Please remove Ipv6AllowedForDualStack value from your request and try again.",
        ),
        ({"file_system_configs": mount(EFS)}, NOT_IN_A_VPC.format(EFS)),
        ({"file_system_configs": mount(S3_FILES)}, NOT_IN_A_VPC.format(S3_FILES)),
        (
            {"vpc_config": IN_VPC, "file_system_configs": mount(EFS, S3FilesConfig=DIRECT)},
            f"S3FilesConfig is valid only for an Amazon S3 Files access point, which {EFS} is not.",
        ),
        (
            {"vpc_config": IN_VPC, "file_system_configs": ({"Arn": EFS, "LocalMountPath": "/mnt/.."},)},
            "LocalMountPath /mnt/.. must name a directory in /mnt.",
        ),
        (
            {"vpc_config": IN_VPC, "file_system_configs": mount(EFS.replace("us-east-1", "eu-west-1"))},
            f"The access point {EFS.replace('us-east-1', 'eu-west-1')} must be in the same region as the Lambda "
            "function it's associated with.",
        ),
        (
            {"dead_letter_config": {"TargetArn": "arn:aws:s3:::bucket"}},
            "Invalid dead letter queue ARN: The service specified by the TargetArn is not supported for dead letter "
            "configuration.",
        ),
        (
            {"dead_letter_config": {"TargetArn": QUEUE.replace("us-east-1", "eu-west-1")}},
            "Invalid dead letter queue ARN: The resource specified by the TargetArn must be in the same region as the "
            "Lambda function it's associated with.",
        ),
        (
            {"dead_letter_config": {"TargetArn": f"{QUEUE}.fifo"}},
            "Invalid dead letter queue ARN: FIFO SQS queue is not supported for dead letter configuration",
        ),
        (
            {"dead_letter_config": {"TargetArn": "arn:aws:sns:us-east-1:123456789012:topic.fifo"}},
            "Invalid dead letter queue ARN: FIFO SNS topic is not supported for dead letter configuration",
        ),
        (
            {"dead_letter_config": {"TargetArn": "arn:aws:sqs"}},
            "Invalid dead letter queue ARN: The resource specified by the TargetArn must be in the same region as the "
            "Lambda function it's associated with.",
        ),
        (
            {"kms_key_arn": "arn:aws:kms:us-east-1:123456789012:alias/mine", "environment": {"A": "b"}},
            "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
            "CreateGrant. Please check your KMS key settings. KMS Exception: InvalidArnException KMS Message: Key "
            "Aliases are not supported for this operation.",
        ),
        (
            {"durable_config": {"ExecutionTimeout": 1, "KMSKeyArn": KEY.replace("us-east-1", "eu-west-1")}},
            "Lambda was unable to configure your durable function because the specified KMS key "
            "arn:aws:kms:eu-west-1:123456789012:key/1234abcd is in a different region than the function. "
            "The KMS key must reside in the same region as the function.",
        ),
    ],
)
def test_what_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        check_connections(replace(GOOD, **change), region="us-east-1")
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("present", "sent", "expected"),
    [
        (None, {}, {"SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": False}),
        (None, {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}, IN_VPC),
        (IN_VPC, {"SecurityGroupIds": ["sg-2"]}, {**IN_VPC, "SecurityGroupIds": ["sg-2"]}),
        (
            {**IN_VPC, "Ipv6AllowedForDualStack": True},
            {"SubnetIds": [], "SecurityGroupIds": []},
            {"SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": True},
        ),
    ],
)
def test_members_of_a_vpc_config_that_are_not_sent_stay(
    present: dict[str, Any] | None, sent: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert changed_vpc_config(present, sent) == expected


def test_an_update_clears_a_dead_letter_queue_and_a_creation_refuses_an_empty_one() -> None:
    assert changed_dead_letter_config({"TargetArn": QUEUE}) == {"TargetArn": QUEUE}
    assert changed_dead_letter_config({"TargetArn": ""}) is None
    assert changed_dead_letter_config({}) is None
    assert new_dead_letter_config({}) is None
    assert new_dead_letter_config({"TargetArn": QUEUE}) == {"TargetArn": QUEUE}
    with pytest.raises(InvalidParameterValueException) as caught:
        new_dead_letter_config({"TargetArn": ""})
    assert caught.value.message == "Invalid dead letter queue ARN: ARNs must start with 'arn:'"
