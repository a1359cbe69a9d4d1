"""A server that was started open does nothing for pages in the browser of who started it, and all for his clients."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.conformance.function_urls.visiting import ECHO, visit
from tests.deployment import functions
from tests.live_server import LiveServer

EVIL = {"Origin": "http://evil.example"}
CROSS_SITE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
OF_A_FUNCTION = {"Sec-Fetch-Site": "same-origin"}
SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/lambda/aws4_request"}
REBOUND = {"Host": "evil.example"}
FOR_IAM = "X-Amz-Credential=a%2F20260101%2Fus-east-1%2Fiam%2Faws4_request"


@pytest.fixture(scope="module")
def opened(marked_root: Any) -> Iterator[LiveServer]:
    with LiveServer(data=marked_root / "open-to-no-page", options=("--auth", "open")) as server:
        yield server


def client(server: LiveServer, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/2015-03-31/functions", json.dumps({"FunctionName": "evil"})),
        ("POST", "/2015-03-31/functions/f/invocations", "{}"),
        ("GET", "/2015-03-31/functions/", None),
        ("GET", f"/?Action=CreateUser&UserName=evil&Version=2010-05-08&{FOR_IAM}", None),
        ("POST", f"/?{FOR_IAM}", "Action=ListUsers"),
        ("POST", "/v2/evil/blobs/uploads/", ""),
        ("GET", "/v2/evil/tags/list", None),
        ("GET", "/_lampion/status", None),
        ("POST", "/_lampion/clock", "{}"),
    ],
)
@pytest.mark.parametrize("sent", [EVIL, {"Origin": "null"}, CROSS_SITE, OF_A_FUNCTION, REBOUND])
def test_what_a_browser_sends_for_a_page_is_refused(
    opened: LiveServer, method: str, path: str, body: str | None, sent: dict[str, str]
) -> None:
    answer = visit(opened, opened.url, method, path, headers={"Content-Type": "text/plain", **sent}, body=body)
    assert answer.status in (401, 403), answer
    assert answer["access-control-allow-origin"] is None
    assert b"started with --auth open" in answer.body or b"denied" in answer.body


@pytest.mark.parametrize("sent", [EVIL, OF_A_FUNCTION])
def test_a_page_gains_nothing_by_a_signature(opened: LiveServer, sent: dict[str, str]) -> None:
    """A function may have made the page, under the server's own address, where no browser asks first."""
    answer = visit(opened, opened.url, "GET", "/2015-03-31/functions/", headers={**SIGNED, **sent})
    assert answer.status == 403
    assert visit(opened, opened.url, "GET", "/2015-03-31/functions/", headers=SIGNED).status == 200


def test_nothing_was_done_and_clients_are_served(opened: LiveServer) -> None:
    iam, own = client(opened, "iam"), client(opened, "lambda")
    assert iam.list_users()["Users"] == []
    assert own.list_functions()["Functions"] == []
    typed = visit(opened, opened.url, "GET", "/2015-03-31/functions/", headers={"Sec-Fetch-Site": "none"})
    assert typed.status == 200
    iam.close()
    own.close()


def test_function_urls_serve_pages_as_their_functions_say(opened: LiveServer) -> None:
    own = client(opened, "lambda")
    with functions(own, "paged") as create:
        name = create(ECHO)
        for auth_type, headers, status in (
            ("NONE", EVIL, 200),
            ("AWS_IAM", EVIL, 403),
            ("AWS_IAM", CROSS_SITE, 403),
            ("AWS_IAM", {**EVIL, **SIGNED}, 200),
            ("AWS_IAM", {}, 200),
        ):
            url = own.create_function_url_config(FunctionName=name, AuthType=auth_type)["FunctionUrl"]
            if auth_type == "NONE":
                permit_everybody(own, name)
            assert visit(opened, url, headers=headers).status == status, (auth_type, headers)
            own.delete_function_url_config(FunctionName=name)
    own.close()


def permit_everybody(own: Any, name: str) -> None:
    for action, more in (
        ("lambda:InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}),
        ("lambda:InvokeFunction", {"InvokedViaFunctionUrl": True}),
    ):
        own.add_permission(
            FunctionName=name, StatementId=action.replace(":", "-"), Action=action, Principal="*", **more
        )
