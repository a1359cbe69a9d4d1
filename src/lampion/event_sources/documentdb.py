"""Amazon DocumentDB change streams. https://docs.aws.amazon.com/lambda/latest/dg/with-documentdb.html"""

from typing import Final

from lampion.domain.event_source import USER_ACTION, SourceSpec, arn_pattern

CLUSTER: Final = SourceSpec(
    name="documentdb",
    title="Amazon DocumentDB cluster",
    arn=arn_pattern("rds", r"cluster:[a-zA-Z0-9-]+"),
    defaults={"BatchSize": 100, "MaximumBatchingWindowInSeconds": 0},
    required=("StartingPosition", "DocumentDBEventSourceConfig", "SourceAccessConfigurations"),
    optional=frozenset(("StartingPositionTimestamp",)),  # no FilterCriteria: AWS doesn't filter change streams
    starting_positions=frozenset(("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")),
    access_types=frozenset(("BASIC_AUTH",)),
    required_access="BASIC_AUTH",
    state_transition_reason=USER_ACTION,
    unsupported="Unsupported '{camel_case}' parameter for given event source mapping type.",
    conflict=(
        'An event source mapping with event source arn ("{source}") and function ("{function_arn}") already exists. '
        "Please update or delete the existing mapping with UUID {uuid}"
    ),
)
