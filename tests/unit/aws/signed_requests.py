"""Requests that botocore signed, changes to them, and how we take them."""

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lampion.aws.errors import (
    IncompleteSignatureException,
    InvalidSignatureException,
    MissingAuthenticationTokenException,
    UnrecognizedClientException,
    WireError,
)
from lampion.aws.sigv4 import Verifier, check

NOW = 1_795_233_600.0  # 2026-11-21T04:00:00Z
KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
HOST = "127.0.0.1:9000"
VERIFIER = Verifier("us-east-1")

Sent = dict[str, Any]


def signed_by_botocore(
    method: str,
    path: str,
    query: str,
    headers: dict[str, str],
    body: bytes,
    *,
    expires: int = 0,
    token: str | None = None,
    service: str = "lambda",
) -> Sent:
    url = f"http://{HOST}{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method, url, headers={"Host": HOST, **headers}, data=body)
    credentials = Credentials(KEY_ID, SECRET, token)
    signing = S3SigV4Auth if service == "s3" else SigV4Auth
    auth = (
        SigV4QueryAuth(credentials, service, "us-east-1", expires)
        if expires
        else signing(credentials, service, "us-east-1")
    )
    with patch.object(botocore.auth, "get_current_datetime", lambda: datetime.fromtimestamp(NOW, UTC)):
        auth.add_auth(request)
    parts = urlsplit(request.url)
    sent_headers = {name.lower(): value for name, value in request.headers.items()}
    return {"method": method, "path": parts.path, "query": parts.query, "headers": sent_headers, "body": body}


def verify(sent: Sent, *, now: float = NOW, secret: str = SECRET, verifier: Verifier = VERIFIER) -> None:
    claim = verifier.read_credential(sent["method"], sent["path"], sent["query"], sent["headers"], now)
    if claim.access_key_id != KEY_ID:
        raise UnrecognizedClientException("The security token included in the request is invalid.")
    check(claim, secret, sent["body"])


PLAIN: Sent = signed_by_botocore(
    "POST",
    "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af/invocations",
    "Qualifier=1",
    {"X-Amz-Invocation-Type": "Event", "Content-Type": "application/json"},
    b'{"a": 1}',
)
PRESIGNED: Sent = signed_by_botocore("GET", "/2015-03-31/functions/f", "Qualifier=1", {}, b"", expires=600)


REFUSALS = (
    InvalidSignatureException,
    IncompleteSignatureException,
    MissingAuthenticationTokenException,
    UnrecognizedClientException,
)


def refused(sent: Sent, **options: Any) -> str:
    with pytest.raises(REFUSALS) as error:
        verify(sent, **options)
    assert isinstance(error.value, WireError)
    return error.value.message


def changed(sent: Sent, **parts: Any) -> Sent:
    return {**sent, **parts}


def with_header(sent: Sent, name: str, value: str | None) -> Sent:
    headers = {key: text for key, text in sent["headers"].items() if key != name}
    return changed(sent, headers=headers if value is None else {**headers, name: value})


def with_authorization(old: str, new: str) -> Sent:
    authorization = PLAIN["headers"]["authorization"]
    assert old in authorization
    return with_header(PLAIN, "authorization", authorization.replace(old, new, 1))
