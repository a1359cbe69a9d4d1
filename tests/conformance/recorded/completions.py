"""What the recorded requests lack of the cases whose answers go on beyond them: the answers say what was asked.

In the form of the request file: names of answers by the number of their step, and further steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Call = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Completion:
    """One case's: `named` are names of answers to calls that are recorded, `calls` come after those."""

    named: Mapping[int, str] = field(default_factory=dict)
    calls: tuple[Call, ...] = ()


def _answer(step: int, path: str) -> Call:
    return {"$answer": f"{step}:{path}"}


def _call(operation: str, answer: str = "", service: str = "lambda", **params: Any) -> Call:
    return {"service": service, "operation": operation, "params": params, "answers": [answer] if answer else []}


def _alias_naming() -> Completion:
    creation = _call(
        "CreateAlias",
        "create_alias_number_exception",
        FunctionName=_answer(0, "FunctionName"),
        Name="2024",
        FunctionVersion="1",
    )
    return Completion(calls=(creation,))


def _provisioned_lifecycle() -> Completion:
    function = _answer(1, "FunctionName")
    version: Call = {"FunctionName": function, "Qualifier": "1"}
    alias: Call = {"FunctionName": function, "Qualifier": _answer(6, "Name")}
    put, get, delete = (f"{verb}ProvisionedConcurrencyConfig" for verb in ("Put", "Get", "Delete"))
    return Completion(
        calls=(
            _call(delete, "delete_provisioned_version", **version),
            _call(get, "get_provisioned_version_postdelete", **version),
            _call(put, "put_provisioned_on_alias", **alias, ProvisionedConcurrentExecutions=1),
            _call(put, "put_provisioned_on_version_conflict", **version, ProvisionedConcurrentExecutions=1),
            _call(get, **alias),
            _call("DeleteAlias", "delete_alias_result", FunctionName=function, Name=_answer(6, "Name")),
            _call(get, "get_provisioned_alias_postaliasdelete", **alias),
            _call("ListProvisionedConcurrencyConfigs", "list_response_postdeletes", FunctionName=function),
        )
    )


def _streamed_table(step: int) -> Call:
    specification = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    name = _answer(step, "TableDescription.TableName")
    return _call("UpdateTable", "update_table_response", "dynamodb", TableName=name, StreamSpecification=specification)


def _mapping_beyond_its_function() -> Completion:
    function, mapping = _answer(4, "FunctionName"), _answer(6, "UUID")
    creation: dict[str, Any] = {
        "FunctionName": "fn-6d5f3b1c",
        "Runtime": "python3.12",
        "Handler": "handler.handler",
        "Role": "arn:aws:iam::123456789012:role/role",
        "Code": {"ZipFile": {"$zip": "any"}},
    }
    mapped: dict[str, Any] = {
        "FunctionName": function,
        "EventSourceArn": _answer(3, "TableDescription.LatestStreamArn"),
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 1,
        "MaximumBatchingWindowInSeconds": 1,
        "MaximumRetryAttempts": 1,
        "DestinationConfig": {"OnFailure": {"Destination": _answer(1, "Attributes.QueueArn")}},
    }
    return Completion(
        calls=(
            _streamed_table(2),
            _call("CreateFunction", **creation),
            _call("GetFunction", FunctionName=function),
            _call("CreateEventSourceMapping", "create_response", **mapped),
            _call("GetEventSourceMapping", UUID=mapping),
            _call("GetEventSourceMapping", "get_response", UUID=mapping),
            _call("DeleteFunction", "delete_function_response", FunctionName=function),
            _call("GetEventSourceMapping", "get_response_post_delete", UUID=mapping),
            _call("DeleteEventSourceMapping", "delete_response", UUID=mapping),
        )
    )


def _mapping_with_no_filters() -> Completion:
    creation = _call(
        "CreateEventSourceMapping",
        "response-with-empty-filters",
        FunctionName=_answer(0, "FunctionName"),
        EventSourceArn=_answer(3, "TableDescription.LatestStreamArn"),
        StartingPosition="LATEST",
        FilterCriteria={"Filters": []},
    )
    return Completion(calls=({**_streamed_table(2), "answers": []}, creation))


_REFUSED: Final = "TestRuntimeValidation::test_create_deprecated_function_runtime_with_validation_enabled"
_CREATION_STEPS: Final = {
    **dict.fromkeys(("provided", "ruby2.7", "nodejs12.x", "nodejs14.x", "python3.7", "dotnetcore3.1"), 0),
    **dict.fromkeys(("java8", "go1.x"), 4),
}

COMPLETIONS: Final[Mapping[str, Completion]] = {
    "TestLambdaAlias::test_alias_naming": _alias_naming(),
    "TestLambdaProvisionedConcurrency::test_lambda_provisioned_lifecycle": _provisioned_lifecycle(),
    "TestLambdaEventSourceMappings::test_event_source_mapping_lifecycle_delete_function": (
        _mapping_beyond_its_function()
    ),
    "TestLambdaEventSourceMappings::test_create_event_filter_criteria_validation": _mapping_with_no_filters(),
    **{f"{_REFUSED}[{name}]": Completion({step: "deprecation_error"}) for name, step in _CREATION_STEPS.items()},
}
"""By case. All other cases' requests are complete, or their other answers are out of reach."""
