"""What grants permit, and what may be given on."""

from typing import Any

import pytest

from lampion.domain.kms.errors import InvalidArnException
from lampion.domain.kms.grant import Grant, check_principal

USER = "arn:aws:iam::123456789012:user/ann"


def grant(*operations: str, **members: Any) -> Grant:
    fixed: dict[str, Any] = {
        "account_id": "123456789012",
        "region": "us-east-1",
        "key_id": "k",
        "grant_id": "g",
        "created_epoch_seconds": 0,
        "grantee": USER,
        "operations": operations,
        "issuer": "arn:aws:iam::123456789012:root",
    }
    return Grant(**{**fixed, **members})


AB = {"a": "b"}
ABCD = {"a": "b", "c": "d"}


@pytest.mark.parametrize(
    ("constraint", "context", "permitted"),
    [
        ({}, {}, True),
        ({}, AB, True),
        ({"equals": AB}, AB, True),
        ({"equals": AB}, {"A": "b"}, True),
        ({"equals": AB}, {"a": "B"}, False),
        ({"equals": AB}, ABCD, False),
        ({"equals": AB}, {}, False),
        ({"subset": AB}, AB, True),
        ({"subset": AB}, ABCD, True),
        ({"subset": AB}, {"A": "b", "x": "y"}, True),
        ({"subset": AB}, {"c": "d"}, False),
        ({"equals": AB}, {"A": "x", "a": "b"}, False),
        ({"subset": AB}, {"A": "x", "a": "b"}, False),
        ({"equals": {"A": "x", "a": "b"}}, {"a": "x", "A": "b"}, True),
        ({"subset": AB}, {}, False),
    ],
)
def test_constraints_are_about_the_context(constraint: Any, context: dict[str, str], permitted: bool) -> None:
    one = grant("Decrypt", "DescribeKey", **constraint)
    assert one.permits("Decrypt", context) is permitted
    assert one.permits("DescribeKey", context)
    assert not one.permits("Encrypt", context)


@pytest.mark.parametrize(
    ("having", "given", "admitted"),
    [
        (grant("CreateGrant", "Decrypt"), grant("Decrypt"), True),
        (grant("CreateGrant", "Decrypt"), grant("Decrypt", subset=AB), True),
        (grant("CreateGrant", "Decrypt"), grant("Encrypt"), False),
        (grant("CreateGrant"), grant("CreateGrant"), True),
        (grant("CreateGrant", "Decrypt", subset=AB), grant("Decrypt"), False),
        (grant("CreateGrant", "Decrypt", subset=AB), grant("Decrypt", subset=AB), True),
        (grant("CreateGrant", "Decrypt", subset=AB), grant("Decrypt", subset=ABCD), True),
        (grant("CreateGrant", "Decrypt", subset=AB), grant("Decrypt", equals=ABCD), True),
        (grant("CreateGrant", "Decrypt", subset=ABCD), grant("Decrypt", equals=AB), False),
        (grant("CreateGrant", "Decrypt", equals=AB), grant("Decrypt", equals=AB), True),
        (grant("CreateGrant", "Decrypt", equals=AB), grant("Decrypt", subset=AB), False),
        (grant("CreateGrant", "Decrypt", equals=AB), grant("Decrypt", equals=ABCD), False),
    ],
)
def test_no_more_is_given_on_than_one_has(having: Grant, given: Grant, admitted: bool) -> None:
    assert having.admits_grant(given) is admitted


def test_only_named_grants_are_asked_for_again() -> None:
    assert not grant("Decrypt").is_same_as(grant("Decrypt"))
    named = grant("Decrypt", "Encrypt", name="n")
    assert named.is_same_as(grant("Encrypt", "Decrypt", name="n", grant_id="other"))
    for other in ({"grantee": f"{USER}2"}, {"subset": AB}, {"retiring": USER}, {"name": "m"}):
        assert not named.is_same_as(grant("Decrypt", "Encrypt", **{"name": "n", **other}))


@pytest.mark.parametrize("text", ["*", "123456789012", "ann", "arn:aws:iam::123456789012:group/g", ""])
def test_who_can_have_no_grant(text: str) -> None:
    with pytest.raises(InvalidArnException):
        check_principal(text)


def test_who_can_have_a_grant() -> None:
    for text in (USER, "arn:aws:iam::123456789012:root", "arn:aws:sts::123456789012:assumed-role/r/s"):
        check_principal(text)
