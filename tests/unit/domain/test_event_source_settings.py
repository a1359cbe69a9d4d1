"""What each event source takes, needs and is set to: AWS's rules, and its words where they are known."""

from typing import Any

import pytest

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.event_source_settings import created_settings, updated_settings
from lampion.event_sources import SPECS

NOW = 1_700_000_000.0
UUID = "5b3c8e2a-8b6d-4f7e-9d2c-1a2b3c4d5e6f"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"
ACCESS = [{"Type": "BASIC_AUTH", "URI": SECRET}]
REGISTRY = {
    "SchemaRegistryURI": "https://registry",
    "EventRecordFormat": "JSON",
    "SchemaValidationConfigs": [{"Attribute": "KEY"}],
}
MSK_CONFIG, SELF_CONFIG = "AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig"

LEAST: dict[str, dict[str, Any]] = {
    "sqs": {},
    "sqs-fifo": {},
    "kinesis": {"StartingPosition": "LATEST"},
    "dynamodb": {"StartingPosition": "LATEST", "EventSourceArn": "arn:d"},
    "msk": {"StartingPosition": "LATEST", "Topics": ["t"]},
    "self-managed-kafka": {"Topics": ["t"]},
    "mq": {"Queues": ["q"], "SourceAccessConfigurations": ACCESS},
    "documentdb": {
        "StartingPosition": "LATEST",
        "DocumentDBEventSourceConfig": {"DatabaseName": "d"},
        "SourceAccessConfigurations": ACCESS,
    },
}
"""What a creation needs beside source and function."""


def create(name: str, **given: Any) -> dict[str, Any]:
    return created_settings(SPECS[name], {**LEAST[name], **given}, uuid=UUID, now_seconds=NOW)


def update(name: str, before: dict[str, Any], **given: Any) -> dict[str, Any]:
    return updated_settings(SPECS[name], before, {"UUID": UUID, **given})


def refusal(name: str, **given: Any) -> str:
    with pytest.raises(InvalidParameterValueException) as caught:
        create(name, **given)
    assert "Type" not in caught.value.members
    return caught.value.message


def update_refusal(name: str, before: dict[str, Any], **given: Any) -> str:
    with pytest.raises(InvalidParameterValueException) as caught:
        update(name, before, **given)
    return caught.value.message


@pytest.mark.parametrize("name", LEAST)
def test_the_least_that_a_source_needs_is_enough(name: str) -> None:
    settings = create(name)
    assert {**SPECS[name].defaults, **settings} == settings
    assert settings.keys() <= SPECS[name].members - {"EventSourceArn", "FunctionName", "SelfManagedEventSource"}


@pytest.mark.parametrize(("name", "member"), [(name, member) for name in LEAST for member in SPECS[name].required])
def test_what_a_source_needs_is_missed(name: str, member: str) -> None:
    given = {key: value for key, value in LEAST[name].items() if key != member}
    with pytest.raises(InvalidParameterValueException) as caught:
        created_settings(SPECS[name], given, uuid=UUID, now_seconds=NOW)
    assert caught.value.message == (
        f"1 validation error detected: Value null at '{member[0].lower()}{member[1:]}' failed to satisfy constraint: "
        "Member must not be null."
    )


@pytest.mark.parametrize(
    ("name", "member", "value", "message"),
    [
        ("sqs", "StartingPosition", "LATEST", "StartingPosition is not valid for SQS event sources."),
        ("sqs-fifo", "StartingPosition", "LATEST", "StartingPosition is not valid for SQS event sources."),
        (
            "sqs",
            "ParallelizationFactor",
            1,
            "Unsupported ParallelizationFactor parameter for given event source mapping type.",
        ),
        (
            "kinesis",
            "ScalingConfig",
            {"MaximumConcurrency": 2},
            "Unsupported ScalingConfig parameter for given event source mapping type.",
        ),
        (
            "dynamodb",
            "StartingPositionTimestamp",
            1.0,
            "Unsupported StartingPositionTimestamp parameter for given event source mapping type.",
        ),
        (
            "msk",
            "ParallelizationFactor",
            1,
            "Unsupported 'parallelizationFactor' parameter for given event source mapping type.",
        ),
        (
            "mq",
            "StartingPosition",
            "LATEST",
            "Unsupported 'startingPosition' parameter for given event source mapping type.",
        ),
        (
            "documentdb",
            "FilterCriteria",
            {},
            "Unsupported 'filterCriteria' parameter for given event source mapping type.",
        ),
    ],
)
def test_a_member_of_another_source(name: str, member: str, value: Any, message: str) -> None:
    assert refusal(name, **{member: value}) == message
    assert update_refusal(name, create(name), **{member: value}) == message


