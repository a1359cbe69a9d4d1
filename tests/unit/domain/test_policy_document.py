"""Whole policy documents: what is one, what isn't, and what can't be one of this function."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.policy_document import matches, parse_document
from lampion.domain.policy_grammar import document_text

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": ARN}
SYNTAX = "Syntax errors in policy."
PRINCIPAL = "The provided principal was invalid. Please check the principal and try again."


def document(*statements: Any, **members: Any) -> str:
    return json.dumps({"Version": "2012-10-17", **members, "Statement": list(statements)})


def refusal(text: str, arn: str = ARN) -> str:
    with pytest.raises(InvalidParameterValueException) as caught:
        parse_document(text, arn)
    return caught.value.message


def test_a_document_is_kept_as_it_was_written_but_for_its_spaces() -> None:
    text = ' {"Statement" : [ {"Resource":"*", "Effect":"Deny", "Action":"*", "Principal":"*", "Sid":"ü"} ] } '
    parsed = parse_document(text, ARN)
    written = '{"Statement":[{"Resource":"*","Effect":"Deny","Action":"*","Principal":"*","Sid":"ü"}]}'
    assert document_text(parsed) == written


def test_a_single_statement_becomes_a_list() -> None:
    assert parse_document(json.dumps({"Statement": ALLOW}), ARN)["Statement"] == [ALLOW]


@pytest.mark.parametrize(
    "statement",
    [
        ALLOW,
        {**ALLOW, "Sid": "org access", "Effect": "Deny"},
        {**ALLOW, "Principal": {"AWS": ["210987654321", "*"]}},
        {**ALLOW, "Action": ["lambda:Get*", "LAMBDA:invokefunction", "lambda:*", "*", "lambda:?etAlias"]},
        {**ALLOW, "Resource": [ARN, f"{ARN}:*", f"{ARN}:live", "*"]},
        {**ALLOW, "Resource": "arn:aws:lambda:*:123456789012:function:?:live"},
        {"Effect": "Deny", "NotPrincipal": {"AWS": "210987654321"}, "NotAction": "*", "NotResource": "arn:aws:s3:::b"},
        {**ALLOW, "Condition": {}},
        {**ALLOW, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}, "Null": {"aws:SourceArn": True}}},
        {**ALLOW, "Condition": {"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": ["o-1/r/*"]}}},
        {**ALLOW, "Condition": {"numericlessthanifexists": {"aws:MultiFactorAuthAge": [1, 2.5]}}},
    ],
)
def test_what_a_statement_may_say(statement: dict[str, Any]) -> None:
    assert parse_document(document(statement), ARN)["Statement"] == [statement]


@pytest.mark.parametrize("version", ["2012-10-17", "2008-10-17"])
def test_the_versions_of_the_language(version: str) -> None:
    assert parse_document(document(ALLOW, Version=version), ARN)["Version"] == version


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", SYNTAX),
        ("{", SYNTAX),
        ("[]", SYNTAX),
        ("null", SYNTAX),
        ("{}", SYNTAX),
        ('{"Statement": []}', SYNTAX),
        ('{"Statement": "x"}', SYNTAX),
        ('{"Statement": [[]]}', SYNTAX),
        (document(ALLOW, Comment="x"), SYNTAX),
        (document(ALLOW, Id=5), SYNTAX),
        (document(ALLOW, Version="2030-01-01"), "The policy must contain a valid version string"),
        (document(ALLOW, Version=["2012-10-17"]), "The policy must contain a valid version string"),
        (
            document({**ALLOW, "Sid": "a"}, {**ALLOW, "Sid": "a"}),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        ('{"Statement": {"Effect": "Allow", "Effect": "Deny"}}', SYNTAX),
        ("[" * 100_000, SYNTAX),
        (document({**ALLOW, "Sid": "\ud800"}), SYNTAX),
        (document({**ALLOW, "Condition": {"NumericEquals": {"k": 2**63}}}), SYNTAX),
        (document({**ALLOW, "Condition": {"NumericEquals": {"k": float("inf")}}}), SYNTAX),
        (document({**ALLOW, "Condition": {"NumericEquals": {"k": 0}}}).replace("0}", "1e999}"), SYNTAX),
        (document({**ALLOW, "Condition": {"NumericEquals": {"k": 0}}}).replace("0}", "9" * 5000 + "}"), SYNTAX),
    ],
)
def test_what_is_no_policy(text: str, message: str) -> None:
    assert refusal(text) == message


def without(name: str) -> dict[str, Any]:
    return {member: value for member, value in ALLOW.items() if member != name}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({**ALLOW, "Effect": "allow"}, SYNTAX),
        (without("Effect"), SYNTAX),
        ({**ALLOW, "Sid": 5}, SYNTAX),
        ({**ALLOW, "Comment": ""}, SYNTAX),
        (without("Principal"), "Missing required field Principal"),
        ({**ALLOW, "NotPrincipal": "*"}, SYNTAX),
        ({**ALLOW, "Principal": {"AWS": []}}, PRINCIPAL),
        (without("Action"), "Policy statement must contain actions."),
        ({**ALLOW, "Action": []}, "Policy statement must contain actions."),
        ({**ALLOW, "Action": {}}, SYNTAX),
        ({**ALLOW, "Action": [5]}, SYNTAX),
        ({**ALLOW, "NotAction": "*"}, SYNTAX),
        ({**ALLOW, "Action": "lambda:Invo\u212aeFunction"}, "Policy statement action out of service scope!"),
        ({**ALLOW, "Action": "s3:GetObject"}, "Policy statement action out of service scope!"),
        ({**ALLOW, "Action": ["lambda:InvokeFunction", "lambda:"]}, "Policy statement action out of service scope!"),
        (without("Resource"), "Policy statement must contain resources."),
        ({**ALLOW, "Resource": "f"}, 'Resource f must be in ARN format or "*".'),
        ({**ALLOW, "Resource": "arn:aws:s3:::b"}, 'Resource arn:aws:s3:::b must be in ARN format or "*".'),
        ({**ALLOW, "Resource": [ARN, f"{ARN}2"]}, "Policy has invalid resource"),
        ({**ALLOW, "Resource": f"{ARN}2:live"}, "Policy has invalid resource"),
        ({**ALLOW, "Resource": ARN.replace("123456789012", "210987654321")}, "Policy has invalid resource"),
        ({**ALLOW, "Condition": []}, SYNTAX),
        ({**ALLOW, "Condition": {"StringEquals": {}}}, SYNTAX),
        ({**ALLOW, "Condition": {"StringEquals": "x"}}, SYNTAX),
        ({**ALLOW, "Condition": {"StringEquals": {"k": {}}}}, SYNTAX),
        ({**ALLOW, "Condition": {"StringEquals": {"k": [None]}}}, SYNTAX),
        ({**ALLOW, "Condition": {"Equals": {"k": "v"}}}, "Invalid Condition type : Equals."),
        ({**ALLOW, "Condition": {"NullIfExists": {"k": "v"}}}, "Invalid Condition type : NullIfExists."),
        ({**ALLOW, "Condition": {"ForSome:StringLike": {"k": "v"}}}, "Invalid Condition type : ForSome:StringLike."),
    ],
)
def test_what_a_statement_cannot_say(statement: dict[str, Any], message: str) -> None:
    assert refusal(document(ALLOW, statement)) == message


@pytest.mark.parametrize("resource", [ARN, f"{ARN}:2", f"{ARN}:live:*"])
def test_an_aliass_policy_speaks_of_the_alias(resource: str) -> None:
    for fine in (f"{ARN}:live", f"{ARN}:*", "*", f"{ARN}*"):
        parse_document(document({**ALLOW, "Resource": fine}), f"{ARN}:live")
    assert refusal(document({**ALLOW, "Resource": resource}), f"{ARN}:live") == "Policy has invalid resource"


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("*", "", True),
        ("**", "abc", True),
        ("a*c", "abbbc", True),
        ("a*c", "abbb", False),
        ("*b*d", "abcbd", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("?", "", False),
        ("a", "ab", False),
        ("ab", "a", False),
        ("a.c", "abc", False),
        ("*ab", "aab", True),
    ],
)
def test_wildcards(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


def test_a_hostile_wildcard_takes_no_time() -> None:
    before = time.perf_counter()
    assert not matches("*a" * 10_000 + "b", "a" * 170)
    assert not matches("*?a" * 80 + "b", "a" * 170)
    assert time.perf_counter() - before < 1.0


PIECES = st.sampled_from(
    ["Version", "2012-10-17", "Statement", "Effect", "Allow", "Principal", "*", "AWS", "Action", "Resource", ARN, ""]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | PIECES
ANYTHING = st.recursive(
    SCALARS, lambda one: st.lists(one, max_size=4) | st.dictionaries(PIECES | st.text(), one, max_size=4), max_leaves=20
)


@given(st.dictionaries(st.sampled_from([*ALLOW, "Sid", "Condition", "NotAction"]), ANYTHING), ANYTHING)
def test_whatever_is_sent_is_refused_or_kept_as_it_is(changed: dict[str, Any], anything: Any) -> None:
    for text in (document({**ALLOW, **changed}), json.dumps(anything)):
        try:
            parsed = parse_document(text, ARN)
        except InvalidParameterValueException:
            continue
        written = document_text(parsed)
        assert written.encode()
        assert parse_document(written, ARN) == parsed
