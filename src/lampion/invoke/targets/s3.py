"""Buckets: PutObject of Amazon S3, one object per record."""

from datetime import UTC, datetime
from typing import Final

from lampion.domain.delivery import Delivery
from lampion.domain.resource_arn import parse_resource_arn
from lampion.endpoints.aws_client import AwsClient, Call
from lampion.endpoints.services import Service
from lampion.invoke.targets.answers import check_taken
from lampion.invoke.targets.outside import OutsideService, traced
from lampion.invoke.targets.target import TargetRefused

_JSON: Final = {"Content-Type": "application/json"}
_BUCKET_REGION: Final = "x-amz-bucket-region"
_ELSEWHERE: Final = range(300, 500)


class S3Target:
    """Puts records into buckets, which are addressed by path, as every S3 understands it."""

    def __init__(self, client: AwsClient) -> None:
        self._s3 = OutsideService(Service.S3, client)

    async def deliver(self, delivery: Delivery) -> None:
        bucket = parse_resource_arn(delivery.destination_arn)
        reach = self._s3.reach(bucket, region=delivery.function_region)
        path = f"/{bucket.resource}/{object_key(delivery)}"
        call = Call({**_JSON, **traced(delivery.trace_header)}, delivery.body, method="PUT", path=path)
        answer = await self._s3.ask(reach, call)
        region = answer.headers.get(_BUCKET_REGION, reach.region)
        if answer.status in _ELSEWHERE and region != reach.region:
            raise TargetRefused(
                f"s3 at {reach.address} answered {answer.status}: the bucket {bucket.resource} is in {region}; "
                "set region in [services.s3] of the configuration file"
            )
        check_taken(reach, answer)


def object_key(delivery: Delivery) -> str:
    """AWS's naming convention. Its UUID is the delivery's own, so that sending again replaces the same object."""
    ended = datetime.fromtimestamp(delivery.ended_epoch_ms // 1000, UTC)
    return f"aws/lambda/async/{delivery.function_name}/{ended:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{delivery.id}"
