"""Amazon Kinesis data streams and their consumers with enhanced fan-out.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
"""

from dataclasses import replace
from typing import Final

from lampion.domain.event_source import arn_pattern, shard_stream

_SHARDS: Final = shard_stream(
    name="kinesis",
    title="Amazon Kinesis data stream",
    arn=arn_pattern("kinesis", r"stream/[a-zA-Z0-9_.-]+(/consumer/[a-zA-Z0-9_.-]+:[0-9]+)?"),
    starting_positions=frozenset(("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")),
    json_filter_key="data",
)
STREAM: Final = replace(_SHARDS, optional=_SHARDS.optional | {"StartingPositionTimestamp"})
