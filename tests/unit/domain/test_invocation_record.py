"""Records against the one that AWS answered with and the examples of its documentation."""

import json
from typing import Any

import pytest

from lampion.domain.invocation_record import (
    Condition,
    Ending,
    FunctionResponse,
    Refusal,
    error_of,
    invocation_record,
    timestamp,
)

ARN = "arn:aws:lambda:us-east-1:123456789012:function:my-function:$LATEST"
ORDERS = b'{"ORDER_IDS": [ "9e07af03", 1.0, "\\u00e9" ]}'
PROBLEM = b'{"errorMessage": "Process exited before completing request"}'


def ending(**changes: Any) -> Ending:
    fields: dict[str, Any] = {
        "request_id": "e4b46cbf-b738-4f2d-8880-a18cdf61200e",
        "function_arn": ARN,
        "condition": Condition.RETRIES_EXHAUSTED,
        "invoke_count": 3,
        "event": ORDERS,
        "ended_epoch_ms": 1_573_755_365_568,
        "response": FunctionResponse(PROBLEM, "$LATEST", "Unhandled"),
    }
    return Ending(**{**fields, **changes})


def never_run(condition: Condition) -> Ending:
    return ending(condition=condition, invoke_count=0, response=None, event=b"{}")


def test_a_function_error_is_recorded_as_the_documentation_shows_it() -> None:
    """AWS's example, to the byte: names, order, types."""
    assert invocation_record(ending()) == (
        b'{"version":"1.0","timestamp":"2019-11-14T18:16:05.568Z",'
        b'"requestContext":{"requestId":"e4b46cbf-b738-4f2d-8880-a18cdf61200e",'
        b'"functionArn":"arn:aws:lambda:us-east-1:123456789012:function:my-function:$LATEST",'
        b'"condition":"RetriesExhausted","approximateInvokeCount":3},'
        b'"requestPayload":' + ORDERS + b","
        b'"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},'
        b'"responsePayload":' + PROBLEM + b"}"
    )


def test_a_success_has_no_function_error() -> None:
    response = FunctionResponse(b"null", "7")
    record = json.loads(
        invocation_record(ending(condition=Condition.SUCCESS, invoke_count=1, response=response, event=b"[1]"))
    )
    assert record["requestContext"]["condition"] == "Success"
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "7"}
    assert record["responsePayload"] is None
    assert record["requestPayload"] == [1]


@pytest.mark.parametrize("condition", [condition for condition in Condition if condition is not Condition.SUCCESS])
def test_what_never_ran_has_no_response_as_aws_recorded(condition: Condition) -> None:
    record = json.loads(invocation_record(never_run(condition)))
    assert list(record) == ["version", "timestamp", "requestContext", "requestPayload"]
    assert list(record["requestContext"]) == ["requestId", "functionArn", "condition", "approximateInvokeCount"]
    assert (record["requestContext"]["condition"], record["requestContext"]["approximateInvokeCount"]) == (condition, 0)
    assert record["requestPayload"] == {}


def test_the_words_of_conditions() -> None:
    assert [condition.value for condition in Condition][:4] == [
        "Success",
        "RetriesExhausted",
        "EventAgeExceeded",
        "ZeroReservedConcurrency",
    ]


@pytest.mark.parametrize(
    ("payload", "written"),
    [
        (b'{"a" : 1e400}', b'{"a" : 1e400}'),
        (b'"\\ud800"', b'"\\ud800"'),
        (b"", b"null"),
        (b"plain text", b'"plain text"'),
        (b'say "hi"\n', b'"say \\"hi\\"\\n"'),
        (b"{}{}", b'"{}{}"'),
        (b'{"a": NaN}', b'"{\\"a\\": NaN}"'),
        (b'{"a": NaN, "b": "\\ud800"}', b'"{\\"a\\": NaN, \\"b\\": \\"\\\\ud800\\"}"'),
        (b'"\xff"', '"\\"\ufffd\\""'.encode()),
        (b"\xff\xfe", '"\ufffd\ufffd"'.encode()),
        (b"[" * 5000, b'"' + b"[" * 5000 + b'"'),
    ],
)
def test_a_response_that_is_no_json_is_recorded_as_text(payload: bytes, written: bytes) -> None:
    record = invocation_record(ending(response=FunctionResponse(payload, "$LATEST")))
    assert record.endswith(b'"responsePayload":' + written + b"}")
    json.loads(record)


def test_without_payloads_the_rest_stays() -> None:
    whole, short = json.loads(invocation_record(ending())), json.loads(invocation_record(ending(), with_payloads=False))
    del whole["requestPayload"], whole["responsePayload"]
    assert short == whole


@pytest.mark.parametrize(
    ("epoch_ms", "text"), [(0, "1970-01-01T00:00:00.000Z"), (1_657_720_081_007, "2022-07-13T13:48:01.007Z")]
)
def test_times_have_milliseconds(epoch_ms: int, text: str) -> None:
    assert timestamp(epoch_ms) == text


@pytest.mark.parametrize(
    ("failed", "error"),
    [
        (ending(), Refusal(200, "Process exited before completing request")),
        (ending(response=FunctionResponse(b'{"errorMessage": 1}', "1")), Refusal(200, '{"errorMessage": 1}')),
        (ending(response=FunctionResponse(b'"just text"', "1")), Refusal(200, '"just text"')),
        (ending(response=FunctionResponse(b"\xff", "1")), Refusal(200, "\ufffd")),
        (ending(refusal=Refusal(429, "Rate Exceeded.")), Refusal(429, "Rate Exceeded.")),
    ],
)
def test_the_error_of_what_ran_is_the_functions_own(failed: Ending, error: Refusal) -> None:
    assert error_of(failed) == error


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (Condition.RETRIES_EXHAUSTED, 500),
        (Condition.EVENT_AGE_EXCEEDED, 429),
        (Condition.ZERO_RESERVED_CONCURRENCY, 429),
        (Condition.RECURSIVE_INVOCATION, 400),
        (Condition.FUNCTION_NOT_FOUND, 404),
    ],
)
def test_the_error_of_what_never_ran_says_why(condition: Condition, status: int) -> None:
    error = error_of(never_run(condition))
    assert error.status_code == status
    assert error.message.endswith(".")
