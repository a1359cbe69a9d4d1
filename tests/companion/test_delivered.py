"""What targets send really arrives: read back with boto3 from a peer that knows AWS's protocols, not us."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from lampion.domain.delivery import Delivery, dead_letter_delivery, record_delivery
from lampion.domain.invocation_record import Condition, Ending, FunctionResponse
from lampion.invoke.targets.target import TargetRefused, Targets, TargetUnavailable
from tests.companion import inbox
from tests.companion.companion import ACCOUNT, REGION, Companion

Reaching = Callable[[Companion], Targets]

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:thumbnails:$LATEST"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
IDS = [f"0f7bb5b6-a3a5-4e0c-9fd5-3a9d4e0d5c{number:02d}" for number in range(10)]
EVENT = '{"text": "é <&> \\" \\u0001", "n": 1.50}'.encode()
FAILED = Ending(
    request_id="e4b46cbf-b738-4f2d-8880-a18cdf61200e",
    function_arn=FUNCTION,
    condition=Condition.RETRIES_EXHAUSTED,
    invoke_count=3,
    event=EVENT,
    ended_epoch_ms=1_795_233_600_123,
    response=FunctionResponse(b'{"errorMessage":"\\u001b[31mno"}', "$LATEST", "Unhandled"),
)
SUCCEEDED = replace(FAILED, condition=Condition.SUCCESS, response=FunctionResponse(b"[1, 2]", "7"), invoke_count=1)


def attributes(message: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {name: (value["DataType"], value["StringValue"]) for name, value in message["MessageAttributes"].items()}


LETTER_ATTRIBUTES = {
    "RequestID": ("String", FAILED.request_id),
    "ErrorCode": ("Number", "200"),
    "ErrorMessage": ("String", "\ufffd[31mno"),
}


async def test_a_queue_has_the_record_to_the_byte_and_its_trace(companion: Companion, reaching: Reaching) -> None:
    there = inbox.queue(companion)
    sent = record_delivery(IDS[0], there.arn, FAILED, TRACE)
    await reaching(companion).deliver(sent)
    (message,) = there.receive()
    assert message["Body"].encode() == sent.body
    assert message["Attributes"]["AWSTraceHeader"] == TRACE
    assert json.loads(message["Body"])["requestPayload"] == json.loads(EVENT)


async def test_a_queue_has_the_dead_letter_with_its_attributes(companion: Companion, reaching: Reaching) -> None:
    there = inbox.queue(companion)
    await reaching(companion).deliver(dead_letter_delivery(IDS[0], there.arn, FAILED))
    (message,) = there.receive()
    assert (message["Body"].encode(), attributes(message)) == (EVENT, LETTER_ATTRIBUTES)


async def test_a_topic_passes_on_the_record(companion: Companion, reaching: Reaching) -> None:
    there = inbox.topic(companion)
    sent = record_delivery(IDS[0], there.arn, FAILED)
    await reaching(companion).deliver(sent)
    (message,) = there.receive()
    notification = json.loads(message["Body"])
    assert (notification["TopicArn"], notification["Message"].encode()) == (there.arn, sent.body)


async def test_a_topic_passes_on_the_dead_letter_with_its_attributes(companion: Companion, reaching: Reaching) -> None:
    there = inbox.topic(companion)
    await reaching(companion).deliver(dead_letter_delivery(IDS[0], there.arn, FAILED))
    (message,) = there.receive()
    notification = json.loads(message["Body"])
    assert notification["Message"].encode() == EVENT
    assert {n: (a["Type"], a["Value"]) for n, a in notification["MessageAttributes"].items()} == LETTER_ATTRIBUTES


@pytest.mark.parametrize(("ending", "word"), [(SUCCEEDED, "Success"), (FAILED, "Failure")])
async def test_a_rule_finds_the_record_on_a_bus(
    companion: Companion, reaching: Reaching, ending: Ending, word: str
) -> None:
    pattern = {
        "source": ["lambda"],
        "detail-type": [f"Lambda Function Invocation Result - {word}"],
        "detail": {"requestContext": {"condition": [ending.condition.value], "functionArn": [FUNCTION]}},
    }
    there = inbox.bus(companion, pattern)
    sent = record_delivery(IDS[0], there.arn, ending)
    await reaching(companion).deliver(sent)
    (message,) = there.receive()
    event = json.loads(message["Body"])
    assert event["detail"] == json.loads(sent.body)
    assert event["resources"] == [there.arn, FUNCTION]


async def test_a_bucket_has_one_object_however_often_it_is_sent(companion: Companion, reaching: Reaching) -> None:
    arn = inbox.bucket(companion)
    targets = reaching(companion)
    for delivery_id in (IDS[0], IDS[1], IDS[0]):
        await targets.deliver(record_delivery(delivery_id, arn, FAILED))
    found = inbox.objects(companion, arn)
    assert sorted(found) == [
        f"aws/lambda/async/thumbnails/2026/11/21/2026-11-21T04.00.00-{delivery_id}" for delivery_id in IDS[:2]
    ]
    assert set(found.values()) == {record_delivery(IDS[0], arn, FAILED).body}


async def test_many_at_once_arrive_each(companion: Companion, reaching: Reaching) -> None:
    there, targets = inbox.queue(companion), reaching(companion)
    sent = [replaced(record_delivery(f"id-{number}", there.arn, FAILED), number) for number in range(60)]
    await asyncio.gather(*(targets.deliver(one) for one in sent))
    messages = await asyncio.to_thread(there.receive, len(sent))
    assert sorted(message["Body"] for message in messages) == sorted(one.body.decode() for one in sent)


def replaced(delivery: Delivery, number: int) -> Delivery:
    return msgspec.structs.replace(delivery, body=b'{"number":%d}' % number)


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:sqs:{REGION}:{ACCOUNT}:no-such-queue",
        f"arn:aws:sns:{REGION}:{ACCOUNT}:no-such-topic",
        "arn:aws:s3:::no-such-bucket",
    ],
)
async def test_what_is_not_there_refuses(companion: Companion, reaching: Reaching, arn: str) -> None:
    with pytest.raises(TargetRefused, match=re.escape(f"at {companion.url} answered 4")):
        await reaching(companion).deliver(record_delivery(IDS[0], arn, FAILED))


async def test_a_record_that_is_too_large_for_a_topic_arrives_without_payloads(
    companion: Companion, reaching: Reaching
) -> None:
    there = inbox.topic(companion)
    large = replace(FAILED, event=b'"%s"' % (b"x" * 300_000))
    await reaching(companion).deliver(record_delivery(IDS[0], there.arn, large))
    (message,) = there.receive()
    assert list(json.loads(json.loads(message["Body"])["Message"])) == [
        "version",
        "timestamp",
        "requestContext",
        "responseContext",
    ]


async def test_while_the_peer_is_away_deliveries_wait_and_then_arrive(
    private_companion: Companion, reaching: Reaching
) -> None:
    """The same targets, which keep connections and queue URLs, before, during and after."""
    away, targets = private_companion, reaching(private_companion)
    queue, bucket = inbox.queue(away), inbox.bucket(away)
    before, later = record_delivery(IDS[0], queue.arn, FAILED), record_delivery(IDS[1], queue.arn, SUCCEEDED)
    kept = record_delivery(IDS[2], bucket, FAILED)
    await targets.deliver(before)
    await asyncio.to_thread(away.stop)
    for delivery in (later, kept, later):
        with pytest.raises(TargetUnavailable, match=re.escape(away.url)):
            await targets.deliver(delivery)
    await asyncio.to_thread(away.start)
    for delivery in (later, kept):
        await targets.deliver(delivery)
    messages = queue.receive(2)
    assert sorted(message["Body"] for message in messages) == sorted([before.body.decode(), later.body.decode()])
    assert queue.is_empty()
    assert list(inbox.objects(away, bucket).values()) == [kept.body]
