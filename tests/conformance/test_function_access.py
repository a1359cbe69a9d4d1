"""What a function can do with the server it runs on, through boto3 and by hand, and with its keys from elsewhere."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conformance.sdk_package import boto3_files
from tests.deployment import Functions, functions
from tests.live_server import LiveServer

BOTO3 = """
import boto3, os
from botocore.exceptions import ClientError

def handler(event, context):
    client = boto3.client("lambda")
    try:
        answer = getattr(client, event["operation"])(**event["arguments"])
    except ClientError as error:
        return {"error": error.response["Error"], "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}
    payload = answer.get("Payload")
    names = [function["FunctionName"] for function in answer.get("Functions", [])]
    return {"payload": payload.read().decode() if payload else None, "names": names}
"""
PLAIN = """
import json, os, urllib.error, urllib.request

def handler(event, context):
    if event.get("wants") == "keys":
        return {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")}
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint is None:
        return None
    request = urllib.request.Request(endpoint + event["path"], headers=event.get("headers", {}))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return [answer.status, answer.read().decode()]
    except urllib.error.HTTPError as error:
        return [error.code, error.headers.get("x-amzn-ErrorType"), error.read().decode()]
    except OSError as error:
        return type(error.reason).__name__
"""
ECHO = "def handler(event, context):\n    return {'echo': event}\n"
UNKNOWN = ("UnrecognizedClientException", "The security token included in the request is invalid.", 403)
ARN = "arn:aws:lambda:us-east-1:123456789012:function:"


def invoke(client: Any, name: str, event: object) -> Any:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event))
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


@contextmanager
def client_with(server: LiveServer, keys: dict[str, str]) -> Iterator[Any]:
    """boto3 outside of the sandbox with a function's keys."""
    client = boto3.session.Session().client(
        "lambda",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys["AWS_SESSION_TOKEN"],
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def trusting(start_server: Callable[..., LiveServer]) -> LiveServer:
    """A server whose functions may do everything."""
    return start_server("--function-access", "all")


@pytest.fixture
def client(trusting: LiveServer) -> Iterator[Any]:
    made = trusting.client()
    yield made
    made.close()


@pytest.fixture
def make(client: Any, request: pytest.FixtureRequest) -> Iterator[Functions]:
    """Functions on that server."""
    with functions(client, request.node.name) as made:
        yield made


def test_boto3_in_a_function_calls_another_function(client: Any, make: Functions) -> None:
    callee = make(ECHO)
    caller = make({"index.py": BOTO3, **boto3_files()}, MemorySize=1024, Timeout=60)
    event = {"operation": "invoke", "arguments": {"FunctionName": callee, "Payload": '{"from": "inside"}'}}
    assert json.loads(invoke(client, caller, event)["payload"]) == {"echo": {"from": "inside"}}
    listed = invoke(client, caller, {"operation": "list_functions", "arguments": {}})
    assert sorted(listed["names"]) == sorted([callee, caller])


def test_without_policies_a_function_is_refused_as_aws_refuses_a_role(
    lambda_client: Any, make_function: Functions
) -> None:
    name = make_function({"index.py": BOTO3, **boto3_files()}, MemorySize=1024, Timeout=60)
    role = f"arn:aws:sts::123456789012:assumed-role/lambda-role/{name}"
    expected = {
        ("list_functions", ""): ("lambda:ListFunctions", "*"),
        ("invoke", name): ("lambda:InvokeFunction", f"{ARN}{name}"),
        ("delete_function", "absent"): ("lambda:DeleteFunction", f"{ARN}absent"),
        ("get_function", f"{ARN}{name}:3"): ("lambda:GetFunction", f"{ARN}{name}:3"),
        ("get_policy", name): ("lambda:GetPolicy", f"{ARN}{name}"),
    }
    for (operation, target), (action, resource) in expected.items():
        arguments = {"FunctionName": target} if target else {}
        answer = invoke(lambda_client, name, {"operation": operation, "arguments": arguments})
        message = (
            f"User: {role} is not authorized to perform: {action} on resource: {resource} "
            f"because no identity-based policy allows the {action} action"
        )
        assert answer == {"error": {"Code": "AccessDeniedException", "Message": message}, "status": 403}
    assert lambda_client.get_function(FunctionName=name)["Configuration"]["State"] == "Active"


def test_strangers_are_refused_at_a_functions_door_as_at_the_main_one(
    lambda_client: Any, make_function: Functions, live_server: LiveServer
) -> None:
    name = make_function(PLAIN)
    list_functions = {"path": "/2015-03-31/functions/"}
    status, kind, _ = invoke(lambda_client, name, list_functions)
    assert (status, kind) == (403, "MissingAuthenticationTokenException")
    status, kind, _ = invoke(lambda_client, name, {"path": f"/_lampion/logs/{name}"})
    assert (status, kind) == (403, "MissingAuthenticationTokenException")
    assert invoke(lambda_client, name, {"path": "/no/such"})[:2] == [404, "UnknownOperationException"]


def test_an_open_server_is_not_open_to_functions(start_server: Callable[..., LiveServer]) -> None:
    client = start_server("--auth", "open").client()
    with functions(client, "open") as made:
        name = made(PLAIN)
        signature = "AWS4-HMAC-SHA256 Credential=123456789012/20250101/us-east-1/lambda/aws4_request"
        for headers in ({}, {"Authorization": signature}):
            answer = invoke(client, name, {"path": "/2015-03-31/functions/", "headers": headers})
            assert answer[0] == 403
    client.close()


def test_a_functions_keys_end_with_its_environment(trusting: LiveServer, client: Any, make: Functions) -> None:
    name = make(PLAIN)
    keys = invoke(client, name, {"wants": "keys"})
    with client_with(trusting, keys) as outside:
        assert [one["FunctionName"] for one in outside.list_functions()["Functions"]] == [name]
        client.delete_function(FunctionName=name)
        end = time.monotonic() + 10
        while time.monotonic() < end and not is_refused(outside):
            time.sleep(0.02)
        assert refusal(outside) == UNKNOWN


def is_refused(client: Any) -> bool:
    try:
        client.list_functions()
    except ClientError:
        return True
    return False


def test_a_functions_keys_are_nothing_without_their_token_and_secret(
    lambda_client: Any, make_function: Functions, live_server: LiveServer
) -> None:
    name = make_function(PLAIN)
    keys = invoke(lambda_client, name, {"wants": "keys"})
    other = invoke(lambda_client, make_function(PLAIN), {"wants": "keys"})
    for token in ("x", "ü" * 3, other["AWS_SESSION_TOKEN"]):
        with client_with(live_server, {**keys, "AWS_SESSION_TOKEN": token}) as client:
            assert refusal(client) == UNKNOWN
    with client_with(live_server, {**keys, "AWS_SECRET_ACCESS_KEY": "wrong"}) as client:
        assert refusal(client)[0] == "InvalidSignatureException"
    with client_with(live_server, keys) as client:
        assert refusal(client)[0] == "AccessDeniedException"


def test_root_keys_with_a_token_of_any_kind_are_refused(live_server: LiveServer) -> None:
    server = live_server.server
    keys = {
        "AWS_ACCESS_KEY_ID": server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret_access_key,
        "AWS_SESSION_TOKEN": "x",
    }
    with client_with(live_server, keys) as client:
        assert refusal(client)[0] == "UnrecognizedClientException"


def test_a_killed_server_knows_no_key_of_before(private_server: LiveServer) -> None:
    client = private_server.client()
    with functions(client, "killed") as made:
        keys = invoke(client, made(PLAIN), {"wants": "keys"})
        client.close()
        private_server.restart()
        with client_with(private_server, keys) as old:
            assert refusal(old)[0] == "UnrecognizedClientException"
        for path in private_server.data.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert not any(value.encode() in content for value in list(keys.values())[1:]), path
        made._client = private_server.client()
    made._client.close()


def test_with_network_none_a_function_has_no_endpoint_and_nobody_listens_there(
    start_server: Callable[..., LiveServer],
) -> None:
    client = start_server("--network", "none").client()
    with functions(client, "none") as made:
        assert invoke(client, made(PLAIN), {"path": "/"}) is None
        own = made(PLAIN, Environment={"Variables": {"AWS_ENDPOINT_URL": "http://127.0.0.1:9002"}})
        assert invoke(client, own, {"path": "/"}) == "ConnectionRefusedError"
    client.close()


def test_a_function_that_holds_many_connections_disturbs_nobody(lambda_client: Any, make_function: Functions) -> None:
    source = """
import os, socket
def handler(event, context):
    host, port = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://").split(":")
    held = [socket.create_connection((host, int(port)), timeout=5) for _ in range(90)]
    held[0].sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    first = held[0].recv(100)[:12].decode()
    held[89].settimeout(5)
    return [first, held[89].recv(1).decode()]
"""
    name = make_function(source)
    assert invoke(lambda_client, name, {}) == ["HTTP/1.1 404", ""]
    assert lambda_client.get_function(FunctionName=name)["Configuration"]["FunctionName"] == name
    assert invoke(lambda_client, make_function(ECHO), 1) == {"echo": 1}


def refusal(client: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        client.list_functions()
    response = caught.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]
