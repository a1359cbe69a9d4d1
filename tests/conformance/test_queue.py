"""`lampion queue` against a server with real events: who may look, and what it brings back or drops."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lampion.cli.client import Answer, Call, send
from lampion.cli.failure import ExitCode
from tests.conformance.test_event_invocations import ended, logged, until
from tests.conformance.test_event_invocations import send as send_event
from tests.deployment import Functions, creation, functions, unique_name, wait_active
from tests.live_server import LiveServer

SOURCE = """
import time

def handler(event, context):
    print("got " + str(event["n"]))
    time.sleep(event.get("seconds", 0))
    if event.get("fail"):
        raise ValueError("no")
"""


def lampion(server: LiveServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lampion", "queue", *arguments],
        env=server.aws_environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def documents(server: LiveServer, *arguments: str) -> list[dict[str, Any]]:
    ran = lampion(server, *arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def failed_in(server: LiveServer, name: str) -> list[dict[str, Any]]:
    return documents(server, "peek", name, "--failed", "--payload")


def without_retries(client: Any, name: str) -> None:
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)


def test_a_failed_event_is_seen_and_runs_again(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    name = make_function(SOURCE)
    without_retries(lambda_client, name)
    request_id = send_event(lambda_client, name, {"n": 1, "fail": True})["ResponseMetadata"]["RequestId"]
    send_event(lambda_client, name, {"n": 2, "fail": True})
    kept = until(lambda: found if len(found := failed_in(live_server, name)) == 2 else None)
    (first,) = [one for one in kept if one["request_id"] == request_id]
    assert (first["ending"], json.loads(first["payload"])) == ("RetriesExhausted", {"n": 1, "fail": True})
    (listed,) = [one for one in documents(live_server, "ls") if one["name"] == name]
    assert (listed["kind"], listed["failed"]) == ("events", 2)
    assert lampion(live_server, "redrive", name, "--request-id", request_id).stdout == "redriven: 1\n"
    until(lambda: len(logged(live_server, name, "got 1")) == 2)
    until(lambda: len(failed_in(live_server, name)) == 2)
    assert lampion(live_server, "redrive", name, "--all").stdout == "redriven: 2\n"
    until(lambda: len(logged(live_server, name, "got ")) == 5)


def test_what_waits_is_dropped_and_never_runs(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    client = server.client()
    with functions(client, "dropped") as made:
        name = made(SOURCE, Timeout=60)
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
        send_event(client, name, {"n": 0, "seconds": 3})
        until(lambda: logged(server, name, "got 0"))
        accepted = [send_event(client, name, {"n": n})["ResponseMetadata"]["RequestId"] for n in range(1, 80)]
        (listed,) = documents(server, "ls")
        assert (listed["running"], listed["due"]) == (1, 79)
        assert len(documents(server, "peek", name, "--limit", "200")) == 80
        refused = lampion(server, "purge", name, "--waiting")
        assert (refused.returncode, "Add --yes" in refused.stderr) == (ExitCode.USAGE, True)
        assert lampion(server, "purge", name, "--waiting", "--yes").stdout == "purged: 79\n"
        assert lampion(server, "purge", name, "--waiting", "--yes").stdout == "purged: 0\n"
        assert sorted(ended(server)) == sorted(accepted)
        until(lambda: len(ended(server)) == 80)
        send_event(client, name, {"n": 100})
        until(lambda: logged(server, name, "got 100"))
        assert len(logged(server, name, "got ")) == 2
        told = json.loads(asked(server, "metrics", name).body)["functions"][0]["metrics"]
        assert (told["AsyncEventsReceived"], told["AsyncEventsDropped"]) == (81, 79)


def test_a_result_that_nobody_takes_is_seen_and_dropped(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    name = make_function(SOURCE)
    arn = f"arn:aws:sqs:us-east-1:123456789012:{unique_name('results')}"
    destinations = {"OnSuccess": {"Destination": arn}}
    lambda_client.put_function_event_invoke_config(FunctionName=name, DestinationConfig=destinations)
    send_event(lambda_client, name, {"n": 1})
    (waiting,) = until(
        lambda: lampion(live_server, "peek", arn).returncode == 0 and documents(live_server, "peek", arn)
    )
    assert (waiting["purpose"], waiting["function_arn"].split(":")[6]) == ("destination-success", name)
    assert lampion(live_server, "purge", arn, "--waiting", "--yes").stdout == "purged: 1\n"
    assert documents(live_server, "peek", arn) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("peek", "never-made"), "Function not found"),
        (("redrive", "never-made", "--all"), "Function not found"),
        (("purge", "never-made", "--waiting", "--yes"), "Function not found"),
        (("peek", "arn:aws:sqs:us-east-1:123456789012:never"), "Nothing was ever to be delivered"),
    ],
)
def test_what_is_not_there_is_told(live_server: LiveServer, arguments: tuple[str, ...], words: str) -> None:
    ran = lampion(live_server, *arguments)
    assert (ran.returncode, words in ran.stderr, ran.stdout) == (ExitCode.NOT_FOUND, True, "")


def asked(server: LiveServer, *segments: str, method: str = "GET", body: bytes = b"") -> Answer:
    return send(server.server, Call(method, ("_lampion", *segments), body=body), timeout_seconds=20)


def test_who_is_refused(live_server: LiveServer, lambda_client: Any, make_function: Functions) -> None:
    name = make_function(SOURCE)
    stranger = replace(live_server.server, secret_access_key="wrong")
    order = b'{"action":"purge","what":"waiting"}'
    for call in (Call("GET", ("_lampion", "queues")), Call("POST", ("_lampion", "queues", name), body=order)):
        assert send(stranger, call, timeout_seconds=20).status == 403
    assert asked(live_server, "queues", name, method="POST", body=b"{").status == 400
    assert asked(live_server, "queues", name, method="POST", body=b'{"action":"purge"}').status == 400
    assert asked(live_server, "queues", name, method="POST", body=b" " * 5000).status == 413
    assert asked(live_server, "queues", name, method="PUT").status == 404
    assert asked(live_server, "queues", name, method="POST", body=order).status == 200


def test_a_function_made_again_does_not_run_what_was_sent_before(start_server: Callable[..., LiveServer]) -> None:
    """The old events wait through the deletion, the new creation and kill -9."""
    server = start_server()
    client = server.client()
    name = unique_name("made-again")
    client.create_function(**creation(name, SOURCE, Timeout=60))
    wait_active(client, name)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    old = [send_event(client, name, {"n": "old", "seconds": 50})["ResponseMetadata"]["RequestId"] for _ in range(10)]
    until(lambda: logged(server, name, "got old"))
    client.delete_function(FunctionName=name)
    client.create_function(**creation(name, SOURCE))
    assert ended(server) == [], "all of them are still to come"
    server.kill()
    server.start()
    client = server.client()
    wait_active(client, name)
    new = send_event(client, name, {"n": "new"})["ResponseMetadata"]["RequestId"]
    until(lambda: sorted(ended(server)) == sorted([*old, new]))
    assert {one["request_id"]: one["ending"] for one in failed_in(server, name)} == dict.fromkeys(
        old, "FunctionNotFound"
    )
    assert (len(logged(server, name, "got old")), len(logged(server, name, "got new"))) == (1, 1)
    client.delete_function(FunctionName=name)
