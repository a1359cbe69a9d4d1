"""Whatever clients send and functions answer: an event that is JSON, an answer of which every header is meant."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from lampion.clock.virtual import VirtualClock
from lampion.function_url.address import address_of, is_function_url_host
from lampion.function_url.cors import preflight_headers, with_cors
from lampion.function_url.event import Received, event_of
from lampion.function_url.response import Malformed, response_of
from lampion.http.message import RequestHead, Response
from lampion.http.wire import ResponseWriter

WIRE = some.text(some.characters(max_codepoint=0xFF, exclude_characters="\r\n\0"), max_size=60)
NAMES = some.from_regex(r"[a-z-]{1,20}", fullmatch=True)
SCALARS = some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(max_size=20)
ANY_JSON = some.recursive(
    SCALARS, lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=8), inner, max_size=4)
)
HOSTS = some.from_regex(r"[a-z0-9.:\[\]-]{0,40}(\.lambda-url\.)?[a-z0-9.:-]{0,20}", fullmatch=True)
ANSWERS = some.fixed_dictionaries(
    {"statusCode": some.integers(0, 700) | ANY_JSON},
    optional={
        "headers": some.dictionaries(some.text(max_size=12) | NAMES, ANY_JSON, max_size=5) | ANY_JSON,
        "cookies": some.lists(ANY_JSON, max_size=3) | ANY_JSON,
        "body": ANY_JSON,
        "isBase64Encoded": ANY_JSON,
    },
)


def head(method: str, path: str, query: str, headers: dict[str, str]) -> RequestHead:
    made = RequestHead(method=method, path=path, query=query, headers=headers, content_length=0)
    made.client = "192.0.2.1"
    return made


@given(path=WIRE, query=WIRE, headers=some.dictionaries(NAMES, WIRE, max_size=6), cookie=WIRE, body=some.binary())
def test_any_request_becomes_an_event(path: str, query: str, headers: dict[str, str], cookie: str, body: bytes) -> None:
    event = json.loads(
        event_of(
            Received(
                head=head("POST", path, query, {**headers, "cookie": cookie, "content-type": "text/plain"}),
                body=body,
                path=path,
                url_id="id",
                domain="domain",
                scheme="http",
                port="80",
                request_id="request",
                trace_root="Root=1",
                now=1.0,
            )
        )
    )
    assert {"version", "rawPath", "rawQueryString", "headers", "requestContext", "isBase64Encoded"} <= event.keys()
    assert all(isinstance(value, str) for value in event["headers"].values())
    assert all(isinstance(value, str) for value in event.get("queryStringParameters", {}).values())
    assert all(event.get("cookies", []))


@given(answer=ANSWERS | ANY_JSON)
def test_any_answer_is_one_response_or_none(answer: Any) -> None:
    """The wire holds as many lines as there are headers: nothing that a function says begins another one."""
    try:
        prelude, body = response_of(json.dumps(answer).encode())
    except Malformed:
        return
    response = Response(prelude.status, body, prelude.headers)
    rendered = b"".join(ResponseWriter(VirtualClock()).render(response, close=False))
    lines = rendered.partition(b"\r\n\r\n")[0].split(b"\r\n")
    length = 0 if prelude.status in (204, 304) else 1
    assert len(lines) == 1 + 1 + len(prelude.headers) + length  # status, Date, theirs, Content-Length
    assert not any(b"\n" in line or b"\r" in line or b"\0" in line for line in lines)


@given(payload=some.binary(max_size=200))
def test_any_bytes_are_a_response_or_none(payload: bytes) -> None:
    try:
        prelude, body = response_of(payload)
    except Malformed:
        return
    json.loads(payload)
    assert (prelude.status, body) == (200, payload)


@given(host=WIRE | HOSTS, path=WIRE)
def test_any_host_is_an_address_or_none(host: str, path: str) -> None:
    found = address_of(head("GET", path, "", {"host": host}), region="us-east-1", scheme="http")
    if found is not None and is_function_url_host(host):
        assert found.path == path
        assert host.lower().startswith(f"{found.url_id}.lambda-url.us-east-1.")


@given(
    cors=some.fixed_dictionaries(
        {},
        optional={
            "AllowOrigins": some.lists(some.sampled_from(["*", "https://a", "https://b"]), max_size=2),
            "AllowMethods": some.lists(some.sampled_from(["*", "GET"]), max_size=2),
            "AllowHeaders": some.lists(some.sampled_from(["*", "x-a"]), max_size=2),
            "ExposeHeaders": some.lists(some.sampled_from(["*", "x-a"]), max_size=2),
            "AllowCredentials": some.booleans(),
            "MaxAge": some.integers(0, 86400),
        },
    ),
    origin=some.sampled_from(["https://a", "https://evil", "null"]),
)
def test_no_origin_is_let_in_that_is_not_configured(cors: dict[str, Any], origin: str) -> None:
    asking = head("OPTIONS", "/", "", {"origin": origin, "access-control-request-method": "GET"})
    allowed = {"*", origin} & set(cors.get("AllowOrigins", ()))
    for headers in (preflight_headers(cors, asking), with_cors(cors, asking, [])):
        said = dict(headers)
        assert ("Access-Control-Allow-Origin" in said) is bool(allowed)
        assert said.get("Access-Control-Allow-Origin", origin) in ("*", origin)
        if "Access-Control-Allow-Credentials" in said:
            assert said["Access-Control-Allow-Origin"] == origin
