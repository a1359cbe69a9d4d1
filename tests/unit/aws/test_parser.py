from dataclasses import replace
from typing import Any

import pytest

from lampion.aws.errors import SerializationException
from lampion.aws.model import Member, Operation, Shape
from lampion.aws.parser import parse

from .botocore_client import OPERATIONS, ROUTER, SERVICE, botocore_operation, request_of, sample

CREATE = SERVICE.operations["CreateFunction"]
INVOKE = SERVICE.operations["Invoke"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_member_that_botocore_sends_arrives(name: str):
    members = sample(botocore_operation(name).input_shape)
    sent = request_of(name, members)
    match = ROUTER.match(sent.method, sent.path, sent.query)
    assert match is not None
    assert parse(match.operation, match.labels, sent.query, sent.headers, sent.body) == members


def create(body: str | bytes) -> dict[str, Any]:
    return parse(CREATE, {}, "", {}, body.encode() if isinstance(body, str) else body)


def test_null_is_absent_and_unknown_members_are_ignored():
    read = create('{"FunctionName": "f", "Handler": null, "Nonsense": {"a": [1]}, "VpcConfig": {"SubnetIds": null}}')
    assert read == {"FunctionName": "f", "VpcConfig": {}}
    assert create("null") == {}
    assert create("") == {}


def test_a_null_element_stays_for_the_validator_to_name():
    assert create('{"Layers": [null, "x"]}') == {"Layers": [None, "x"]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"Timeout": "3"}', "STRING_VALUE can not be converted to an Integer"),
        ('{"Timeout": true}', "TRUE_VALUE can not be converted to an Integer"),
        ('{"Timeout": 3.5}', "NUMBER_VALUE can not be converted to an Integer"),
        ('{"Timeout": 2147483648}', "NUMBER_VALUE can not be converted to an Integer"),
        ('{"Timeout": 1e400}', "NUMBER_VALUE can not be converted to an Integer"),
        ('{"Timeout": {}}', "Start of structure or map found where not expected."),
        ('{"Timeout": []}', "Start of list found where not expected"),
        ('{"Handler": 1}', "NUMBER_VALUE can not be converted to a String"),
        ('{"Handler": false}', "FALSE_VALUE can not be converted to a String"),
        ('{"Publish": "true"}', "STRING_VALUE can not be converted to a Boolean"),
        ('{"Layers": "x"}', "Expected list or null"),
        ('{"Layers": {}}', "Start of structure or map found where not expected."),
        ('{"Code": "x"}', "Unexpected field type"),
        ('{"Code": []}', "Start of list found where not expected"),
        ('{"Tags": "x"}', "Expected map or null"),
        ('{"Tags": []}', "Start of list found where not expected"),
        ('{"Tags": {"a": 1}}', "NUMBER_VALUE can not be converted to a String"),
        ('{"Code": {"ZipFile": "%%%"}}', "Blob is not valid base64"),
        ('{"Code": {"ZipFile": "é"}}', "Blob is not valid base64"),
        ('{"Code": {"ZipFile": 1}}', "NUMBER_VALUE can not be converted to a Blob"),
        ("[]", "Start of list found where not expected"),
        ("3", "Unexpected field type"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_as_aws_names_it(body: str, message: str):
    with pytest.raises(SerializationException) as refused:
        create(body)
    assert refused.value.message == message


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{}x",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"Handler": "a", "Handler": "b"}',
        b'{"Tags": {"a": "1", "a": "2"}}',
        b'{"Handler": "\\ud800"}',
        b'{"Tags": {"\\udfff": "x"}}',
        b'{"Handler": "\n"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"Timeout": ' + b"9" * 5000 + b"}",
        "{}".encode("utf-16"),
    ],
)
def test_a_body_that_is_not_sound_json_is_refused(body: bytes):
    with pytest.raises(SerializationException):
        create(body)


def test_a_whole_float_is_an_integer_and_an_integer_a_double():
    assert create('{"Timeout": 3.0}') == {"Timeout": 3}
    alias = SERVICE.operations["CreateAlias"]
    read = parse(alias, {"FunctionName": "f"}, "", {}, b'{"RoutingConfig": {"AdditionalVersionWeights": {"2": 1}}}')
    weight = read["RoutingConfig"]["AdditionalVersionWeights"]["2"]
    assert isinstance(weight, float)
    assert weight == 1.0


def test_an_invoke_takes_its_parts_from_label_query_headers_and_raw_body():
    headers = {"x-amz-invocation-type": "Event", "x-amz-log-type": "Tail", "content-type": "application/json"}
    body = b'not json \xff but {"a": 1}'
    assert parse(INVOKE, {"FunctionName": "f"}, "Qualifier=a%2Bb&Other=1", headers, body) == {
        "FunctionName": "f",
        "Qualifier": "a+b",
        "InvocationType": "Event",
        "LogType": "Tail",
        "Payload": body,
    }
    assert "Payload" not in parse(INVOKE, {"FunctionName": "f"}, "", {}, b"")


