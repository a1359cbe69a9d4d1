"""What is sent when an event has ended: a record to a destination, or the event itself to a dead-letter queue. Pure.

A delivery is a value that can be kept and sent again: whoever gets it twice knows it by its body, which is the same to
the byte, and by the request id in it.
"""

import re
from enum import StrEnum
from typing import Final

import msgspec

from lampion.domain.invocation_record import Condition, Ending, error_of, invocation_record
from lampion.domain.resource_arn import service_of

SNS_MESSAGE_BYTES: Final = 262_144
ERROR_MESSAGE_BYTES: Final = 1024

_UNSENDABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters outside XML 1.0, for which SQS and SNS refuse a whole message."""

_TRACE_FIELD: Final = re.compile(r"[A-Za-z]+=[A-Za-z0-9:|_.-]+")


class Purpose(StrEnum):
    """What a delivery is for."""

    ON_SUCCESS = "destination-success"
    ON_FAILURE = "destination-failure"
    DEAD_LETTER = "dead-letter"


class Attribute(msgspec.Struct, frozen=True):
    """A message attribute; `data_type` is `String` or `Number`."""

    name: str
    data_type: str
    value: str


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to send to one place.

    `id` is a UUID that stays the same however often this is sent; `function_arn` is the qualified ARN of the function
    whose event ended at `ended_epoch_ms`; `trace_header` is the value of X-Amzn-Trace-Id, empty for none.
    """

    id: str
    destination_arn: str
    purpose: Purpose
    function_arn: str
    request_id: str
    body: bytes
    ended_epoch_ms: int
    attributes: tuple[Attribute, ...] = ()
    trace_header: str = ""

    @property
    def function_name(self) -> str:
        return self.function_arn.split(":")[6]

    @property
    def function_region(self) -> str:
        return self.function_arn.split(":")[3]


def record_delivery(delivery_id: str, destination_arn: str, ending: Ending, trace_header: str = "") -> Delivery:
    """The invocation record for an OnSuccess or OnFailure destination, as the ending's condition has it.

    A record of a failure that is too large for a topic goes there without payloads: the model says so of OnFailure.
    """
    purpose = Purpose.ON_SUCCESS if ending.condition is Condition.SUCCESS else Purpose.ON_FAILURE
    body = invocation_record(ending)
    is_for_topic = service_of(destination_arn) == "sns"
    if is_for_topic and purpose is Purpose.ON_FAILURE and len(body) > SNS_MESSAGE_BYTES:
        body = invocation_record(ending, with_payloads=False)
    return Delivery(
        id=delivery_id,
        destination_arn=destination_arn,
        purpose=purpose,
        function_arn=ending.function_arn,
        request_id=ending.request_id,
        body=body,
        ended_epoch_ms=ending.ended_epoch_ms,
        trace_header=_sendable_trace(trace_header),
    )


def dead_letter_delivery(delivery_id: str, target_arn: str, ending: Ending, trace_header: str = "") -> Delivery:
    """The event as it came, for a function's dead-letter queue, with AWS's three attributes."""
    return Delivery(
        id=delivery_id,
        destination_arn=target_arn,
        purpose=Purpose.DEAD_LETTER,
        function_arn=ending.function_arn,
        request_id=ending.request_id,
        body=ending.event,
        ended_epoch_ms=ending.ended_epoch_ms,
        attributes=_dead_letter_attributes(ending),
        trace_header=_sendable_trace(trace_header),
    )


def _dead_letter_attributes(ending: Ending) -> tuple[Attribute, ...]:
    error = error_of(ending)
    attributes = [
        Attribute("RequestID", "String", ending.request_id),
        Attribute("ErrorCode", "Number", str(error.status_code)),
    ]
    if message := _first_kilobyte(error.message):
        attributes.append(Attribute("ErrorMessage", "String", message))  # an attribute can't be empty
    return tuple(attributes)


def _sendable_trace(header: str) -> str:
    """SQS refuses a whole message for a field of another form, and callers write what they like into theirs.

    The others stay: among them is the lineage, by which loops are found.
    """
    return ";".join(field for field in header.split(";") if _TRACE_FIELD.fullmatch(field))


def _first_kilobyte(message: str) -> str:
    sendable = _UNSENDABLE.sub("\ufffd", message)
    return sendable.encode("utf-8")[:ERROR_MESSAGE_BYTES].decode("utf-8", "ignore")
