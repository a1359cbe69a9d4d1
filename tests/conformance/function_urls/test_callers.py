"""Who may call a function URL: everybody, who signs, other accounts, functions; and whom AWS would refuse."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance.accounts import account
from tests.conformance.function_urls.visiting import (
    ECHO,
    FORBIDDEN,
    allow,
    presigned,
    public_url,
    root_key,
    signed,
    url_of,
    visit,
)
from tests.deployment import Functions, creation, functions, role_in, unique_name, wait_active
from tests.live_server import LiveServer

DENIED = (403, "AccessDeniedException", FORBIDDEN)
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
OWNER, STRANGER, OTHER = "123456789012", "210987654321", "111111111111"
VISITS = """
import json, os, urllib.request

def handler(event, context):
    with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + event, timeout=10) as answer:
        return json.load(answer)
"""
KEYS = "import os\ndef handler(event, context):\n    return [os.environ['AWS_' + n] for n in event]\n"


@pytest.fixture
def name(make_function: Functions) -> str:
    return make_function(ECHO)


@pytest.fixture
def private(lambda_client: Any, name: str) -> str:
    return url_of(lambda_client, name, "AWS_IAM")


def test_a_public_url_needs_both_permissions(live_server: LiveServer, lambda_client: Any, name: str) -> None:
    url = url_of(lambda_client, name)
    assert visit(live_server, url).refusal == DENIED
    lambda_client.add_permission(
        FunctionName=name,
        StatementId="url",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    assert visit(live_server, url).refusal == DENIED
    lambda_client.add_permission(
        FunctionName=name,
        StatementId="function",
        Action="lambda:InvokeFunction",
        Principal="*",
        InvokedViaFunctionUrl=True,
    )
    assert visit(live_server, url).status == 200
    lambda_client.remove_permission(FunctionName=name, StatementId="url")
    assert visit(live_server, url).refusal == DENIED


def test_a_signature_is_no_way_around_the_policy_of_a_public_url(
    live_server: LiveServer, lambda_client: Any, name: str
) -> None:
    url = url_of(lambda_client, name)
    assert visit(live_server, url, headers=signed(url, root_key(live_server))).refusal == DENIED


def test_the_function_s_permissions_are_not_the_alias_s(live_server: LiveServer, lambda_client: Any, name: str) -> None:
    lambda_client.publish_version(FunctionName=name)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    url = url_of(lambda_client, name, Qualifier="live")
    allow(lambda_client, name)
    assert visit(live_server, url).refusal == DENIED
    allow(lambda_client, name, Qualifier="live")
    assert visit(live_server, url).status == 200


def test_a_whole_policy_decides_too(live_server: LiveServer, lambda_client: Any, name: str) -> None:
    url = public_url(lambda_client, name)
    arn = lambda_client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]

    def put(*statements: dict[str, Any]) -> None:
        common = {"Principal": "*", "Resource": arn}
        document = {"Version": "2012-10-17", "Statement": [{**common, **statement} for statement in statements]}
        lambda_client.put_resource_policy(ResourceArn=arn, Policy=json.dumps(document))

    both = {
        "Effect": "Allow",
        "Action": ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"],
        "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
    }
    put(both)
    assert visit(live_server, url).status == 200
    put({**both, "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}})
    assert visit(live_server, url).refusal == DENIED
    put(both, {"Effect": "Deny", "Action": "*", "Condition": {"StringLike": {"aws:UserAgent": "evil*"}}})
    assert visit(live_server, url, headers={"User-Agent": "good"}).status == 200
    assert visit(live_server, url, headers={"User-Agent": "evil/1"}).refusal == DENIED


def test_who_signs_is_let_in_and_named(live_server: LiveServer, private: str) -> None:
    key = root_key(live_server)
    target, body = f"{private}a%20b?x=1&y=%2F", b'{"a":1}'
    headers = signed(target, key, "POST", body=body, headers={"Content-Type": "application/json"})
    event = visit(live_server, private, "POST", "/a%20b?x=1&y=%2F", headers=headers, body=body).json
    assert (event["rawPath"], event["body"]) == ("/a%20b", '{"a":1}')
    assert event["requestContext"]["accountId"] == OWNER
    assert event["requestContext"]["authorizer"]["iam"] == {
        "accessKey": key[0],
        "accountId": OWNER,
        "callerId": OWNER,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": f"arn:aws:iam::{OWNER}:root",
        "userId": OWNER,
    }
    assert "authorization" not in event["headers"]
    assert "x-amz-date" in event["headers"]


def test_a_signature_in_the_query_does_too(live_server: LiveServer, private: str) -> None:
    url = presigned(f"{private}path", root_key(live_server))
    got = visit(live_server, url)
    assert (got.status, got.json["rawPath"]) == (200, "/path")
    assert visit(live_server, url, "POST", body=b"x").refusal[:2] == (403, "InvalidSignatureException")


def test_what_is_signed_by_path_is_the_whole_path(live_server: LiveServer, private: str) -> None:
    url_id = urlsplit(private).netloc.partition(".")[0]
    address = f"http://10.1.2.3:9000/_lampion/function-urls/{url_id}/a?b=1"
    got = visit(live_server, address, headers=signed(address, root_key(live_server)))
    assert (got.status, got.json["rawPath"]) == (200, "/a")
    short = signed("http://10.1.2.3:9000/a?b=1", root_key(live_server))
    assert visit(live_server, address, headers=short).refusal[:2] == (403, "InvalidSignatureException")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer token"}, {"Authorization": "AWS4-HMAC-SHA256 x"}])
def test_who_does_not_sign_stays_out(live_server: LiveServer, private: str, headers: dict[str, str]) -> None:
    got = visit(live_server, private, headers=headers)
    if headers:
        assert got.refusal[:2] == (403, "IncompleteSignatureException")
    else:
        assert got.refusal == DENIED


def test_a_signature_for_something_else_stays_out(live_server: LiveServer, private: str) -> None:
    key = root_key(live_server)
    good = signed(private, key)
    elsewhere = private.replace("us-east-1", "us-east-2")
    wrong = {
        "path": visit(live_server, private, path="/other", headers=good),
        "query": visit(live_server, private, path="/?a=1", headers=good),
        "method": visit(live_server, private, "DELETE", headers=good),
        "body": visit(live_server, private, headers=good, body=b"x"),
        "secret": visit(live_server, private, headers=signed(private, (key[0], "no" * 20))),
        "region": visit(live_server, private, headers=signed(private, key, region="eu-west-1")),
        "service": visit(live_server, private, headers=signed(private, key, service="s3")),
        "host": visit(live_server, private, headers={**signed(elsewhere, key), "Host": urlsplit(private).netloc}),
    }
    for what, got in wrong.items():
        assert got.refusal[:2] == (403, "InvalidSignatureException"), what
    assert wrong["path"].json == {"message": MISMATCH}
    assert visit(live_server, private, headers=good).status == 200


def test_an_unknown_key_stays_out(live_server: LiveServer, private: str) -> None:
    got = visit(live_server, private, headers=signed(private, ("AKIAIOSFODNN7EXAMPLE", "x" * 40)))
    assert got.refusal == (
        *(403, "UnrecognizedClientException"),
        {"message": "The security token included in the request is invalid."},
    )


@pytest.mark.parametrize("minutes", [-16, 16])
def test_an_old_or_early_signature_stays_out(
    live_server: LiveServer, private: str, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: moment.replace(tzinfo=None))
    got = visit(live_server, private, headers=signed(private, root_key(live_server)))
    assert got.refusal[:2] == (403, "InvalidSignatureException")
    assert "Signature" in got.json["message"]


@pytest.fixture
def open_server(start_server: Callable[..., LiveServer]) -> LiveServer:
    return start_server("--auth", "open")


@pytest.fixture
def open_name(open_server: LiveServer) -> Iterator[str]:
    client = open_server.client()
    with account(open_server, OWNER) as owner, functions(owner, "open") as make:
        yield make(ECHO)
    client.close()


def test_a_stranger_needs_both_permissions(open_server: LiveServer, open_name: str) -> None:
    with account(open_server, OWNER) as owner:
        url = url_of(owner, open_name, "AWS_IAM")

        def ask(account_id: str) -> int:
            return visit(open_server, url, headers=signed(url, (account_id, "any"))).status

        assert (ask(OWNER), ask(STRANGER)) == (200, 403)
        allow(owner, open_name, STRANGER, "AWS_IAM")
        assert (ask(STRANGER), ask(OTHER)) == (200, 403)
        owner.remove_permission(FunctionName=open_name, StatementId="function")
        assert (ask(OWNER), ask(STRANGER)) == (200, 403)
        headers = signed(url, (OWNER, "any"))
        assert visit(open_server, url, headers=headers).json["requestContext"]["accountId"] == OWNER


def test_on_an_open_server_a_url_asks_for_no_signature_and_still_for_permission(
    open_server: LiveServer, open_name: str
) -> None:
    with account(open_server, OWNER) as owner:
        url = url_of(owner, open_name, "AWS_IAM")
        assert visit(open_server, url).status == 200  # as everywhere: who says nothing is the server's own account
        evil = {"Host": urlsplit(url).netloc.replace("localhost", "evil.example")}
        assert visit(open_server, url, headers=evil).refusal[:2] == (403, "AccessDeniedException")
        owner.update_function_url_config(FunctionName=open_name, AuthType="NONE")
        assert visit(open_server, url).refusal == DENIED


def test_the_url_of_another_account_s_function_is_found(open_server: LiveServer) -> None:
    with account(open_server, STRANGER) as stranger, functions(stranger, "theirs") as make:
        url = public_url(stranger, make(ECHO, Role=role_in(STRANGER)))
        assert visit(open_server, url).json["requestContext"]["accountId"] == "anonymous"


@pytest.mark.parametrize("access", ["none", "all"])
def test_a_function_calls_by_its_role(start_server: Callable[..., LiveServer], access: str) -> None:
    """With its keys from outside: nobody else has them, and a sandbox reaches no names of ours."""
    server = start_server("--function-access", access)
    client = server.client()
    with functions(client, "role") as make:
        url = url_of(client, make(ECHO), "AWS_IAM")
        caller = make(KEYS)
        wanted = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"]
        answer = client.invoke(FunctionName=caller, Payload=json.dumps(wanted))
        key = tuple(json.loads(answer["Payload"].read()))
        got = visit(server, url, headers=signed(url, key))
        if access == "none":
            assert got.refusal == DENIED
            return
        iam = got.json["requestContext"]["authorizer"]["iam"]
        assert iam["userArn"].endswith(f"/{caller}")
        assert ":assumed-role/" in iam["userArn"]
        assert iam["callerId"] == iam["userId"]
        assert iam["callerId"].startswith("AROA")
        assert got.json["headers"]["x-amz-security-token"] == key[2]


def test_a_function_visits_another_one_by_path(
    live_server: LiveServer, lambda_client: Any, make_function: Functions, name: str
) -> None:
    """In a sandbox there are no names of ours; what is public is public there too."""
    url_id = urlsplit(public_url(lambda_client, name)).netloc.partition(".")[0]
    path = f"/_lampion/function-urls/{url_id}/from/inside?a=1"
    answer = lambda_client.invoke(FunctionName=make_function(VISITS), Payload=json.dumps(path))
    event = json.loads(answer["Payload"].read())
    assert (event["rawPath"], event["requestContext"]["accountId"]) == ("/from/inside", "anonymous")


def test_a_role_that_the_policy_names_may(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    client = server.client()
    role = f"arn:aws:iam::{OWNER}:role/service/of-its-own"
    with functions(client, "named") as make:
        name, caller = make(ECHO), unique_name("caller")
        client.create_function(**{**creation(caller, KEYS), "Role": role})
        wait_active(client, caller)
        url = url_of(client, name, "AWS_IAM")
        wanted = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"]
        key = tuple(json.loads(client.invoke(FunctionName=caller, Payload=json.dumps(wanted))["Payload"].read()))
        assert visit(server, url, headers=signed(url, key)).refusal == DENIED
        allow(client, name, role, "AWS_IAM")
        assert visit(server, url, headers=signed(url, key)).status == 200
        client.delete_function(FunctionName=caller)
        time.sleep(0.5)
        assert visit(server, url, headers=signed(url, key)).status == 403  # the keys ended with the sandbox
