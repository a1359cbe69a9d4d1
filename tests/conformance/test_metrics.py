"""What the server counts of invocations, and who may see it: GET /_lampion/metrics and `lampion metrics`."""

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lampion.cli.client import Answer, Call, send
from lampion.domain.arn import FunctionKey
from lampion.domain.trace_header import function_hash
from tests.conformance.accounts import account
from tests.conformance.sources import ECHO
from tests.deployment import Functions, functions, role_in, unique_name
from tests.live_server import LiveServer

SOURCE = """
import time

def handler(event, context):
    time.sleep(event.get("seconds", 0))
    if event.get("fail"):
        raise ValueError("as asked")
"""


def asked(server: LiveServer, *about: str) -> Answer:
    return send(server.server, Call("GET", ("_lampion", "metrics", *about)), timeout_seconds=20)


def metrics_of(server: LiveServer, name: str) -> dict[str, Any]:
    (function,) = json.loads(asked(server, name).body)["functions"]
    assert function["FunctionName"] == name
    assert isinstance(function, dict)
    return function


def invoke(client: Any, name: str, qualifier: str = "$LATEST", **event: Any) -> None:
    client.invoke(FunctionName=name, Qualifier=qualifier, Payload=json.dumps(event))


def test_invocations_errors_and_durations(
    lambda_client: Any, make_function: Functions, live_server: LiveServer
) -> None:
    name = make_function(SOURCE)
    assert json.loads(asked(live_server, name).body)["functions"] == []
    for event in ({}, {}, {"fail": True}, {"seconds": 0.2}):
        lambda_client.invoke(FunctionName=name, Payload=json.dumps(event))
    told = metrics_of(live_server, name)
    duration = told["metrics"].pop("Duration")
    assert told["metrics"] == {
        "Invocations": 4,
        "Errors": 1,
        "ConcurrentExecutions": {"SampleCount": 4, "Sum": 4, "Minimum": 1, "Maximum": 1},
    }
    assert duration["SampleCount"] == 4
    assert 0 < duration["Minimum"] < 200 <= duration["Maximum"] < duration["Sum"]
    assert [(one["Resource"], one["ExecutedVersion"]) for one in told["resources"]] == [(name, "$LATEST")]


def test_a_timeout_is_an_error_and_what_is_not_run_is_no_invocation(
    lambda_client: Any, make_function: Functions, live_server: LiveServer
) -> None:
    name = make_function(SOURCE, Timeout=1)
    invoke(lambda_client, name, seconds=5)
    with pytest.raises(ClientError, match="InvalidRequestContent"):
        lambda_client.invoke(FunctionName=name, Payload="{")
    lambda_client.invoke(FunctionName=name, InvocationType="DryRun")
    told = metrics_of(live_server, name)["metrics"]
    assert (told["Invocations"], told["Errors"], told["Duration"]["Maximum"]) == (1, 1, 1000)


def test_every_alias_and_version_has_its_own(
    lambda_client: Any, make_function: Functions, live_server: LiveServer
) -> None:
    name = make_function(SOURCE)
    lambda_client.publish_version(FunctionName=name)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for qualifier in ("live", "live", "1", "$LATEST"):
        invoke(lambda_client, name, qualifier)
    told = metrics_of(live_server, name)
    assert told["metrics"]["Invocations"] == 4
    resources = {(one["Resource"], one["ExecutedVersion"]): one["metrics"] for one in told["resources"]}
    assert {resource: metrics["Invocations"] for resource, metrics in resources.items()} == {
        (f"{name}:$LATEST", "$LATEST"): 1,
        (f"{name}:1", "1"): 1,
        (f"{name}:live", "1"): 2,
    }


