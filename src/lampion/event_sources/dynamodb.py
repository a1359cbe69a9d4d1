"""Amazon DynamoDB Streams. https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html"""

from typing import Final

from lampion.domain.event_source import USER_ACTION, SourceSpec, arn_pattern

STREAM: Final = SourceSpec(
    name="dynamodb",
    title="Amazon DynamoDB stream",
    arn=arn_pattern("dynamodb", r"table/[a-zA-Z0-9_.-]+/stream/[^/]+"),
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
    optional=frozenset(("FilterCriteria",)),
    starting_positions=frozenset(("TRIM_HORIZON", "LATEST")),
    destinations=frozenset(("sqs", "sns", "s3")),
    json_filter_key="dynamodb",
    state_transition_reason=USER_ACTION,
    conflict=(
        'The event source arn (" {source} ") and function (" {function} ") provided mapping already exists. '
        "Please update or delete the existing mapping with UUID {uuid}"
    ),
)
