"""Whom statements name, and whom they can't."""

from typing import Any

import pytest

from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.principal import check_principal, principal_of

INVALID = "The provided principal was invalid. Please check the principal and try again."


@pytest.mark.parametrize(
    ("principal", "named"),
    [
        ("*", "*"),
        ("210987654321", {"AWS": "arn:aws:iam::210987654321:root"}),
        ("arn:aws:iam::210987654321:root", {"AWS": "arn:aws:iam::210987654321:root"}),
        ("arn:aws:iam::210987654321:role/a/b@c", {"AWS": "arn:aws:iam::210987654321:role/a/b@c"}),
        ("arn:aws-us-gov:iam::210987654321:user/u", {"AWS": "arn:aws-us-gov:iam::210987654321:user/u"}),
        ("arn:aws:sts::210987654321:assumed-role/r/s", {"AWS": "arn:aws:sts::210987654321:assumed-role/r/s"}),
        ("events.amazonaws.com", {"Service": "events.amazonaws.com"}),
        ("logs.us-east-1.amazonaws.com", {"Service": "logs.us-east-1.amazonaws.com"}),
        ("logs.cn-north-1.amazonaws.com.cn", {"Service": "logs.cn-north-1.amazonaws.com.cn"}),
        ("alexa-appkit.amazon.com", {"Service": "alexa-appkit.amazon.com"}),
    ],
)
def test_whom_a_statement_names(principal: str, named: Any) -> None:
    assert principal_of(principal) == named
    check_principal(named)


@pytest.mark.parametrize(
    "principal",
    [
        "amazonaws.com",
        "invalid.nonaws.com",
        "s3",
        "**",
        "12345678901",
        "arn:aws:iam:210987654321:role/r",
        "arn:aws:iam::210987654321:role/",
        "arn:aws:iam::210987654321:group/g",
        "arn:aws:lambda:us-east-1:210987654321:function:f",
        "arn:aws:sts::210987654321:role/r",
        "S3.amazonaws.com",
        "s3.amazonaws.com.evil.org",
        "arn:aws:iam::210987654321:role/ü",
        "arn:aws:iam::٢10987654321:root",
    ],
)
def test_what_names_nobody_is_refused(principal: str) -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        principal_of(principal)
    assert caught.value.message == INVALID
    for kind in ("AWS", "Service"):
        with pytest.raises(InvalidParameterValueException):
            check_principal({kind: principal})


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"AWS": ["210987654321", "arn:aws:iam::210987654321:role/r", "*"]},
        {"Service": "s3.amazonaws.com", "AWS": "*"},
        {"Federated": "arn:aws:iam::210987654321:saml-provider/p"},
        {"Federated": "cognito-identity.amazonaws.com"},
        {"CanonicalUser": "0f" * 32},
        {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"},
    ],
)
def test_whom_a_document_names(principal: Any) -> None:
    check_principal(principal)


@pytest.mark.parametrize(
    "principal",
    [
        "210987654321",
        {},
        [],
        None,
        {"AWS": []},
        {"AWS": [5]},
        {"AWS": None},
        {"AWS": {"x": "y"}},
        {"AWS": ["*", "s3.amazonaws.com"]},
        {"Service": "210987654321"},
        {"Service": "*"},
        {"Federated": "p"},
        {"CanonicalUser": "p"},
        {"Group": "*"},
    ],
)
def test_whom_a_document_cannot_name(principal: Any) -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        check_principal(principal)
    assert caught.value.message == INVALID
