"""Browsers' questions about a function URL, answered from its configuration."""

from typing import Any

import pytest

from tests.conformance.function_urls.visiting import SAYS, public_url, say, url_of, visit
from tests.deployment import Functions
from tests.live_server import LiveServer

HERE, ELSEWHERE = "https://here.example", "https://elsewhere.example"
CORS = {
    "AllowOrigins": [HERE],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["X-One"],
    "ExposeHeaders": ["X-Two"],
    "MaxAge": 60,
    "AllowCredentials": True,
}
ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-one"}


def cors_of(got: Any) -> dict[str, str]:
    return {name: value for name, value in got.headers if name.startswith("access-control-")}


@pytest.fixture
def url(lambda_client: Any, make_function: Functions) -> str:
    return public_url(lambda_client, make_function(SAYS), Cors=CORS)


def test_a_preflight_is_answered_without_the_function(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    """Whatever the authentication: a browser can't sign it."""
    broken = make_function("raise RuntimeError")
    url = url_of(lambda_client, broken, "AWS_IAM", Cors=CORS)
    got = visit(live_server, url, "OPTIONS", "/any/path", headers={"Origin": HERE, **ASKED})
    assert (got.status, got.body, got["vary"]) == (200, b"", "Origin")
    assert cors_of(got) == {
        "access-control-allow-origin": HERE,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "x-one",
        "access-control-max-age": "60",
    }
    assert cors_of(visit(live_server, url, "OPTIONS", headers={"Origin": ELSEWHERE, **ASKED})) == {}


def test_without_configuration_a_preflight_is_the_function_s(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    own = {"statusCode": 204, "headers": {"Access-Control-Allow-Origin": "*"}}
    url = public_url(lambda_client, make_function(f"def handler(event, context):\n    return {own}\n"))
    got = visit(live_server, url, "OPTIONS", headers={"Origin": HERE, **ASKED})
    assert (got.status, cors_of(got)) == (204, {"access-control-allow-origin": "*"})


def test_answers_carry_what_is_configured_and_not_what_the_function_says(live_server: LiveServer, url: str) -> None:
    own = {"statusCode": 200, "headers": {"access-control-allow-origin": "*", "X-Two": "2"}}
    got = say(live_server, url, own, headers={"Origin": HERE})
    assert cors_of(got) == {
        "access-control-allow-origin": HERE,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "x-two",
    }
    assert (got["x-two"], got["vary"]) == ("2", "Origin")
    assert cors_of(say(live_server, url, own, headers={"Origin": ELSEWHERE})) == {}


def test_refusals_carry_it_too_so_that_a_page_can_read_them(
    live_server: LiveServer, lambda_client: Any, url: str
) -> None:
    failed = say(live_server, url, {"statusCode": 1}, headers={"Origin": HERE})
    assert (failed.status, failed["access-control-allow-origin"]) == (502, HERE)
    name = lambda_client.list_functions()["Functions"][-1]["FunctionName"]
    lambda_client.delete_function_url_config(FunctionName=name)
    private = url_of(lambda_client, name, "AWS_IAM", Cors=CORS)
    refused = visit(live_server, private, headers={"Origin": HERE})
    assert (refused.status, refused["access-control-allow-origin"]) == (403, HERE)
