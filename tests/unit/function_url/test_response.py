"""What functions answer, as HTTP responses."""

import base64
import json
from typing import Any

import pytest

from lampion.function_url.response import Malformed, Prelude, response_of

DEFAULT = ("Content-Type", "application/json")


def answered(**members: Any) -> tuple[Prelude, bytes]:
    return response_of(json.dumps(members).encode())


@pytest.mark.parametrize(
    "payload",
    [
        b'"Hello, world!"',
        b'{"message": "Hello, world!"}',
        b"[1, 2]",
        b"null",
        b"0",
        b'{"statusCode": null, "body": "x"}',
    ],
)
def test_without_a_status_the_answer_is_the_body_byte_by_byte(payload: bytes) -> None:
    assert response_of(payload) == (Prelude(200, [DEFAULT]), payload)


def test_a_whole_response() -> None:
    prelude, body = answered(
        statusCode=201,
        headers={"Content-Type": "text/plain", "My-Custom-Header": "Custom Value"},
        body="grüße",
        cookies=["Cookie_1=Value1; Expires=21 Oct 2021 07:48 GMT", "Cookie_2=Value2; Max-Age=78000"],
        isBase64Encoded=False,
    )
    assert prelude.status == 201
    assert prelude.headers == [
        ("Content-Type", "text/plain"),
        ("My-Custom-Header", "Custom Value"),
        ("Set-Cookie", "Cookie_1=Value1; Expires=21 Oct 2021 07:48 GMT"),
        ("Set-Cookie", "Cookie_2=Value2; Max-Age=78000"),
    ]
    assert body == "grüße".encode()


def test_a_status_is_enough() -> None:
    assert answered(statusCode=204) == (Prelude(204, [DEFAULT]), b"")
    assert answered(statusCode="404", headers=None, body=None, cookies=None) == (Prelude(404, [DEFAULT]), b"")


@pytest.mark.parametrize("status", [200, 418, 599, "503", 302.0])
def test_statuses(status: Any) -> None:
    assert answered(statusCode=status)[0].status == int(status)


@pytest.mark.parametrize(
    "status", [0, 99, 100, 101, 199, 600, -200, 1e9, "abc", "2x0", "", "20", True, [200], {}, 200.5]
)
def test_what_is_no_status(status: Any) -> None:
    with pytest.raises(Malformed):
        answered(statusCode=status)


def test_binary_bodies() -> None:
    binary = bytes(range(256))
    encoded = base64.b64encode(binary).decode()
    assert answered(statusCode=200, body=encoded, isBase64Encoded=True)[1] == binary
    assert answered(statusCode=200, body=encoded, isBase64Encoded=False)[1] == encoded.encode()
    with pytest.raises(Malformed):
        answered(statusCode=200, body="not base64!", isBase64Encoded=True)


@pytest.mark.parametrize("body", [{"a": [1, None]}, [1, 2], 7, True])
def test_a_body_that_is_no_text_is_json(body: Any) -> None:
    assert json.loads(answered(statusCode=200, body=body)[1]) == body


def test_values_of_headers() -> None:
    headers = answered(
        statusCode=200, headers={"content-TYPE": "x/y", "A": 1, "B": True, "C": 1.5, "D": None, "E": "λ\t~", "F": ""}
    )[0].headers
    assert headers == [
        *(("content-TYPE", "x/y"), ("A", "1"), ("B", "true"), ("C", "1.5")),
        *(("E", "λ\t~".encode().decode("latin-1")), ("F", "")),
    ]


@pytest.mark.parametrize(
    "members",
    [
        {"headers": {"X-A": "a\r\nX-B: b"}},
        {"headers": {"X-A": "a\nb"}},
        {"headers": {"X-A": "a\rb"}},
        {"headers": {"X-A": "a\0b"}},
        {"headers": {"X-A": "a\x7fb"}},
        {"headers": {"X A": "a"}},
        {"headers": {"X:A": "a"}},
        {"headers": {"": "a"}},
        {"headers": {"X-A\r\nX-B": "a"}},
        {"headers": {"Ä": "a"}},
        {"headers": {"X-A": ["a"]}},
        {"headers": {"X-A": {"b": "c"}}},
        {"headers": ["X-A"]},
        {"headers": "X-A: a"},
        {"cookies": ["a=1\r\nX-B: b"]},
        {"cookies": "a=1"},
        {"cookies": [["a=1"]]},
        {"cookies": [None]},
    ],
)
def test_what_could_break_out_of_a_header_is_no_response(members: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        answered(statusCode=200, **members)


@pytest.mark.parametrize(
    "name",
    [
        *("Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "TE", "Trailer", "Proxy-Authenticate"),
        *("Content-Length", "Date", "X-Amzn-RequestId", "x-amzn-trace-id"),
    ],
)
def test_what_is_the_server_s_to_say_is_dropped(name: str) -> None:
    assert answered(statusCode=200, headers={name: "1", "X-A": "2"})[0].headers == [DEFAULT, ("X-A", "2")]


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"nope", b'{"statusCode": 200,}', b"\xff", b'{"a": NaN}', b"[" * 100_000]
)
def test_what_is_no_json_is_no_response(payload: bytes) -> None:
    with pytest.raises(Malformed):
        response_of(payload)


def test_halves_of_surrogate_pairs_are_answered() -> None:
    assert response_of(b'{"statusCode": 200, "body": "a\\ud83db"}') == (Prelude(200, [DEFAULT]), b"a?b")
    assert response_of(b'{"x": "\\ud83d"}')[1] == b'{"x": "\\ud83d"}'
