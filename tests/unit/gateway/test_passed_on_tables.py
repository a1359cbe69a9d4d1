"""What requests to DynamoDB are about, to IAM: tables and indexes, and what is known of items."""

import json
from typing import Any

import pytest

from lampion.aws.errors import AccessDeniedException, SerializationException
from lampion.domain.policy_grammar import Document
from lampion.endpoints.services import Service
from lampion.gateway.passed_on_resources import asked_for
from lampion.gateway.passed_on_tables import AskedFor
from lampion.identity.conditions import condition, meets

WHERE = ("eu-west-1", "123456789012")
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table"
T, U = f"{TABLE}/T", f"{TABLE}/U"
PARTIQL = ("PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete")


def asked(name: str, members: Any) -> AskedFor:
    return asked_for(Service.DYNAMODB, f"DynamoDB_20120810.{name}", json.dumps(members).encode(), WHERE)


@pytest.mark.parametrize(
    ("name", "members", "wanted"),
    [
        ("GetItem", {"TableName": "T", "Key": {"id": {"S": "1"}}}, [("GetItem", T)]),
        ("PutItem", {"TableName": T, "Item": {}}, [("PutItem", T)]),
        ("DescribeTable", {"TableName": "T"}, [("DescribeTable", T)]),
        ("Query", {"TableName": "T"}, [("Query", T)]),
        ("Query", {"TableName": "T", "IndexName": "by-day"}, [("Query", f"{T}/index/by-day")]),
        ("Scan", {"TableName": T, "IndexName": "by-day"}, [("Scan", f"{T}/index/by-day")]),
        ("ListTables", {}, [("ListTables", "*")]),
        ("TagResource", {"ResourceArn": T}, [("TagResource", T)]),
        ("BatchGetItem", {"RequestItems": {"T": {}, U: {}}}, [("BatchGetItem", T), ("BatchGetItem", U)]),
        ("BatchWriteItem", {"RequestItems": {"T": []}}, [("BatchWriteItem", T)]),
        ("BatchWriteItem", {"RequestItems": {}}, [("BatchWriteItem", "*")]),
        (
            "TransactGetItems",
            {"TransactItems": [{"Get": {"TableName": "T"}}, {"Get": {"TableName": "U"}}, {"Get": {"TableName": "T"}}]},
            [("GetItem", T), ("GetItem", U)],
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "T"}},
                    {"Update": {"TableName": "T"}, "Delete": {"TableName": "U"}},
                    {"ConditionCheck": {"TableName": "U"}},
                ]
            },
            [("PutItem", T), ("UpdateItem", T), ("DeleteItem", U), ("ConditionCheckItem", U)],
        ),
        (
            "RestoreTableToPointInTime",
            {"SourceTableName": "T", "TargetTableName": "U"},
            [("RestoreTableToPointInTime", U), ("RestoreTableToPointInTime", T)],
        ),
        (
            "UpdateGlobalTable",
            {"GlobalTableName": "G"},
            [("UpdateGlobalTable", "arn:aws:dynamodb::123456789012:global-table/G")],
        ),
    ],
)
def test_what_a_request_is_about(name: str, members: Any, wanted: list[tuple[str, str]]) -> None:
    assert asked(name, members).wanted == [(f"dynamodb:{action}", resource) for action, resource in wanted]


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ('SELECT * FROM "T" WHERE id = 1', [T]),
        ("select * from T", [T]),
        ('INSERT INTO "T" VALUE {}', [T]),
        ("UPDATE\n T SET a = 1", [T]),
        ('DELETE FROM/* from */"T"', [T]),
        ("SELECT * FROM -- which?\n T", [T]),
        ('SELECT * FROM "T"."by-day"', [T, f"{T}/index/by-day"]),
        ("SELECT * FROM T.i", [f"{T}.i", T, f"{T}/index/i"]),
        (f'SELECT * FROM "{U}"', [U]),
        ("nothing", []),
    ],
)
def test_partiql_is_asked_for_everything_and_for_what_it_seems_to_name(statement: str, tables: list[str]) -> None:
    expected = {(f"dynamodb:{action}", arn) for action in PARTIQL for arn in ("*", *tables)}
    assert set(asked("ExecuteStatement", {"Statement": statement}).wanted) == expected
    assert set(asked("BatchExecuteStatement", {"Statements": [{"Statement": statement}]}).wanted) == expected
    assert set(asked("ExecuteTransaction", {"TransactStatements": [{"Statement": statement}]}).wanted) == expected


