"""How an event ended, as AWS writes it down: the invocation record of destinations. Pure; payloads are never decoded.

AWS page: "Capturing records of Lambda asynchronous invocations". A recorded answer shows that a record of what never
ran has neither responseContext nor responsePayload.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, NoReturn

import msgspec

_SYNTAX: Final = msgspec.json.Decoder(msgspec.Raw)


class Condition(StrEnum):
    """Why a record is sent. The last two words are ours: AWS documents that it sends such records, not their words."""

    SUCCESS = "Success"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    EVENT_AGE_EXCEEDED = "EventAgeExceeded"
    ZERO_RESERVED_CONCURRENCY = "ZeroReservedConcurrency"
    RECURSIVE_INVOCATION = "RecursiveInvocation"
    FUNCTION_NOT_FOUND = "FunctionNotFound"


@dataclass(frozen=True, slots=True)
class FunctionResponse:
    """What the last run of the function answered; `function_error` is None or AWS's word for the kind of error."""

    payload: bytes
    executed_version: str
    function_error: str | None = None
    status_code: int = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """What kept an event from being run: an HTTP status code and words."""

    status_code: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The one end of an accepted event.

    `function_arn` is qualified, `$LATEST` included; `invoke_count` is how often the function was run; `response` is
    None when it never ran, and `refusal` says why the last attempt didn't, where that is known.
    """

    request_id: str
    function_arn: str
    condition: Condition
    invoke_count: int
    event: bytes
    ended_epoch_ms: int
    response: FunctionResponse | None = None
    refusal: Refusal | None = None


def invocation_record(ending: Ending, *, with_payloads: bool = True) -> bytes:
    """The record in JSON, members in AWS's order. The event is JSON already; what isn't JSON becomes a JSON string."""
    context = {
        "requestId": ending.request_id,
        "functionArn": ending.function_arn,
        "condition": ending.condition.value,
        "approximateInvokeCount": ending.invoke_count,
    }
    parts = [b'{"version":"1.0","timestamp":"', timestamp(ending.ended_epoch_ms).encode(), b'","requestContext":']
    parts.append(msgspec.json.encode(context))
    if with_payloads:
        parts += [b',"requestPayload":', ending.event]
    if ending.response is not None:
        parts += [b',"responseContext":', _response_context(ending.response)]
        if with_payloads:
            parts += [b',"responsePayload":', _as_json(ending.response.payload)]
    parts.append(b"}")
    return b"".join(parts)


def timestamp(epoch_ms: int) -> str:
    """Milliseconds since the epoch as 2019-11-14T18:16:05.568Z."""
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def error_of(ending: Ending) -> Refusal:
    """The HTTP status code and message of a failure: the function's own error, or what kept it from running."""
    if ending.refusal is not None:
        return ending.refusal
    if ending.response is not None:
        return Refusal(ending.response.status_code, _error_message(ending.response.payload))
    return _NEVER_RUN[ending.condition]


_NEVER_RUN: Final = {
    Condition.SUCCESS: Refusal(200, ""),
    Condition.RETRIES_EXHAUSTED: Refusal(500, "The function could not be run."),
    Condition.EVENT_AGE_EXCEEDED: Refusal(429, "The event reached its maximum age before the function could be run."),
    Condition.ZERO_RESERVED_CONCURRENCY: Refusal(429, "The function has zero reserved concurrent executions."),
    Condition.RECURSIVE_INVOCATION: Refusal(400, "The function was being invoked in a recursive loop."),
    Condition.FUNCTION_NOT_FOUND: Refusal(404, "The function no longer exists."),
}


def _response_context(response: FunctionResponse) -> bytes:
    context: dict[str, str | int] = {"statusCode": response.status_code, "executedVersion": response.executed_version}
    if response.function_error is not None:
        context["functionError"] = response.function_error
    return msgspec.json.encode(context)


def _as_json(payload: bytes) -> bytes:
    if not payload:
        return b"null"
    return payload if _is_json(payload) else msgspec.json.encode(payload.decode("utf-8", "replace"))


def _is_json(payload: bytes) -> bool:
    try:
        text = payload.decode("utf-8")
        _SYNTAX.decode(payload)
    except (UnicodeDecodeError, RecursionError):
        return False
    except msgspec.DecodeError:
        return "\\u" in text and _is_lenient_json(text)
    return True


def _is_lenient_json(text: str) -> bool:
    """Lone surrogate escapes are JSON, and msgspec refuses them."""
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _error_message(payload: bytes) -> str:
    """The errorMessage that runtimes answer with, else all that the function answered."""
    text = payload.decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    message = document.get("errorMessage") if isinstance(document, dict) else None
    return message if isinstance(message, str) else text
