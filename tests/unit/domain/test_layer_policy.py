"""Policies of layer versions: whom they let in, how they are written, what may not be added or removed."""

import json

import pytest

from lampion.domain.errors import (
    PolicyLengthExceededException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from lampion.domain.layer import LayerKey
from lampion.domain.layer_policy import (
    LayerPolicy,
    LayerStatement,
    check_layer_revision,
    policy_text,
    with_statement,
    without_statement,
)

KEY = LayerKey("123456789012", "us-east-1", "lib")
ARN = "arn:aws:lambda:us-east-1:123456789012:layer:lib:1"
ACTION = "lambda:GetLayerVersion"
ACCOUNT = "111122223333"


def statement(principal: str = "*", sid: str = "s1", organization_id: str | None = None) -> LayerStatement:
    return LayerStatement(sid=sid, action=ACTION, principal=principal, organization_id=organization_id)


def policy(*statements: LayerStatement) -> LayerPolicy:
    return LayerPolicy(key=KEY, number=1, revision_id="r1", statements=statements)


@pytest.mark.parametrize(
    ("one", "allows"),
    [
        (statement("*"), True),
        (statement(ACCOUNT), True),
        (statement(f"arn:aws:iam::{ACCOUNT}:root"), True),
        (statement("999999999999"), False),
        (statement("arn:aws:iam::999999999999:root"), False),
        (statement("*", organization_id="o-1234567890"), False),
    ],
)
def test_whom_a_statement_lets_in(one: LayerStatement, allows: bool) -> None:
    assert policy(statement("000000000000", "s0"), one).allows(ACCOUNT) is allows


def test_nobody_is_let_in_without_a_statement() -> None:
    assert not policy().allows(ACCOUNT)


@pytest.mark.parametrize(
    ("one", "principal", "condition"),
    [
        (statement("*"), "*", None),
        (statement(ACCOUNT), {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, None),
        (statement(f"arn:aws:iam::{ACCOUNT}:root"), {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, None),
        (
            statement("*", organization_id="o-1234567890"),
            "*",
            {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
        ),
    ],
)
def test_how_a_policy_is_written(one: LayerStatement, principal: object, condition: object) -> None:
    written = json.loads(policy_text(policy(one)))
    assert (written["Version"], written["Id"]) == ("2012-10-17", "default")
    expected = {"Sid": "s1", "Effect": "Allow", "Principal": principal, "Action": ACTION, "Resource": ARN}
    assert written["Statement"] == [expected if condition is None else {**expected, "Condition": condition}]


def test_statements_are_added_at_the_end_and_removed_by_their_id() -> None:
    both = with_statement(policy(statement()), statement(ACCOUNT, "s2"), revision_id="r2")
    assert ([one.sid for one in both.statements], both.revision_id) == (["s1", "s2"], "r2")
    left = without_statement(both, "s1", revision_id="r3")
    assert ([one.sid for one in left.statements], left.revision_id) == (["s2"], "r3")


def test_an_id_is_taken_once() -> None:
    with pytest.raises(ResourceConflictException) as caught:
        with_statement(policy(statement()), statement(ACCOUNT), revision_id="r2")
    assert caught.value.message == (
        "The statement id (s1) provided already exists. "
        "Please provide a new statement id, or remove the existing statement."
    )


@pytest.mark.parametrize("of", [None, policy(), policy(statement(sid="s2"))])
def test_what_is_not_there_is_not_removed(of: LayerPolicy | None) -> None:
    with pytest.raises(ResourceNotFoundException) as caught:
        without_statement(of, "s1", revision_id="r2")
    assert caught.value.message == "Statement s1 is not found in resource policy."


def test_the_revision_given_must_be_the_current_one() -> None:
    check_layer_revision(None, None)
    check_layer_revision(policy(), None)
    check_layer_revision(policy(), "r1")
    for stale in (policy(), None):
        with pytest.raises(PreconditionFailedException) as caught:
            check_layer_revision(stale, "r0")
        assert caught.value.message == (
            "The Revision Id provided does not match the latest Revision Id. "
            "Call the GetLayerPolicy API to retrieve the latest Revision Id"
        )


@pytest.mark.parametrize(
    ("of", "message"),
    [
        (None, "No policy is associated with the given resource."),
        (policy(), f"Layer version {ARN} does not have any resource policy."),
    ],
)
def test_a_policy_without_statements_is_none(of: LayerPolicy | None, message: str) -> None:
    with pytest.raises(ResourceNotFoundException) as caught:
        policy_text(of)
    assert caught.value.message == message


def test_a_policy_is_20_kib_at_most() -> None:
    last, full = statement(ACCOUNT, "x" * 100), policy()
    while len(policy(*full.statements, last).text()) <= 20_480:
        full = with_statement(full, statement(ACCOUNT, f"{len(full.statements):0100d}"), revision_id="r")
    too_long = len(policy(*full.statements, last).text())
    with pytest.raises(PolicyLengthExceededException) as caught:
        with_statement(full, last, revision_id="r")
    assert caught.value.message == f"The final policy size ({too_long}) is bigger than the limit (20480)."
