"""Links to code: made by the server alone, for one package, for ten minutes; nothing else leads to it."""

import base64
import http.client
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.deployment import functions, zipped
from tests.live_server import LiveServer

SOURCE = "secret = 'of one account'\n"


def fetched(url: str, method: str = "GET", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def location(client: Any, name: str) -> str:
    url: str = client.get_function(FunctionName=name)["Code"]["Location"]
    return url


@pytest.mark.parametrize("sign", [SigV4Auth, SigV4QueryAuth])
def test_no_key_of_an_account_makes_a_link(live_server: LiveServer, lambda_client: Any, sign: Any) -> None:
    """Not even the root's: whoever learns a package's hash would have the code of any account."""
    with functions(lambda_client, "linked") as create:
        bare = location(lambda_client, create(SOURCE)).partition("?")[0]
        keys = Credentials(live_server.server.access_key_id, live_server.server.secret_access_key)
        request = AWSRequest("GET", bare)
        sign(keys, "lambda", "us-east-1").add_auth(request)
        prepared = request.prepare()
        status, body = fetched(prepared.url, headers=dict(prepared.headers))
        assert (status, b"of one account" in body) == (403, False)


def test_a_link_leads_to_one_package_and_isnt_changed(lambda_client: Any) -> None:
    with functions(lambda_client, "linked") as create:
        one, other = (create({"index.py": text}) for text in (SOURCE, "other = 1\n"))
        link, another = location(lambda_client, one), location(lambda_client, other)
        assert fetched(link) == (200, zipped(SOURCE))
        assert link.partition("?")[0] != another.partition("?")[0]
        swapped = another.partition("?")[0] + "?" + link.partition("?")[2]
        later = link.replace("X-Amz-Expires=600", "X-Amz-Expires=604800")
        for forged in (swapped, later, link[:-1] + ("0" if link[-1] != "0" else "1"), link.partition("?")[0]):
            assert fetched(forged)[0] == 403
        assert fetched(link, "POST")[0] in (403, 404)
        assert fetched(link.replace("/_lampion/code/", "//_lampion/code/"))[0] in (403, 404)


def test_a_server_that_was_started_open_checks_links_too(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("--auth", "open")
    client = server.client()
    with functions(client, "linked") as create:
        link = location(client, create(SOURCE))
        assert fetched(link)[0] == 200
        assert fetched(link.partition("?")[0])[0] == 403
        digest = base64.b64decode(client.list_functions()["Functions"][0]["CodeSha256"]).hex()
        assert fetched(f"{server.url}/_lampion/code/{digest}")[0] == 403
    client.close()