def test_starting_positions() -> None:
    assert create("kinesis", StartingPosition="TRIM_HORIZON")["StartingPosition"] == "TRIM_HORIZON"
    dated = create("kinesis", StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=NOW - 5)
    assert dated["StartingPositionTimestamp"] == NOW - 5
    assert refusal("dynamodb", StartingPosition="AT_TIMESTAMP") == "Unsupported starting position for arn type: arn:d"
    assert refusal("kinesis", StartingPosition="AT_TIMESTAMP") == "Need to specify a timestamp"
    late = refusal("kinesis", StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=NOW + 1)
    assert late == "StartingPositionTimestamp cannot be in the future."
    assert "AT_TIMESTAMP" in refusal("kinesis", StartingPosition="LATEST", StartingPositionTimestamp=NOW)
    assert create("self-managed-kafka")["StartingPosition"] == "TRIM_HORIZON"


WINDOW = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
NO_WINDOW = "Batching window is not supported for FIFO queues"


def test_large_batches_of_a_queue_need_a_window() -> None:
    assert create("sqs", BatchSize=10_000, MaximumBatchingWindowInSeconds=1)["BatchSize"] == 10_000
    assert create("sqs", BatchSize=10)["MaximumBatchingWindowInSeconds"] == 0
    assert refusal("sqs", BatchSize=11) == WINDOW
    assert refusal("sqs", BatchSize=11, MaximumBatchingWindowInSeconds=0) == WINDOW
    assert update_refusal("sqs", create("sqs"), BatchSize=11) == WINDOW
    wide = create("sqs", BatchSize=11, MaximumBatchingWindowInSeconds=1)
    assert update_refusal("sqs", wide, MaximumBatchingWindowInSeconds=0) == WINDOW
    assert create("kinesis", BatchSize=10_000)["MaximumBatchingWindowInSeconds"] == 0


def test_fifo_queues_have_no_window() -> None:
    assert create("sqs-fifo", BatchSize=10, MaximumBatchingWindowInSeconds=0)["BatchSize"] == 10
    assert refusal("sqs-fifo", MaximumBatchingWindowInSeconds=1) == NO_WINDOW
    assert refusal("sqs-fifo", BatchSize=100, MaximumBatchingWindowInSeconds=5) == NO_WINDOW
    assert refusal("sqs-fifo", BatchSize=11) == WINDOW


@pytest.mark.parametrize(("age", "fits"), [(-1, True), (0, False), (59, False), (60, True), (604_800, True)])
def test_record_age(age: int, fits: bool) -> None:
    if fits:
        assert create("dynamodb", MaximumRecordAgeInSeconds=age)["MaximumRecordAgeInSeconds"] == age
    else:
        assert refusal("dynamodb", MaximumRecordAgeInSeconds=age) == (
            "MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)"
        )


def pattern(text: str = '{"body": {"a": ["b"]}}', count: int = 1) -> dict[str, Any]:
    return {"Filters": [{"Pattern": text}] * count}


def test_filters() -> None:
    assert create("sqs", FilterCriteria=pattern(count=5))["FilterCriteria"] == pattern(count=5)
    assert "6" in refusal("sqs", FilterCriteria=pattern(count=6))
    wrong: list[dict[str, Any]] = [pattern("single-string"), {"Filters": [{}]}, pattern('{"a": "b"}')]
    for bad in wrong:
        assert refusal("sqs", FilterCriteria=bad) == "Invalid filter pattern definition."
    assert create("sqs", FilterCriteria=pattern('{"body": ["plain"]}'))
    for name, key in (("kinesis", "data"), ("dynamodb", "dynamodb")):
        plain = pattern(f'{{"{key}": ["plain"]}}')
        assert refusal(name, FilterCriteria=plain) == "Invalid filter pattern definition."


