"""The judges of bad requests can say no: each fault that they look for, shown to them."""

import json
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lampion.store.event_source_mappings import EVENT_SOURCE_MAPPINGS
from tests.conformance.bad_requests.case import Case, Expect, HttpRequest
from tests.conformance.bad_requests.database import Database, Row
from tests.conformance.bad_requests.matching_text import matching_text, python_pattern
from tests.conformance.bad_requests.oracle import NOT_BUILT, Answer, complaints
from tests.conformance.bad_requests.programme import fair_shares
from tests.conformance.bad_requests.scribbling import scribbled
from tests.conformance.bad_requests.snapshot import Snapshot

_JSON = "application/json"


def _error(status: int, code: str, body: bytes = b'{"message":"no"}', content_type: str = _JSON) -> Answer:
    headers = {"x-amzn-errortype": code, "content-type": content_type, "x-amzn-requestid": "some"}
    return Answer(status, headers, body)


def _case(expect: Expect, member: str = "", method: str = "POST") -> Case:
    return Case(label="case", request=HttpRequest(method=method, target="/"), expect=expect, member=member)


_NAMED = _error(400, "ValidationException", b"{\"message\":\"Value '' at 'code.zipFile' failed\"}")


@pytest.mark.parametrize(
    ("expect", "answer"),
    [
        (Expect.ANYTHING, _error(500, "InternalFailure")),
        (Expect.ANYTHING, _error(503, "ServiceUnavailable")),
        (Expect.ANYTHING, _error(501, "NotImplemented")),
        (Expect.ANYTHING, Answer(0)),
        (Expect.ANYTHING, Answer(302)),
        (Expect.ANYTHING, Answer(200, seconds=1.1)),
        (Expect.ANYTHING, Answer(404, {"x-amzn-errortype": "X", "content-type": _JSON}, b'{"message":"no"}')),
        (Expect.ANYTHING, _error(400, "")),
        (Expect.ANYTHING, _error(400, "X", content_type="text/html")),
        (Expect.ANYTHING, _error(400, "X", b"<html>")),
        (Expect.ANYTHING, _error(400, "X", b"{}")),
        (Expect.ANYTHING, _error(400, "X", b'{"message":""}')),
        (Expect.ANYTHING, _error(400, "X", b'["message"]')),
        (Expect.REFUSED, Answer(200)),
        (Expect.VIOLATION, Answer(201)),
        (Expect.VIOLATION, _error(400, "ValidationException")),
        (Expect.FITS, _NAMED),
    ],
)
def test_a_wrong_answer_is_complained_about(expect: Expect, answer: Answer) -> None:
    assert complaints(_case(expect, "code.zipFile"), answer)


@pytest.mark.parametrize(
    ("expect", "answer"),
    [
        (Expect.ANYTHING, Answer(200)),
        (Expect.ANYTHING, _error(403, "InvalidSignatureException", b'{"Message":"no"}')),
        (Expect.REFUSED, _error(501, NOT_BUILT)),
        (Expect.REFUSED, _error(400, "SerializationException")),
        (Expect.VIOLATION, _NAMED),
        (Expect.VIOLATION, _error(404, "ResourceNotFoundException")),
        (Expect.FITS, _error(400, "ValidationException", b'{"message":"Value at \'role\' failed"}')),
    ],
)
def test_a_right_answer_is_not(expect: Expect, answer: Answer) -> None:
    assert complaints(_case(expect, "code.zipFile"), answer) == []


def test_head_has_no_body_and_broken_http_no_error_type_but_neither_may_fail() -> None:
    assert complaints(_case(Expect.REFUSED, method="HEAD"), Answer(404)) == []
    broken = Case(label="broken", wire=b"\0", expect=Expect.REFUSED)
    assert complaints(broken, Answer(0)) == []
    assert complaints(broken, Answer(400)) == []
    assert complaints(broken, Answer(200))
    assert complaints(broken, Answer(500))


def _row(name: str, **values: Any) -> Row:
    return Row("resources", ("resources", name), {"package_sha256": None, "document": b"{}", **values})


def _rows(*rows: Row) -> dict[tuple[str, ...], Row]:
    return {row.key: row for row in rows}


def test_every_kind_of_trace_is_seen() -> None:
    policy, package = _row("policy"), _row("layer", package_sha256="aa11")
    before = Snapshot(_rows(policy, package), frozenset({"blobs/aa/aa11", "packages/aa11.python3.13"}))
    assert before.differences(before) == []
    assert before.differences(Snapshot(_rows(_row("policy"), package), before.paths)) == []
    for rows, paths in (
        (_rows(package), before.paths),
        (_rows(policy, package, _row("alias")), before.paths),
        (_rows(_row("policy", document=b'{"changed":1}'), package), before.paths),
        (before.rows, before.paths - {"packages/aa11.python3.13"}),
        (before.rows, before.paths | {"tmp/blob-1"}),
    ):
        assert len(before.differences(Snapshot(rows, paths))) == 1


def test_code_that_nothing_refers_to_may_go() -> None:
    before = Snapshot(_rows(_row("layer", package_sha256="aa11")), frozenset({"blobs/aa/aa11", "blobs/bb/bb22"}))
    assert before.differences(Snapshot(before.rows, frozenset({"blobs/aa/aa11"}))) == []


_TABLES = (
    "CREATE TABLE access_keys (access_key_id TEXT PRIMARY KEY, secret_access_key TEXT)",
    "CREATE TABLE functions (name TEXT, number INTEGER, document BLOB, PRIMARY KEY (name, number)) WITHOUT ROWID",
    "CREATE TABLE resources (kind TEXT, owner TEXT, id TEXT, document BLOB, PRIMARY KEY (kind, owner, id))",
    "CREATE TABLE another (id TEXT PRIMARY KEY, value TEXT)",
)


