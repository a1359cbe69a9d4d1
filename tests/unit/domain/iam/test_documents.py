"""Documents of IAM's own policies: what identities may say, what a role's trust may, and IAM's words for the rest."""

import json
from typing import Any

import pytest

from lampion.domain.iam.documents import check_managed_size, permissions_of, size_bytes, trust_of
from lampion.domain.iam.errors import LimitExceededException, MalformedPolicyDocumentException

ALLOW = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
SYNTAX = "Syntax errors in policy."
VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
STS_ONLY = "AssumeRole policy may only specify STS AssumeRole actions."
TWICE = "Statement IDs (SID) in a single policy must be unique."
SID = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"


def document(*statements: Any, **members: Any) -> str:
    return json.dumps({"Version": "2012-10-17", **members, "Statement": list(statements)})


def refusal(parse: Any, text: str) -> str:
    with pytest.raises(MalformedPolicyDocumentException) as caught:
        parse(text)
    return caught.value.message


@pytest.mark.parametrize(
    "statement",
    [
        ALLOW,
        {**ALLOW, "Sid": "Some1"},
        {**ALLOW, "Sid": ""},
        {**ALLOW, "Action": ["*", "s3:*", "S3:Get?bject", "elastic-mapreduce:Run*", "lambda:invokefunction"]},
        {**ALLOW, "Resource": ["*", "arn:aws:s3:::bucket/*", "arn:aws:iam::123456789012:role/${aws:username}"]},
        {**ALLOW, "Resource": "arn:*:*"},
        {"Effect": "Deny", "NotAction": "iam:*", "NotResource": "anything"},
        {**ALLOW, "Condition": {"StringLike": {"aws:RequestTag/team": ["a", "b"]}}},
    ],
    ids=repr,
)
def test_what_a_policy_of_an_identity_may_say(statement: dict[str, Any]) -> None:
    assert permissions_of(document(statement))["Statement"] == [statement]


def without(statement: dict[str, Any], name: str) -> dict[str, Any]:
    return {member: value for member, value in statement.items() if member != name}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("policy.json", SYNTAX),
        ("", SYNTAX),
        ("[]", SYNTAX),
        (document(), SYNTAX),
        (document(ALLOW, Version="2012-10-18"), "The policy must contain a valid version string"),
        (document({**ALLOW, "Principal": "*"}), "Policy document should not specify a principal."),
        (document({**ALLOW, "NotPrincipal": {"AWS": "*"}}), "Policy document should not specify a principal."),
        (document(without(ALLOW, "Action")), "Policy statement must contain actions."),
        (document(without(ALLOW, "Resource")), "Policy statement must contain resources."),
        (document({**ALLOW, "Action": "InvokeFunction"}), VENDOR),
        (document({**ALLOW, "Action": "lambda:"}), VENDOR),
        (document({**ALLOW, "Action": "lambda:a b"}), VENDOR),
        (document({**ALLOW, "Action": "lambda:Invok\u00e9"}), VENDOR),
        (document({**ALLOW, "Resource": "bucket"}), 'Resource bucket must be in ARN format or "*".'),
        (document({**ALLOW, "Resource": "arn:aws"}), 'Resource arn:aws must be in ARN format or "*".'),
        (document({**ALLOW, "Sid": "with space"}), SID),
        (document({**ALLOW, "Sid": "with-dash"}), SID),
        (document({**ALLOW, "Sid": "line\n"}), SID),
        (
            document({**ALLOW, "Sid": "a"}, {**ALLOW, "Sid": "a"}),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (document({**ALLOW, "Condition": {"Equals": {"k": "v"}}}), "Invalid Condition type : Equals."),
        (document({**ALLOW, "Effect": "allow"}), SYNTAX),
    ],
    ids=repr,
)
def test_what_a_policy_of_an_identity_cannot_say(text: str, message: str) -> None:
    assert refusal(permissions_of, text) == message


