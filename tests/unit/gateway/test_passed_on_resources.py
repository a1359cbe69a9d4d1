"""What requests to queues, topics and buses are about, to IAM."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from lampion.endpoints.services import Service
from lampion.gateway.passed_on_resources import asked_for

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
        (Service.EVENTBRIDGE, "AWSEvents.PutEvents", {}, "PutEvents", ["*"]),
        (Service.EVENTBRIDGE, "AWSEvents.ListRules", {"EventBusName": "b"}, "ListRules", [f"{BUS}/b"]),
    ],
)
def test_what_a_request_is_about(
    service: Service, target: str, members: dict[str, Any], action: str, resources: list[str]
) -> None:
    body = json.dumps(members).encode() if target else urlencode(members).encode()
    asked = asked_for(service, target, body, WHERE)
    assert asked.wanted == [(f"{service.signing_name}:{action}", resource) for resource in resources]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_cant_be_read_is_asked_for_as_everything(body: bytes) -> None:
    assert asked_for(Service.SQS, "AmazonSQS.SendMessage", body, WHERE).wanted == [("sqs:SendMessage", "*")]
    assert [resource for _, resource in asked_for(Service.SQS, "", body, WHERE).wanted] == ["*"]


def test_a_name_that_is_there_twice_is_asked_for_as_everything() -> None:
    twice = b'{"QueueUrl": "/123456789012/mine", "QueueUrl": "/123456789012/other"}'
    assert asked_for(Service.SQS, "AmazonSQS.SendMessage", twice, WHERE).wanted == [("sqs:SendMessage", "*")]
    form = b"Action=SendMessage&QueueUrl=/1/mine&QueueUrl=/1/other"
    assert [resource for _, resource in asked_for(Service.SQS, "", form, WHERE).wanted] == ["*"]
