"""Every ARN that a configuration may name has a target; Lambda's own is the event queue's."""

from dataclasses import replace
from typing import Any

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.domain.arn import FunctionKey
from lampion.domain.connections import check_connections
from lampion.domain.delivery import Delivery, Purpose
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.event_invoke_config import Destinations, check_destinations
from lampion.domain.resource_arn import service_of
from lampion.endpoints.aws_client import AwsClient
from lampion.endpoints.http_client import HttpClient
from lampion.endpoints.services import Endpoints
from lampion.invoke.targets.function import FunctionTarget
from lampion.invoke.targets.table import outside_targets
from lampion.invoke.targets.target import TargetRefused, Targets, TargetUnavailable
from tests.unit.domain.test_connections import GOOD

KEY = FunctionKey("123456789012", "us-east-1", "f")
SERVICES = ["sqs", "sns", "events", "s3", "lambda", "kinesis", "firehose", "dynamodb", "states", "logs"]
RESOURCES = {"events": "event-bus/b", "lambda": "function:g"}


def arn(service: str) -> str:
    where = "::" if service == "s3" else "us-east-1:123456789012:"
    return f"arn:aws:{service}:{where}{RESOURCES.get(service, 'bucket')}"


def outside() -> dict[str, Any]:
    return {**outside_targets(AwsClient(Endpoints(), HttpClient(VirtualClock()), VirtualClock()))}


@pytest.mark.parametrize("service", SERVICES)
def test_what_may_be_a_destination_has_a_target(service: str) -> None:
    try:
        functions = check_destinations(KEY, Destinations(on_failure=arn(service)))
    except InvalidParameterValueException:
        assert service_of(arn(service)) not in outside()
    else:
        assert bool(functions) != (service_of(arn(service)) in outside())


@pytest.mark.parametrize("service", SERVICES)
def test_what_may_be_a_dead_letter_queue_has_a_target(service: str) -> None:
    configuration = replace(GOOD, dead_letter_config={"TargetArn": arn(service)})
    try:
        check_connections(configuration, region="us-east-1")
    except InvalidParameterValueException:
        assert service not in {"sqs", "sns"}
    else:
        assert service in outside()


@pytest.mark.parametrize(
    ("target_arn", "raised"),
    [(arn("sqs"), TargetUnavailable), (arn("lambda"), TargetRefused), ("arn:aws:sqs:", TargetRefused)],
)
async def test_what_has_none_is_refused(target_arn: str, raised: type[Exception]) -> None:
    with pytest.raises(raised, match=r"sqs has no endpoint|results can't be sent to the service"):
        await Targets(outside()).deliver(delivery(target_arn))


@pytest.mark.parametrize(
    ("body", "words"), [(b"{}", "in another account or region"), (b" " * 1_048_577, "1048577 bytes is more than")]
)
async def test_a_function_that_can_not_get_a_result_is_refused_with_the_reason(body: bytes, words: str) -> None:
    with pytest.raises(TargetRefused, match=words):
        await FunctionTarget().deliver(delivery("arn:aws:lambda:eu-west-1:123456789012:function:far", body))


def delivery(target_arn: str, body: bytes = b"{}") -> Delivery:
    return Delivery(
        id="1",
        destination_arn=target_arn,
        purpose=Purpose.ON_SUCCESS,
        function_arn=KEY.qualified_arn("1"),
        request_id="1",
        body=body,
        ended_epoch_ms=0,
    )
