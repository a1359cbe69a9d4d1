"""Answers about event source mappings recorded from AWS, in cases that need a queue or a table otherwise.

The mappings need neither: each answer is asked for by itself, with what it shows was asked.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from tests.conformance.event_sources import created, queue_arn, settled, table_stream_arn
from tests.conformance.recorded.comparison import CaseComparison
from tests.conformance.recorded.placeholders import Place
from tests.conformance.recorded.recordings import recorded_answers
from tests.conformance.recorded.replay import ask
from tests.deployment import Functions

SQS, DYNAMODB, API = "test_lambda_integration_sqs", "test_lambda_integration_dynamodbstreams", "test_lambda_api"
SOURCE = "def handler(event, context):\n    return None\n"
PLACE = Place("123456789012", "us-east-1")
DESTINATION = {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:failures"}}
NOTHING_PROCESSED = {"LastProcessingResult": "No records processed"}
"""A recorded mapping may have read records before it was asked about; here nothing polls yet."""


class Recorded(NamedTuple):
    """One recorded answer and what asks for it."""

    file: str
    case: str
    answer: str
    given: Mapping[str, Any]

    @property
    def form(self) -> Any:
        return normal(recorded_answers(self.file)[self.case][self.answer])


def normal(answer: Any) -> Any:
    """Times without brackets, patterns as the text that they are; a window that the recording leaves open is 1."""
    text = json.dumps(answer).replace('"<datetime>"', '"datetime"')
    return json.loads(
        text.replace('"maximum-batching-window-in-seconds"', "1"),
        object_hook=lambda one: {
            name: json.dumps(value) if name == "Pattern" and isinstance(value, dict) else value
            for name, value in one.items()
        },
    )


def creations() -> list[Recorded]:
    """Every recorded creation, with the settings that its answer shows to be other than the defaults."""
    sqs_defaults = {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": []}
    stream_defaults = {
        "BatchSize": 100,
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "FunctionResponseTypes": [],
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
        "TumblingWindowInSeconds": 0,
    }
    found = []
    for file, defaults in ((SQS, sqs_defaults), (DYNAMODB, stream_defaults), (API, stream_defaults)):
        for case, answers in recorded_answers(file).items():
            for name, answer in answers.items():
                if isinstance(answer, Mapping) and answer.get("State") == "Creating":
                    found.append(Recorded(file, case, name, asked_for(normal(answer), defaults)))
    return found


ANSWERED = frozenset(
    (
        *("EventSourceArn", "EventSourceMappingArn", "FunctionArn", "LastModified", "LastProcessingResult"),
        *("ResponseMetadata", "State", "StateTransitionReason", "UUID"),
    )
)


def asked_for(answer: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    asked = {name: value for name, value in answer.items() if name not in ANSWERED and value != defaults.get(name)}
    return asked if "DestinationConfig" not in asked else {**asked, "DestinationConfig": DESTINATION}


def source(file: str) -> str:
    return queue_arn() if file == SQS else table_stream_arn()


def check(recorded: Any, answer: Any, comparison: CaseComparison | None = None) -> None:
    found = (comparison or CaseComparison(PLACE)).compare(recorded, answer)
    assert found == [], "\n".join(map(str, found))


@pytest.mark.parametrize("one", creations(), ids=lambda one: f"{one.case.rpartition('::')[2]}-{one.answer}")
def test_the_recorded_creation_is_reproduced(lambda_client: Any, make_function: Functions, one: Recorded) -> None:
    given = {"FunctionName": make_function(SOURCE), "EventSourceArn": source(one.file), **one.given}
    form = dict(ask(lambda_client, "CreateEventSourceMapping", given).form)
    if "EventSourceMappingArn" not in one.form:  # recorded before AWS's answers had it
        del form["EventSourceMappingArn"]
    check(one.form, form)


def test_every_kind_of_recorded_creation_is_there() -> None:
    kinds = {(one.file, tuple(sorted(one.given))) for one in creations()}
    assert len(creations()) >= 30
    assert {file for file, _ in kinds} == {SQS, DYNAMODB, API}
    assert (SQS, ("BatchSize", "MaximumBatchingWindowInSeconds", "ScalingConfig")) in kinds


@pytest.mark.parametrize(
    ("file", "case", "answer", "given"),
    [
        (
            SQS,
            "TestSQSEventSourceMapping::test_event_source_mapping_default_batch_size",
            "invalid-create-event-source-mapping",
            {"BatchSize": 11},
        ),
        (
            DYNAMODB,
            "TestDynamoDBEventSourceMapping::test_dynamodb_invalid_event_filter[single-string]",
            "exception_event_source_creation",
            {"StartingPosition": "LATEST", "FilterCriteria": {"Filters": [{"Pattern": "single-string"}]}},
        ),
        (
            DYNAMODB,
            'TestDynamoDBEventSourceMapping::test_dynamodb_invalid_event_filter[[{"eventName": ["INSERT"=123}]]',
            "exception_event_source_creation",
            {
                "StartingPosition": "LATEST",
                "FilterCriteria": {"Filters": [{"Pattern": '[{"eventName": ["INSERT"=123}]'}]},
            },
        ),
    ],
)
def test_the_recorded_refusal_is_reproduced(
    lambda_client: Any, make_function: Functions, file: str, case: str, answer: str, given: dict[str, Any]
) -> None:
    given = {"FunctionName": make_function(SOURCE), "EventSourceArn": source(file), **given}
    check(recorded_answers(file)[case][answer], ask(lambda_client, "CreateEventSourceMapping", given).form)


def test_a_recorded_update_that_is_refused(lambda_client: Any, make_function: Functions) -> None:
    recorded = recorded_answers(SQS)["TestSQSEventSourceMapping::test_event_source_mapping_default_batch_size"]
    uuid = created(lambda_client, FunctionName=make_function(SOURCE), EventSourceArn=queue_arn())["UUID"]
    refused = ask(lambda_client, "UpdateEventSourceMapping", {"UUID": uuid, "BatchSize": 11})
    check(recorded["invalid-update-event-source-mapping"], refused.form)


def test_a_recorded_update(lambda_client: Any, make_function: Functions) -> None:
    recorded = recorded_answers(SQS)["TestSQSEventSourceMapping::test_sqs_event_source_mapping_update"]
    comparison = CaseComparison(PLACE)
    given: dict[str, Any] = {"EventSourceArn": queue_arn(), "MaximumBatchingWindowInSeconds": 1}
    creation = ask(lambda_client, "CreateEventSourceMapping", {"FunctionName": make_function(SOURCE), **given})
    check(normal(recorded["create-event-source-mapping-response"]), creation.form, comparison)
    uuid = settled(lambda_client, creation.answer["UUID"])["UUID"]
    update = {"UUID": uuid, "FunctionName": make_function(SOURCE)}
    check(normal(recorded["updated_esm"]), ask(lambda_client, "UpdateEventSourceMapping", update).form, comparison)
    settled(lambda_client, uuid)
    found = ask(lambda_client, "GetEventSourceMapping", {"UUID": uuid})
    check(normal(recorded["updated_event_source_mapping"]), found.form, comparison)


def test_a_recorded_conflict(lambda_client: Any, make_function: Functions) -> None:
    recorded = recorded_answers(SQS)["TestSQSEventSourceMapping::test_duplicate_event_source_mappings"]
    comparison = CaseComparison(PLACE)
    given = {"EventSourceArn": queue_arn(), "FunctionName": make_function(SOURCE)}
    check(normal(recorded["create"]), ask(lambda_client, "CreateEventSourceMapping", given).form, comparison)
    check(recorded["error"], ask(lambda_client, "CreateEventSourceMapping", given).form, comparison)


def test_a_recorded_mapping_is_disabled(lambda_client: Any, make_function: Functions) -> None:
    recorded = recorded_answers(DYNAMODB)["TestDynamoDBEventSourceMapping::test_disabled_dynamodb_event_source_mapping"]
    comparison = CaseComparison(PLACE)
    given = {
        "EventSourceArn": table_stream_arn(),
        "FunctionName": make_function(SOURCE),
        "StartingPosition": "TRIM_HORIZON",
        "MaximumBatchingWindowInSeconds": 1,
    }
    creation = ask(lambda_client, "CreateEventSourceMapping", given)
    check(normal(recorded["create_event_source_mapping_result"]), creation.form, comparison)
    uuid = settled(lambda_client, creation.answer["UUID"])["UUID"]
    disabled = ask(lambda_client, "UpdateEventSourceMapping", {"UUID": uuid, "Enabled": False})
    wanted = {**normal(recorded["update_event_source_mapping_result"]), **NOTHING_PROCESSED}
    check(wanted, disabled.form, comparison)


def test_a_recorded_list(lambda_client: Any, make_function: Functions) -> None:
    case = "TestDynamoDBEventSourceMapping::test_deletion_event_source_mapping_with_dynamodb"
    recorded = recorded_answers(DYNAMODB)[case]
    arn = table_stream_arn()
    given = {"EventSourceArn": arn, "FunctionName": make_function(SOURCE), "StartingPosition": "TRIM_HORIZON"}
    created(lambda_client, **given)
    listed = ask(lambda_client, "ListEventSourceMappings", {"EventSourceArn": arn})
    check(normal(recorded["list_event_source_mapping_result"]), listed.form)
