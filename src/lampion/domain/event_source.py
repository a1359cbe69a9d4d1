"""What an event source lets one configure, as data: one SourceSpec a source. The sources are in event_sources. Pure.

Settings are called by the names of their members (BatchSize): each source has its own set, and a spec is about names.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

USER_ACTION: Final = "User action"
USER_INITIATED: Final = "USER_INITIATED"
"""StateTransitionReason of a change that the user made; AWS has two spellings of it."""

NO_RECORDS_PROCESSED: Final = "No records processed"

_OF_EVERY_SOURCE: Final = frozenset(("FunctionName", "Enabled", "UUID", "Tags", "KMSKeyArn", "MetricsConfig"))


@dataclass(frozen=True, slots=True)
class Range:
    """From `least` to `most`, both included."""

    least: int
    most: int

    def __contains__(self, number: int) -> bool:
        return self.least <= number <= self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class PollerSpec:
    """ProvisionedPollerConfig: what may be asked for, and what it is when it isn't said. `groups`: PollerGroupName."""

    minimum: Range
    maximum: Range
    default_minimum: int
    default_maximum: int
    groups: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """Limits and defaults of one event source.

    `arn` matches a whole EventSourceArn; a source without one is described by SelfManagedEventSource.
    `defaults` are settings that an answer shows whether they were asked for or not; `optional` ones it shows when asked
    for; `required` ones a creation must have. No other member is taken.
    """

    name: str
    title: str
    arn: str | None
    defaults: Mapping[str, Any]
    required: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    starting_positions: frozenset[str] = frozenset()
    has_batching_window: bool = True
    batch_size_without_window: int | None = None
    """A larger BatchSize needs a batching window."""
    access_types: frozenset[str] = frozenset()
    required_access: str | None = None
    pollers: PollerSpec | None = None
    metrics: frozenset[str] = frozenset(("EventCount",))
    destinations: frozenset[str] = frozenset()
    """Services that a DestinationConfig may name."""
    consumer_config: str | None = None
    """The member that holds ConsumerGroupId and SchemaRegistryConfig."""
    json_filter_key: str | None = None
    """Where a filter's pattern must be about JSON."""
    state_transition_reason: str
    first_processing_result: str | None = NO_RECORDS_PROCESSED
    unsupported: str = "Unsupported {member} parameter for given event source mapping type."
    """AWS's words for a member that this source doesn't take; {member} or {camel_case}."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """For members that this source doesn't take, where AWS has other words than `unsupported`."""
    conflict: str
    """AWS's words for a second mapping of the same source and function: {source} {function} {function_arn} {uuid}, or
    a setting of `told_apart_by`."""
    told_apart_by: str | None = None
    """A list by which two mappings of the same source and function may differ."""

    @property
    def members(self) -> frozenset[str]:
        """Every member that a request about this source may have."""
        origin = {"SelfManagedEventSource"} if self.arn is None else {"EventSourceArn"}
        return _OF_EVERY_SOURCE | origin | self.optional | self.defaults.keys() | set(self.required)


def shard_stream(
    *, name: str, title: str, arn: str, starting_positions: frozenset[str], json_filter_key: str
) -> SourceSpec:
    """The spec of a stream of shards: what Kinesis and DynamoDB Streams have in common."""
    return SourceSpec(
        name=name,
        title=title,
        arn=arn,
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
        starting_positions=starting_positions,
        destinations=frozenset(("sqs", "sns", "s3")),
        json_filter_key=json_filter_key,
        state_transition_reason=USER_ACTION,
        conflict=(
            'The event source arn (" {source} ") and function (" {function} ") provided mapping already exists. '
            "Please update or delete the existing mapping with UUID {uuid}"
        ),
    )


def spec_of_arn(specs: Iterable[SourceSpec], arn: str) -> SourceSpec | None:
    """The source to which an ARN belongs; None for anything that isn't one."""
    return next((spec for spec in specs if spec.arn is not None and re.fullmatch(spec.arn, arn)), None)


def arn_pattern(service: str, resource: str) -> str:
    """For `SourceSpec.arn`: an ARN of that service, in any partition, region and account."""
    return rf"arn:aws[a-zA-Z0-9-]*:{service}:[a-z0-9-]+:\d{{12}}:{resource}"
