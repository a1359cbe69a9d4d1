"""A second reading of the services' protocols: boto3, asked to do the same, sends the same."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest
from botocore.config import Config

from lampion.domain.delivery import Delivery
from tests.component.targets.stage import (
    BUS,
    FUNCTION,
    PUT,
    QUEUE,
    QUEUE_URL,
    RECORD,
    SENT,
    TOPIC,
    TRACE,
    dead_letter,
    delivery,
    stage,
)
from tests.stub_service import KEY_ID, SECRET, TOKEN, Received, answer

ATTRIBUTES = {
    "RequestID": {"DataType": "String", "StringValue": "request-1"},
    "ErrorCode": {"DataType": "Number", "StringValue": "200"},
}
QUEUE_FOUND = "http://elsewhere.invalid/000000000000/results"
ENTRY = {
    "Time": 1_573_755_365.568,
    "Source": "lambda",
    "Resources": [BUS, FUNCTION],
    "DetailType": "Lambda Function Invocation Result - Failure",
    "Detail": RECORD,
    "EventBusName": BUS,
    "TraceHeader": TRACE,
}
Action = Callable[[Any], Any]


def look_and_send(sqs: Any, **message: Any) -> None:
    sqs.get_queue_url(QueueName="results", QueueOwnerAWSAccountId="123456789012")
    sqs.send_message(QueueUrl=QUEUE_FOUND, **message)


CASES: dict[str, tuple[str, Delivery, list[bytes], Action]] = {
    "a record to a queue": (
        "sqs",
        delivery(QUEUE),
        [QUEUE_URL, SENT],
        lambda sqs: look_and_send(
            sqs,
            MessageBody=RECORD,
            MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}},
        ),
    ),
    "a dead letter to a queue": (
        "sqs",
        dead_letter(QUEUE),
        [QUEUE_URL, SENT],
        lambda sqs: look_and_send(sqs, MessageBody='{"n": 1 }', MessageAttributes=ATTRIBUTES),
    ),
    "a record to a topic": (
        "sns",
        delivery(TOPIC),
        [answer(200, b"<PublishResponse><PublishResult/></PublishResponse>")],
        lambda sns: sns.publish(TopicArn=TOPIC, Message=RECORD),
    ),
    "a dead letter to a topic": (
        "sns",
        dead_letter(TOPIC),
        [answer(200, b"<PublishResponse><PublishResult/></PublishResponse>")],
        lambda sns: sns.publish(TopicArn=TOPIC, Message='{"n": 1 }', MessageAttributes=ATTRIBUTES),
    ),
    "a record to a bus": ("events", delivery(BUS), [PUT], lambda events: events.put_events(Entries=[ENTRY])),
}


def essence(request: Received) -> tuple[Any, ...]:
    """What a service reads of a request."""
    body = (
        json.loads(request.body)
        if "json" in request.headers["content-type"]
        else sorted(parse_qsl(request.body.decode("ascii"), keep_blank_values=True))
    )
    media_type = request.headers["content-type"].lower()
    scope = (request.service, request.region)
    return (request.method, request.path, media_type, request.headers.get("x-amz-target"), scope, body)


@pytest.mark.parametrize("case", CASES)
async def test_we_send_what_boto3_sends(case: str) -> None:
    service, sent, answers, action = CASES[case]
    async with stage() as on:
        on.stub.answers = list(answers)
        await on.targets.deliver(sent)
        ours = [essence(request) for request in on.stub.received]
        on.stub.received.clear()
        on.stub.answers = list(answers)
        client = boto3.session.Session().client(
            service,
            endpoint_url=f"http://127.0.0.1:{on.stub.port}",
            region_name="eu-west-1",
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            aws_session_token=TOKEN,
            config=Config(retries={"total_max_attempts": 1}),
        )
        await asyncio.to_thread(action, client)
        client.close()
        theirs = [essence(request) for request in on.stub.received]
    assert ours == theirs
