"""Event invocations as callers see them: accepted at once, run later, tried again, and not lost with the server."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deployment import Functions, creation, unique_name
from tests.live_server import LiveServer

NOTE = """
def handler(event, context):
    print("got " + str(event["n"]) + " as " + context.aws_request_id)
    if event.get("fail"):
        raise ValueError("no")
    return event
"""


def send(client: Any, name: str, event: object, **arguments: Any) -> Any:
    return client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event), **arguments)


def until(found: Callable[[], Any], *, seconds: float = 20.0) -> Any:
    """What `found` answers as soon as it is something."""
    end = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < end:
        time.sleep(0.05)
    assert value
    return value


def logged(server: LiveServer, name: str, text: str) -> list[str]:
    """Lines of the function's log, as `lampion logs` shows them."""
    shown = subprocess.run(
        [sys.executable, "-m", "lampion", "logs", name],
        env=server.aws_environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [line for line in shown.stdout.splitlines() if text in line]


def ended(server: LiveServer) -> list[str]:
    """The request ids of all terminal records."""
    with contextlib.closing(sqlite3.connect(f"file:{server.data / 'queues.db'}?mode=ro", uri=True)) as database:
        return [row[0] for row in database.execute("SELECT request_id FROM endings")]


def test_an_event_is_accepted_at_once_and_runs(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    name = make_function(NOTE)
    answer = send(lambda_client, name, {"n": 1})
    assert (answer["StatusCode"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (202, 202)
    assert answer["Payload"].read() == b""
    assert "ExecutedVersion" not in answer
    request_id = answer["ResponseMetadata"]["RequestId"]
    until(lambda: logged(live_server, name, f"got 1 as {request_id}"))


def test_invoke_async_is_the_old_form(live_server: LiveServer, lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTE)
    assert lambda_client.invoke_async(FunctionName=name, InvokeArgs=b'{"n": 7}')["Status"] == 202
    until(lambda: logged(live_server, name, "got 7 as "))


def test_all_of_many_events_run(live_server: LiveServer, lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTE)
    for n in range(50):
        send(lambda_client, name, {"n": n})
    until(lambda: len(logged(live_server, name, "got ")) == 50)


@pytest.mark.parametrize(
    ("payload", "error"), [(b"{bad", "InvalidRequestContentException"), (b'"\xff"', "InvalidRequestContentException")]
)
def test_what_is_not_json_is_refused(lambda_client: Any, make_function: Functions, payload: bytes, error: str) -> None:
    with pytest.raises(ClientError, match=error):
        lambda_client.invoke(FunctionName=make_function(NOTE), InvocationType="Event", Payload=payload)


def test_an_event_holds_a_megabyte(live_server: LiveServer, lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTE)
    largest = b'{"n": "' + b"x" * (1_048_576 - 9) + b'"}'
    assert lambda_client.invoke(FunctionName=name, InvocationType="Event", Payload=largest)["StatusCode"] == 202
    with pytest.raises(ClientError, match="Request must be smaller than 1048576 bytes for the InvokeFunction"):
        lambda_client.invoke(FunctionName=name, InvocationType="Event", Payload=largest + b" ")
    until(lambda: logged(live_server, name, "REPORT"))


def test_there_is_no_event_for_a_function_that_is_not_there(lambda_client: Any) -> None:
    with pytest.raises(ClientError, match=r"ResourceNotFoundException.*Function not found"):
        send(lambda_client, unique_name("nobody"), {})


def test_accepted_events_survive_kill_9(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    client = server.client()
    name = unique_name("survives")
    client.create_function(**creation(name, NOTE))
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    accepted = [send(client, name, {"n": n})["ResponseMetadata"]["RequestId"] for n in range(40)]
    server.kill()
    server.start()
    until(lambda: sorted(ended(server)) == sorted(accepted))