@pytest.mark.parametrize(
    ("operation", "query", "expected"),
    [
        ("ListFunctions", "MaxItems=5&Marker=a+b%20c", {"MaxItems": 5, "Marker": "a b c"}),
        ("ListFunctions", "Marker=", {"Marker": ""}),
        ("ListFunctions", "MaxItems=1&MaxItems=2", {"MaxItems": 2}),
        ("ListFunctions", "&&=x&MaxItems=7", {"MaxItems": 7}),
        ("UntagResource", "tagKeys=a&tagKeys=b%26c", {"Resource": "r", "TagKeys": ["a", "b&c"]}),
        ("UntagResource", "", {"Resource": "r"}),
        ("GetDurableExecutionHistory", "ReverseOrder=true", {"DurableExecutionArn": "d", "ReverseOrder": True}),
        (
            "ListDurableExecutionsByFunction",
            "StartedAfter=2023-11-14T22%3A13%3A20Z&StartedBefore=2023-11-14T23:13:20.5%2B01:00",
            {"FunctionName": "f", "StartedAfter": 1_700_000_000.0, "StartedBefore": 1_700_000_000.5},
        ),
    ],
)
def test_members_out_of_the_query(operation: str, query: str, expected: dict[str, Any]):
    labels = {"Resource": "r", "DurableExecutionArn": "d", "FunctionName": "f"}
    assert parse(SERVICE.operations[operation], labels, query, {}, b"") == expected


@pytest.mark.parametrize(
    ("operation", "query", "message"),
    [
        ("ListFunctions", "MaxItems=x", "STRING_VALUE can not be converted to an Integer"),
        ("ListFunctions", "MaxItems=", "STRING_VALUE can not be converted to an Integer"),
        ("ListFunctions", "MaxItems=1_0", "STRING_VALUE can not be converted to an Integer"),
        ("ListFunctions", "MaxItems=%207", "STRING_VALUE can not be converted to an Integer"),
        ("ListFunctions", "MaxItems=%D9%A3", "STRING_VALUE can not be converted to an Integer"),
        ("ListFunctions", "MaxItems=" + "9" * 10_000, "STRING_VALUE can not be converted to an Integer"),
        ("ListFunctions", "MaxItems=9999999999", "NUMBER_VALUE can not be converted to an Integer"),
        ("GetDurableExecutionHistory", "ReverseOrder=yes", "STRING_VALUE can not be converted to a Boolean"),
        (
            "ListDurableExecutionsByFunction",
            "StartedAfter=yesterday",
            "STRING_VALUE can not be converted to milliseconds since epoch",
        ),
    ],
)
def test_query_values_of_the_wrong_type(operation: str, query: str, message: str):
    labels = {"Resource": "r", "DurableExecutionArn": "d", "FunctionName": "f"}
    with pytest.raises(SerializationException) as refused:
        parse(SERVICE.operations[operation], labels, query, {}, b"")
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1700000000", 1_700_000_000.0),
        ("1700000000.25", 1_700_000_000.25),
        ('"2023-11-14T22:13:20Z"', 1_700_000_000.0),
        ('"Tue, 14 Nov 2023 22:13:20 GMT"', 1_700_000_000.0),
        ('"1700000000"', 1_700_000_000.0),
    ],
)
def test_timestamps_in_the_body(value: str, seconds: float):
    operation = SERVICE.operations["CreateEventSourceMapping"]
    body = f'{{"StartingPositionTimestamp": {value}}}'.encode()
    assert parse(operation, {}, "", {}, body) == {"StartingPositionTimestamp": seconds}


@pytest.mark.parametrize(
    "value", ["true", '"x"', "1e300", '"2023-13-45T99:99:99Z"', '"Tue, 99 Foo 2023 22:13:20 GMT"', "{}"]
)
def test_timestamps_that_are_none(value: str):
    operation = SERVICE.operations["CreateEventSourceMapping"]
    with pytest.raises(SerializationException):
        parse(operation, {}, "", {}, f'{{"StartingPositionTimestamp": {value}}}'.encode())


STRING = Shape("string")
SHAPES = {
    "String": STRING,
    "Map": Shape("map", key="String", value="String"),
    "Lists": Shape("map", key="String", value="List"),
    "List": Shape("list", member="String"),
    "Tree": Shape("structure", members={"Leaf": Member("String", wire_name="leaf"), "Trees": Member("Forest")}),
    "Forest": Shape("list", member="Tree"),
}


def made_up(members: dict[str, Member], payload: str | None = None) -> Operation:
    shapes = {**SHAPES, "In": Shape("structure", members=members, payload=payload)}
    return replace(INVOKE, name="MadeUp", input="In", shapes=shapes)


def test_prefixed_headers_and_open_queries_become_maps():
    operation = made_up(
        {
            "Meta": Member("Map", "headers", "X-Meta-"),
            "Rest": Member("Map", "querystring"),
            "Name": Member("String", "querystring", "name"),
        }
    )
    read = parse(operation, {}, "name=n&a=1&b=2&b=3", {"x-meta-one": "1", "other": "2"}, b"")
    assert read == {"Meta": {"one": "1"}, "Rest": {"a": "1", "b": "3"}, "Name": "n"}
    repeated = made_up({"Rest": Member("Lists", "querystring")})
    assert parse(repeated, {}, "b=2&b=3", {}, b"") == {"Rest": {"b": ["2", "3"]}}


def test_a_shape_may_hold_itself_and_wire_names_may_differ():
    operation = made_up({"Top": Member("Tree")}, payload="Top")
    read = parse(operation, {}, "", {}, b'{"leaf": "a", "Trees": [{"leaf": "b", "Trees": []}]}')
    assert read == {"Top": {"Leaf": "a", "Trees": [{"Leaf": "b", "Trees": []}]}}


def test_a_text_payload_is_text():
    operation = made_up({"Text": Member("String")}, payload="Text")
    assert parse(operation, {}, "", {}, "né".encode()) == {"Text": "né"}
