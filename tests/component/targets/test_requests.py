"""What each service is sent, to the byte where its API is bytes, and signed (the stub checks every signature)."""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from lampion.domain.delivery import Purpose
from tests.component.targets.stage import (
    BUCKET,
    BUS,
    DELIVERY_ID,
    FUNCTION,
    PUT,
    QUEUE,
    QUEUE_URL,
    RECORD,
    SENT,
    TOPIC,
    TRACE,
    Stage,
    dead_letter,
    delivery,
    stage,
)
from tests.stub_service import TOKEN, Received, answer


def signed_for(request: Received, service: str, region: str) -> bool:
    return (request.service, request.region, request.headers["x-amz-security-token"]) == (service, region, TOKEN)


async def test_a_queue_is_found_once_and_sent_to() -> None:
    async with stage() as on:
        await on.deliver(QUEUE)
        await on.deliver(QUEUE, SENT)
        found, *sends = on.stub.received
    assert (found.method, found.path, found.headers["x-amz-target"]) == ("POST", "/", "AmazonSQS.GetQueueUrl")
    assert json.loads(found.body) == {"QueueName": "results", "QueueOwnerAWSAccountId": "123456789012"}
    assert len(sends) == 2
    for sent in sends:
        assert sent.headers["x-amz-target"] == "AmazonSQS.SendMessage"
        assert sent.headers["content-type"] == "application/x-amz-json-1.0"
        assert signed_for(sent, "sqs", "eu-west-1")
        assert json.loads(sent.body) == {
            "QueueUrl": "http://elsewhere.invalid/000000000000/results",
            "MessageBody": RECORD,
            "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}},
        }
    assert [request.connection for request in on.stub.received] == [1, 1, 1]


async def test_a_dead_letter_reaches_a_queue_with_its_attributes() -> None:
    async with stage() as on:
        on.stub.answers = [QUEUE_URL, SENT]
        await on.targets.deliver(dead_letter(QUEUE))
        body = json.loads(on.stub.received[1].body)
    assert body["MessageBody"] == '{"n": 1 }'
    assert body["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": "request-1"},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
    }
    assert "MessageSystemAttributes" not in body


async def test_a_topic_is_published_to() -> None:
    async with stage() as on:
        await on.deliver(TOPIC)
        (request,) = on.stub.received
    assert (request.method, request.path) == ("POST", "/")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8"
    assert request.headers["x-amzn-trace-id"] == TRACE
    assert signed_for(request, "sns", "eu-west-1")
    assert parse_qsl(request.body.decode("ascii"), strict_parsing=True) == [
        ("Action", "Publish"),
        ("Version", "2010-03-31"),
        ("TopicArn", TOPIC),
        ("Message", RECORD),
    ]


async def test_a_dead_letter_reaches_a_topic_with_its_attributes() -> None:
    async with stage() as on:
        on.stub.answers = [answer(200)]
        await on.targets.deliver(dead_letter(TOPIC))
        form = dict(parse_qsl(on.stub.received[0].body.decode("ascii"), strict_parsing=True))
    assert form["Message"] == '{"n": 1 }'
    entries = [
        [form[f"MessageAttributes.entry.{number}.{part}"] for part in ("Name", "Value.DataType", "Value.StringValue")]
        for number in (1, 2)
    ]
    assert entries == [["RequestID", "String", "request-1"], ["ErrorCode", "Number", "200"]]


@pytest.mark.parametrize(("purpose", "word"), [(Purpose.ON_SUCCESS, "Success"), (Purpose.ON_FAILURE, "Failure")])
async def test_a_bus_gets_the_record_as_detail(purpose: Purpose, word: str) -> None:
    async with stage() as on:
        on.stub.answers = [PUT]
        await on.targets.deliver(delivery(BUS, purpose=purpose))
        (request,) = on.stub.received
    assert request.headers["x-amz-target"] == "AWSEvents.PutEvents"
    assert request.headers["content-type"] == "application/x-amz-json-1.1"
    assert signed_for(request, "events", "eu-west-1")
    entry: dict[str, Any] = {
        "Time": 1_573_755_365.568,
        "Source": "lambda",
        "Resources": [BUS, FUNCTION],
        "DetailType": f"Lambda Function Invocation Result - {word}",
        "Detail": RECORD,
        "EventBusName": BUS,
        "TraceHeader": TRACE,
    }
    assert json.loads(request.body) == {"Entries": [entry]}


