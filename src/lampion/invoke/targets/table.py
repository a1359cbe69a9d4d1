"""Which target takes which ARN: every service that DeadLetterConfig and DestinationConfig accept, but Lambda itself."""

from lampion.endpoints.aws_client import AwsClient
from lampion.invoke.targets.eventbridge import EventBridgeTarget
from lampion.invoke.targets.s3 import S3Target
from lampion.invoke.targets.sns import SnsTarget
from lampion.invoke.targets.sqs import SqsTarget
from lampion.invoke.targets.target import Target


def outside_targets(client: AwsClient) -> dict[str, Target]:
    """By the service part of an ARN."""
    return {
        "sqs": SqsTarget(client),
        "sns": SnsTarget(client),
        "events": EventBridgeTarget(client),
        "s3": S3Target(client),
    }
