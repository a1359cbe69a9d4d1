"""botocore signs, we verify; and the other way round."""

import hashlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lampion.aws.errors import (
    InvalidSignatureException,
)
from lampion.aws.sigv4 import Verifier, check, check_hash
from lampion.aws.sigv4_sign import Signer

from .signed_requests import (
    HOST,
    KEY_ID,
    NOW,
    PLAIN,
    PRESIGNED,
    SECRET,
    VERIFIER,
    Sent,
    changed,
    refused,
    signed_by_botocore,
    verify,
    with_authorization,
    with_header,
)

segments = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
encoded_segments = segments.map(lambda text: quote(text, safe="-_.~"))
paths = st.lists(
    st.one_of(encoded_segments, st.sampled_from(["", ".", "..", "arn:aws:x", "a%3Ab", "a+b", "~"])), max_size=5
).map(lambda parts: "/" + "/".join(parts))
own_names = encoded_segments.filter(lambda name: "x-amz-" not in name.lower())  # those of a signature are its own
queries = st.lists(
    st.tuples(own_names, st.one_of(st.just(""), encoded_segments)), max_size=4, unique_by=lambda pair: pair[0]
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))
header_values = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20)


@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    paths,
    queries,
    st.dictionaries(st.sampled_from(["X-Amz-Client-Context", "X-Amz-Log-Type", "X-Other"]), header_values),
    st.binary(max_size=50),
)
def test_what_botocore_signs_by_header_is_accepted(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes
):
    verify(signed_by_botocore(method, path, query, headers, body))


@given(paths, queries, st.integers(min_value=1, max_value=604_800))
def test_what_botocore_presigns_is_accepted(path: str, query: str, expires: int):
    verify(signed_by_botocore("GET", path, query, {}, b"", expires=expires), now=NOW + expires)


def test_parameters_repeated_out_of_order_and_header_spaces_are_canonical():
    verify(signed_by_botocore("GET", "/", "b=2&a=2&a=1&c=", {"X-Odd": "  a   b\t c  "}, b""))


_CREDENTIAL, _NAMES, _MADE = PLAIN["headers"]["authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(", ")


@pytest.mark.parametrize(
    "parts",
    [
        f"{_CREDENTIAL}, {_NAMES}, {_MADE}",
        f"{_CREDENTIAL},{_NAMES},{_MADE}",
        f"  {_CREDENTIAL} ,  {_NAMES},{_MADE}  ",
        f"{_MADE}, {_NAMES}, {_CREDENTIAL}",
        f"{_NAMES}, {_CREDENTIAL}, {_MADE}",
        f"{_CREDENTIAL}, Unknown=1, {_NAMES}, {_MADE}",
        f"{_CREDENTIAL}, {_NAMES}, {_MADE}, Unknown=1",
        f"{_CREDENTIAL}, {_NAMES}, {_MADE} ",
    ],
)
def test_the_parts_of_an_authorization_may_stand_in_any_order_and_spacing(parts: str):
    verify(with_header(PLAIN, "authorization", f"AWS4-HMAC-SHA256 {parts}"))


def test_a_long_authorization_is_read_like_a_short_one():
    sent = signed_by_botocore("GET", "/", "", {f"X-Odd-{number:090}": "1" for number in range(40)}, b"")
    assert len(sent["headers"]["authorization"]) > 1024
    verify(sent)
    verify(sent)


def test_a_session_token_is_part_of_the_claim():
    for expires in (0, 60):
        sent = signed_by_botocore("GET", "/", "", {}, b"", expires=expires, token="the/token+=")
        claim = VERIFIER.read_credential(sent["method"], sent["path"], sent["query"], sent["headers"], NOW)
        assert claim.security_token == "the/token+="
        check(claim, SECRET, b"")
        assert "the/token" not in repr(claim)


def test_a_date_header_stands_in_for_x_amz_date():
    verify(signed_by_botocore("GET", "/", "", {"Date": "whatever"}, b""))


@pytest.mark.parametrize(
    "sent",
    [
        changed(PLAIN, body=b'{"a": 2}'),
        changed(PLAIN, body=b""),
        changed(PLAIN, method="PUT"),
        changed(PLAIN, path=PLAIN["path"].replace("%3Af/", "%3Ag/")),
        changed(PLAIN, path=PLAIN["path"].replace("%3A", ":")),
        changed(PLAIN, path=PLAIN["path"] + "/"),
        changed(PLAIN, query="Qualifier=2"),
        changed(PLAIN, query=""),
        changed(PLAIN, query="Qualifier=1&Other=1"),
        with_header(PLAIN, "x-amz-invocation-type", "RequestResponse"),
        with_header(PLAIN, "x-amz-invocation-type", None),
        with_header(PLAIN, "x-amz-log-type", "Tail"),
        with_header(PLAIN, "host", "elsewhere"),
        with_header(PLAIN, "x-amz-date", "20261121T040001Z"),
        with_header(PLAIN, "x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        with_header(PLAIN, "authorization", None),
        with_authorization("content-type;", ""),
        with_authorization("content-type;host", "host;content-type"),
        with_authorization("content-type;", "content-type;content-type;"),
        with_authorization("us-east-1/lambda", "us-east-1/s3"),
        with_authorization("Signature=", "Signature=0"),
        changed(PRESIGNED, query=PRESIGNED["query"].replace("Expires=600", "Expires=601")),
        changed(PRESIGNED, query=PRESIGNED["query"].replace("Qualifier=1", "Qualifier=2")),
        changed(PRESIGNED, query=PRESIGNED["query"].replace("T040000Z", "T040001Z")),
        changed(PRESIGNED, query=PRESIGNED["query"] + "&Extra=1"),
        changed(PRESIGNED, query=PRESIGNED["query"].replace("&X-Amz-Signature=", "&X-Amz-Signature=0")),
        changed(PRESIGNED, path="/2015-03-31/functions/g"),
        changed(PRESIGNED, method="DELETE"),
        changed(PRESIGNED, body=b"x"),
        with_header(PRESIGNED, "host", "elsewhere"),
        with_header(PRESIGNED, "authorization", PLAIN["headers"]["authorization"]),
    ],
    ids=str,
)
def test_any_change_after_signing_is_refused(sent: Sent):
    verify(PLAIN)
    verify(PRESIGNED)
    refused(sent)


@given(
    st.integers(min_value=0), st.characters(codec="ascii", categories=("L", "N")), st.sampled_from(["path", "query"])
)
def test_a_changed_character_of_path_or_query_is_refused(at: int, character: str, part: str):
    for sent in (PLAIN, PRESIGNED):
        place = at % len(sent[part])
        text = sent[part][:place] + character + sent[part][place + 1 :]
        if text.lower() != sent[part].lower():
            refused(changed(sent, **{part: text}))


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=255))
def test_a_changed_byte_of_the_body_is_refused(at: int, value: int):
    body = bytearray(PLAIN["body"])
    body[at % len(body)] = value
    if body != PLAIN["body"]:
        refused(changed(PLAIN, body=bytes(body)))


