"""Which requests get to a function URL: by host name, by path, and none that only pretends to."""

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance.function_urls.visiting import ECHO, public_url, visit
from tests.deployment import Functions, functions
from tests.live_server import LiveServer

NOTHING_THERE = (404, "ResourceNotFoundException", {"Message": None})


@pytest.fixture
def url(lambda_client: Any, make_function: Functions) -> str:
    return public_url(lambda_client, make_function(ECHO))


def by_path(url: str, path: str) -> str:
    return f"/_lampion/function-urls/{urlsplit(url).netloc.partition('.')[0]}{path}"


def raw(server: LiveServer, request: bytes) -> bytes:
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


@pytest.mark.parametrize("domain", ["on.aws", "lambda.example.org:8443", "localhost", "LOCALHOST:1"])
def test_any_name_that_this_server_has(live_server: LiveServer, url: str, domain: str) -> None:
    url_id = urlsplit(url).netloc.partition(".")[0]
    got = visit(live_server, url, headers={"Host": f"{url_id}.lambda-url.us-east-1.{domain}"})
    name = domain.partition(":")[0].lower()
    assert got.json["requestContext"]["domainName"] == f"{url_id}.lambda-url.us-east-1.{name}"


@pytest.mark.parametrize(("path", "own"), [("", "/"), ("/", "/"), ("/a%2Fb//c", "/a%2Fb//c")])
def test_by_path_for_who_has_no_name_to_put_before_ours(live_server: LiveServer, url: str, path: str, own: str) -> None:
    got = visit(live_server, live_server.url, path=by_path(url, f"{path}?a=1"), headers={"Host": "10.1.2.3:9000"})
    event = got.json
    assert (event["rawPath"], event["requestContext"]["http"]["path"]) == (own, own.replace("%2F", "/"))
    assert (event["rawQueryString"], event["requestContext"]["domainName"]) == ("a=1", "10.1.2.3")
    assert event["requestContext"]["domainPrefix"] == urlsplit(url).netloc.partition(".")[0]


def test_who_came_by_an_address_is_given_the_path_form_which_works(live_server: LiveServer, url: str) -> None:
    shown = f"http://10.1.2.3:9000{by_path(url, '/')}"
    assert visit(live_server, shown).status == 200


def test_there_is_nothing_under_an_id_that_is_none(live_server: LiveServer, url: str) -> None:
    for host in (
        "a" * 32 + ".lambda-url.us-east-1.localhost",
        urlsplit(url).netloc.replace("us-east-1", "eu-west-1"),
        "short.lambda-url.us-east-1.localhost",
        ".lambda-url.us-east-1.localhost",
        "x.lambda-url.",
        "lambda.localhost.lambda-url.us-east-1.localhost",
    ):
        assert visit(live_server, url, headers={"Host": host}).refusal == NOTHING_THERE, host
    assert visit(live_server, live_server.url, path=f"/_lampion/function-urls/{'a' * 32}/").refusal == NOTHING_THERE
    assert visit(live_server, live_server.url, path="/_lampion/function-urls/").refusal == NOTHING_THERE


@pytest.mark.parametrize(
    "path", ["/2015-03-31/functions", "/_lampion/logs/f", "/_lampion/code/" + "0" * 64, "/_lampion/function-urls/x/"]
)
def test_under_the_name_of_a_url_there_is_nothing_but_the_function(
    live_server: LiveServer, url: str, path: str
) -> None:
    assert visit(live_server, url, path=path).json["rawPath"] == path


def test_the_api_of_an_open_server_is_not_to_be_had_under_the_name_of_a_url(
    start_server: Callable[..., LiveServer],
) -> None:
    """A page at a URL's own name, or at one that was pointed here, reaches that function and nothing else."""
    server = start_server("--auth", "open")
    client = server.client()
    with functions(client, "open") as make:
        url = public_url(client, make(ECHO))
        assert visit(server, url, path="/2015-03-31/functions/").json["rawPath"] == "/2015-03-31/functions/"
        for host in ("x.lambda-url.us-east-1.localhost", "evil.example"):
            got = visit(server, server.url, path="/2015-03-31/functions/", headers={"Host": host})
            assert got.status in (403, 404)
            assert b"Functions" not in got.body


@pytest.mark.parametrize(
    "head",
    [
        "GET / HTTP/1.1\r\nHost: {host}\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : {host}\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: {host}\r\n Host: localhost\r\n\r\n",
    ],
)
def test_a_host_that_is_two_things_at_once_is_a_bad_request(live_server: LiveServer, url: str, head: str) -> None:
    answer = raw(live_server, head.format(host=urlsplit(url).netloc).encode())
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 "))
    assert b"rawPath" not in answer


def test_an_absolute_target_goes_nowhere_else(live_server: LiveServer, url: str) -> None:
    host = urlsplit(url).netloc
    inward = raw(live_server, f"GET http://localhost/2015-03-31/functions HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert inward.startswith(b"HTTP/1.1 404 ")
    assert b'{"Message":null}' in inward


def test_many_headers_and_long_ones_are_refused_as_everywhere(live_server: LiveServer, url: str) -> None:
    assert visit(live_server, url, headers={f"X-{number}": "1" for number in range(300)}).status == 431
    assert visit(live_server, url, headers={"X-Long": "x" * 70_000}).status == 431
