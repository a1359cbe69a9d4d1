"""Amazon SQS, standard and FIFO queues. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html"""

from dataclasses import replace
from typing import Final

from lampion.domain.event_source import USER_INITIATED, PollerSpec, Range, SourceSpec, arn_pattern

STANDARD: Final = SourceSpec(
    name="sqs",
    title="Amazon SQS standard queue",
    arn=arn_pattern("sqs", r"[a-zA-Z0-9_-]{1,80}"),
    defaults={"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": []},
    optional=frozenset(("FilterCriteria", "ScalingConfig", "ProvisionedPollerConfig")),
    batch_size_without_window=10,
    pollers=PollerSpec(minimum=Range(2, 200), maximum=Range(2, 10_000), default_minimum=2, default_maximum=200),
    state_transition_reason=USER_INITIATED,
    first_processing_result=None,
    refusals={"StartingPosition": "StartingPosition is not valid for SQS event sources."},
    conflict=(
        'An event source mapping with SQS arn (" {source} ") and function (" {function} ") already exists. '
        "Please update or delete the existing mapping with UUID {uuid}"
    ),
)

FIFO: Final = replace(
    STANDARD,
    name="sqs-fifo",
    title="Amazon SQS FIFO queue",
    arn=arn_pattern("sqs", r"[a-zA-Z0-9_-]{1,75}\.fifo"),
    has_batching_window=False,  # so that no batch is larger than 10
)
