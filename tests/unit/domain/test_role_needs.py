"""What configurations need of a function's role."""

from dataclasses import replace
from typing import Any

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.event_invoke_config import Destinations
from lampion.domain.function import FunctionConfiguration, LoggingConfig
from lampion.domain.role_needs import (
    RoleNeed,
    needs_of_configuration,
    needs_of_destinations,
    needs_of_failures,
    needs_of_source,
)

KEY = FunctionKey("123456789012", "us-east-1", "f")
PLAIN = FunctionConfiguration(role="arn:aws:iam::123456789012:role/r", logging=LoggingConfig("/aws/lambda/f"))
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
TABLE_STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/T/stream/2026-01-01T00:00:00.000"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"
EC2 = "arn:aws:ec2:us-east-1:123456789012:*"
IN_VPC = replace(PLAIN, vpc_config={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]})
WITH_QUEUE = replace(PLAIN, dead_letter_config={"TargetArn": QUEUE})


def told(needs: Any) -> list[tuple[tuple[str, ...], str]]:
    return [(need.actions, need.resource) for need in needs]


VPC_NEEDS = [
    (("ec2:CreateNetworkInterface",), EC2),
    (("ec2:DescribeNetworkInterfaces",), "*"),
    (("ec2:DeleteNetworkInterface",), EC2),
]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, PLAIN, []),
        (None, replace(PLAIN, vpc_config={"SubnetIds": [], "SecurityGroupIds": []}), []),
        (None, IN_VPC, VPC_NEEDS),
        (None, WITH_QUEUE, [(("sqs:SendMessage",), QUEUE)]),
        (PLAIN, IN_VPC, VPC_NEEDS),
        (IN_VPC, IN_VPC, []),
        (IN_VPC, PLAIN, []),
        (IN_VPC, replace(IN_VPC, memory_mib=256), []),
        (IN_VPC, replace(IN_VPC, vpc_config={"SubnetIds": ["subnet-2"], "SecurityGroupIds": ["sg-1"]}), VPC_NEEDS),
        (IN_VPC, replace(IN_VPC, role="another"), VPC_NEEDS),
        (WITH_QUEUE, WITH_QUEUE, []),
        (WITH_QUEUE, PLAIN, []),
        (WITH_QUEUE, replace(PLAIN, dead_letter_config={"TargetArn": TOPIC}), [(("sns:Publish",), TOPIC)]),
        (WITH_QUEUE, replace(WITH_QUEUE, role="another"), [(("sqs:SendMessage",), QUEUE)]),
    ],
)
def test_a_configuration_needs_what_is_new_of_it(before: Any, after: Any, expected: Any) -> None:
    assert told(needs_of_configuration(KEY, before, after)) == expected


def test_refusals_of_a_configuration_say_what_cant_be_called() -> None:
    refusals = [need.refusal for need in needs_of_configuration(KEY, None, IN_VPC)]
    assert refusals[0] == "The provided execution role does not have permissions to call CreateNetworkInterface on EC2"
    [to_queue] = needs_of_configuration(KEY, None, WITH_QUEUE)
    assert to_queue.refusal == "The provided execution role does not have permissions to call SendMessage on SQS"
    [to_topic] = needs_of_configuration(KEY, None, replace(PLAIN, dead_letter_config={"TargetArn": TOPIC}))
    assert to_topic.refusal == "The provided execution role does not have permissions to call Publish on SNS"


@pytest.mark.parametrize(
    ("arn", "action", "resource", "name"),
    [
        (QUEUE, "sqs:SendMessage", QUEUE, "SendMessage"),
        (TOPIC, "sns:Publish", TOPIC, "Publish"),
        (f"{EC2[:8]}events:us-east-1:123456789012:event-bus/b", "events:PutEvents", "", "PutEvents"),
        (KEY.arn, "lambda:InvokeFunction", KEY.arn, "InvokeFunction"),
        ("arn:aws:s3:::b", "s3:PutObject", "arn:aws:s3:::b/aws/lambda/*", "PutObject"),
    ],
)
def test_each_destination_needs_its_own_permission(arn: str, action: str, resource: str, name: str) -> None:
    refusal = f"The function's execution role does not have permissions to call {name} on {arn}"
    need = RoleNeed((action,), resource or arn, refusal)
    assert needs_of_destinations(Destinations(on_failure=arn)) == [need]
    assert needs_of_destinations(Destinations(on_success=arn, on_failure=arn)) == [need, need]
    assert needs_of_destinations(Destinations()) == []


def test_a_queue_is_received_from_deleted_from_and_looked_at() -> None:
    needs = needs_of_source(QUEUE, {})
    assert told(needs) == [
        ((f"sqs:{one}",), QUEUE) for one in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    ]
    assert needs[0].refusal == "The function execution role does not have permissions to call ReceiveMessage on SQS"


def test_streams_need_all_that_reads_them() -> None:
    needs = needs_of_source(STREAM, {})
    assert told(needs) == [
        (("kinesis:GetRecords",), STREAM),
        (("kinesis:GetShardIterator",), STREAM),
        (("kinesis:DescribeStream", "kinesis:DescribeStreamSummary"), STREAM),
    ]
    assert {need.refusal for need in needs} == {
        f"Cannot access stream {STREAM}. Please ensure the role can perform the GetRecords, GetShardIterator, "
        "DescribeStream, ListShards, and ListStreams Actions on your stream in IAM."
    }
    needs = needs_of_source(TABLE_STREAM, {})
    assert told(needs) == [
        ((f"dynamodb:{one}",), TABLE_STREAM) for one in ("GetRecords", "GetShardIterator", "DescribeStream")
    ]
    assert needs[0].refusal == (
        f"Cannot access stream {TABLE_STREAM}. Please ensure the role can perform the GetRecords, GetShardIterator, "
        "DescribeStream, and ListStreams Actions on your stream in IAM."
    )


def test_a_consumer_is_subscribed_and_its_stream_described() -> None:
    consumer = f"{STREAM}/consumer/c:1"
    assert told(needs_of_source(consumer, {})) == [
        (("kinesis:SubscribeToShard",), consumer),
        (("kinesis:DescribeStream", "kinesis:DescribeStreamSummary"), STREAM),
    ]


@pytest.mark.parametrize("source", ["arn:aws:mq:us-east-1:123456789012:broker:b:b-1", "kafka.example:9092"])
def test_secrets_have_to_be_read(source: str) -> None:
    access = [
        {"Type": "BASIC_AUTH", "URI": SECRET},
        {"Type": "VIRTUAL_HOST", "URI": "/"},
        {"Type": "VPC_SUBNET", "URI": "subnet:subnet-1"},
        {"Type": "IAM_OAUTHBEARER_AUTH"},
    ]
    [need] = needs_of_source(source, {"SourceAccessConfigurations": access})
    assert told([need]) == [(("secretsmanager:GetSecretValue",), SECRET)]
    assert need.refusal.startswith(f"Cannot access secret manager value {SECRET}. Please ensure the role can perform")
    assert needs_of_source(source, {}) == []


def test_batches_that_fail_are_sent() -> None:
    [need] = needs_of_failures({"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}})
    assert need == RoleNeed(
        ("sqs:SendMessage",), QUEUE, "The function execution role does not have permissions to call SendMessage on SQS"
    )
    assert needs_of_failures({"DestinationConfig": {"OnFailure": {"Destination": "kafka://topic"}}}) == []
    assert needs_of_failures({"DestinationConfig": {"OnFailure": {}}}) == []
    assert needs_of_failures({}) == []
