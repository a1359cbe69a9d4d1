"""Which requests are for a function URL, and for which one."""

import pytest

from lampion.function_url.address import Address, address_of, is_function_url_host
from lampion.http.message import RequestHead

ID = "a2b3" * 8
REGION = "eu-west-3"


def address(host: str, path: str = "/", scheme: str = "http") -> Address | None:
    head = RequestHead(method="GET", path=path, query="", headers={"host": host}, content_length=0)
    return address_of(head, region=REGION, scheme=scheme)


@pytest.mark.parametrize(
    ("host", "domain", "port"),
    [
        (f"{ID}.lambda-url.eu-west-3.localhost:9000", f"{ID}.lambda-url.eu-west-3.localhost", "9000"),
        (f"{ID}.lambda-url.eu-west-3.on.aws", f"{ID}.lambda-url.eu-west-3.on.aws", "80"),
        (
            f"{ID.upper()}.LAMBDA-URL.EU-WEST-3.Lambda.Example.org",
            f"{ID}.lambda-url.eu-west-3.lambda.example.org",
            "80",
        ),
    ],
)
def test_by_host(host: str, domain: str, port: str) -> None:
    assert is_function_url_host(host)
    assert address(host, "/a%2Fb") == Address(ID, domain, port, "/a%2Fb")


def test_the_port_is_the_scheme_s_unless_it_is_named() -> None:
    found = address(f"{ID}.lambda-url.eu-west-3.localhost", scheme="https")
    assert found is not None
    assert found.port == "443"


@pytest.mark.parametrize(
    "host",
    [
        f"{ID}.lambda-url.us-east-1.localhost:9000",
        f"{ID}.lambda-url.eu-west-3",
        f"{ID}.lambda-url.eu-west-3.",
        f"{ID}.lambda-url.eu-west-3.localhost:port",
        f"{ID}.lambda-url.eu-west-3.localhost:9000:1",
        f"x.{ID}.lambda-url.eu-west-3.localhost",
        ".lambda-url.eu-west-3.localhost",
        ".lambda-url.",
        f"user@{ID}.lambda-url..localhost",
    ],
)
def test_such_a_host_leads_nowhere_else(host: str) -> None:
    """Not even to the path form: the gateway has sent it here for good."""
    assert is_function_url_host(host)
    assert address(host) is None
    assert address(host, f"/_lampion/function-urls/{ID}/") is None


def test_a_target_that_is_no_path_leads_nowhere() -> None:
    for target in ("http://localhost/", "*", ""):
        assert address(f"{ID}.lambda-url.eu-west-3.localhost", target) is None


def test_under_the_name_of_a_url_every_path_is_the_function_s() -> None:
    path = f"/_lampion/function-urls/{'b' * 32}/x"
    found = address(f"{ID}.lambda-url.eu-west-3.localhost", path)
    assert found is not None
    assert (found.url_id, found.path) == (ID, path)


@pytest.mark.parametrize(
    "host", ["localhost", "lambda-url.eu-west-3.localhost", "lambda-url", "", "127.0.0.1:9000", "[::1]"]
)
def test_other_hosts_are_not_ours(host: str) -> None:
    assert not is_function_url_host(host)
    assert address(host) is None
    assert address(host, "/2015-03-31/functions") is None


@pytest.mark.parametrize(
    ("path", "own"),
    [("", "/"), ("/", "/"), ("/a//b%20c", "/a//b%20c"), ("//x", "//x")],
)
def test_by_path(path: str, own: str) -> None:
    found = address("10.0.0.5:9000", f"/_lampion/function-urls/{ID}{path}")
    assert found == Address(ID, "10.0.0.5", "9000", own)
    assert address("[fd00::5]", f"/_lampion/function-urls/{ID}{path}") == Address(ID, "[fd00::5]", "80", own)


@pytest.mark.parametrize("path", ["/_lampion/function-urls/", "/_lampion/function-urls//x", "/_lampion/function-urls"])
def test_a_path_without_an_id_leads_nowhere(path: str) -> None:
    assert address("10.0.0.5:9000", path) is None
