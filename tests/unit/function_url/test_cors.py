"""CORS by the configuration of a function URL."""

from typing import Any

import pytest

from lampion.function_url.cors import is_preflight, preflight_headers, with_cors
from lampion.http.message import RequestHead

A, B = "https://a.example", "https://b.example"
VARY = ("Vary", "Origin")
FULL: dict[str, Any] = {
    "AllowOrigins": [A],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["x-one", "x-two"],
    "ExposeHeaders": ["x-three", "date"],
    "MaxAge": 300,
    "AllowCredentials": True,
}


def head(method: str = "GET", origin: str | None = A, **headers: str) -> RequestHead:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {**({} if origin is None else {"origin": origin}), **named}
    return RequestHead(method=method, path="/", query="", headers=sent, content_length=0)


def preflight(origin: str | None = A, headers: str = "X-One") -> RequestHead:
    more = {"access_control_request_headers": headers} if headers else {}
    return head("OPTIONS", origin, access_control_request_method="PUT", **more)


def test_a_preflight_is_an_options_request_that_says_what_is_to_follow() -> None:
    assert is_preflight(preflight())
    assert not is_preflight(head("OPTIONS"))
    assert not is_preflight(head("POST", access_control_request_method="PUT"))
    assert not is_preflight(preflight(origin=None))


def test_a_preflight_of_an_allowed_origin_gets_all_that_is_configured() -> None:
    assert preflight_headers(FULL, preflight()) == [
        ("Access-Control-Allow-Origin", A),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Methods", "GET,POST"),
        ("Access-Control-Allow-Headers", "x-one,x-two"),
        ("Access-Control-Max-Age", "300"),
        VARY,
    ]


def test_a_preflight_of_another_origin_gets_nothing() -> None:
    for other in (B, "null", "https://a.example.evil", "HTTPS://A.EXAMPLE", ""):
        assert preflight_headers(FULL, preflight(other)) == [VARY]
    assert preflight_headers({"AllowMethods": ["*"]}, preflight()) == []


def test_what_is_not_configured_is_not_said() -> None:
    assert preflight_headers({"AllowOrigins": [A], "MaxAge": 0}, preflight()) == [
        ("Access-Control-Allow-Origin", A),
        ("Access-Control-Max-Age", "0"),
        VARY,
    ]
    assert preflight_headers({**FULL, "AllowCredentials": False, "MaxAge": None}, preflight(headers="")) == [
        ("Access-Control-Allow-Origin", A),
        ("Access-Control-Allow-Methods", "GET,POST"),
        VARY,
    ]


def test_wildcards() -> None:
    cors = {"AllowOrigins": ["*"], "AllowMethods": ["*"], "AllowHeaders": ["*"], "ExposeHeaders": ["*"]}
    assert preflight_headers(cors, preflight(B)) == [
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", "*"),
        ("Access-Control-Allow-Headers", "*"),
        VARY,
    ]
    assert with_cors(cors, head(origin=B), []) == [
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Expose-Headers", "*"),
        VARY,
    ]


def test_wildcards_with_credentials_name_what_was_asked_for() -> None:
    """Browsers take no wildcard then (Fetch standard, "CORS protocol and credentials")."""
    cors = {"AllowOrigins": ["*"], "AllowMethods": ["*"], "AllowHeaders": ["*"], "AllowCredentials": True}
    assert preflight_headers(cors, preflight(B)) == [
        ("Access-Control-Allow-Origin", B),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Methods", "PUT"),
        ("Access-Control-Allow-Headers", "X-One"),
        VARY,
    ]


def test_an_answer_gets_what_concerns_it() -> None:
    assert with_cors(FULL, head(), [("X-A", "1")]) == [
        ("X-A", "1"),
        ("Access-Control-Allow-Origin", A),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", "x-three,date"),
        VARY,
    ]
    assert with_cors(FULL, head(origin=B), [("X-A", "1")]) == [("X-A", "1"), VARY]
    assert with_cors(FULL, head(origin=None), [("X-A", "1")]) == [("X-A", "1"), VARY]


@pytest.mark.parametrize("origin", [A, B])
def test_what_is_configured_outweighs_the_function(origin: str) -> None:
    said = [("access-control-allow-ORIGIN", "*"), ("Access-Control-Allow-Methods", "PATCH"), ("Vary", "Accept")]
    kept = [header for header in with_cors(FULL, head(origin=origin), said) if header in said]
    assert kept == [("Vary", "Accept")]
    only_age = with_cors({"MaxAge": 1}, head(origin=origin), said)
    assert only_age == said


def test_without_configuration_the_function_says_what_it_likes() -> None:
    said = [("Access-Control-Allow-Origin", "*")]
    assert with_cors(None, head(), said) == said
