"""The table of event sources: whose ARN is whose, and that it speaks of members that AWS has."""

from typing import Any

import pytest

from lampion.aws.model import load_service
from lampion.domain.event_source import SourceSpec, spec_of_arn
from lampion.event_sources import SELF_MANAGED, SPECS

AT = "us-east-1:123456789012"
SPEC_IDS = sorted(SPECS)


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (f"arn:aws:sqs:{AT}:queue", "sqs"),
        ("arn:aws-us-gov:sqs:us-gov-west-1:123456789012:my-queue_1", "sqs"),
        (f"arn:aws:sqs:{AT}:queue.fifo", "sqs-fifo"),
        (f"arn:aws:kinesis:{AT}:stream/my.stream-1", "kinesis"),
        (f"arn:aws:kinesis:{AT}:stream/s/consumer/reader:1700000000", "kinesis"),
        (f"arn:aws:dynamodb:{AT}:table/my.table/stream/2024-05-11T21:21:33.291", "dynamodb"),
        (f"arn:aws:kafka:{AT}:cluster/c/5b3c8e2a-1", "msk"),
        (f"arn:aws:kafka:{AT}:vpc-connection/123456789012/c/5b3c8e2a-1", "msk"),
        (f"arn:aws:mq:{AT}:broker:Example:b-24cacbb4-b295-49b7-8543-7ce7ce9dfb98", "mq"),
        (f"arn:aws:rds:{AT}:cluster:docdb-1", "documentdb"),
    ],
)
def test_an_arn_tells_its_source(arn: str, name: str) -> None:
    assert spec_of_arn(SPECS.values(), arn) is SPECS[name]


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:sns:{AT}:topic",
        "arn:aws:s3:::bucket",
        f"arn:aws:dynamodb:{AT}:table/my-table",
        f"arn:aws:rds:{AT}:db:instance",
        f"arn:aws:docdb-elastic:{AT}:cluster/c",
        f"arn:aws:sqs:{AT}:queue/other",
        "arn:aws:sqs:us-east-1::queue",
        f"arn:aws:lambda:{AT}:function:f",
        "",
    ],
)
def test_other_arns_are_no_event_source(arn: str) -> None:
    assert spec_of_arn(SPECS.values(), arn) is None


@pytest.mark.parametrize("name", SPEC_IDS)
def test_every_member_named_is_one_of_the_model(name: str) -> None:
    shapes = load_service("lambda").shapes
    create, answer = shapes["CreateEventSourceMappingRequest"], shapes["EventSourceMappingConfiguration"]
    spec = SPECS[name]
    assert spec.members - {"UUID"} <= create.members.keys()
    assert set(spec.refusals) <= create.members.keys() - spec.members
    for member in (spec.consumer_config, spec.told_apart_by):
        assert member is None or member in spec.members
    assert spec.defaults.keys() <= answer.members.keys()


@pytest.mark.parametrize("name", SPEC_IDS)
def test_what_a_table_says_fits_together(name: str) -> None:
    spec = SPECS[name]
    assert bool(spec.starting_positions) == ("StartingPosition" in spec.members)
    assert ("AT_TIMESTAMP" in spec.starting_positions) == ("StartingPositionTimestamp" in spec.members)
    assert bool(spec.access_types) == ("SourceAccessConfigurations" in spec.members)
    assert bool(spec.destinations) == ("DestinationConfig" in spec.members)
    assert bool(spec.pollers) == ("ProvisionedPollerConfig" in spec.members)
    assert spec.required_access is None or spec.required_access in spec.access_types
    if spec.pollers is not None:
        assert spec.pollers.default_minimum in spec.pollers.minimum
        assert spec.pollers.default_maximum in spec.pollers.maximum


def supports(member: str) -> set[str]:
    return {name for name, spec in SPECS.items() if member in spec.members}


STREAMS = {"kinesis", "dynamodb"}
KAFKA = {"msk", "self-managed-kafka"}
QUEUES = {"sqs", "sqs-fifo"}


@pytest.mark.parametrize(
    ("member", "names"),
    [
        ("ParallelizationFactor", STREAMS),
        ("TumblingWindowInSeconds", STREAMS),
        ("BisectBatchOnFunctionError", STREAMS | KAFKA),
        ("MaximumRecordAgeInSeconds", STREAMS | KAFKA),
        ("MaximumRetryAttempts", STREAMS | KAFKA),
        ("DestinationConfig", STREAMS | KAFKA),
        ("FunctionResponseTypes", STREAMS | KAFKA | QUEUES),
        ("ScalingConfig", QUEUES),
        ("ProvisionedPollerConfig", QUEUES | KAFKA),
        ("LoggingConfig", KAFKA),
        ("Topics", KAFKA),
        ("Queues", {"mq"}),
        ("SourceAccessConfigurations", KAFKA | {"mq", "documentdb"}),
        ("AmazonManagedKafkaEventSourceConfig", {"msk"}),
        ("SelfManagedKafkaEventSourceConfig", {"self-managed-kafka"}),
        ("SelfManagedEventSource", {"self-managed-kafka"}),
        ("EventSourceArn", set(SPECS) - {"self-managed-kafka"}),
        ("DocumentDBEventSourceConfig", {"documentdb"}),
        ("FilterCriteria", set(SPECS) - {"documentdb"}),
        ("StartingPosition", set(SPECS) - QUEUES - {"mq"}),
        ("StartingPositionTimestamp", {"kinesis", "documentdb"} | KAFKA),
        ("MetricsConfig", set(SPECS)),
        ("KMSKeyArn", set(SPECS)),
        ("Tags", set(SPECS)),
    ],
)
def test_which_sources_take_a_member(member: str, names: set[str]) -> None:
    """As the documentation of CreateEventSourceMapping says."""
    assert supports(member) == names


@pytest.mark.parametrize(
    ("names", "defaults"),
    [
        (QUEUES, {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": []}),
        (
            STREAMS,
            {
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
        ),
        ({"msk", "mq"}, {"BatchSize": 100}),
    ],
)
def test_defaults_that_answers_show(names: set[str], defaults: dict[str, Any]) -> None:
    for name in names:
        assert SPECS[name].defaults == defaults


def test_one_source_has_no_arn() -> None:
    without: list[SourceSpec] = [spec for spec in SPECS.values() if spec.arn is None]
    assert without == [SELF_MANAGED]
