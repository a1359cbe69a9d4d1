"""Queues: SendMessage of Amazon SQS, in its JSON protocol."""

from typing import Any, Final

import msgspec

from lampion.domain.delivery import Attribute, Delivery
from lampion.domain.resource_arn import ResourceArn, parse_resource_arn
from lampion.endpoints.aws_client import AwsClient
from lampion.endpoints.exchange import HttpAnswer
from lampion.endpoints.services import Reach, Service
from lampion.invoke.targets.answers import check_taken, error_in
from lampion.invoke.targets.outside import OutsideService, json_call
from lampion.invoke.targets.target import TargetUnavailable

_NO_SUCH_QUEUE: Final = frozenset({"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "NonExistentQueue"})
_MAY_NOT_LOOK: Final = frozenset({"AccessDenied", "AccessDeniedException"})


class _QueueUrl(msgspec.Struct):
    url: str = msgspec.field(name="QueueUrl")


class SqsTarget:
    """Sends to queues. On AWS a queue's URL follows from its ARN; elsewhere the server is asked once and remembered."""

    def __init__(self, client: AwsClient) -> None:
        self._sqs = OutsideService(Service.SQS, client)
        self._urls: dict[str, str] = {}

    async def deliver(self, delivery: Delivery) -> None:
        arn = parse_resource_arn(delivery.destination_arn)
        reach = self._sqs.reach(arn)
        remembered = self._urls.get(delivery.destination_arn)
        answer = await self._send(reach, remembered or await self._find(reach, arn, delivery.destination_arn), delivery)
        if remembered is not None and error_in(answer).code in _NO_SUCH_QUEUE:
            # Made anew since, or by a server that names its queues in another way.
            del self._urls[delivery.destination_arn]
            answer = await self._send(reach, await self._find(reach, arn, delivery.destination_arn), delivery)
        check_taken(reach, answer)

    async def _send(self, reach: Reach, url: str, delivery: Delivery) -> HttpAnswer:
        message: dict[str, Any] = {"QueueUrl": url, "MessageBody": delivery.body.decode("utf-8")}
        if delivery.attributes:
            message["MessageAttributes"] = {attribute.name: _value(attribute) for attribute in delivery.attributes}
        if delivery.trace_header:
            header = Attribute("AWSTraceHeader", "String", delivery.trace_header)
            message["MessageSystemAttributes"] = {header.name: _value(header)}
        return await self._sqs.ask(reach, json_call("AmazonSQS.SendMessage", "1.0", msgspec.json.encode(message)))

    async def _find(self, reach: Reach, arn: ResourceArn, text: str) -> str:
        if reach.is_aws:
            return self._remember(text, f"{reach.address}/{arn.account_id}/{arn.resource}")
        wanted = {"QueueName": arn.resource, "QueueOwnerAWSAccountId": arn.account_id}
        answer = await self._sqs.ask(reach, json_call("AmazonSQS.GetQueueUrl", "1.0", msgspec.json.encode(wanted)))
        if error_in(answer).code in _MAY_NOT_LOOK:  # to send, one need not be allowed to look
            return f"{reach.address}/{arn.account_id}/{arn.resource}"
        check_taken(reach, answer)
        try:
            return self._remember(text, msgspec.json.decode(answer.body, type=_QueueUrl).url)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise TargetUnavailable(f"sqs at {reach.address} answered something else than GetQueueUrl does") from None

    def _remember(self, text: str, url: str) -> str:
        self._urls[text] = url
        return url


def _value(attribute: Attribute) -> dict[str, str]:
    return {"DataType": attribute.data_type, "StringValue": attribute.value}