@pytest.mark.parametrize("nothing", [{}, {"Filters": []}])
def test_no_filters_take_filters_away(nothing: dict[str, Any]) -> None:
    assert "FilterCriteria" not in create("dynamodb", FilterCriteria=nothing)
    before = create("dynamodb", FilterCriteria=pattern('{"eventName": ["INSERT"]}'))
    assert "FilterCriteria" in update("dynamodb", before, BatchSize=5)
    assert "FilterCriteria" not in update("dynamodb", before, FilterCriteria=nothing)


def on_failure(arn: str) -> dict[str, Any]:
    return {"OnFailure": {"Destination": arn}}


@pytest.mark.parametrize("service", ["sqs", "sns"])
@pytest.mark.parametrize("name", ["kinesis", "dynamodb", "msk"])
def test_failed_records_go_to_a_queue_or_topic(name: str, service: str) -> None:
    arn = f"arn:aws:{service}:us-east-1:123456789012:x"
    assert create(name, DestinationConfig=on_failure(arn))["DestinationConfig"] == on_failure(arn)
    assert refusal(name, DestinationConfig=on_failure(f"{arn}.fifo")) == f"The destination ARN {arn}.fifo is invalid."


def test_other_destinations() -> None:
    assert create("msk", DestinationConfig=on_failure("kafka://topic"))
    assert create("kinesis", DestinationConfig=on_failure("arn:aws:s3:::bucket"))
    assert "kafka://topic is invalid" in refusal("kinesis", DestinationConfig=on_failure("kafka://topic"))
    function = "arn:aws:lambda:us-east-1:123456789012:function:f"
    assert f"{function} is invalid" in refusal("kinesis", DestinationConfig=on_failure(function))
    both = {**on_failure("arn:aws:s3:::b"), "OnSuccess": {"Destination": "arn:aws:s3:::b"}}
    unsupported = "Unsupported DestinationConfig parameter for given event source mapping type."
    assert refusal("kinesis", DestinationConfig=both) == unsupported
    needed = "The Destination field is required for an OnFailure configuration."
    assert refusal("kinesis", DestinationConfig={"OnFailure": {}}) == needed


def test_a_destination_is_taken_away() -> None:
    for name, after in (("kinesis", {"OnFailure": {}}), ("msk", None)):
        before = create(name, DestinationConfig=on_failure("arn:aws:s3:::b"))
        for none in ({}, on_failure("")):
            assert update(name, before, DestinationConfig=none).get("DestinationConfig") == after


@pytest.mark.parametrize(
    ("name", "member", "value", "nothing"),
    [
        ("sqs", "ScalingConfig", {"MaximumConcurrency": 2}, {}),
        ("sqs", "ProvisionedPollerConfig", {"MinimumPollers": 2, "MaximumPollers": 3}, {}),
        ("sqs", "MetricsConfig", {"Metrics": ["EventCount"]}, {"Metrics": []}),
        ("sqs", "KMSKeyArn", "arn:aws:kms:us-east-1:123456789012:key/k", ""),
        ("msk", "LoggingConfig", {"SystemLogLevel": "INFO"}, {}),
        ("msk", "SourceAccessConfigurations", [{"Type": "SASL_SCRAM_512_AUTH", "URI": SECRET}], []),
    ],
)
def test_an_empty_value_takes_a_setting_away(name: str, member: str, value: Any, nothing: Any) -> None:
    before = create(name, **{member: value})
    assert before[member] == value
    assert update(name, before, BatchSize=5)[member] == value
    assert member not in update(name, before, **{member: nothing})
    assert member not in create(name, **{member: nothing})


def test_an_update_changes_what_it_names_and_nothing_else() -> None:
    before = create("kinesis", ParallelizationFactor=3)
    after = update("kinesis", before, BatchSize=7, Enabled=False, FunctionName="f", FunctionResponseTypes=[])
    assert after == {**before, "BatchSize": 7}
    assert before["BatchSize"] == 100