@pytest.mark.parametrize(
    "statement",
    [
        TRUST,
        {**TRUST, "Principal": {"AWS": ["123456789012", "*", "arn:aws:iam::123456789012:user/team/ann"]}},
        {**TRUST, "Principal": "*"},
        {
            **TRUST,
            "Principal": {"Federated": "cognito-identity.amazonaws.com", "AWS": "arn:aws:iam::123456789012:root"},
        },
        {**TRUST, "Action": ["STS:assumerole", "sts:AssumeRole*", "sts:TagSession", "sts:SetSourceIdentity"]},
        {**TRUST, "Action": ["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML", "sts:SetContext", "sts:*"]},
        {**without(TRUST, "Action"), "NotAction": "sts:TagSession"},
        {**TRUST, "Sid": "", "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}},
    ],
    ids=repr,
)
def test_what_a_roles_trust_may_say(statement: dict[str, Any]) -> None:
    assert trust_of(document(statement))["Statement"] == [statement]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trust.json", "This policy contains invalid Json"),
        ("{}", SYNTAX),
        (document({**TRUST, "Resource": "*"}), "Has prohibited field Resource"),
        (document({**TRUST, "NotResource": "*"}), "Has prohibited field NotResource"),
        (document(without(TRUST, "Principal")), "Missing required field Principal"),
        (document({**TRUST, "Action": "*"}), STS_ONLY),
        (document({**TRUST, "Action": "lambda:InvokeFunction"}), STS_ONLY),
        (document({**TRUST, "Action": ["sts:AssumeRole", "sts:GetCallerIdentity"]}), STS_ONLY),
        (document({**TRUST, "Principal": {}}), SYNTAX),
        (document({**TRUST, "Principal": []}), SYNTAX),
        (document({**TRUST, "Principal": "lambda.amazonaws.com"}), SYNTAX),
        (document({**TRUST, "Principal": {"AWS": []}}), SYNTAX),
        (document({**TRUST, "Principal": {"AWS": {"a": "b"}}}), SYNTAX),
        (document({**TRUST, "Principal": {"AWS": [5]}}), SYNTAX),
        (document({**TRUST, "Principal": {"Service": "lambda"}}), 'Invalid principal in policy: "SERVICE":"lambda"'),
        (document({**TRUST, "Principal": {"AWS": ["*", "ann"]}}), 'Invalid principal in policy: "AWS":"ann"'),
        (document({**TRUST, "Principal": {"Robot": "*"}}), 'Invalid principal in policy: "ROBOT":"*"'),
        (document({**TRUST, "Sid": "a-b"}), SID),
    ],
    ids=repr,
)
def test_what_a_roles_trust_cannot_say(text: str, message: str) -> None:
    assert refusal(trust_of, text) == message


def padded(statement: dict[str, Any], size: int) -> str:
    """A document of exactly that size."""
    padding = {**statement, "Condition": {"StringEquals": {"aws:PrincipalTag/a": ""}}}
    missing = size - size_bytes(document(padding))
    padding["Condition"]["StringEquals"]["aws:PrincipalTag/a"] = "x" * missing
    return document(padding)


def test_white_space_is_counted_only_within_values() -> None:
    """There it is more to compare at each request: a value of nothing else would be as long as a request may be."""
    assert size_bytes(' { "a" :\t"\u00e9b"\r\n} ') == len('{"a":"xxb"}')
    assert size_bytes('{"a": "\\u0062  c"}') == len('{"a":"\\u0062c"}')
    document = '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::' + " " * 7000 + '"}}'
    with pytest.raises(LimitExceededException, match="Cannot exceed quota for PolicySize"):
        check_managed_size(document)


def test_a_managed_policy_has_a_greatest_size() -> None:
    check_managed_size(padded(ALLOW, 6144) + "  \n")
    with pytest.raises(LimitExceededException) as caught:
        check_managed_size(padded(ALLOW, 6145))
    assert caught.value.message == "Cannot exceed quota for PolicySize: 6144"


def test_a_trust_policy_has_a_greatest_size() -> None:
    trust_of(padded(TRUST, 2048) + " \n")
    with pytest.raises(LimitExceededException) as caught:
        trust_of(padded(TRUST, 2049))
    assert caught.value.message == "Cannot exceed quota for ACLSizePerRole: 2048"
