"""Condition operators of IAM's policy language, each with what passes and what doesn't."""

from typing import Any

import pytest

from lampion.identity.conditions import Known, condition
from lampion.identity.conditions import meets as all_met

CONTEXT = {
    "s": ["Value"],
    "n": ["10"],
    "d": ["2026-07-10T19:19:06Z"],
    "e": ["1783711146"],
    "b": ["true"],
    "bytes": ["VmFsdWU="],
    "ip": ["192.0.2.7"],
    "ip6": ["2001:db8::1"],
    "arn": ["arn:aws:s3:::bucket/a:b"],
    "many": ["one", "two"],
}


def meets(element: dict[str, Any], known: Known, *, variables: bool = False) -> bool:
    return all_met(condition(element, variables=variables), known)


@pytest.mark.parametrize(
    ("operator", "key", "passing", "failing"),
    [
        ("StringEquals", "s", "Value", "value"),
        ("StringNotEquals", "s", "value", "Value"),
        ("StringEqualsIgnoreCase", "s", "vALUE", "values"),
        ("StringNotEqualsIgnoreCase", "s", "other", "VALUE"),
        ("StringLike", "s", "V?l*", "v*"),
        ("StringNotLike", "s", "v*", "V*"),
        ("NumericEquals", "n", 10.0, 11),
        ("NumericNotEquals", "n", 11, "10"),
        ("NumericLessThan", "n", 11, 10),
        ("NumericLessThanEquals", "n", 10, 9),
        ("NumericGreaterThan", "n", 9, 10),
        ("NumericGreaterThanEquals", "n", 10, 11),
        ("DateEquals", "d", "2026-07-10T21:19:06+02:00", "2026-07-10T19:19:07Z"),
        ("DateEquals", "e", "2026-07-10T19:19:06Z", "2026-07-10"),
        ("DateNotEquals", "d", "2026-07-10", 1783711146),
        ("DateLessThan", "d", "2026-07-11", "2026-07-10T19:19:06Z"),
        ("DateLessThanEquals", "d", 1783711146, 1783711145),
        ("DateGreaterThan", "d", "2026-07-10", "2026-07-11"),
        ("DateGreaterThanEquals", "d", "2026-07-10T19:19:06Z", "2026-07-11"),
        ("Bool", "b", True, False),
        ("Bool", "b", "TRUE", "false"),
        ("BinaryEquals", "bytes", "VmFsdWU=", "VmFsdWY="),
        ("IpAddress", "ip", "192.0.2.0/24", "192.0.3.0/24"),
        ("IpAddress", "ip", "192.0.2.7", "192.0.2.8"),
        ("IpAddress", "ip6", "2001:db8::/32", "192.0.2.0/24"),
        ("NotIpAddress", "ip", "10.0.0.0/8", "192.0.2.7/24"),
        ("ArnEquals", "arn", "arn:aws:s3:::bucket/*", "arn:aws:*"),
        ("ArnLike", "arn", "arn:*:s3:::bucket/a:b", "arn:aws:sqs:::bucket/a:b"),
        ("ArnNotEquals", "arn", "arn:aws:s3:::other/*", "arn:aws:s3:::*"),
        ("ArnNotLike", "arn", "arn:aws:s3:::other/*", "arn:aws:s3:::*"),
        ("Null", "s", "false", "true"),
        ("Null", "absent", True, "false"),
        ("stringequals", "S", "Value", "x"),
    ],
)
def test_operators(operator: str, key: str, passing: Any, failing: Any) -> None:
    assert meets({operator: {key: passing}}, CONTEXT)
    assert not meets({operator: {key: failing}}, CONTEXT)
    if operator.lower() != "null":
        assert meets({f"{operator}IfExists": {key: passing}}, CONTEXT)
        assert not meets({f"{operator}IfExists": {key: failing}}, CONTEXT)
        assert meets({f"{operator}IfExists": {"absent": failing}}, CONTEXT)
        is_turned_round = "not" in operator.lower()
        assert meets({operator: {"absent": passing}}, CONTEXT) is is_turned_round