def test_pollers() -> None:
    assert create("sqs", ProvisionedPollerConfig={"MinimumPollers": 5})["ProvisionedPollerConfig"] == {
        "MinimumPollers": 5,
        "MaximumPollers": 200,
    }
    assert create("msk", ProvisionedPollerConfig={"MaximumPollers": 5, "PollerGroupName": "g"})[
        "ProvisionedPollerConfig"
    ] == {"MinimumPollers": 1, "MaximumPollers": 5, "PollerGroupName": "g"}
    assert create("sqs", ProvisionedPollerConfig={"MaximumPollers": 10_000})
    for name, config in (
        ("sqs", {"MinimumPollers": 1}),
        ("sqs", {"MaximumPollers": 1}),
        ("msk", {"MaximumPollers": 2001}),
        ("msk", {"MinimumPollers": 5, "MaximumPollers": 4}),
        ("sqs", {"PollerGroupName": "g", "MinimumPollers": 2}),
    ):
        assert "Poller" in refusal(name, ProvisionedPollerConfig=config)
    both = refusal("sqs", ProvisionedPollerConfig={"MinimumPollers": 2}, ScalingConfig={"MaximumConcurrency": 2})
    assert both == "ProvisionedPollerConfig and ScalingConfig cannot be set together."


def test_metrics() -> None:
    assert create("msk", MetricsConfig={"Metrics": ["EventCount", "ErrorCount", "KafkaMetrics"]})
    assert create("kinesis", MetricsConfig={"Metrics": ["EventCount"]})
    for metric in ("ErrorCount", "KafkaMetrics"):
        assert metric in refusal("kinesis", MetricsConfig={"Metrics": [metric]})


def access(*types: str) -> list[dict[str, str]]:
    return [{"Type": one} if one.startswith("IAM_") else {"Type": one, "URI": SECRET} for one in types]


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("msk", ("SASL_SCRAM_512_AUTH",)),
        ("msk", ("CLIENT_CERTIFICATE_TLS_AUTH",)),
        ("mq", ("BASIC_AUTH", "VIRTUAL_HOST")),
        ("self-managed-kafka", ("VPC_SUBNET", "VPC_SUBNET", "VPC_SECURITY_GROUP", "SASL_SCRAM_256_AUTH")),
        ("self-managed-kafka", ("BASIC_AUTH", "SERVER_ROOT_CA_CERTIFICATE")),
        ("self-managed-kafka", ("OAUTHBEARER_AUTH", "OAUTHBEARER_SCOPE", "OAUTHBEARER_AUDIENCE")),
        ("self-managed-kafka", ("OAUTHBEARER_AUTH", "OAUTHBEARER_LOGICAL_CLUSTER", "OAUTHBEARER_IDENTITY_POOL")),
        ("self-managed-kafka", ("IAM_AUTH",)),
        ("self-managed-kafka", ("IAM_OAUTHBEARER_AUTH", "OAUTHBEARER_AUDIENCE")),
    ],
)
def test_ways_to_reach_a_source(name: str, types: tuple[str, ...]) -> None:
    given = access(*types)
    assert create(name, SourceAccessConfigurations=given)["SourceAccessConfigurations"] == given


@pytest.mark.parametrize(
    ("name", "given", "word"),
    [
        ("msk", access("BASIC_AUTH"), "BASIC_AUTH"),
        ("mq", access("VIRTUAL_HOST"), "BASIC_AUTH"),
        ("documentdb", access("VPC_SUBNET"), "VPC_SUBNET"),
        ("self-managed-kafka", access("VIRTUAL_HOST"), "VIRTUAL_HOST"),
        ("self-managed-kafka", access("OAUTHBEARER_SCOPE"), "OAUTHBEARER_AUTH"),
        ("self-managed-kafka", access("OAUTHBEARER_AUDIENCE"), "OAUTHBEARER_AUTH"),
        ("self-managed-kafka", access("IAM_OAUTHBEARER_AUTH"), "OAUTHBEARER_AUDIENCE"),
        (
            "self-managed-kafka",
            access("IAM_OAUTHBEARER_AUTH", "OAUTHBEARER_AUDIENCE", "OAUTHBEARER_AUTH"),
            "does not support OAUTHBEARER_AUTH",
        ),
        ("self-managed-kafka", [{"Type": "IAM_AUTH", "URI": SECRET}], "no URI"),
        ("self-managed-kafka", [{"Type": "BASIC_AUTH"}], "URI"),
        ("self-managed-kafka", [{"URI": SECRET}], "Type"),
    ],
)
def test_ways_that_lead_nowhere(name: str, given: list[dict[str, str]], word: str) -> None:
    assert word in refusal(name, SourceAccessConfigurations=given)


