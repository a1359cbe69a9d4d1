"""What requests to queues, topics and buses are about, to IAM."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from lampion.aws.errors import SerializationException
from lampion.endpoints.services import Service
from lampion.gateway.passed_on_resources import asked_for, check_protocol

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
        (Service.SQS, "AmazonSQS.SendMessage", {"QueueUrl": "q"}, "SendMessage", [QUEUE]),
        (Service.SQS, "AmazonSQS.SendMessage", {"QueueUrl": "http://here:1/queue/q"}, "SendMessage", [QUEUE]),
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
        (Service.EVENTBRIDGE, "AWSEvents.ListRules", {"EventBusName": "b"}, "ListRules", [f"{BUS}/b"]),
    ],
)
def test_what_a_request_is_about(
    service: Service, target: str, members: dict[str, Any], action: str, resources: list[str]
) -> None:
    body = json.dumps(members).encode() if target else urlencode(members).encode()
    asked = asked_for(service, target, body, WHERE)
    assert asked.wanted == [(f"{service.signing_name}:{action}", resource) for resource in resources]


@pytest.mark.parametrize(
    ("target", "body"),
    [
        *(("AmazonSQS.SendMessage", body) for body in (b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000)),
        ("AmazonSQS.SendMessage", b'{"QueueUrl": 5}'),
        ("AmazonSQS.SendMessage", b'{"QueueUrl": "/123456789012/mine", "QueueUrl": "/123456789012/other"}'),
        ("AmazonSQS.SendMessage.DeleteQueue", b"{}"),
        ("SendMessage", b"{}"),
        ("AmazonSQS.SendMessage,AmazonSQS.DeleteQueue", b"{}"),
        ("", b""),
        ("", b"Action=SendMessage&QueueUrl=/1/mine&QueueUrl=/1/other"),
        ("", b"Action=SendMessage&Action=DeleteQueue"),
        ("", b"Action=sqs:*"),
        ("", b"Action=SendMessage&Version=2010-05-08"),
    ],
)
def test_what_cant_be_read_or_could_be_read_otherwise_isnt_passed_on(target: str, body: bytes) -> None:
    with pytest.raises(SerializationException):
        asked_for(Service.SQS, target, body, WHERE)


JSON, FORM = "application/x-amz-json-1.0", "application/x-www-form-urlencoded; charset=utf-8"


@pytest.mark.parametrize(
    ("service", "target", "content_type", "is_spoken"),
    [
        (Service.SQS, "AmazonSQS.SendMessage", JSON, True),
        (Service.SQS, "", FORM, True),
        (Service.SQS, "AmazonSQS.SendMessage", FORM, False),
        (Service.SQS, "AmazonSQS.SendMessage", "", False),
        (Service.SQS, "", JSON, False),
        (Service.SQS, "", f"{FORM}, {JSON}", False),
        (Service.SNS, "", FORM, True),
        (Service.SNS, "AmazonSNS.ListTopics", JSON, False),
        (Service.SNS, "AmazonSNS.ListTopics", FORM, False),
        (Service.EVENTBRIDGE, "AWSEvents.PutEvents", "application/x-amz-json-1.1", True),
        (Service.EVENTBRIDGE, "", FORM, False),
        (Service.DYNAMODB, "DynamoDB_20120810.GetItem", JSON, True),
        (Service.DYNAMODB, "", FORM, False),
        (Service.SQS, "DynamoDB_20120810.GetItem", JSON, False),
        (Service.SQS, "AWSEvents.PutEvents", JSON, False),
        (Service.SQS, "amazonsqs.SendMessage", JSON, False),
    ],
)
def test_what_another_protocol_would_read_otherwise_isnt_passed_on(
    service: Service, target: str, content_type: str, is_spoken: bool
) -> None:
    if is_spoken:
        check_protocol(service, target, content_type)
        return
    with pytest.raises(SerializationException):
        check_protocol(service, target, content_type)


@pytest.mark.parametrize("members", [{}, {"Entries": ["x"]}, {"Entries": [{"EventBusName": 5}]}, {"Entries": 5}])
def test_nor_are_events_that_cant_be_meant(members: object) -> None:
    with pytest.raises(SerializationException):
        asked_for(Service.EVENTBRIDGE, "AWSEvents.PutEvents", json.dumps(members).encode(), WHERE)


@pytest.mark.parametrize(
    "url",
    [
        "/123456789012/mine?/123456789012/other",
        "/123456789012/mine#/../other",
        "/123456789012/mine/../other",
        "/123456789012/mine%2f..%2fother",
        "http://sqs/123456789012/mine;/other",
        "http://evil@sqs/123456789012/mine",
        "/12345678901\u00b2/mine",
        "mine?/other",
    ],
)
def test_nor_is_a_queues_address_that_could_be_read_otherwise(url: str) -> None:
    with pytest.raises(SerializationException):
        asked_for(Service.SQS, "AmazonSQS.SendMessage", json.dumps({"QueueUrl": url}).encode(), WHERE)


@pytest.mark.parametrize("topic", ["arn:aws:sns:é", "arn:aws:sns:\u00b9"])
def test_nor_is_a_form_with_bytes_that_mean_different_things_to_different_readers(topic: str) -> None:
    with pytest.raises(SerializationException):
        asked_for(Service.SNS, "", f"Action=Publish&TopicArn={topic}".encode(), WHERE)


def test_nor_is_an_arn_that_is_no_text() -> None:
    with pytest.raises(SerializationException):
        asked_for(Service.SNS, "AmazonSNS.Publish", b'{"TopicArn": ["arn:aws:sns:mine"]}', WHERE)


def test_nor_is_more_than_any_service_takes() -> None:
    fields = "&".join(f"Attribute.{number}=x" for number in range(10_000))
    with pytest.raises(SerializationException):
        asked_for(Service.SNS, "", f"Action=Publish&{fields}".encode(), WHERE)
    entries = json.dumps({"Entries": [{"EventBusName": f"b{number}"} for number in range(101)]}).encode()
    with pytest.raises(SerializationException):
        asked_for(Service.EVENTBRIDGE, "AWSEvents.PutEvents", entries, WHERE)
    with pytest.raises(SerializationException):
        asked_for(Service.SNS, "", f"Action=Publish&TopicArn=arn:aws:sns:{'a' * 3000}".encode(), WHERE)
