"""Policies statement by statement: what AddPermission makes, what it refuses, what RemovePermission leaves."""

import json
from typing import Any

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import (
    InvalidParameterValueException,
    PolicyLengthExceededException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from lampion.domain.policy import (
    Permission,
    Policy,
    added,
    check_attachable,
    check_policy,
    check_policy_revision,
    no_policy,
    removed,
    statement_of,
)

KEY = FunctionKey("123456789012", "us-east-1", "f")
ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
URL_FOR_ALL = (
    "This policy could enable public access to your lambda function as it allows all Principals (*) to perform "
    "lambda:InvokeFunctionUrl action. You must specify lambda:FunctionUrlAuthType condition if intend to enable "
    "public access"
)


def permission(**changed: Any) -> Permission:
    asked = {"statement_id": "s", "action": "lambda:InvokeFunction", "principal": "s3.amazonaws.com"}
    return Permission(**{**asked, **changed})


def policy(*statements: dict[str, Any], revision_id: str = "r1") -> Policy:
    document = {"Version": "2012-10-17", "Id": "default", "Statement": list(statements)}
    return Policy(key=KEY, qualifier=None, document=document, revision_id=revision_id)


def refusal(error: type[Exception], call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(error) as caught:
        call(*arguments, **named)
    return str(caught.value)


def test_a_statement_is_written_as_aws_writes_it() -> None:
    after = added(no_policy(KEY, "live"), permission(source_arn="arn:aws:s3:::b"), revision_id="r2")
    assert after.text == (
        '{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s","Effect":"Allow",'
        '"Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction",'
        f'"Resource":"{ARN}:live","Condition":{{"ArnLike":{{"AWS:SourceArn":"arn:aws:s3:::b"}}}}}}]}}'
    )
    assert after.revision_id == "r2"


@pytest.mark.parametrize(
    ("members", "condition"),
    [
        ({}, None),
        ({"source_arn": "arn:aws:s3:::b"}, {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}}),
        ({"source_account": "1"}, {"StringEquals": {"AWS:SourceAccount": "1"}}),
        ({"principal_org_id": "o-1"}, {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
        ({"event_source_token": "t"}, {"StringEquals": {"lambda:EventSourceToken": "t"}}),
        (
            {"action": "lambda:InvokeFunctionUrl", "function_url_auth_type": "AWS_IAM"},
            {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
        ),
        ({"invoked_via_function_url": True}, {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}),
        ({"invoked_via_function_url": False}, {"Bool": {"lambda:InvokedViaFunctionUrl": "false"}}),
        (
            {"source_account": "1", "source_arn": "a", "event_source_token": "t", "invoked_via_function_url": True},
            {
                "StringEquals": {"AWS:SourceAccount": "1", "lambda:EventSourceToken": "t"},
                "ArnLike": {"AWS:SourceArn": "a"},
                "Bool": {"lambda:InvokedViaFunctionUrl": "true"},
            },
        ),
    ],
)
def test_every_condition_of_a_permission(members: dict[str, Any], condition: Any) -> None:
    assert statement_of(permission(**members), ARN).get("Condition") == condition


@pytest.mark.parametrize("action", ["lambda:InvokeFunction", "lambda:*", "*", "lambda:GetFunction"])
def test_only_urls_have_an_authentication_type(action: str) -> None:
    asked = permission(action=action, function_url_auth_type="NONE")
    message = refusal(InvalidParameterValueException, statement_of, asked, ARN)
    assert message == "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action"


def test_who_isnt_anybody_gets_no_permission() -> None:
    message = refusal(InvalidParameterValueException, statement_of, permission(principal="s3"), ARN)
    assert message == "The provided principal was invalid. Please check the principal and try again."


def test_statements_keep_their_order_and_the_document_its_other_members() -> None:
    document = {"Version": "2008-10-17", "Statement": [{"Sid": "a", "Effect": "Deny"}]}
    before = Policy(key=KEY, qualifier=None, document=document, revision_id="r1")
    after = added(before, permission(statement_id="b"), revision_id="r2")
    assert [one["Sid"] for one in after.statements] == ["a", "b"]
    assert list(after.document) == ["Version", "Statement"]
    assert [one["Sid"] for one in before.statements] == ["a"]


def test_a_statement_id_is_taken_once() -> None:
    message = refusal(ResourceConflictException, added, policy({"Sid": "s"}), permission(), revision_id="r2")
    assert message == (
        "The statement id (s) provided already exists. Please provide a new statement id, or remove the existing "
        "statement."
    )


def grown(size_bytes: int) -> Policy:
    """A policy of that size."""
    filler = {"Sid": "", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    filler["Sid"] = "x" * (size_bytes - len(policy(filler).text))
    return policy(filler)


def test_a_policy_is_20_kb_at_most_in_bytes() -> None:
    statement_bytes = len(json.dumps(statement_of(permission(), ARN), separators=(",", ":"))) + 1
    fits = grown(20_480 - statement_bytes)
    assert len(added(fits, permission(), revision_id="r2").text) == 20_480
    message = refusal(
        PolicyLengthExceededException, added, grown(20_481 - statement_bytes), permission(), revision_id="r2"
    )
    assert message == "The final policy size (20481) is bigger than the limit (20480)."
    wide = policy({"Sid": "ü" * 10_240, "Effect": "Deny"})
    assert refusal(PolicyLengthExceededException, check_policy, wide).startswith("The final policy size (205")


ALLOW_URL = {"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl"}


@pytest.mark.parametrize(
    "statement",
    [
        ALLOW_URL,
        {**ALLOW_URL, "Action": ["lambda:GetFunction", "LAMBDA:invokefunctionURL"]},
        {**ALLOW_URL, "Principal": {"AWS": "*"}},
        {**ALLOW_URL, "Principal": {"AWS": ["arn:aws:iam::210987654321:root", "*"]}},
        {**ALLOW_URL, "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}},
    ],
)
def test_a_url_is_opened_to_all_only_by_who_says_so(statement: dict[str, Any]) -> None:
    assert refusal(InvalidParameterValueException, check_policy, policy(statement)) == URL_FOR_ALL


@pytest.mark.parametrize(
    "statement",
    [
        {**ALLOW_URL, "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}},
        {**ALLOW_URL, "Condition": {"StringEquals": {"AWS:PrincipalOrgID": "o-1"}}},
        {**ALLOW_URL, "Principal": {"AWS": "arn:aws:iam::210987654321:root"}},
        {**ALLOW_URL, "Principal": {"Service": "cloudfront.amazonaws.com"}},
        {**ALLOW_URL, "Effect": "Deny"},
        {**ALLOW_URL, "Action": "lambda:InvokeFunction"},
        {"Effect": "Allow", "NotPrincipal": {"AWS": "*"}, "NotAction": "lambda:InvokeFunctionUrl"},
    ],
)
def test_what_opens_no_url_by_oversight(statement: dict[str, Any]) -> None:
    check_policy(policy(statement))


def test_a_permission_for_urls_is_checked_as_well() -> None:
    asked = permission(principal="*", action="lambda:InvokeFunctionUrl")
    before = no_policy(KEY, None)
    assert refusal(InvalidParameterValueException, added, before, asked, revision_id="r2") == URL_FOR_ALL


def test_removing_leaves_the_others_and_the_last_leaves_nothing() -> None:
    two = policy({"Sid": "a"}, {"Sid": "b"})
    left = removed(two, "a", revision_id="r2")
    assert left is not None
    assert (left.statements, left.revision_id) == ([{"Sid": "b"}], "r2")
    assert removed(left, "b", revision_id="r3") is None
    message = refusal(ResourceNotFoundException, removed, two, "c", revision_id="r2")
    assert message == "Statement c is not found in resource policy."


def test_latest_has_no_policy_of_its_own() -> None:
    for fine in (None, "1", "live"):
        check_attachable(fine)
    message = refusal(InvalidParameterValueException, check_attachable, "$LATEST")
    assert message == "We currently do not support adding policies for $LATEST."


def test_the_revision_given_must_be_an_accepted_one() -> None:
    for given in (None, "r1", "own"):
        check_policy_revision(given, "r1", "own", shown_by="GetPolicy")
    for given, accepted in (("r0", "r1"), ("", "")):
        message = refusal(
            PreconditionFailedException, check_policy_revision, given, accepted, shown_by="GetResourcePolicy"
        )
        assert message == (
            "The Revision Id provided does not match the latest Revision Id. "
            "Call the GetResourcePolicy API to retrieve the latest Revision Id"
        )
