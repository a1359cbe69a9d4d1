"""What is sent where: records whole or without payloads, dead letters with their three attributes."""

import json

import pytest

from lampion.domain.delivery import (
    ERROR_MESSAGE_BYTES,
    SNS_MESSAGE_BYTES,
    Attribute,
    Delivery,
    Purpose,
    dead_letter_delivery,
    record_delivery,
)
from lampion.domain.invocation_record import Condition, Ending, FunctionResponse, Refusal, invocation_record
from lampion.domain.resource_arn import ResourceArn, is_arn, parse_resource_arn, service_of

from .test_invocation_record import ARN, ORDERS, ending, never_run

QUEUE = "arn:aws:sqs:us-east-1:123456789012:queue"
TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"
BUCKET = "arn:aws:s3:::bucket"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:abcd1234:0"


def failed(message: str) -> Ending:
    return ending(response=FunctionResponse(json.dumps({"errorMessage": message}).encode(), "$LATEST", "Unhandled"))


def test_a_record_is_the_body_and_has_no_attributes() -> None:
    assert record_delivery("id-1", QUEUE, ending(), TRACE) == Delivery(
        id="id-1",
        destination_arn=QUEUE,
        purpose=Purpose.ON_FAILURE,
        function_arn=ARN,
        request_id=ending().request_id,
        body=invocation_record(ending()),
        ended_epoch_ms=ending().ended_epoch_ms,
        trace_header=TRACE,
    )
    success = record_delivery("id-1", QUEUE, ending(condition=Condition.SUCCESS))
    assert (success.purpose, success.trace_header) == (Purpose.ON_SUCCESS, "")
    assert (success.function_name, success.function_region) == ("my-function", "us-east-1")


@pytest.mark.parametrize(
    ("arn", "condition", "is_cut"),
    [
        (TOPIC, Condition.RETRIES_EXHAUSTED, True),
        (TOPIC, Condition.EVENT_AGE_EXCEEDED, True),
        (TOPIC, Condition.SUCCESS, False),
        (QUEUE, Condition.RETRIES_EXHAUSTED, False),
        (BUCKET, Condition.RETRIES_EXHAUSTED, False),
    ],
)
def test_only_failures_lose_payloads_and_only_for_topics(arn: str, condition: Condition, is_cut: bool) -> None:
    envelope = len(invocation_record(ending(condition=condition, event=b'""')))
    fitting = ending(condition=condition, event=b'"%s"' % (b"x" * (SNS_MESSAGE_BYTES - envelope)))
    assert len(invocation_record(fitting)) == SNS_MESSAGE_BYTES
    assert record_delivery("id", arn, fitting).body == invocation_record(fitting)
    larger = ending(condition=condition, event=fitting.event[:-1] + b'x"')
    body = record_delivery("id", arn, larger).body
    assert body == invocation_record(larger, with_payloads=not is_cut)


def test_a_dead_letter_is_the_event_as_it_came() -> None:
    letter = dead_letter_delivery("id-2", TOPIC, failed("Task timed out after 3.00 seconds"), TRACE)
    assert (letter.body, letter.purpose, letter.destination_arn) == (ORDERS, Purpose.DEAD_LETTER, TOPIC)
    assert letter.attributes == (
        Attribute("RequestID", "String", ending().request_id),
        Attribute("ErrorCode", "Number", "200"),
        Attribute("ErrorMessage", "String", "Task timed out after 3.00 seconds"),
    )
    assert letter.trace_header == TRACE


def attributes(of: Ending) -> dict[str, str]:
    return {attribute.name: attribute.value for attribute in dead_letter_delivery("id", QUEUE, of).attributes}


def test_the_error_message_is_its_first_kilobyte_in_whole_characters() -> None:
    assert attributes(failed("x" * 5000))["ErrorMessage"] == "x" * ERROR_MESSAGE_BYTES
    assert attributes(failed("é" * 5000))["ErrorMessage"] == "é" * 512
    assert attributes(failed("x" + "é" * 5000))["ErrorMessage"] == "x" + "é" * 511


def test_a_message_is_never_refused_for_its_error_message() -> None:
    assert "ErrorMessage" not in attributes(failed(""))
    assert (
        attributes(failed("\x1b[31mred\x00\ufffe\ud800\ttab"))["ErrorMessage"] == "\ufffd[31mred\ufffd\ufffd\ufffd\ttab"
    )


def test_the_error_code_is_what_kept_it_from_running() -> None:
    assert attributes(never_run(Condition.ZERO_RESERVED_CONCURRENCY))["ErrorCode"] == "429"
    throttled = ending(condition=Condition.EVENT_AGE_EXCEEDED, refusal=Refusal(429, "Rate Exceeded."))
    assert attributes(throttled) | {"RequestID": ""} == {
        "RequestID": "",
        "ErrorCode": "429",
        "ErrorMessage": "Rate Exceeded.",
    }


@pytest.mark.parametrize("header", ["nonsense", "Root=1-5759e988\nX: 1", "Parent=é", "Root=", ";", "Root=a b"])
def test_a_trace_header_of_another_form_stays_here(header: str) -> None:
    assert record_delivery("id", QUEUE, ending(), header).trace_header == ""
    assert dead_letter_delivery("id", QUEUE, ending(), header).trace_header == ""


def test_fields_of_a_trace_header_that_can_be_sent_are_sent() -> None:
    header = "Root=1-0;Evil=a b;Self=\N{LLAMA};Lineage=1:2a3b4c5d:15"
    assert record_delivery("id", QUEUE, ending(), header).trace_header == "Root=1-0;Lineage=1:2a3b4c5d:15"


def test_arns() -> None:
    assert parse_resource_arn(QUEUE) == ResourceArn("aws", "sqs", "us-east-1", "123456789012", "queue")
    assert parse_resource_arn(BUCKET) == ResourceArn("aws", "s3", "", "", "bucket")
    assert parse_resource_arn("arn:aws-cn:events:cn-north-1:1:event-bus/a:b").resource == "event-bus/a:b"
    assert [service_of(text) for text in (QUEUE, "arn:aws", "", "kafka://topic")] == ["sqs", "", "", ""]
    assert [text for text in ("", "queue", "arn:aws:sqs:us-east-1:1", "arn:aws:sqs:us-east-1:1:") if is_arn(text)] == []
