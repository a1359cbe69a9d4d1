from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from lampion.aws.model import Member, Operation, Shape
from lampion.aws.serializer import serialize

from .botocore_client import OPERATIONS, SERVICE, botocore_operation, read_by_botocore, sample


def as_botocore_reads(value: Any, shape: Any) -> Any:
    """`sample` values with timestamps as botocore gives them."""
    if shape.type_name == "structure":
        return {name: as_botocore_reads(item, shape.members[name]) for name, item in value.items()}
    if shape.type_name == "list":
        return [as_botocore_reads(item, shape.member) for item in value]
    return datetime.fromtimestamp(value, UTC) if shape.type_name == "timestamp" else value


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "InvokeWithResponseStream"])
def test_botocore_reads_every_output_member_of_every_operation(name: str):
    shape = botocore_operation(name).output_shape
    output: dict[str, Any] = sample(shape) if shape else {}
    status_member = next(
        (
            key
            for key, member in (shape.members if shape else {}).items()
            if member.serialization.get("location") == "statusCode"
        ),
        None,
    )
    if status_member:
        output[status_member] = 202
    answer = serialize(SERVICE.operations[name], output, "request-1")
    read = read_by_botocore(answer, name)
    metadata = read.pop("ResponseMetadata")
    assert read == (as_botocore_reads(output, shape) if shape else {})
    assert metadata["RequestId"] == "request-1"
    assert metadata["HTTPStatusCode"] == (202 if status_member else SERVICE.operations[name].status)


def test_none_is_absent_at_every_depth():
    output: dict[str, Any] = {
        "FunctionName": "f",
        "Description": "",
        "Role": None,
        "Timeout": 0,
        "VpcConfig": {"SubnetIds": [], "VpcId": None},
        "Environment": {"Variables": {}},
    }
    answer = serialize(SERVICE.operations["GetFunctionConfiguration"], output, "r")
    assert msgspec.json.decode(answer.body) == {
        "FunctionName": "f",
        "Description": "",
        "Timeout": 0,
        "VpcConfig": {"SubnetIds": []},
        "Environment": {"Variables": {}},
    }


def test_an_invoke_answer_is_the_payload_untouched_with_its_headers():
    output = {
        "StatusCode": 200,
        "Payload": b'{"a":  1}',
        "ExecutedVersion": "$LATEST",
        "FunctionError": None,
        "LogResult": "c3RhcnQ=",
    }
    answer = serialize(SERVICE.operations["Invoke"], output, "id-1")
    assert answer.status == 200
    assert answer.body == b'{"a":  1}'
    assert answer.headers == [
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", "id-1"),
        ("X-Amz-Log-Result", "c3RhcnQ="),
        ("X-Amz-Executed-Version", "$LATEST"),
    ]


def test_an_operation_without_output_answers_with_an_empty_body():
    answer = serialize(SERVICE.operations["DeleteAlias"], {}, "r")
    assert (answer.status, answer.body) == (204, b"")


def test_an_empty_output_structure_is_an_empty_object():
    assert serialize(SERVICE.operations["ListFunctions"], {}, "r").body == b"{}"


def test_an_event_stream_has_only_its_head_here():
    output = {"StatusCode": 200, "ExecutedVersion": "1", "ResponseStreamContentType": "text/plain"}
    answer = serialize(SERVICE.operations["InvokeWithResponseStream"], output, "r")
    assert answer.body == b""
    assert answer.headers == [
        ("x-amzn-RequestId", "r"),
        ("X-Amz-Executed-Version", "1"),
        ("Content-Type", "text/plain"),
    ]


@pytest.mark.parametrize("output", [{"Nonsense": 1}, {"VpcConfig": {"Nonsense": 1}}])
def test_a_member_that_the_model_does_not_have_is_a_mistake_of_ours(output: dict[str, Any]):
    with pytest.raises(ValueError, match="Nonsense"):
        serialize(SERVICE.operations["GetFunctionConfiguration"], output, "r")


def made_up(members: dict[str, Member], payload: str | None = None, **shapes: Shape) -> Operation:
    out = Shape("structure", members=members, payload=payload)
    return replace(SERVICE.operations["Invoke"], name="MadeUp", output="Out", shapes={**shapes, "Out": out})


def test_header_members_of_every_type():
    operation = made_up(
        {
            "Flag": Member("Flag", "header", "X-Flag"),
            "When": Member("When", "header", "X-When"),
            "Iso": Member("Iso", "header", "X-Iso"),
            "Raw": Member("Raw", "header", "X-Raw"),
            "Count": Member("Count", "header", "X-Count"),
            "Meta": Member("Meta", "headers", "X-Meta-"),
        },
        Flag=Shape("boolean"),
        When=Shape("timestamp"),
        Iso=Shape("timestamp", timestamp_format="iso8601"),
        Raw=Shape("blob"),
        Count=Shape("integer"),
        Meta=Shape("map"),
    )
    output = {"Flag": False, "When": 1.7e9, "Iso": 1.7e9 + 0.25, "Raw": b"\xff", "Count": 0, "Meta": {"a": "1"}}
    answer = serialize(operation, output, "r")
    assert answer.headers[2:] == [
        ("X-Flag", "false"),
        ("X-When", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ("X-Iso", "2023-11-14T22:13:20.250Z"),
        ("X-Raw", "/w=="),
        ("X-Count", "0"),
        ("X-Meta-a", "1"),
    ]


def test_payload_structures_recursion_and_timestamps():
    operation = made_up(
        {"Top": Member("Tree")},
        payload="Top",
        Tree=Shape(
            "structure", members={"At": Member("When", wire_name="at"), "Iso": Member("Iso"), "Trees": Member("Forest")}
        ),
        Forest=Shape("list", member="Tree"),
        When=Shape("timestamp"),
        Iso=Shape("timestamp", timestamp_format="iso8601"),
    )
    output = {"Top": {"At": 1.7e9 + 0.1234, "Iso": 1.7e9, "Trees": [{"At": 1.7e9}]}}
    answer = serialize(operation, output, "r")
    assert answer.body == b'{"at":1700000000.123,"Iso":"2023-11-14T22:13:20Z","Trees":[{"at":1700000000}]}'
    assert serialize(operation, {}, "r").body == b""


def test_a_text_payload_is_sent_as_it_is():
    operation = made_up({"Text": Member("String")}, payload="Text", String=Shape("string"))
    assert serialize(operation, {"Text": "né"}, "r").body == "né".encode()