async def test_a_bucket_gets_an_object_whose_name_is_the_same_each_time() -> None:
    async with stage() as on:
        await on.deliver(BUCKET)
        await on.deliver(BUCKET)
        first, second = on.stub.received
    key = f"aws/lambda/async/thumbnails/2019/11/14/2019-11-14T18.16.05-{DELIVERY_ID}"
    assert (first.method, first.path) == (second.method, second.path) == ("PUT", f"/results.example/{key}")
    assert first.body == RECORD.encode()
    assert first.headers["content-type"] == "application/json"
    assert first.headers["x-amzn-trace-id"] == TRACE
    assert signed_for(first, "s3", "us-east-2"), "a bucket's ARN has no region: the function's is meant"


@pytest.mark.parametrize("arn", [TOPIC, BUS, BUCKET])
async def test_what_proxies_rewrite_is_not_signed(arn: str) -> None:
    async with stage() as on:
        await on.deliver(arn)
        (request,) = on.stub.received
    signed = request.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "x-amz-date", "content-type"} <= set(signed)
    assert set(signed) & {"user-agent", "x-amzn-trace-id"} == set()
    assert {"user-agent", "x-amzn-trace-id"} <= set(request.headers)


@pytest.mark.parametrize("arn", [TOPIC, BUS, BUCKET])
async def test_without_a_trace_none_is_made_up(arn: str) -> None:
    async with stage() as on:
        on.stub.answers = [PUT]
        await on.targets.deliver(delivery(arn, trace=""))
        (request,) = on.stub.received
    assert "x-amzn-trace-id" not in request.headers
    assert b"TraceHeader" not in request.body


@pytest.mark.parametrize("arn", [QUEUE, TOPIC, BUS, BUCKET])
async def test_an_endpoints_own_path_and_region_are_kept(arn: str) -> None:
    async with stage(path="/base", region="us-west-1") as on:
        await on.deliver(arn)
    assert all(request.path.startswith("/base/") for request in on.stub.received)
    assert {request.region for request in on.stub.received} == {"us-west-1"}
    assert all(request.headers["host"] == f"127.0.0.1:{on.stub.port}" for request in on.stub.received)


async def test_who_may_send_but_not_look_sends_to_the_usual_place() -> None:
    denied = answer(403, b'{"__type":"com.amazonaws.sqs#AccessDeniedException","message":"no"}')
    async with stage() as on:
        await on.deliver(QUEUE, denied, SENT)
        sent = json.loads(on.stub.received[1].body)
        assert sent["QueueUrl"] == f"http://127.0.0.1:{on.stub.port}/123456789012/results"
        await on.deliver(QUEUE, QUEUE_URL, SENT)
        assert len(on.stub.received) == 4, "what was denied is asked again"


async def queue_urls(on: Stage) -> list[str]:
    return [json.loads(request.body).get("QueueUrl", "looked for") for request in on.stub.received]


async def test_a_queue_that_moved_is_looked_for_again() -> None:
    gone = answer(400, b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"gone"}')
    moved = answer(200, b'{"QueueUrl":"http://new.invalid/results"}')
    async with stage() as on:
        await on.deliver(QUEUE)
        await on.deliver(QUEUE, gone, moved, SENT)
        await on.deliver(QUEUE, SENT)
        old, new = "http://elsewhere.invalid/000000000000/results", "http://new.invalid/results"
        assert await queue_urls(on) == ["looked for", old, old, "looked for", new, new]


async def test_on_aws_a_queues_url_follows_from_its_arn(monkeypatch: pytest.MonkeyPatch) -> None:
    """One permission less: sqs:SendMessage is all that AWS asks of a role."""
    async with stage() as on:
        reach = on.client.reach

        def as_aws(*args: Any, **names: Any) -> Any:
            from dataclasses import replace

            return replace(reach(*args, **names), is_aws=True)

        monkeypatch.setattr(on.client, "reach", as_aws)
        await on.deliver(QUEUE, SENT)
        assert await queue_urls(on) == [f"http://127.0.0.1:{on.stub.port}/123456789012/results"]
