"""Amazon Kinesis data streams and their consumers with enhanced fan-out.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
"""

from typing import Final

from lampion.domain.event_source import USER_ACTION, SourceSpec, arn_pattern

STREAM: Final = SourceSpec(
    name="kinesis",
    title="Amazon Kinesis data stream",
    arn=arn_pattern("kinesis", r"stream/[a-zA-Z0-9_.-]+(/consumer/[a-zA-Z0-9_.-]+:[0-9]+)?"),
    defaults={
        "BatchSize": 100,
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "FunctionResponseTypes": [],
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
        "TumblingWindowInSeconds": 0,
    },
    required=("StartingPosition",),
    optional=frozenset(("StartingPositionTimestamp", "FilterCriteria")),
    starting_positions=frozenset(("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")),
    destinations=frozenset(("sqs", "sns", "s3")),
    json_filter_key="data",
    state_transition_reason=USER_ACTION,
    conflict=(
        'The event source arn (" {source} ") and function (" {function} ") provided mapping already exists. '
        "Please update or delete the existing mapping with UUID {uuid}"
    ),
)
