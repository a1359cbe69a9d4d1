"""What a refused signature is told, and when."""

import pytest

from lampion.aws.errors import IncompleteSignatureException

from .signed_requests import (
    HOST,
    NOW,
    PLAIN,
    PRESIGNED,
    VERIFIER,
    Sent,
    changed,
    refused,
    verify,
    with_authorization,
    with_header,
)


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (with_header(PLAIN, "authorization", None), "Missing Authentication Token"),
        (
            with_authorization("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
            "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.",
        ),
        (
            with_authorization("/aws4_request", ""),
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            "got 'AKIDEXAMPLE/20261121/us-east-1/lambda'",
        ),
        (with_authorization("us-east-1", "eu-west-1"), "Credential should be scoped to a valid region."),
        (
            with_authorization("us-east-1/lambda", "mars/s3"),
            "Credential should be scoped to a valid region. Credential should be scoped to correct service: 'lambda'.",
        ),
        (
            with_authorization("aws4_request", "aws5_request"),
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'.",
        ),
        (
            with_authorization("20261121/", "20261120/"),
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            "'20261120' != '20261121', from '20261121T040000Z'.",
        ),
        (
            with_authorization("content-type;host;", "content-type;"),
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            with_authorization(", Signature", ", Signature=a, Signature"),
            "Authorization header has parameter 'Signature' more than once.",
        ),
        (
            with_header(PLAIN, "x-amz-date", "yesterday"),
            "Date must be in ISO-8601 'basic format', like 20130524T000000Z.",
        ),
        (
            changed(PRESIGNED, query=PRESIGNED["query"] + "&X-Amz-Expires=600"),
            "AWS query-string parameter 'X-Amz-Expires' is given more than once.",
        ),
        (
            changed(PRESIGNED, query=PRESIGNED["query"].replace("X-Amz-Expires=600&", "")),
            "AWS query-string parameters must include 'X-Amz-Expires'. Re-examine the query-string parameters.",
        ),
        *(
            (
                changed(PRESIGNED, query=PRESIGNED["query"].replace("Expires=600", f"Expires={value}")),
                "'X-Amz-Expires' must be a whole number of seconds between 1 and 604800.",
            )
            for value in ("0", "604801", "-1", "1e3", "%D9%A3")
        ),
    ],
    ids=str,
)
def test_refusals_in_aws_words(sent: Sent, message: str):
    assert refused(sent) == message


def test_a_foreign_authorization_is_named_incomplete_and_never_quoted():
    message = refused(with_header(with_header(PLAIN, "authorization", "Bearer the-token"), "x-amz-date", None))
    assert message.startswith(
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
        "Authorization header requires 'SignedHeaders' parameter. "
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
        "(Hashed with SHA-256 and encoded with Base64) Authorization="
    )
    assert "the-token" not in message
    assert "missing equal-sign" in refused(with_authorization("Signature=", "Signature"))


def test_the_clock_may_be_off_by_fifteen_minutes():
    verify(PLAIN, now=NOW + 900)
    verify(PLAIN, now=NOW - 900)
    assert refused(PLAIN, now=NOW + 901) == (
        "Signature expired: 20261121T040000Z is now earlier than 20261121T040001Z (20261121T041501Z - 15 min.)"
    )
    assert refused(PLAIN, now=NOW - 901) == (
        "Signature not yet current: 20261121T040000Z is still later than 20261121T035959Z (20261121T034459Z + 15 min.)"
    )


def test_a_presigned_address_lasts_as_long_as_it_says():
    verify(PRESIGNED, now=NOW + 600)
    verify(PRESIGNED, now=NOW - 900)
    assert (
        refused(PRESIGNED, now=NOW + 601) == "Signature expired: 20261121T041000Z is now earlier than 20261121T041001Z"
    )
    assert refused(PRESIGNED, now=NOW - 901).startswith("Signature not yet current: ")


def test_a_query_of_more_parameters_than_any_is_refused_before_it_is_read():
    """A stranger's 64 KB of them took a third of a second."""
    with pytest.raises(IncompleteSignatureException, match="at most 1000 parameters"):
        VERIFIER.read_credential("GET", "/", "a=%2e&" * 1001, {"host": HOST}, NOW)
