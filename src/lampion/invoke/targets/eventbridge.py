"""Event buses: PutEvents of Amazon EventBridge, in its JSON protocol."""

from typing import Any, Final

import msgspec

from lampion.domain.delivery import Delivery, Purpose
from lampion.domain.resource_arn import parse_resource_arn
from lampion.endpoints.aws_client import AwsClient
from lampion.endpoints.exchange import HttpAnswer
from lampion.endpoints.services import Reach, Service
from lampion.invoke.targets.answers import ServiceError, check_taken
from lampion.invoke.targets.outside import OutsideService, json_call
from lampion.invoke.targets.target import TargetRefused, TargetUnavailable

_SOURCE: Final = "lambda"
"""As AWS's announcement and rules in use have it; names that begin with `aws.` are refused by PutEvents."""


class _Entry(msgspec.Struct):
    error_code: str | None = msgspec.field(name="ErrorCode", default=None)
    error_message: str | None = msgspec.field(name="ErrorMessage", default=None)


class _Result(msgspec.Struct):
    failed_entry_count: int = msgspec.field(name="FailedEntryCount", default=0)
    entries: list[_Entry] = msgspec.field(name="Entries", default_factory=list)


class EventBridgeTarget:
    """Puts records on event buses."""

    def __init__(self, client: AwsClient) -> None:
        self._events = OutsideService(Service.EVENTBRIDGE, client)

    async def deliver(self, delivery: Delivery) -> None:
        reach = self._events.reach(parse_resource_arn(delivery.destination_arn))
        body = msgspec.json.encode({"Entries": [event_entry(delivery)]})
        answer = await self._events.ask(reach, json_call("AWSEvents.PutEvents", "1.1", body, delivery.trace_header))
        check_taken(reach, answer)
        _check_entry(reach, answer)


def event_entry(delivery: Delivery) -> dict[str, Any]:
    """The record as the detail of an event, which names the bus and the function as its resources."""
    outcome = "Success" if delivery.purpose is Purpose.ON_SUCCESS else "Failure"
    entry: dict[str, Any] = {
        "Time": delivery.ended_epoch_ms / 1000,
        "Source": _SOURCE,
        "Resources": [delivery.destination_arn, delivery.function_arn],
        "DetailType": f"Lambda Function Invocation Result - {outcome}",
        "Detail": delivery.body.decode("utf-8"),
        "EventBusName": delivery.destination_arn,
    }
    if delivery.trace_header:
        entry["TraceHeader"] = delivery.trace_header
    return entry


def _check_entry(reach: Reach, answer: HttpAnswer) -> None:
    """PutEvents succeeds as a whole even when an entry is not taken."""
    where = f"{reach.service.identifier} at {reach.address}"
    try:
        result = msgspec.json.decode(answer.body, type=_Result)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise TargetUnavailable(f"{where} answered something else than PutEvents does") from None
    if result.failed_entry_count == 0:
        return
    entry = next((entry for entry in result.entries if entry.error_code), _Entry("", ""))
    error = ServiceError(entry.error_code or "", entry.error_message or "")
    raise (TargetUnavailable if error.will_pass else TargetRefused)(f"{where} did not take the event, {error}")