def test_throttles_and_concurrent_executions(
    lambda_client: Any, make_function: Functions, live_server: LiveServer
) -> None:
    name = make_function(SOURCE, Timeout=20)
    threads = [threading.Thread(target=invoke, args=(lambda_client, name), kwargs={"seconds": 1.5}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    for _ in range(3):
        with pytest.raises(ClientError, match="TooManyRequests"):
            invoke(lambda_client, name)
    told = metrics_of(live_server, name)["metrics"]
    assert (told["Invocations"], told["Throttles"]) == (2, 3)
    assert told["ConcurrentExecutions"] == {"SampleCount": 2, "Sum": 3, "Minimum": 1, "Maximum": 2}
    assert json.loads(asked(live_server).body)["account"]["ConcurrentExecutions"]["Maximum"] >= 2


def test_loops_that_were_stopped(lambda_client: Any, make_function: Functions, live_server: LiveServer) -> None:
    name = make_function(ECHO)
    own = function_hash(FunctionKey("123456789012", "us-east-1", name))

    def add(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["X-Amzn-Trace-Id"] = f"Lineage=16:{own}:15"

    lambda_client.meta.events.register("before-call.lambda.Invoke", add, unique_id="loop")
    try:
        with pytest.raises(ClientError, match="RecursiveInvocation"):
            invoke(lambda_client, name)
    finally:
        lambda_client.meta.events.unregister("before-call.lambda.Invoke", unique_id="loop")
    assert metrics_of(live_server, name)["metrics"] == {"RecursiveInvocationsDropped": 1}


def test_who_is_told_nothing(live_server: LiveServer, lambda_client: Any, make_function: Functions) -> None:
    missing = asked(live_server, unique_name("never-made"))
    assert (missing.status, missing.headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
    stranger = replace(live_server.server, secret_access_key="wrong")
    assert send(stranger, Call("GET", ("_lampion", "metrics")), timeout_seconds=20).status == 403
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{live_server.url}/_lampion/metrics", timeout=20)
    written = Call("POST", ("_lampion", "metrics"), body=b"{}")
    assert send(live_server.server, written, timeout_seconds=20).status == 404


def test_a_function_may_not_read_metrics_whatever_it_may_do(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("--function-access", "all")
    source = (
        "import os\ndef handler(event, context):\n    return {k: v for k, v in os.environ.items() if k[:4] == 'AWS_'}\n"
    )
    client = server.client()
    with functions(client, "curious") as made:
        name = made(source)
        keys = json.loads(client.invoke(FunctionName=name)["Payload"].read())
        session = replace(
            server.server,
            access_key_id=keys["AWS_ACCESS_KEY_ID"],
            secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        )
        token = {"X-Amz-Security-Token": keys["AWS_SESSION_TOKEN"]}
        for path in ("metrics", "queues", "status", "clock", "service-keys", f"calls/{name}"):
            answer = send(session, Call("GET", ("_lampion", *path.split("/")), headers=token), timeout_seconds=20)
            assert (answer.status, b"is not authorized" in answer.body) == (403, True), path
    client.close()


def test_an_account_sees_its_own_only(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("--auth", "open")
    with (
        account(server, "123456789012") as one,
        account(server, "210987654321") as two,
        functions(one, "mine") as mine,
        functions(two, "yours") as yours,
    ):
        names = mine(ECHO), yours(ECHO, Role=role_in("210987654321"))
        one.invoke(FunctionName=names[0])
        two.invoke(FunctionName=names[1])
        for own, account_id in zip(names, ("123456789012", "210987654321"), strict=True):
            caller = replace(server.server, access_key_id=account_id)
            page = json.loads(send(caller, Call("GET", ("_lampion", "metrics")), timeout_seconds=20).body)
            assert [function["FunctionName"] for function in page["functions"]] == [own]
            assert page["account"]["ConcurrentExecutions"]["SampleCount"] == 1


def test_the_command_prints_a_table_and_the_details_of_one_function(
    lambda_client: Any, make_function: Functions, live_server: LiveServer
) -> None:
    name = make_function(SOURCE)
    invoke(lambda_client, name, fail=True)

    def run(*arguments: str) -> list[str]:
        command = [sys.executable, "-m", "lampion", "metrics", "--data", str(live_server.data), *arguments]
        return subprocess.run(command, capture_output=True, timeout=60, check=True, text=True).stdout.splitlines()

    title, *rows = run()
    assert title.split()[:4] == ["FUNCTION", "INVOCATIONS", "ERRORS", "THROTTLES"]
    assert [row.split()[:4] for row in rows if row.startswith(f"{name} ")] == [[name, "1", "1", "0"]]
    assert len({len(row) for row in (title, *rows)}) == 1, "columns are aligned"
    detail = run(name)
    assert detail[0] == name
    assert f"{name}:$LATEST (version $LATEST)" in detail
    assert detail.count("  Errors: 1") == 2