def test_one_of_several_values_is_enough_and_none_when_turned_round() -> None:
    assert meets({"StringEquals": {"s": ["x", "Value"]}}, CONTEXT)
    assert not meets({"StringEquals": {"s": ["x", "y"]}}, CONTEXT)
    assert not meets({"StringNotEquals": {"s": ["x", "Value"]}}, CONTEXT)
    assert not meets({"StringEquals": {"s": []}}, CONTEXT)


def test_every_operator_and_every_key_has_to_pass() -> None:
    good, bad = {"s": "Value"}, {"n": "11"}
    assert meets({"StringEquals": good, "NumericEquals": {"n": 10}}, CONTEXT)
    assert not meets({"StringEquals": good, "NumericEquals": bad}, CONTEXT)
    assert not meets({"StringEquals": {**good, "b": "x"}}, CONTEXT)
    assert meets({}, CONTEXT)


def test_sets_of_values() -> None:
    assert meets({"ForAllValues:StringEquals": {"many": ["one", "two", "three"]}}, CONTEXT)
    assert not meets({"ForAllValues:StringEquals": {"many": ["one"]}}, CONTEXT)
    assert meets({"ForAllValues:StringEquals": {"absent": ["one"]}}, CONTEXT)
    assert meets({"ForAnyValue:StringEquals": {"many": ["two", "three"]}}, CONTEXT)
    assert not meets({"ForAnyValue:StringEquals": {"many": ["three"]}}, CONTEXT)
    assert not meets({"ForAnyValue:StringEquals": {"absent": ["one"]}}, CONTEXT)
    assert not meets({"ForAnyValue:StringNotEquals": {"absent": ["one"]}}, CONTEXT)
    assert meets({"ForAnyValue:StringNotLike": {"many": "o*"}}, CONTEXT)


@pytest.mark.parametrize(
    ("operator", "key"),
    [("NumericEquals", "s"), ("DateEquals", "s"), ("IpAddress", "s"), ("NumericLessThan", "b"), ("ArnLike", "n")],
)
def test_a_value_of_another_type_passes_no_test(operator: str, key: str) -> None:
    assert not meets({operator: {key: ["10", "192.0.2.0/24", "2026-07-10", "arn:aws:s3:::b"]}}, CONTEXT)
    assert not meets({operator: {"n": "nonsense"}}, CONTEXT)


def test_an_operator_nobody_knows_passes_nothing() -> None:
    assert not meets({"StringResembles": {"s": "Value"}}, CONTEXT)


@pytest.mark.parametrize(
    ("operator", "wanted", "holds"),
    [
        ("StringEquals", "${aws:username}/x", True),
        ("StringEquals", "${AWS:UserName}/x", True),
        ("StringEquals", "${aws:PrincipalTag/team, 'blue'}/x", False),
        ("StringLike", "${aws:username}/*", True),
        ("StringLike", "${aws:absent}*", False),
        ("StringLike", "${aws:absent, 'an'}*", True),
        ("StringLike", "${several}*", False),
        ("StringEqualsIgnoreCase", "${aws:username}/X", True),
    ],
)
def test_variables_stand_for_what_is_known(operator: str, wanted: str, holds: bool) -> None:
    known = {"path": ["ann/x"], "aws:username": ["ann"], "several": ["ann", "bob"]}
    assert meets({operator: {"path": wanted}}, known, variables=True) is holds
    assert not meets({operator: {"path": wanted}}, known)


def test_what_a_variable_stands_for_is_no_wildcard() -> None:
    known = {"path": ["ann/x"], "aws:username": ["*"]}
    assert not meets({"StringLike": {"path": "${aws:username}"}}, known, variables=True)
    assert meets({"StringLike": {"path": "ann${*}"}}, {"path": ["ann*"]}, variables=True)
    assert not meets({"StringLike": {"path": "ann${*}"}}, {"path": ["anna"]}, variables=True)


def test_a_variable_without_a_value_fails_its_test_and_holds_when_that_is_turned_round() -> None:
    assert not meets({"StringEquals": {"s": "${aws:absent}"}}, CONTEXT, variables=True)
    assert meets({"StringNotEquals": {"s": "${aws:absent}"}}, CONTEXT, variables=True)