def test_the_virtual_host_of_a_broker_stays() -> None:
    before = create("mq", SourceAccessConfigurations=access("BASIC_AUTH", "VIRTUAL_HOST"))
    other = [{"Type": "BASIC_AUTH", "URI": f"{SECRET}2"}]
    after = update("mq", before, SourceAccessConfigurations=other)
    assert after["SourceAccessConfigurations"] == [*other, *access("VIRTUAL_HOST")]
    assert "VIRTUAL_HOST" in update_refusal("mq", before, SourceAccessConfigurations=access("VIRTUAL_HOST"))
    assert "BASIC_AUTH" in update_refusal("mq", before, SourceAccessConfigurations=[])


@pytest.mark.parametrize(("name", "member"), [("msk", MSK_CONFIG), ("self-managed-kafka", SELF_CONFIG)])
def test_kafka_consumers(name: str, member: str) -> None:
    assert create(name)[member] == {"ConsumerGroupId": UUID}
    assert create(name, **{member: {"ConsumerGroupId": "mine"}})[member] == {"ConsumerGroupId": "mine"}
    pollers = {"ProvisionedPollerConfig": {"MinimumPollers": 1}}
    before = create(name, **{member: {"SchemaRegistryConfig": REGISTRY}}, **pollers)
    assert before[member] == {"ConsumerGroupId": UUID, "SchemaRegistryConfig": REGISTRY}
    for left in ({}, {"SchemaRegistryConfig": REGISTRY}):
        assert update(name, before, **{member: left})[member] == before[member]
    assert update(name, before, **{member: {"SchemaRegistryConfig": {}}})[member] == {"ConsumerGroupId": UUID}
    fixed = update_refusal(name, before, **{member: {"ConsumerGroupId": UUID}})
    assert fixed.startswith(f"Unsupported '{member[0].lower()}{member[1:]}.consumerGroupId' parameter")
    assert "ProvisionedPollerConfig" in update_refusal(name, before, ProvisionedPollerConfig={})


@pytest.mark.parametrize("lacking", REGISTRY)
def test_a_schema_registry_is_described_in_full(lacking: str) -> None:
    registry = {key: value for key, value in REGISTRY.items() if key != lacking}
    pollers = {"ProvisionedPollerConfig": {"MinimumPollers": 1}}
    assert lacking in refusal("msk", **{MSK_CONFIG: {"SchemaRegistryConfig": registry}}, **pollers)


def test_a_schema_registry_needs_provisioned_pollers() -> None:
    assert "ProvisionedPollerConfig" in refusal("msk", **{MSK_CONFIG: {"SchemaRegistryConfig": REGISTRY}})


def test_share_groups() -> None:
    queue = {SELF_CONFIG: {"ConsumptionMode": "Queue"}}
    settings = create("self-managed-kafka", **queue)
    assert settings[SELF_CONFIG] == {"ConsumerGroupId": UUID, "ConsumptionMode": "Queue"}
    assert settings["MaximumRetryAttempts"] == 0
    assert "StartingPosition" not in settings
    assert create("self-managed-kafka", MaximumRetryAttempts=3, **queue)["MaximumRetryAttempts"] == 3
    for member, value in (
        ("StartingPosition", "LATEST"),
        ("MaximumBatchingWindowInSeconds", 1),
        ("MaximumRetryAttempts", -1),
    ):
        assert member in refusal("self-managed-kafka", **{member: value}, **queue)
    assert "consumptionMode" in update_refusal("self-managed-kafka", settings, **queue)


def test_share_groups_stay_without_a_window_and_with_retries_that_end() -> None:
    settings = create("self-managed-kafka", **{SELF_CONFIG: {"ConsumptionMode": "Queue"}})
    assert "MaximumBatchingWindowInSeconds" in update_refusal(
        "self-managed-kafka", settings, MaximumBatchingWindowInSeconds=1
    )
    assert "MaximumRetryAttempts" in update_refusal("self-managed-kafka", settings, MaximumRetryAttempts=-1)


def test_change_streams() -> None:
    config = "DocumentDBEventSourceConfig"
    before = create("documentdb")
    assert before[config] == {"DatabaseName": "d", "FullDocument": "Default"}
    after = update("documentdb", before, **{config: {"CollectionName": "c", "FullDocument": "UpdateLookup"}})
    assert after[config] == {"DatabaseName": "d", "CollectionName": "c", "FullDocument": "UpdateLookup"}
    assert "DatabaseName" in refusal("documentdb", **{config: {"CollectionName": "c"}})
