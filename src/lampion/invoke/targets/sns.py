"""Topics: Publish of Amazon SNS, in its query protocol."""

from typing import Final
from urllib.parse import urlencode

from lampion.domain.delivery import Delivery
from lampion.domain.resource_arn import parse_resource_arn
from lampion.endpoints.aws_client import AwsClient, Call
from lampion.endpoints.services import Service
from lampion.invoke.targets.answers import check_taken
from lampion.invoke.targets.outside import OutsideService, traced

_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


class SnsTarget:
    """Publishes to topics."""

    def __init__(self, client: AwsClient) -> None:
        self._sns = OutsideService(Service.SNS, client)

    async def deliver(self, delivery: Delivery) -> None:
        reach = self._sns.reach(parse_resource_arn(delivery.destination_arn))
        call = Call({**_FORM, **traced(delivery.trace_header)}, publish_form(delivery))
        check_taken(reach, await self._sns.ask(reach, call))


def publish_form(delivery: Delivery) -> bytes:
    """The body of a Publish request."""
    members = {
        "Action": "Publish",
        "Version": "2010-03-31",
        "TopicArn": delivery.destination_arn,
        "Message": delivery.body.decode("utf-8"),
    }
    for number, attribute in enumerate(delivery.attributes, start=1):
        entry = f"MessageAttributes.entry.{number}"
        members[f"{entry}.Name"] = attribute.name
        members[f"{entry}.Value.DataType"] = attribute.data_type
        members[f"{entry}.Value.StringValue"] = attribute.value
    return urlencode(members).encode("ascii")
