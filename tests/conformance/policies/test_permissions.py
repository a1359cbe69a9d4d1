"""boto3 against a live server: policies of functions, versions and aliases, statement by statement."""

import json
from typing import Any

import pytest
from botocore import xform_name

from tests.conformance.policies.asking import NO_POLICY, NONE, UUID, allow, mismatch, policy, sids
from tests.conformance.refusals import refused
from tests.deployment import arn_of


def test_every_condition_reaches_the_policy(lambda_client: Any, name: str) -> None:
    asked: dict[str, dict[str, Any]] = {
        "account": {"Principal": "210987654321", "PrincipalOrgID": "o-1234567890"},
        "source": {"SourceArn": "arn:aws:s3:::b/ü*", "SourceAccount": "210987654321"},
        "alexa": {"Principal": "alexa-appkit.amazon.com", "EventSourceToken": "amzn1.skill"},
        "url": {"Principal": "*", "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
        "via-url": {"Principal": "*", "InvokedViaFunctionUrl": True},
        "all_of-it": {"Principal": "arn:aws:iam::210987654321:role/r", "Action": "lambda:*"},
    }
    answered = [allow(lambda_client, name, sid, **members) for sid, members in asked.items()]
    assert policy(lambda_client, name) == {"Version": "2012-10-17", "Id": "default", "Statement": answered}
    assert {statement["Resource"] for statement in answered} == {arn_of(name)}
    assert [(one["Principal"], one["Action"], one.get("Condition")) for one in answered] == [
        (
            {"AWS": "arn:aws:iam::210987654321:root"},
            "lambda:InvokeFunction",
            {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
        ),
        (
            {"Service": "s3.amazonaws.com"},
            "lambda:InvokeFunction",
            {"StringEquals": {"AWS:SourceAccount": "210987654321"}, "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b/ü*"}},
        ),
        (
            {"Service": "alexa-appkit.amazon.com"},
            "lambda:InvokeFunction",
            {"StringEquals": {"lambda:EventSourceToken": "amzn1.skill"}},
        ),
        ("*", "lambda:InvokeFunctionUrl", {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}),
        ("*", "lambda:InvokeFunction", {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}),
        ({"AWS": "arn:aws:iam::210987654321:role/r"}, "lambda:*", None),
    ]


def test_a_function_its_versions_and_its_aliases_have_policies_of_their_own(lambda_client: Any, name: str) -> None:
    """Whatever the spelling; the statement names what it is attached to."""
    assert allow(lambda_client, name, "f")["Resource"] == arn_of(name)
    assert allow(lambda_client, arn_of(name, ":1"), "v")["Resource"] == arn_of(name, ":1")
    assert allow(lambda_client, f"{name}:live", "a", Qualifier="live")["Resource"] == arn_of(name, ":live")
    assert sids(lambda_client, name) == ["f"]
    assert sids(lambda_client, name, Qualifier="1") == ["v"]
    assert sids(lambda_client, f"{name}:live") == ["a"]
    allow(lambda_client, name, "f", Qualifier="1")  # a statement id is taken in one policy only
    lambda_client.remove_permission(FunctionName=name, StatementId="v", Qualifier="1")
    assert sids(lambda_client, name, Qualifier="1") == ["f"]
    assert sids(lambda_client, name) == ["f"]


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        (
            {"StatementId": "taken"},
            "ResourceConflictException",
            "The statement id (taken) provided already exists. Please provide a new statement id, or remove the "
            "existing statement.",
        ),
        (
            {"Principal": "invalid.nonaws.com"},
            "InvalidParameterValueException",
            "The provided principal was invalid. Please check the principal and try again.",
        ),
        (
            {"FunctionUrlAuthType": "NONE"},
            "InvalidParameterValueException",
            "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action",
        ),
        (
            {"Qualifier": "$LATEST"},
            "InvalidParameterValueException",
            "We currently do not support adding policies for $LATEST.",
        ),
        ({"RevisionId": "wrong"}, *mismatch("GetPolicy")),
        (
            {"StatementId": "example.com"},
            "ValidationException",
            "1 validation error detected: Value 'example.com' at 'statementId' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
        ),
        ({"Qualifier": "2"}, "ResourceNotFoundException", "Function not found: {arn}:2"),
        ({"Qualifier": "other"}, "ResourceNotFoundException", "Cannot find alias arn: {arn}:other"),
        ({"FunctionName": "none"}, "ResourceNotFoundException", f"Function not found: {arn_of('none')}"),
        ({"FunctionName": "none:a"}, "ResourceNotFoundException", f"Cannot find alias arn: {arn_of('none', ':a')}"),
    ],
)
def test_a_wrong_permission_is_refused_and_changes_nothing(
    lambda_client: Any, name: str, wrong: dict[str, Any], code: str, message: str
) -> None:
    allow(lambda_client, name, "taken")
    before = lambda_client.get_policy(FunctionName=name)
    asked = {
        "FunctionName": name,
        "StatementId": "new",
        "Action": "lambda:InvokeFunction",
        "Principal": "s3.amazonaws.com",
        **wrong,
    }
    assert refused(lambda_client.add_permission, **asked) == (code, message.replace("{arn}", arn_of(name)))
    after = lambda_client.get_policy(FunctionName=name)
    assert (after["Policy"], after["RevisionId"]) == (before["Policy"], before["RevisionId"])


