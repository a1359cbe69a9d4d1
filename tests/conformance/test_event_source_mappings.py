"""boto3 against a live server: event source mappings, from their creation to their end."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conformance.event_sources import created, queue_arn, settled, stream_arn, table_stream_arn, wait_gone
from tests.conformance.refusals import refused
from tests.deployment import Functions, arn_of, creation
from tests.live_server import LiveServer

SOURCE = "def handler(event, context):\n    return None\n"
NOWHERE = "00000000-0000-4000-8000-000000000000"
NOT_FOUND = ("ResourceNotFoundException", "The resource you requested does not exist.")
IN_USE = "ResourceInUseException"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"


def listed(client: Any, **arguments: Any) -> list[str]:
    pages = client.get_paginator("list_event_source_mappings").paginate(**arguments)
    return [mapping["UUID"] for page in pages for mapping in page["EventSourceMappings"]]


def test_from_creation_to_deletion(lambda_client: Any, make_function: Functions) -> None:
    client, name, queue = lambda_client, make_function(SOURCE), queue_arn()
    began = datetime.now(UTC) - timedelta(seconds=1)
    answer = client.create_event_source_mapping(EventSourceArn=queue, FunctionName=name, Tags={"a": "b"})
    assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 202
    uuid = answer.pop("UUID")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uuid)
    assert began < answer.pop("LastModified") < began + timedelta(seconds=60)
    assert answer == {
        "BatchSize": 10,
        "EventSourceArn": queue,
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:123456789012:event-source-mapping:{uuid}",
        "FunctionArn": arn_of(name),
        "FunctionResponseTypes": [],
        "MaximumBatchingWindowInSeconds": 0,
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    }
    assert settled(client, uuid)["State"] == "Enabled"
    changed = client.update_event_source_mapping(UUID=uuid, BatchSize=5, Enabled=False)
    assert (changed["State"], changed["BatchSize"]) == ("Disabling", 5)
    assert changed["ResponseMetadata"]["HTTPStatusCode"] == 202
    rest = settled(client, uuid)
    assert (rest["State"], rest["BatchSize"]) == ("Disabled", 5)
    assert rest["LastModified"] > changed["LastModified"]
    assert client.update_event_source_mapping(UUID=uuid, BatchSize=6)["State"] == "Updating"
    assert settled(client, uuid)["State"] == "Disabled"
    assert client.update_event_source_mapping(UUID=uuid, Enabled=True)["State"] == "Enabling"
    assert settled(client, uuid)["State"] == "Enabled"
    deletion = client.delete_event_source_mapping(UUID=uuid)
    assert (deletion["ResponseMetadata"]["HTTPStatusCode"], deletion["State"]) == (202, "Deleting")
    wait_gone(client, uuid)
    assert listed(client, FunctionName=name) == []
    for call in (client.update_event_source_mapping, client.delete_event_source_mapping):
        assert refused(call, UUID=uuid) == NOT_FOUND


def test_what_is_changing_is_in_use(lambda_client: Any, make_function: Functions) -> None:
    client, name = lambda_client, make_function(SOURCE)
    uuid = client.create_event_source_mapping(EventSourceArn=queue_arn(), FunctionName=name)["UUID"]
    update, delete = client.update_event_source_mapping, client.delete_event_source_mapping
    assert refused(update, UUID=uuid, BatchSize=1) == (
        IN_USE,
        "Cannot update the event source mapping because it is in use.",
    )
    assert refused(delete, UUID=uuid) == (IN_USE, "Cannot delete the event source mapping because it is in use.")
    assert settled(client, uuid)["BatchSize"] == 10
    delete(UUID=uuid)
    assert refused(delete, UUID=uuid)[0] == IN_USE
    assert refused(update, UUID=uuid, BatchSize=1)[0] == IN_USE
    wait_gone(client, uuid)


def test_a_mapping_may_begin_disabled(lambda_client: Any, make_function: Functions) -> None:
    created_so = lambda_client.create_event_source_mapping(
        EventSourceArn=queue_arn(), FunctionName=make_function(SOURCE), Enabled=False
    )
    assert created_so["State"] == "Creating"
    assert settled(lambda_client, created_so["UUID"])["State"] == "Disabled"


def test_a_queue_is_mapped_to_a_function_once(lambda_client: Any, make_function: Functions) -> None:
    client, name, other, queue = lambda_client, make_function(SOURCE), make_function(SOURCE), queue_arn()
    create = client.create_event_source_mapping
    first = created(client, EventSourceArn=queue, FunctionName=name)["UUID"]
    conflict = (
        "ResourceConflictException",
        f'An event source mapping with SQS arn (" {queue} ") and function (" {name} ") already exists. '
        f"Please update or delete the existing mapping with UUID {first}",
    )
    assert refused(create, EventSourceArn=queue, FunctionName=arn_of(name)) == conflict
    second = created(client, EventSourceArn=queue, FunctionName=other)["UUID"]
    assert refused(client.update_event_source_mapping, UUID=second, FunctionName=name) == conflict
    assert client.get_event_source_mapping(UUID=second)["FunctionArn"] == arn_of(other)
    moved = client.update_event_source_mapping(UUID=first, FunctionName=make_function(SOURCE))
    assert moved["State"] == "Updating"
    assert settled(client, first)["FunctionArn"] != arn_of(name)
    settled(client, second)
    client.update_event_source_mapping(UUID=second, FunctionName=name)


def test_a_queue_is_free_again_once_its_mapping_is_gone(lambda_client: Any, make_function: Functions) -> None:
    client, name, queue = lambda_client, make_function(SOURCE), queue_arn()
    first = created(client, EventSourceArn=queue, FunctionName=name)["UUID"]
    client.delete_event_source_mapping(UUID=first)
    code, message = refused(client.create_event_source_mapping, EventSourceArn=queue, FunctionName=name)
    assert (code, first in message) == ("ResourceConflictException", True)
    wait_gone(client, first)
    assert created(client, EventSourceArn=queue, FunctionName=name)["UUID"] != first


def test_versions_and_aliases_are_functions_of_their_own(lambda_client: Any, make_function: Functions) -> None:
    client, name, queue = lambda_client, make_function(SOURCE), queue_arn()
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    spellings = {"": name, ":1": f"{name}:1", ":live": arn_of(name, ":live")}
    uuids = {
        qualifier: client.create_event_source_mapping(EventSourceArn=queue, FunctionName=spelling)
        for qualifier, spelling in spellings.items()
    }
    for qualifier, answer in uuids.items():
        assert answer["FunctionArn"] == arn_of(name, qualifier)
        assert listed(client, FunctionName=name + qualifier) == [answer["UUID"]]
        assert listed(client, FunctionName=arn_of(name, qualifier), EventSourceArn=queue) == [answer["UUID"]]
    assert listed(client, FunctionName=f"123456789012:function:{name}") == [uuids[""]["UUID"]]
    assert sorted(listed(client, EventSourceArn=queue)) == sorted(one["UUID"] for one in uuids.values())
    assert refused(client.create_event_source_mapping, EventSourceArn=queue, FunctionName=f"{name}:live")[0] == (
        "ResourceConflictException"
    )


MISSING_FUNCTION = ("InvalidParameterValueException", "Function does not exist")


def test_the_function_must_exist(lambda_client: Any, make_function: Functions) -> None:
    client, name, queue = lambda_client, make_function(SOURCE), queue_arn()
    for missing in ("no-such-function", f"{name}:7", f"{name}:nobody"):
        assert refused(client.create_event_source_mapping, EventSourceArn=queue, FunctionName=missing) == (
            MISSING_FUNCTION
        )
    assert listed(client, EventSourceArn=queue) == []
    uuid = created(client, EventSourceArn=queue, FunctionName=name)["UUID"]
    assert refused(client.update_event_source_mapping, UUID=uuid, FunctionName="no-such-function") == MISSING_FUNCTION
    assert client.get_event_source_mapping(UUID=uuid)["State"] == "Enabled"


def test_a_mapping_outlives_its_function(lambda_client: Any, make_function: Functions) -> None:
    client, name = lambda_client, make_function(SOURCE)
    mapping = created(client, EventSourceArn=queue_arn(), FunctionName=name)
    client.delete_function(FunctionName=name)
    assert client.get_event_source_mapping(UUID=mapping["UUID"])["State"] == "Enabled"
    assert listed(client, FunctionName=name) == [mapping["UUID"]]
    client.delete_event_source_mapping(UUID=mapping["UUID"])
    wait_gone(client, mapping["UUID"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Unrecognized event source."),
        ({"EventSourceArn": "arn:aws:sns:us-east-1:123456789012:topic"}, "Unrecognized event source."),
        (
            {"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s"},
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null.",
        ),
        (
            {"EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:q", "BatchSize": 11},
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
        (
            {
                "EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:q",
                "FilterCriteria": {"Filters": [{"Pattern": "single-string"}]},
            },
            "Invalid filter pattern definition.",
        ),
    ],
)
def test_wrong_input_changes_nothing(
    lambda_client: Any, make_function: Functions, arguments: dict[str, Any], message: str
) -> None:
    name = make_function(SOURCE)
    answer = refused(lambda_client.create_event_source_mapping, FunctionName=name, **arguments)
    assert answer == ("InvalidParameterValueException", message)
    assert listed(lambda_client, FunctionName=name) == []


def test_a_refused_update_changes_nothing(lambda_client: Any, make_function: Functions) -> None:
    client = lambda_client
    before = created(client, EventSourceArn=queue_arn(), FunctionName=make_function(SOURCE))
    answer = refused(client.update_event_source_mapping, UUID=before["UUID"], BatchSize=100, Enabled=False)
    assert answer[0] == "InvalidParameterValueException"
    after = client.get_event_source_mapping(UUID=before["UUID"])
    assert {**after, "ResponseMetadata": None} == {**before, "ResponseMetadata": None}


def test_nothing_has_this_uuid(lambda_client: Any) -> None:
    for call in ("get_event_source_mapping", "update_event_source_mapping", "delete_event_source_mapping"):
        assert refused(getattr(lambda_client, call), UUID=NOWHERE) == NOT_FOUND


def test_pages_go_on_while_mappings_come_and_go(lambda_client: Any, make_function: Functions) -> None:
    client, queue = lambda_client, queue_arn()
    functions = [make_function(SOURCE) for _ in range(5)]
    uuids = sorted(created(client, EventSourceArn=queue, FunctionName=one)["UUID"] for one in functions)
    page = client.list_event_source_mappings(EventSourceArn=queue, MaxItems=2)
    assert [one["UUID"] for one in page["EventSourceMappings"]] == uuids[:2]
    for gone in (uuids[1], uuids[2]):
        client.delete_event_source_mapping(UUID=gone)
        wait_gone(client, gone)
    rest = client.list_event_source_mappings(EventSourceArn=queue, MaxItems=2, Marker=page["NextMarker"])
    assert [one["UUID"] for one in rest["EventSourceMappings"]] == uuids[3:]
    assert "NextMarker" not in rest
    assert listed(client, EventSourceArn=queue, PaginationConfig={"PageSize": 1}) == [uuids[0], *uuids[3:]]
    forged = refused(client.list_event_source_mappings, Marker=page["NextMarker"][::-1])
    assert forged == ("InvalidParameterValueException", "Invalid pagination token")
    other = client.list_functions(MaxItems=1)["NextMarker"]
    assert refused(client.list_event_source_mappings, Marker=other)[1] == "Invalid pagination token"


def test_a_key_hides_filters_in_lists(lambda_client: Any, make_function: Functions) -> None:
    client, queue = lambda_client, queue_arn()
    criteria = {"Filters": [{"Pattern": '{"body": {"a": ["b"]}}'}]}
    uuid = created(
        client,
        EventSourceArn=queue,
        FunctionName=make_function(SOURCE),
        FilterCriteria=criteria,
        KMSKeyArn="arn:aws:kms:us-east-1:123456789012:key/k",
    )["UUID"]
    assert client.get_event_source_mapping(UUID=uuid)["FilterCriteria"] == criteria
    (shown,) = client.list_event_source_mappings(EventSourceArn=queue)["EventSourceMappings"]
    assert "FilterCriteria" not in shown
    assert shown["KMSKeyArn"].endswith("key/k")
    client.update_event_source_mapping(UUID=uuid, KMSKeyArn="")
    (shown,) = client.list_event_source_mappings(EventSourceArn=queue)["EventSourceMappings"]
    assert shown["FilterCriteria"] == criteria


ACCESS = [{"Type": "BASIC_AUTH", "URI": SECRET}]
AT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
CLUSTER = "arn:aws:kafka:us-east-1:123456789012:cluster/c/5b3c8e2a-1"
OTHER_SOURCES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"EventSourceArn": stream_arn(), "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": AT},
        {"BatchSize": 100, "MaximumRetryAttempts": -1, "StateTransitionReason": "User action"},
    ),
    (
        {"EventSourceArn": table_stream_arn(), "StartingPosition": "LATEST", "TumblingWindowInSeconds": 60},
        {"ParallelizationFactor": 1, "DestinationConfig": {"OnFailure": {}}},
    ),
    (
        {"EventSourceArn": CLUSTER, "Topics": ["topic"], "StartingPosition": "TRIM_HORIZON"},
        {"BatchSize": 100, "StateTransitionReason": "USER_INITIATED"},
    ),
    (
        {
            "SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["a.example:9092", "b.example:9092"]}},
            "Topics": ["topic"],
            "SourceAccessConfigurations": ACCESS,
        },
        {"StartingPosition": "TRIM_HORIZON", "LastProcessingResult": "No records processed"},
    ),
    (
        {
            "EventSourceArn": "arn:aws:mq:us-east-1:123456789012:broker:Example:b-24cacbb4",
            "Queues": ["q"],
            "SourceAccessConfigurations": [*ACCESS, {"Type": "VIRTUAL_HOST", "URI": "/"}],
        },
        {"BatchSize": 100, "StateTransitionReason": "USER_INITIATED"},
    ),
    (
        {
            "EventSourceArn": "arn:aws:rds:us-east-1:123456789012:cluster:docdb",
            "StartingPosition": "LATEST",
            "SourceAccessConfigurations": ACCESS,
            "DocumentDBEventSourceConfig": {"DatabaseName": "d"},
        },
        {"DocumentDBEventSourceConfig": {"DatabaseName": "d", "FullDocument": "Default"}},
    ),
]


@pytest.mark.parametrize(("given", "defaults"), OTHER_SOURCES, ids=range(len(OTHER_SOURCES)))
def test_every_source_answers_what_was_asked_for_and_its_defaults(
    lambda_client: Any, make_function: Functions, given: dict[str, Any], defaults: dict[str, Any]
) -> None:
    client, name = lambda_client, make_function(SOURCE)
    answer = client.create_event_source_mapping(FunctionName=name, **given)
    wanted = {**given, **defaults, "FunctionArn": arn_of(name)}
    assert {member: answer.get(member) for member in wanted} == wanted
    assert refused(client.create_event_source_mapping, FunctionName=name, **given)[0] == "ResourceConflictException"
    rest = settled(client, answer["UUID"])
    assert {member: rest.get(member) for member in wanted} == wanted
    assert settled(client, answer["UUID"])["State"] == "Enabled"


@pytest.mark.parametrize("member", ["AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig"])
def test_a_kafka_consumer_group_is_called_by_the_uuid(
    lambda_client: Any, make_function: Functions, member: str
) -> None:
    source: dict[str, Any] = {"EventSourceArn": CLUSTER}
    if member.startswith("Self"):
        source = {"SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["c.example:9092"]}}}
    answer = lambda_client.create_event_source_mapping(
        FunctionName=make_function(SOURCE), Topics=["topic"], StartingPosition="LATEST", **source
    )
    assert answer[member] == {"ConsumerGroupId": answer["UUID"]}


def test_mappings_survive_kill_9_and_go_on(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    client = server.client()
    client.create_function(**creation("f", SOURCE))
    kept = created(client, EventSourceArn=queue_arn(), FunctionName="f", Enabled=False)
    going = created(client, EventSourceArn=queue_arn(), FunctionName="f")
    new = client.create_event_source_mapping(EventSourceArn=queue_arn(), FunctionName="f")
    client.delete_event_source_mapping(UUID=going["UUID"])
    server.restart()
    client = server.client()
    assert settled(client, new["UUID"])["State"] == "Enabled"
    again = client.get_event_source_mapping(UUID=kept["UUID"])
    assert {**again, "ResponseMetadata": None} == {**kept, "ResponseMetadata": None}
    wait_gone(client, going["UUID"])
    assert sorted(listed(client)) == sorted([kept["UUID"], new["UUID"]])