def test_another_secret_is_refused():
    assert refused(PLAIN, secret=SECRET + "x").startswith("The request signature we calculated does not match")


def test_a_declared_payload_hash_must_be_signed_and_be_that_of_the_body():
    digest = hashlib.sha256(b"body").hexdigest()
    good = signed_by_botocore("POST", "/", "", {"X-Amz-Content-SHA256": digest}, b"body")
    verify(good)
    refused(changed(good, body=b"other"))
    refused(signed_by_botocore("POST", "/", "", {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}, b"body"))
    unsigned = with_header(PLAIN, "x-amz-content-sha256", hashlib.sha256(PLAIN["body"]).hexdigest())
    assert refused(unsigned) == "There were headers present in the request which were not signed: x-amz-content-sha256"


def test_a_body_hashed_elsewhere_is_checked_by_its_hash():
    claim = VERIFIER.read_credential(PLAIN["method"], PLAIN["path"], PLAIN["query"], PLAIN["headers"], NOW)
    check_hash(claim, SECRET, hashlib.sha256(PLAIN["body"]).hexdigest())
    with pytest.raises(InvalidSignatureException):
        check_hash(claim, SECRET, hashlib.sha256(b"other").hexdigest())


def test_a_header_that_a_proxy_adds_on_the_way_is_let_through():
    verify(with_header(PLAIN, "x-amz-cf-id", "1"))
    verify(with_header(PLAIN, "x-amzn-trace-id", "Root=1"))


@given(paths, queries, st.binary(max_size=20))
def test_what_we_sign_is_what_botocore_signs(path: str, query: str, body: bytes):
    theirs = signed_by_botocore("POST", path, query, {"X-Amz-Log-Type": "Tail"}, body)
    ours = Signer(KEY_ID, SECRET, "us-east-1").sign(
        "POST", path, query, {"host": HOST, "x-amz-log-type": "Tail"}, body, NOW
    )
    assert ours["X-Amz-Date"] == theirs["headers"]["x-amz-date"]
    assert ours["Authorization"] == theirs["headers"]["authorization"]


@given(paths, queries)
def test_what_we_presign_is_verified_for_its_service_only(path: str, query: str):
    signer = Signer(KEY_ID, SECRET, "us-east-1", service="s3")
    whole = signer.presign("GET", HOST, path, query, 600, NOW)
    sent = {"method": "GET", "path": path, "query": whole, "headers": {"host": HOST}, "body": b""}
    verify(sent, verifier=Verifier("us-east-1", "s3"))
    assert refused(sent) == "Credential should be scoped to correct service: 'lambda'."


@given(st.sampled_from(["sqs", "sns", "events"]), paths, st.binary(max_size=20))
def test_a_temporary_keys_token_is_signed_with_the_rest(service: str, path: str, body: bytes):
    theirs = signed_by_botocore("POST", path, "", {"X-Amz-Target": "a.B"}, body, token="a+token/=", service=service)
    signer = Signer(KEY_ID, SECRET, "us-east-1", service, "a+token/=")
    ours = signer.sign("POST", path, "", {"host": HOST, "x-amz-target": "a.B"}, body, NOW)
    assert ours["Authorization"] == theirs["headers"]["authorization"]
    assert ours["X-Amz-Security-Token"] == theirs["headers"]["x-amz-security-token"] == "a+token/="


@given(paths, queries, st.binary(max_size=20))
def test_for_s3_the_path_stands_as_it_is_and_the_body_is_hashed_in_a_header(path: str, query: str, body: bytes):
    theirs = signed_by_botocore("PUT", path, query, {"Content-Type": "text/plain"}, body, service="s3")
    signer = Signer(KEY_ID, SECRET, "us-east-1", "s3")
    ours = signer.sign("PUT", path, query, {"host": HOST, "content-type": "text/plain"}, body, NOW)
    assert ours["X-Amz-Content-SHA256"] == hashlib.sha256(body).hexdigest()
    assert ours["Authorization"] == theirs["headers"]["authorization"]


def test_secrets_never_show():
    signer = Signer(KEY_ID, SECRET, "us-east-1", session_token="my-token")
    assert "my-token" not in repr(signer)
    claim = VERIFIER.read_credential(PLAIN["method"], PLAIN["path"], PLAIN["query"], PLAIN["headers"], NOW)
    assert SECRET not in repr(signer)
    assert PLAIN["headers"]["authorization"].rpartition("=")[2] not in repr(claim)