def test_policies_of_other_accounts_are_out_of_reach(lambda_client: Any, name: str) -> None:
    foreign = arn_of(name).replace("123456789012", "210987654321")
    statement = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    asked: dict[str, dict[str, Any]] = {"AddPermission": statement, "RemovePermission": {"StatementId": "s"}}
    for operation in ("AddPermission", "RemovePermission", "GetPolicy"):
        call = getattr(lambda_client, xform_name(operation))
        assert refused(call, FunctionName=foreign, **asked.get(operation, {})) == (
            "AccessDeniedException",
            f"User: arn:aws:iam::123456789012:root is not authorized to perform: lambda:{operation} on resource: "
            f"{foreign} because no resource-based policy allows the lambda:{operation} action",
        )


def test_a_policy_is_20_kb_at_most(lambda_client: Any, name: str) -> None:
    source = "arn:aws:s3:::" + "b" * 5000
    added = [allow(lambda_client, name, f"s{number}", SourceArn=source) for number in range(3)]
    full = lambda_client.get_policy(FunctionName=name)
    one_more_bytes = len(json.dumps(added[0], separators=(",", ":"))) + len(",")
    assert refused(
        lambda_client.add_permission,
        FunctionName=name,
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=source,
    ) == (
        "PolicyLengthExceededException",
        f"The final policy size ({len(full['Policy']) + one_more_bytes}) is bigger than the limit (20480).",
    )
    assert lambda_client.get_policy(FunctionName=name)["RevisionId"] == full["RevisionId"]


def test_removing_statements(lambda_client: Any, name: str) -> None:
    assert refused(lambda_client.remove_permission, FunctionName=name, StatementId="a") == NO_POLICY
    allow(lambda_client, name, "a")
    allow(lambda_client, name, "b")
    first = lambda_client.get_policy(FunctionName=name)["RevisionId"]
    assert refused(lambda_client.remove_permission, FunctionName=name, StatementId="c") == (
        "ResourceNotFoundException",
        "Statement c is not found in resource policy.",
    )
    wrong = refused(lambda_client.remove_permission, FunctionName=name, StatementId="a", RevisionId="wrong")
    assert wrong == mismatch("GetPolicy")
    removed = lambda_client.remove_permission(FunctionName=name, StatementId="a", RevisionId=first)
    assert removed["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert sids(lambda_client, name) == ["b"]
    assert lambda_client.get_policy(FunctionName=name)["RevisionId"] not in (first, None)
    lambda_client.remove_permission(FunctionName=name, StatementId="b")
    assert refused(lambda_client.get_policy, FunctionName=name) == NONE
    assert refused(lambda_client.remove_permission, FunctionName=name, StatementId="b") == NO_POLICY


def test_revisions_belong_to_the_policy(lambda_client: Any, name: str) -> None:
    """They change with it, and nothing else does; before it is there, that of the function, version or alias counts."""
    own = lambda_client.get_function_configuration(FunctionName=name)["RevisionId"]
    of_version = lambda_client.get_function_configuration(FunctionName=name, Qualifier="1")["RevisionId"]
    of_alias = lambda_client.get_alias(FunctionName=name, Name="live")["RevisionId"]
    for qualifier, given, wrong in (("", own, of_alias), (":1", of_version, own), (":live", of_alias, of_version)):
        assert refused(
            lambda_client.add_permission,
            FunctionName=f"{name}{qualifier}",
            StatementId="a",
            Action="*",
            Principal="210987654321",
            RevisionId=wrong,
        ) == mismatch("GetPolicy")
        allow(lambda_client, f"{name}{qualifier}", "a", RevisionId=given)
        first = lambda_client.get_policy(FunctionName=f"{name}{qualifier}")["RevisionId"]
        assert UUID.fullmatch(first)
        allow(lambda_client, f"{name}{qualifier}", "b", RevisionId=first)
        with pytest.raises(lambda_client.exceptions.PreconditionFailedException):
            allow(lambda_client, f"{name}{qualifier}", "c", RevisionId=first)
    assert lambda_client.get_function_configuration(FunctionName=name)["RevisionId"] == own
    assert lambda_client.get_alias(FunctionName=name, Name="live")["RevisionId"] == of_alias
