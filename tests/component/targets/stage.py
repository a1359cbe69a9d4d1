"""Targets in front of the stub service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lampion.clock.clock import SystemClock
from lampion.domain.delivery import Attribute, Delivery, Purpose
from lampion.endpoints.address import parse_address
from lampion.endpoints.aws_client import AwsClient
from lampion.endpoints.http_client import HttpClient, TimeLimits
from lampion.endpoints.services import Credentials, Endpoints, Service, ServiceEndpoint
from lampion.invoke.targets.table import outside_targets
from lampion.invoke.targets.target import TargetRefused, Targets, TargetUnavailable
from tests.stub_service import KEY_ID, SECRET, TOKEN, Stub, answer, stub_service

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:results"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:results"
BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/results"
BUCKET = "arn:aws:s3:::results.example"
FUNCTION = "arn:aws:lambda:us-east-2:123456789012:function:thumbnails:live"
DELIVERY_ID = "0f7bb5b6-a3a5-4e0c-9fd5-3a9d4e0d5c11"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
RECORD = '{"version":"1.0","requestPayload":"é <&> \\" "}'

QUEUE_URL = answer(200, b'{"QueueUrl":"http://elsewhere.invalid/000000000000/results"}')
SENT = answer(200, b'{"MessageId":"1"}')
PUT = answer(200, b'{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}')
SUCCESSES = {QUEUE: [QUEUE_URL, SENT], TOPIC: [answer(200, b"<PublishResponse/>")], BUS: [PUT], BUCKET: [answer(200)]}


def delivery(arn: str, *, purpose: Purpose = Purpose.ON_FAILURE, trace: str = TRACE) -> Delivery:
    return Delivery(
        id=DELIVERY_ID,
        destination_arn=arn,
        purpose=purpose,
        function_arn=FUNCTION,
        request_id="request-1",
        body=RECORD.encode(),
        ended_epoch_ms=1_573_755_365_568,
        trace_header=trace,
    )


def dead_letter(arn: str) -> Delivery:
    return Delivery(
        id=DELIVERY_ID,
        destination_arn=arn,
        purpose=Purpose.DEAD_LETTER,
        function_arn=FUNCTION,
        request_id="request-1",
        body=b'{"n": 1 }',
        ended_epoch_ms=1_573_755_365_568,
        attributes=(Attribute("RequestID", "String", "request-1"), Attribute("ErrorCode", "Number", "200")),
    )


@dataclass
class Stage:
    """A stub, and targets that reach it as every service."""

    stub: Stub
    client: AwsClient
    targets: Targets

    async def deliver(self, arn: str, *answers: bytes) -> None:
        """Once, with the stub giving `answers`, or those of success."""
        self.stub.answers = list(answers or SUCCESSES[arn])
        await self.targets.deliver(delivery(arn))

    async def outcome(self, arn: str, *answers: bytes) -> tuple[str, str]:
        """`taken`, `unavailable` or `refused`, and the words."""
        try:
            await self.deliver(arn, *answers)
        except TargetUnavailable as error:
            return "unavailable", str(error)
        except TargetRefused as error:
            return "refused", str(error)
        return "taken", ""


@asynccontextmanager
async def stage(*, path: str = "", region: str | None = None, answer_seconds: float = 5) -> AsyncIterator[Stage]:
    async with stub_service() as stub:
        address = parse_address(f"http://127.0.0.1:{stub.port}{path}")
        endpoint = ServiceEndpoint(address, Credentials(KEY_ID, SECRET, TOKEN), region)
        http = HttpClient(SystemClock(), limits=TimeLimits(answer_seconds=answer_seconds))
        client = AwsClient(Endpoints(dict.fromkeys(Service, endpoint)), http, SystemClock())
        try:
            yield Stage(stub, client, Targets(outside_targets(client)))
        finally:
            await http.close()
