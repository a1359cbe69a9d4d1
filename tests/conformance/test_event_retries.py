"""Events over time: retried under their own request id, held back by concurrency, run by what the function is by then.

TestRequestIdHandling::test_request_id_async_invoke_with_retry and
TestLambdaVersions::test_async_invoke_queue_upon_function_update are recorded answers of AWS.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.test_event_invocations import logged, until
from tests.deployment import Functions, functions, wait_updated
from tests.live_server import LiveServer

FAIL_TWICE = """
import os

def handler(event, context):
    with open("/tmp/runs", "a") as runs:
        runs.write("x")
    if os.path.getsize("/tmp/runs") < 3:
        raise ValueError("not yet")
    print("done at last")
"""

VARIANT = """
import os, time

def handler(event, context):
    if event["kind"] == "sleep":
        time.sleep(3)
    print("{number:02}-{kind}--{variant}".format(variant=os.environ["FUNCTION_VARIANT"], **event))
"""


@pytest.fixture(scope="module")
def server(marked_root: Path) -> Iterator[LiveServer]:
    with LiveServer(data=marked_root / "retries", options=("--clock", "adjustable")) as started:
        yield started


@pytest.fixture
def make(server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Functions]:
    with functions(server.client(), request.node.name) as made:
        yield made


def send(client: Any, name: str, event: object) -> str:
    answer = client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))
    return str(answer["ResponseMetadata"]["RequestId"])


def advance(server: LiveServer, span: str) -> None:
    command = [sys.executable, "-m", "lampion", "clock", "advance", span]
    subprocess.run(command, env=server.aws_environ(), capture_output=True, timeout=60, check=True)


def test_every_attempt_has_the_request_id_of_the_event(server: LiveServer, make: Functions) -> None:
    name = make(FAIL_TWICE)
    request_id = send(server.client(), name, {})
    for attempts, span in ((1, "1m"), (2, "2m")):
        until(lambda runs=attempts: len(logged(server, name, f"END RequestId: {request_id}")) == runs)  # type: ignore[misc]
        advance(server, span)
    until(lambda: logged(server, name, "done at last"))
    assert (
        len(logged(server, name, "END RequestId: ")) == len(logged(server, name, f"END RequestId: {request_id}")) == 3
    )


def test_events_that_wait_run_by_what_the_function_is_when_their_turn_comes(
    server: LiveServer, make: Functions
) -> None:
    client = server.client()
    name = make(VARIANT, Timeout=20, Environment={"Variables": {"FUNCTION_VARIANT": "variant-1"}})
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    send(client, name, {"number": 1, "kind": "sleep"})
    until(lambda: logged(server, name, "START RequestId"))
    for number in range(2, 11):
        send(client, name, {"number": number, "kind": "before"})
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"FUNCTION_VARIANT": "variant-2"}}
    )
    wait_updated(client, name)
    for number in range(11, 16):
        send(client, name, {"number": number, "kind": "after"})
    until(lambda: len(logged(server, name, "--variant-")) == 15)
    history = sorted(line.split()[-1] for line in logged(server, name, "--variant-"))
    assert history == [
        "01-sleep--variant-1",
        *(f"{number:02}-before--variant-2" for number in range(2, 11)),
        *(f"{number:02}-after--variant-2" for number in range(11, 16)),
    ]
