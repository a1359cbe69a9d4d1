"""Requests to function URLs as events: AWS's events of real requests, and the rules behind them one by one."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from lampion.function_url.event import Caller, Received, event_of
from lampion.http.message import RequestHead

ID = "2cxn22odiwguak4feg4jtt7cwm0ziblr"
HOST = f"{ID}.lambda-url.us-west-2.on.aws"
NOW = 1783711146.671
CALLER = Caller(
    account_id="210987654321", access_key_id="AKIAX", user_id="210987654321", user_arn="arn:aws:iam::210987654321:root"
)


def received(
    path: str = "/",
    query: str = "",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    method: str = "GET",
) -> Received:
    head = RequestHead(
        method=method, path=path, query=query, headers={"host": HOST, **(headers or {})}, content_length=len(body)
    )
    head.client = "68.8.83.18"
    return Received(
        head=head,
        body=body,
        path=path,
        url_id=ID,
        domain=HOST,
        scheme="https",
        port="443",
        request_id="d16a6b55-dea9-4b23-8499-eb85c3d2d904",
        trace_root="Root=1-6a5145aa-290a323a5de9a2e0636377d4",
        now=NOW,
    )


def event(request: Received) -> Any:
    return json.loads(event_of(request))


def of(path: str = "/", query: str = "", **more: Any) -> Any:
    return event(received(path, query, **more))


def test_a_request_with_everything_as_aws_hands_it_on() -> None:
    """Captured from a URL of AWS in July 2026, without the two headers that tell of its TLS."""
    body = '{"message":"hello from the public internet","unicode":"lambda-λ"}'
    sent = {
        "accept": "*/*",
        "content-length": "66",
        "content-type": "application/json",
        "cookie": "session=abc123; theme=dark",
        "user-agent": "curl/8.7.1",
        "x-voker-probe": "first,second",
    }
    query = "repeat=one&repeat=two&redirect=https%3A%2F%2Fexample.com%2Fa%2Fb&literalPlus=a+b&encodedPlus=a%2Bb&empty="
    got = of("/capture/space%20value", query, headers=sent, body=body.encode(), method="POST")
    assert got == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/capture/space%20value",
        "rawQueryString": query,
        "cookies": ["session=abc123", "theme=dark"],
        "headers": {
            **sent,
            "host": HOST,
            "x-amzn-trace-id": "Root=1-6a5145aa-290a323a5de9a2e0636377d4",
            "x-forwarded-for": "68.8.83.18",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "queryStringParameters": {
            "empty": "",
            "encodedPlus": "a+b",
            "literalPlus": "a b",
            "redirect": "https://example.com/a/b",
            "repeat": "one,two",
        },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": ID,
            "domainName": HOST,
            "domainPrefix": ID,
            "http": {
                "method": "POST",
                "path": "/capture/space value",
                "protocol": "HTTP/1.1",
                "sourceIp": "68.8.83.18",
                "userAgent": "curl/8.7.1",
            },
            "requestId": "d16a6b55-dea9-4b23-8499-eb85c3d2d904",
            "routeKey": "$default",
            "stage": "$default",
            "time": "10/Jul/2026:19:19:06 +0000",
            "timeEpoch": 1783711146671,
        },
        "body": body,
        "isBase64Encoded": False,
    }


def test_what_is_empty_is_left_out() -> None:
    got = of()
    assert {"cookies", "queryStringParameters", "body", "pathParameters", "stageVariables"}.isdisjoint(got)
    assert {"authorizer", "authentication"}.isdisjoint(got["requestContext"])
    assert (got["rawQueryString"], got["isBase64Encoded"]) == ("", False)
    assert "userAgent" not in got["requestContext"]["http"]


@pytest.mark.parametrize(
    ("sent", "decoded"),
    [
        ("/capture/plain", "/capture/plain"),
        ("/capture/question%3Fvalue", "/capture/question?value"),
        ("/capture/percent%25done", "/capture/percent%done"),
        ("/capture/slash%2Fvalue", "/capture/slash/value"),
        ("/capture/unicode-%CE%BB-%E4%B8%96%E7%95%8C", "/capture/unicode-λ-世界"),
        ("/capture/literal%252Fvalue", "/capture/literal%2Fvalue"),
        ("/a/../b//c", "/a/../b//c"),
        ("/bad%ZZ%FF", "/bad%ZZ\ufffd"),
        ("/\xce\xbb", "/λ"),  # as the listener gives bytes that nobody encoded
    ],
)
def test_the_raw_path_stays_encoded_and_the_other_is_decoded(sent: str, decoded: str) -> None:
    got = of(sent)
    assert got["rawPath"] == (sent if sent.isascii() else "/λ")
    assert got["requestContext"]["http"]["path"] == decoded


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("a=1&b=2&a=3&a=", {"a": "1,3,", "b": "2"}),
        ("a", {"a": ""}),
        ("&&a=1&", {"a": "1"}),
        ("a=b=c", {"a": "b=c"}),
        ("%61=1&a=2", {"a": "1,2"}),
        ("=x", {"": "x"}),
        ("a=%ff", {"a": "\ufffd"}),
        ("a;b=1", {"a;b": "1"}),
    ],
)
def test_parameters_by_name(query: str, parameters: dict[str, str]) -> None:
    got = of(query=query)
    assert (got["queryStringParameters"], got["rawQueryString"]) == (parameters, query)


@pytest.mark.parametrize(
    ("header", "cookies"),
    [("a=1", ["a=1"]), ("a=1; b=2;c=3 ;", ["a=1", "b=2", "c=3"]), ("a=\xce\xbb", ["a=λ"]), ('a="x,y"', ['a="x,y"'])],
)
def test_cookies_one_by_one(header: str, cookies: list[str]) -> None:
    assert of(headers={"cookie": header})["cookies"] == cookies


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "TEXT/html; charset=utf-8",
        "application/json",
        " application/json;charset=UTF-8",
        "application/xml",
    ],
)
def test_text_stays_text(content_type: str) -> None:
    got = of(headers={"content-type": content_type}, body="grüße".encode())
    assert (got["body"], got["isBase64Encoded"]) == ("grüße", False)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"a=1"),
        ("multipart/form-data; boundary=x", b"--x"),
        ("application/octet-stream", b"text"),
        ("image/png", b"\x89PNG"),
        ("application/jsonp", b"{}"),
        ("", b"{}"),
        ("text/plain", b"\xff\xfe"),  # not the text it says it is
    ],
)
def test_anything_else_is_in_base64(content_type: str, body: bytes) -> None:
    headers = {"content-type": content_type} if content_type else {}
    got = of(headers=headers, body=body)
    assert (base64.b64decode(got["body"]), got["isBase64Encoded"]) == (body, True)


def test_what_two_neighbours_say_to_one_another_is_not_the_function_s() -> None:
    sent = {"connection": "keep-alive", "transfer-encoding": "chunked", "te": "trailers", "upgrade": "x", "x-mine": "1"}
    assert set(of(headers=sent)["headers"]) == {
        *("host", "x-mine", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto")
    }


def test_a_caller_who_signed_is_named_and_his_signature_kept() -> None:
    signed = {"authorization": "AWS4-HMAC-SHA256 ...", "x-amz-date": "20260710T191906Z"}
    got = event(replace(received(headers=signed), caller=CALLER))
    assert got["requestContext"]["accountId"] == "210987654321"
    assert got["requestContext"]["authorizer"] == {
        "iam": {
            "accessKey": "AKIAX",
            "accountId": "210987654321",
            "callerId": "210987654321",
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": "arn:aws:iam::210987654321:root",
            "userId": "210987654321",
        }
    }
    assert "authorization" not in got["headers"]
    assert got["headers"]["x-amz-date"] == "20260710T191906Z"
    assert of(headers={"authorization": "Bearer t"})["headers"]["authorization"] == "Bearer t"


def test_who_comes_through_a_proxy_is_named_last() -> None:
    got = of(headers={"x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "gopher"})
    assert got["headers"]["x-forwarded-for"] == "1.2.3.4, 68.8.83.18"
    assert got["headers"]["x-forwarded-proto"] == "https"
    assert got["requestContext"]["http"]["sourceIp"] == "68.8.83.18"


def test_headers_in_utf_8_and_in_latin_1_are_read_as_what_they_are() -> None:
    got = of(headers={"x-a": "gr\xc3\xbc\xc3\x9fe", "x-b": "gr\xfc\xdfe"})
    assert (got["headers"]["x-a"], got["headers"]["x-b"]) == ("grüße", "grüße")
