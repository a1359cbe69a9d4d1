"""Amazon DynamoDB Streams. https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html"""

from typing import Final

from lampion.domain.event_source import arn_pattern, shard_stream

STREAM: Final = shard_stream(
    name="dynamodb",
    title="Amazon DynamoDB stream",
    arn=arn_pattern("dynamodb", r"table/[a-zA-Z0-9_.-]+/stream/[^/]+"),
    starting_positions=frozenset(("TRIM_HORIZON", "LATEST")),
    json_filter_key="dynamodb",
)