def test_statements_that_name_more_than_is_looked_at_are_refused() -> None:
    many = " ".join(f"FROM T{number}" for number in range(101))
    with pytest.raises(AccessDeniedException):
        asked("ExecuteStatement", {"Statement": many})


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("GetItem", {"TableName": 5}),
        ("GetItem", {"TableName": "T", "Key": {"id": 1}}),
        ("TransactWriteItems", {"TransactItems": [{"Drop": {"TableName": "T"}}]}),
        ("TransactWriteItems", {"TransactItems": [{"Put": {}}]}),
        ("TransactWriteItems", {}),
        ("BatchGetItem", {}),
        ("ExecuteStatement", {"Statement": 1}),
        ("BatchExecuteStatement", {"Statements": [{}]}),
        ("Query", {"IndexName": "i"}),
        ("Query", {"TableName": "T", "IndexName": ["i"]}),
        ("", {}),
        ("DeleteTable.GetItem", {"TableName": "T"}),
        ("GetItem,DynamoDB_20120810.DeleteTable", {"TableName": "T"}),
        ("GetItem", []),
    ],
)
def test_what_cant_be_read_isnt_passed_on(name: str, members: Any) -> None:
    with pytest.raises(SerializationException):
        asked(name, members)


@pytest.mark.parametrize("body", [b"", b"{", b'{"TableName": "T", "TableName": "U"}', b'{"Key": {"a": {}, "a": {}}}'])
def test_what_might_be_read_otherwise_isnt_passed_on(body: bytes) -> None:
    with pytest.raises(SerializationException):
        asked_for(Service.DYNAMODB, "DynamoDB_20120810.GetItem", body, WHERE)


def met(name: str, members: Any, document: Document) -> bool:
    return meets(condition(document, variables=True), asked(name, members).facts)


def test_conditions_about_items_are_met_only_by_what_is_known() -> None:
    own: Document = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ann"]}}
    one, two = {"id": {"S": "ann"}}, {"id": {"S": "ann"}, "day": {"S": "monday"}}
    assert met("GetItem", {"TableName": "T", "Key": one}, own)
    assert not met("GetItem", {"TableName": "T", "Key": {"id": {"S": "bob"}}}, own)
    assert not met("GetItem", {"TableName": "T", "Key": two}, own)
    for name in ("Query", "Scan", "PutItem"):
        assert not met(name, {"TableName": "T"}, own)
    assert not met("ExecuteStatement", {"Statement": "SELECT"}, own)
    assert not met("BatchGetItem", {"RequestItems": {"T": {}}}, own)
    assert met("DescribeTable", {"TableName": "T"}, own)
    any_own: Document = {"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": ["ann"]}}
    assert not met("GetItem", {"TableName": "T", "Key": {"id": {"S": "bob"}, "day": {"S": "ann"}}}, any_own)
    some: Document = {"ForAllValues:StringEquals": {"dynamodb:Attributes": ["id"]}}
    assert not met("GetItem", {"TableName": "T", "Key": one}, some)


def test_conditions_know_how_a_request_asks() -> None:
    only: Document = {"StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}}
    assert met("Query", {"TableName": "T", "ProjectionExpression": "id"}, only)
    assert not met("Query", {"TableName": "T"}, only)
    assert not met("Query", {"TableName": "T", "Select": "COUNT"}, only)
    old: Document = {"StringEquals": {"dynamodb:ReturnValues": "ALL_OLD"}}
    assert met("PutItem", {"TableName": "T", "ReturnValues": "ALL_OLD"}, old)
    scans: Document = {"Bool": {"dynamodb:FullTableScan": "true"}}
    assert met("ExecuteStatement", {"Statement": 'SELECT * FROM "T"'}, scans)  # it may be one: a Deny holds
    assert not met("Query", {"TableName": "T"}, scans)
    within: Document = {"StringEquals": {"dynamodb:EnclosingOperation": "TransactWriteItems"}}
    assert met("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "T"}}]}, within)
    assert not met("PutItem", {"TableName": "T"}, within)
