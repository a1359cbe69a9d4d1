"""The event sources, one file each: what can be configured (a SourceSpec); their pollers will be in the same files."""

from collections.abc import Mapping
from typing import Final

from lampion.domain.event_source import SourceSpec
from lampion.event_sources import documentdb, dynamodb, kafka, kinesis, mq, sqs

SPECS: Final[Mapping[str, SourceSpec]] = {
    spec.name: spec
    for spec in (
        sqs.STANDARD,
        sqs.FIFO,
        kinesis.STREAM,
        dynamodb.STREAM,
        kafka.MSK,
        kafka.SELF_MANAGED,
        mq.BROKER,
        documentdb.CLUSTER,
    )
}
"""By name: what a stored mapping knows its source by."""

SELF_MANAGED: Final = kafka.SELF_MANAGED
"""What SelfManagedEventSource describes."""
