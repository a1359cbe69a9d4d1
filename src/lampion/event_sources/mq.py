"""Amazon MQ brokers, ActiveMQ and RabbitMQ. https://docs.aws.amazon.com/lambda/latest/dg/services-mq-params.html

Their ARNs don't tell the engines apart: VIRTUAL_HOST, which only RabbitMQ has, is taken for both.
"""

from typing import Final

from lampion.domain.event_source import USER_INITIATED, SourceSpec, arn_pattern

BROKER: Final = SourceSpec(
    name="mq",
    title="Amazon MQ broker",
    arn=arn_pattern("mq", r"broker:[^:]+:[^:]+"),
    defaults={"BatchSize": 100},
    required=("Queues", "SourceAccessConfigurations"),
    optional=frozenset(("FilterCriteria", "MaximumBatchingWindowInSeconds")),
    access_types=frozenset(("BASIC_AUTH", "VIRTUAL_HOST")),
    required_access="BASIC_AUTH",
    state_transition_reason=USER_INITIATED,
    unsupported="Unsupported '{camel_case}' parameter for given event source mapping type.",
    conflict=(
        'An event source mapping with event source arn ("{source}"), function ("{function_arn}") and '
        'queues ("{Queues}") already exists. Please update or delete the existing mapping with UUID {uuid}'
    ),
    told_apart_by="Queues",
)
