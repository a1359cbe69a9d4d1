"""Apache Kafka: Amazon MSK and self-managed clusters.

https://docs.aws.amazon.com/lambda/latest/dg/msk-esm-parameters.html, .../kafka-esm-parameters.html
"""

from dataclasses import replace
from typing import Final

from lampion.domain.event_source import USER_INITIATED, PollerSpec, Range, SourceSpec, arn_pattern

MSK: Final = SourceSpec(
    name="msk",
    title="Amazon MSK cluster",
    arn=arn_pattern("kafka", r"(cluster/[^/]+/[^/]+|vpc-connection/\d{12}/[^/]+/[^/]+)"),
    defaults={"BatchSize": 100},
    required=("StartingPosition", "Topics"),
    optional=frozenset(
        (
            "AmazonManagedKafkaEventSourceConfig",
            "BisectBatchOnFunctionError",
            "DestinationConfig",
            "FilterCriteria",
            "FunctionResponseTypes",
            "LoggingConfig",
            "MaximumBatchingWindowInSeconds",
            "MaximumRecordAgeInSeconds",
            "MaximumRetryAttempts",
            "ProvisionedPollerConfig",
            "SourceAccessConfigurations",
            "StartingPositionTimestamp",
        )
    ),
    starting_positions=frozenset(("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")),
    access_types=frozenset(("SASL_SCRAM_512_AUTH", "CLIENT_CERTIFICATE_TLS_AUTH")),
    pollers=PollerSpec(
        minimum=Range(1, 200), maximum=Range(1, 2000), default_minimum=1, default_maximum=200, groups=True
    ),
    metrics=frozenset(("EventCount", "ErrorCount", "KafkaMetrics")),
    destinations=frozenset(("sqs", "sns", "s3", "kafka")),
    consumer_config="AmazonManagedKafkaEventSourceConfig",
    state_transition_reason=USER_INITIATED,
    unsupported="Unsupported '{camel_case}' parameter for given event source mapping type.",
    conflict=(
        'An event source mapping with event source arn ("{source}"), function ("{function_arn}") and '
        'topics ("{Topics}") already exists. Please update or delete the existing mapping with UUID {uuid}'
    ),
    told_apart_by="Topics",
)

SELF_MANAGED: Final = replace(
    MSK,
    name="self-managed-kafka",
    title="self-managed Apache Kafka cluster",
    arn=None,
    # AWS's own examples leave StartingPosition out
    defaults={"BatchSize": 100, "StartingPosition": "TRIM_HORIZON"},
    required=("Topics",),
    optional=(MSK.optional - {"AmazonManagedKafkaEventSourceConfig"}) | {"SelfManagedKafkaEventSourceConfig"},
    access_types=frozenset(
        (
            "BASIC_AUTH",
            "VPC_SUBNET",
            "VPC_SECURITY_GROUP",
            "SASL_SCRAM_256_AUTH",
            "SASL_SCRAM_512_AUTH",
            "CLIENT_CERTIFICATE_TLS_AUTH",
            "SERVER_ROOT_CA_CERTIFICATE",
            "OAUTHBEARER_AUTH",
            "OAUTHBEARER_SCOPE",
            "OAUTHBEARER_AUDIENCE",
            "OAUTHBEARER_LOGICAL_CLUSTER",
            "OAUTHBEARER_IDENTITY_POOL",
            "IAM_AUTH",
            "IAM_OAUTHBEARER_AUTH",
        )
    ),
    consumer_config="SelfManagedKafkaEventSourceConfig",
    conflict=(
        'An event source mapping with event source ("{source}"), function ("{function_arn}") and '
        'topics ("{Topics}") already exists. Please update or delete the existing mapping with UUID {uuid}'
    ),
)