def test_all_tables_are_read_but_those_of_secrets(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    for table in _TABLES:
        writer.execute(table)
    database = Database(path)
    assert database.rows() == {}
    writer.execute("INSERT INTO functions VALUES ('f', 3, '{}')")
    writer.execute("INSERT INTO resources VALUES ('alias', 'function:f', 'live', '{}'), ('mapping', '', 'u', '{}')")
    writer.execute("INSERT INTO another VALUES ('x', 'y')")
    writer.execute("INSERT INTO access_keys VALUES ('k', 'secret')")
    rows = database.rows()
    assert {row.subject for row in rows.values()} == {("function", "f"), ("mapping", "u"), ("another", "another/x")}
    assert len(rows) == 4
    assert database.rows() is rows
    writer.execute("UPDATE another SET value = 'z'")
    assert Snapshot(rows, frozenset()).differences(Snapshot(database.rows(), frozenset())) == [
        "another/x had value 'y' and has 'z'"
    ]
    writer.execute("DELETE FROM functions")
    assert len(database.rows()) == 3
    database.close()
    writer.close()


def test_a_mapping_that_is_being_deleted_goes_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute(_TABLES[2])
    writer.execute(
        "INSERT INTO resources VALUES (?1, '', 'a', '{\"transition\":\"Deleting\"}'), "
        "(?1, '', 'b', '{\"transition\":\"Updating\"}')",
        (EVENT_SOURCE_MAPPINGS.name,),
    )
    database = Database(path)
    assert [row.values["id"] for row in database.rows().values()] == ["b"]
    database.close()
    writer.close()


def _accepted(operation: str, target: str, status: int, document: Any) -> list[str]:
    case = Case(label="case", operation=operation, request=HttpRequest(method="GET", target=target))
    return complaints(case, Answer(status, {}, json.dumps(document).encode()))


_ALIAS = {"AliasArn": "arn", "Name": "live", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}}
_ALIAS_TARGET = "/2015-03-31/functions/f/aliases/live"


@pytest.mark.parametrize(
    "document",
    [
        {**_ALIAS, "Nothing": 1},
        {**_ALIAS, "Name": 7},
        {**_ALIAS, "Name": ["live"]},
        {**_ALIAS, "RoutingConfig": {"AdditionalVersionWeights": {"1": True}}},
        {**_ALIAS, "RoutingConfig": {"AdditionalVersionWeights": ["1"]}},
        [_ALIAS],
    ],
)
def test_an_answer_that_is_not_the_operations_is_complained_about(document: Any) -> None:
    assert len(_accepted("GetAlias", _ALIAS_TARGET, 200, document)) == 1


def test_an_answer_has_the_status_and_the_members_of_its_operation() -> None:
    assert _accepted("GetAlias", _ALIAS_TARGET, 200, _ALIAS) == []
    assert _accepted("GetAlias", _ALIAS_TARGET, 201, _ALIAS)
    assert _accepted("GetAlias", "/2015-03-31/functions/f/aliases/", 200, {"Aliases": []}) == []  # ListAliases
    assert _accepted("DeleteAlias", _ALIAS_TARGET, 204, {"some": "thing"})
    provider = "/2025-11-30/capacity-providers/mine"
    assert _accepted("GetCapacityProvider", provider, 200, {}) == ["answer.CapacityProvider is missing"]
    broken = Case(label="case", operation="GetAlias", request=HttpRequest(method="GET", target=_ALIAS_TARGET))
    assert complaints(broken, Answer(200, {}, b"<html>"))


def test_a_rule_is_broken_only_if_its_error_is_answered() -> None:
    case = replace(_case(Expect.REFUSED), code="ResourceConflictException")
    assert complaints(case, _error(409, "ResourceConflictException")) == []
    assert complaints(case, _error(404, "ResourceNotFoundException"))
    assert complaints(case, _error(400, "ResourceConflictException"))  # the model's status is 409


def test_small_operations_are_asked_everything_and_large_ones_alike() -> None:
    sizes = Counter({"small": 2, "large": 900, "larger": 1000, "nothing": 0})
    assert fair_shares(sizes, 102) == {"small": 2, "large": 50, "larger": 50, "nothing": 0}
    assert fair_shares(sizes, 5000) == sizes
    assert fair_shares(sizes, -1).total() == 0


def test_scribbles_change_the_body_and_are_the_same_for_the_same_seed() -> None:
    request = HttpRequest(method="POST", target="/", body=b'{"FunctionName": "some"}')
    made = [scribbled(request, Random(seed)) for seed in range(100)]
    assert made == [scribbled(request, Random(seed)) for seed in range(100)]
    assert len({one.body for one in made}) > 80


@pytest.mark.parametrize(
    ("pattern", "length"),
    [
        ("[a-z]+", 9),
        ("(a|bc)*d{2,3}", 12),
        (r"arn:aws:lambda:[a-z]{2}-[a-z]+-\d:\d{12}:function:x(:y)?", 60),
        (r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)", 128),
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", 256),
    ],
)
def test_texts_for_edges_match_their_pattern_and_have_their_length(pattern: str, length: int) -> None:
    text = matching_text(pattern, length, Random(3))
    assert text is not None
    assert len(text) == length
    assert python_pattern(pattern).fullmatch(text)


def test_no_text_is_made_up_where_none_can_match() -> None:
    assert matching_text("[a-z]{3}", 4, Random(3)) is None
