"""What requests to queues, topics and buses are about, to IAM."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from lampion.endpoints.services import Service
from lampion.gateway.passed_on_resources import asked_for, is_meant_for

WHERE = ("eu-west-1", "123456789012")
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:q"
BUS = "arn:aws:events:eu-west-1:123456789012:event-bus"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:t"


@pytest.mark.parametrize(
    ("service", "target", "members", "action", "resources"),
    [
        (Service.SQS, "AmazonSQS.SendMessage", {"QueueUrl": "http://here:1/123456789012/q"}, "SendMessage", [QUEUE]),
        (Service.SQS, "", {"Action": "SendMessage", "QueueUrl": "/123456789012/q/"}, "SendMessage", [QUEUE]),
        (Service.SQS, "AmazonSQS.CreateQueue", {"QueueName": "q"}, "CreateQueue", [QUEUE]),
        (Service.SQS, "AmazonSQS.ListQueues", {}, "ListQueues", ["*"]),
        (Service.SQS, "AmazonSQS.SendMessage", {"QueueUrl": "q"}, "SendMessage", ["*"]),
        (Service.SQS, "AmazonSQS.SendMessage", {"QueueUrl": 5}, "SendMessage", ["*"]),
        (Service.SNS, "", {"Action": "Publish", "TopicArn": TOPIC}, "Publish", [TOPIC]),
        (Service.SNS, "", {"Action": "Publish", "TopicArn": TOPIC, "TargetArn": "other"}, "Publish", [TOPIC, "other"]),
        (Service.SNS, "", {"Action": "CreateTopic", "Name": "t"}, "CreateTopic", [TOPIC]),
        (Service.SNS, "", {"Action": "Publish", "PhoneNumber": "1"}, "Publish", ["*"]),
        (Service.EVENTBRIDGE, "AWSEvents.PutEvents", {"Entries": [{}]}, "PutEvents", [f"{BUS}/default"]),
        (
            Service.EVENTBRIDGE,
            "AWSEvents.PutEvents",
            {"Entries": [{"EventBusName": "b"}, {"EventBusName": f"{BUS}/a"}]},
            "PutEvents",
            [f"{BUS}/a", f"{BUS}/b"],
        ),
        (Service.EVENTBRIDGE, "AWSEvents.PutEvents", {"Entries": []}, "PutEvents", ["*"]),
        (Service.EVENTBRIDGE, "AWSEvents.PutEvents", {"Entries": ["x"]}, "PutEvents", ["*"]),
        (Service.EVENTBRIDGE, "AWSEvents.ListRules", {"EventBusName": "b"}, "ListRules", [f"{BUS}/b"]),
    ],
)
def test_what_a_request_is_about(
    service: Service, target: str, members: dict[str, Any], action: str, resources: list[str]
) -> None:
    body = json.dumps(members).encode() if target else urlencode(members).encode()
    asked, about = asked_for(service, target, body, WHERE)
    assert (asked, list(about)) == (f"{service.signing_name}:{action}", resources)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_cant_be_read_is_asked_for_as_everything(body: bytes) -> None:
    assert asked_for(Service.SQS, "AmazonSQS.SendMessage", body, WHERE) == ("sqs:SendMessage", ("*",))
    assert list(asked_for(Service.SQS, "", body, WHERE)[1]) == ["*"]


def test_a_name_that_is_there_twice_is_asked_for_as_everything() -> None:
    twice = b'{"QueueUrl": "/123456789012/mine", "QueueUrl": "/123456789012/other"}'
    assert list(asked_for(Service.SQS, "AmazonSQS.SendMessage", twice, WHERE)[1]) == ["*"]
    form = b"Action=SendMessage&QueueUrl=/1/mine&QueueUrl=/1/other"
    assert list(asked_for(Service.SQS, "", form, WHERE)[1]) == ["*"]


@pytest.mark.parametrize(
    "url",
    [
        "/123456789012/mine?/123456789012/other",
        "/123456789012/mine#/../other",
        "/123456789012/mine/../other",
        "/123456789012/mine%2f..%2fother",
        "http://sqs/123456789012/mine;/other",
        "http://evil@sqs/123456789012/mine",
        "/12345678901²/mine",
        "mine",
    ],
)
def test_a_queues_address_that_could_be_read_otherwise_is_asked_for_as_everything(url: str) -> None:
    body = json.dumps({"QueueUrl": url}).encode()
    assert list(asked_for(Service.SQS, "AmazonSQS.SendMessage", body, WHERE)[1]) == ["*"]


def test_more_than_any_service_takes_is_asked_for_as_everything() -> None:
    entries = [{"EventBusName": f"b{number}"} for number in range(101)]
    assert list(
        asked_for(Service.EVENTBRIDGE, "AWSEvents.PutEvents", json.dumps({"Entries": entries}).encode(), WHERE)[1]
    ) == ["*"]
    long = json.dumps({"TopicArn": "arn:aws:sns:" + "a" * 3000}).encode()
    assert list(asked_for(Service.SNS, "", long, WHERE)[1]) == ["*"]


@pytest.mark.parametrize(
    ("service", "target", "body", "is_meant"),
    [
        (Service.SQS, "AmazonSQS.SendMessage", b"{}", True),
        (Service.SQS, "DynamoDB_20120810.GetItem", b"{}", False),
        (Service.SQS, "AWSEvents.PutEvents", b"{}", False),
        (Service.SQS, "amazonsqs.SendMessage", b"{}", False),
        (Service.EVENTBRIDGE, "AWSEvents.PutEvents", b"{}", True),
        (Service.EVENTBRIDGE, "", b"Action=CreateUser&Version=2010-05-08", False),
        (Service.EVENTBRIDGE, "", b"Action=CreateUser", False),
        (Service.SNS, "AmazonSNS.Publish", b"{}", False),
        (Service.SNS, "", b"Action=Publish&Version=2010-03-31", True),
        (Service.SNS, "", b"Action=Publish", True),
        (Service.SNS, "", b"Action=CreateUser&Version=2010-05-08", False),
        (Service.SQS, "", b"Action=SendMessage&Version=2012-11-05", True),
    ],
)
def test_a_request_isnt_passed_on_that_could_be_taken_for_another_services(
    service: Service, target: str, body: bytes, is_meant: bool
) -> None:
    """Many services of an emulator are at one address: a role for queues would open tables by their target."""
    assert is_meant_for(service, target, body) is is_meant
