"""Whoever has no key gets an answer, and no time of the server that others need."""

import http.client
import time
from urllib.parse import urlsplit

import pytest

from tests.live_server import LiveServer

LONGEST_SECONDS = 1.5
"""A machine that does much besides takes its time; what was wrong here took six seconds and more."""
MANY = "Credential=" * 5_000
MANY_SCOPES = "Credential=a/20260101/" * 2_700
HEADERS = {
    "many beginnings of a scope": {"Authorization": MANY},
    "many halves of a scope": {"Authorization": MANY_SCOPES},
    "many signed headers": {"Authorization": f"AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders={'a;' * 25_000}"},
    "a long host": {"Host": "a." * 25_000 + "localhost"},
    "a long name of a function URL": {"Host": "a" * 50_000 + ".lambda-url.us-east-1.localhost"},
    "a long target": {"X-Amz-Target": "a." * 25_000},
}
QUERIES = {
    "many beginnings of a scope": MANY,
    "many pairs": "a&" * 25_000,
    "many dots": "a=%2e" * 10_000,
    "encoded slashes": "X-Amz-Credential=" + "%2F" * 15_000,
}


def seconds(server: LiveServer, path: str, headers: dict[str, str]) -> float:
    address = urlsplit(server.url)
    assert address.hostname is not None
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    began = time.monotonic()
    try:
        connection.request("POST", path, body=b"", headers=headers)
        status = connection.getresponse().status
    finally:
        connection.close()
    assert 400 <= status < 500, status
    return time.monotonic() - began


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_takes_long(live_server: LiveServer, name: str) -> None:
    assert seconds(live_server, "/", HEADERS[name]) < LONGEST_SECONDS


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_takes_long(live_server: LiveServer, name: str) -> None:
    assert seconds(live_server, f"/?{QUERIES[name]}", {}) < LONGEST_SECONDS


PATHS = ("/" * 50_000, "/.." * 20_000, "/%2e%2e" * 8_000, "/_lampion/" + "a/" * 20_000, "/v2/" + "a/" * 20_000)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:10])
def test_no_path_takes_long(live_server: LiveServer, path: str) -> None:
    assert seconds(live_server, path, {}) < LONGEST_SECONDS
