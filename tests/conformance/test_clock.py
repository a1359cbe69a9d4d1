"""A server whose clock may be advanced: what waits long happens at once, what runs isn't disturbed; others refuse."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lampion.cli.client import Answer, Call, send
from tests.deployment import Functions, functions
from tests.live_server import LiveServer

SOURCE = """
import time
STARTED = []

def handler(event, context):
    STARTED.append(1)
    left_before = context.get_remaining_time_in_millis()
    time.sleep(event.get("seconds", 0))
    return {"times": len(STARTED), "left": [left_before, context.get_remaining_time_in_millis()]}
"""


@pytest.fixture(scope="module")
def server(marked_root: Path) -> Iterator[LiveServer]:
    options = ("--clock", "adjustable", "--idle-seconds", "600")
    with LiveServer(data=marked_root / "adjustable", options=options) as started:
        yield started


@pytest.fixture
def make(server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Functions]:
    with functions(server.client(), request.node.name) as made:
        yield made


def lampion(server: LiveServer, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "lampion", "clock", *arguments]
    return subprocess.run(command, env=server.aws_environ(), capture_output=True, timeout=60, check=False, text=True)


def ahead(server: LiveServer) -> float:
    return float(json.loads(ask(server, "GET").body)["ahead_seconds"])


def ask(server: LiveServer, method: str, body: bytes = b"") -> Answer:
    return send(server.server, Call(method, ("_lampion", "clock"), body=body), timeout_seconds=20)


def invoke(client: Any, name: str, **event: Any) -> dict[str, Any]:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event))
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    assert isinstance(told, dict)
    return told


def test_idle_environments_end_when_the_time_for_it_is_advanced(server: LiveServer, make: Functions) -> None:
    client, name = server.client(), make(SOURCE)
    assert [invoke(client, name)["times"] for _ in range(2)] == [1, 2]
    assert lampion(server, "advance", "9m").returncode == 0
    assert invoke(client, name)["times"] == 3, "nine minutes aren't ten"
    assert lampion(server, "advance", "9m").returncode == 0
    assert invoke(client, name)["times"] == 4, "it was used since"
    assert lampion(server, "advance", "11m").returncode == 0
    assert invoke(client, name)["times"] == 1, "a cold start"


def test_what_runs_and_what_is_signed_goes_by_the_machines_clock(server: LiveServer, make: Functions) -> None:
    client, name = server.client(), make(SOURCE, Timeout=5)
    told: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: told.append(invoke(client, name, seconds=2)))
    thread.start()
    time.sleep(1)
    before = ahead(server)
    advanced = lampion(server, "advance", "11h")
    thread.join()
    assert (advanced.returncode, advanced.stderr) == (0, "")
    assert ahead(server) - before == 39_600
    ((left_before, left_after),) = [one["left"] for one in told]
    assert 4000 < left_before <= 5000
    assert 2000 < left_after < 3100, "no time passed for the function but its own"
    assert invoke(client, name)["times"] == 2, "the environment that was busy is there"


def metrics_of(server: LiveServer, name: str) -> dict[str, Any]:
    answer = send(server.server, Call("GET", ("_lampion", "metrics", name)), timeout_seconds=20)
    functions = json.loads(answer.body)["functions"]
    return functions[0]["metrics"] if functions else {}


def wait_for(server: LiveServer, name: str, metric: str, value: int) -> dict[str, Any]:
    give_up_at = time.monotonic() + 20
    while (metrics := metrics_of(server, name)).get(metric, 0) != value:
        assert time.monotonic() < give_up_at, metrics
        time.sleep(0.05)
    return metrics


def test_retries_of_an_event_come_when_their_time_is_advanced(server: LiveServer, make: Functions) -> None:
    client, name = server.client(), make("def handler(event, context):\n    raise ValueError('never')\n")
    client.invoke(FunctionName=name, InvocationType="Event", Payload="{}")
    wait_for(server, name, "Errors", 1)
    assert lampion(server, "advance", "50s").returncode == 0
    time.sleep(0.5)
    assert metrics_of(server, name)["Errors"] == 1, "the first retry comes after a minute"
    assert lampion(server, "advance", "15s").returncode == 0
    wait_for(server, name, "Errors", 2)
    assert lampion(server, "advance", "130s").returncode == 0
    wait_for(server, name, "Errors", 3)
    dropped = wait_for(server, name, "AsyncEventsDropped", 1)
    assert dropped["AsyncEventAge"]["Maximum"] >= 180_000


def test_an_event_gets_too_old_when_its_age_is_advanced(server: LiveServer, make: Functions) -> None:
    client, name = server.client(), make("def handler(event, context):\n    raise ValueError('never')\n")
    client.put_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60)
    client.invoke(FunctionName=name, InvocationType="Event", Payload="{}")
    wait_for(server, name, "Errors", 1)
    assert "AsyncEventsDropped" not in metrics_of(server, name)
    assert lampion(server, "advance", "61s").returncode == 0
    assert wait_for(server, name, "AsyncEventsDropped", 1)["Errors"] == 1, "it wasn't tried again"


def test_the_command_shows_and_moves_the_clock(server: LiveServer) -> None:
    before = ahead(server)
    shown = lampion(server)
    assert shown.returncode == 0
    assert shown.stdout.endswith(f"Z ({before:g} s ahead)\n")
    moved = lampion(server, "advance", "90s")
    assert moved.stdout.endswith(f"Z ({before + 90:g} s ahead)\n")
    by_directory = [sys.executable, "-m", "lampion", "clock", "--data", str(server.data), "advance", "30s"]
    assert subprocess.run(by_directory, capture_output=True, timeout=60, check=False).returncode == 0
    assert ahead(server) == before + 120
    assert "--clock adjustable: whoever has a key may" in server.output


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[1]",
        b'{"advance_seconds": "1"}',
        b'{"advance_seconds": 0}',
        b'{"advance_seconds": -60}',
        b'{"advance_seconds": 1e400}',
        b'{"advance_seconds": 40000000}',
        b'{"advance_seconds": 1, "more": 1}',
        b"\xff\xfe",
    ],
)
def test_what_cannot_be_meant_is_refused_and_moves_nothing(server: LiveServer, body: bytes) -> None:
    before = ahead(server)
    answer = ask(server, "POST", body)
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "ValidationException"), answer.body
    assert ahead(server) == before
    assert "Traceback" not in server.output


def test_a_body_beyond_reason_is_refused(server: LiveServer) -> None:
    assert ask(server, "POST", b" " * 2000).status == 413


@pytest.mark.parametrize("span", ["2", "2 m", "-1m", "m", "0s"])
def test_spans_are_written_as_spans(server: LiveServer, span: str) -> None:
    before = ahead(server)
    assert lampion(server, "advance", "--", span).returncode == 2
    assert ahead(server) == before


def test_any_other_server_says_why_it_refuses(live_server: LiveServer) -> None:
    shown = lampion(live_server)
    assert shown.returncode == 0
    assert "(the machine's; it can't be advanced)" in shown.stdout
    refused = lampion(live_server, "advance", "2m")
    assert refused.returncode == 2
    assert "it was started without --clock adjustable" in refused.stderr
    assert not json.loads(ask(live_server, "GET").body)["adjustable"]
    assert "--clock" not in live_server.output
