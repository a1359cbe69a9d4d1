"""Extensions in layers, beside functions on a live server: AWS's samples in Python and Node.js, and ones that fail."""

import concurrent.futures
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.recorded.handlers import package
from tests.conformance.test_layers_at_run_time import on_server, publish
from tests.conformance.test_nodejs import RUNTIME as NODE_RUNTIME
from tests.deployment import Functions, unique_name
from tests.live_server import LiveServer
from tests.sandbox.boxes import processes_with

EXAMPLES = Path(__file__).parents[2] / "examples" / "extensions"
ECHO = "def handler(event, context):\n    print('function', event)\n    return event\n"
NODE_ECHO = "exports.handler = async (event) => event;\n"
CLIENT = """#!/usr/bin/env python3
import json, os, pathlib, signal, sys, time, urllib.request
NAME = pathlib.Path(__file__).name
API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension"
def call(path, body=None, **headers):
    headers = {"Lambda-Extension-" + name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(API + path, body, headers)) as response:
        return response.headers.get("Lambda-Extension-Identifier"), json.load(response)
def register(*events):
    return call("/register", json.dumps({"events": events}).encode(), Name=NAME)[0]
def next_event(identifier):
    return call("/event/next", Identifier=identifier)[1]
"""


def extension_layer(client: Any, scripts: Mapping[str, str], executable: bool = True) -> str:
    files = {f"extensions/{name}": script for name, script in scripts.items()}
    return publish(client, package(files, executable=files if executable else ()))


def sample_layer(client: Any, name: str) -> str:
    """One of examples/extensions, as it lies there."""
    directory = EXAMPLES / name.partition("-")[0]
    files = {str(path.relative_to(directory)): path.read_text() for path in directory.glob("*/*")}
    return publish(client, package(files, executable=(f"extensions/{name}",)))


def log_of(server: LiveServer, name: str) -> list[str]:
    """Every line of the function's log, stream by stream."""
    directory = server.data / "logs" / "123456789012" / "us-east-1" / f"%2Faws%2Flambda%2F{name}"
    lines = list[str]()
    for path in sorted(directory.glob("*.log")):
        lines += path.read_text(errors="replace").splitlines()
    return lines


def eventually(condition: Callable[[], Any], seconds: float = 10) -> Any:
    give_up_at = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up_at, "it doesn't come about"
        time.sleep(0.02)
    return found


def until_reported(server: LiveServer, name: str, times: int) -> None:
    eventually(lambda: sum(line.startswith("REPORT") for line in log_of(server, name)) == times)


def until_shut_down(server: LiveServer, name: str) -> list[str]:
    """What its log says up to an extension's last words."""
    eventually(lambda: "SHUTDOWN" in log_of(server, name)[-1])
    return log_of(server, name)


def invoke(client: Any, name: str, event: Any = 1, **arguments: Any) -> tuple[Any, str | None]:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), **arguments)
    return json.load(answer["Payload"]), answer.get("FunctionError")


def events_in(lines: list[str], name: str) -> list[dict[str, Any]]:
    start = f"[{name}] Received event: "
    return [json.loads(line.partition(start)[2]) for line in lines if start in line]


@pytest.mark.parametrize("driver", ["namespace", "process", "oci"])
def test_aws_s_samples_run_beside_functions(
    driver: str, start_server: Callable[..., LiveServer], live_server: LiveServer
) -> None:
    if driver == "oci" and (os.geteuid() != 0 or shutil.which("crun") is None):
        pytest.skip("needs root and crun")
    python, node = "python-example-extension", "nodejs-example-extension"
    cases: list[tuple[str, Any, dict[str, str]]] = [
        (python, ECHO, {}),
        (node, {"index.js": NODE_ECHO}, {"Runtime": NODE_RUNTIME}),
    ]
    server = live_server if driver == "namespace" else start_server("--sandbox", driver)
    with on_server(server) as (client, made):
        for sample, source, configuration in cases:
            name = made(source, Layers=[sample_layer(client, sample)], Timeout=10, **configuration)
            arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
            for number in (1, 2):
                assert invoke(client, name, number) == (number, None)
                until_reported(server, name, number)  # else there may be two environments
            client.delete_function(FunctionName=name)
            lines = until_shut_down(server, name)
            told = events_in(lines, sample)
            assert [event["eventType"] for event in told] == ["INVOKE", "INVOKE", "SHUTDOWN"]
            requests = [line.split()[2] for line in lines if line.startswith("START")]
            assert [event["requestId"] for event in told[:2]] == requests
            assert {event["invokedFunctionArn"] for event in told[:2]} == {arn}
            assert told[0]["tracing"]["value"].startswith("Root=1-")
            assert told[2]["shutdownReason"] == "spindown"
            assert lines.index(f"EXTENSION\tName: {sample}\tState: Ready\tEvents: [INVOKE, SHUTDOWN]") < next(
                number for number, line in enumerate(lines) if line.startswith("START")
            )


def test_what_an_extension_finds_around_it(
    lambda_client: Any, make_function: Functions, live_server: LiveServer
) -> None:
    script = CLIENT + "print('FOUND', json.dumps([dict(os.environ), os.getcwd(), os.getuid(), os.listdir('/proc')]))\n"
    script += "sys.stdout.flush()\nidentifier = register()\nnext_event(identifier)\n"
    layer = extension_layer(lambda_client, {"curious": script})
    name = make_function(ECHO, Layers=[layer], Environment={"Variables": {"MINE": "1"}})
    invoke(lambda_client, name)
    line = eventually(lambda: [line for line in log_of(live_server, name) if line.startswith("FOUND")])[0]
    environ, directory, user, processes = json.loads(line.removeprefix("FOUND "))
    assert (environ["MINE"], environ["AWS_LAMBDA_FUNCTION_NAME"], directory, user) == ("1", name, "/", 993)
    assert environ["AWS_ACCESS_KEY_ID"]
    assert not [name for name in environ if name.startswith("_")]
    assert not environ.keys() & {"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_STREAM_NAME", "LAMBDA_TASK_ROOT", "PYTHONPATH"}
    assert {"1", "2", "3"} <= set(processes)


@pytest.mark.parametrize(
    ("script", "error_type", "message"),
    [
        ("raise SystemExit(1)\n", "Extension.Crash", "exit status 1"),
        ("register()\nos.kill(os.getpid(), 9)\n", "Extension.Crash", "signal: killed"),
        (
            "call('/init/error', b'{}', Identifier=register(), Function_Error_Type='Extension.NoConfig')\n",
            "Extension.InitError",
            "exit code 0",
        ),
        ("next_event(register('INVOKE'))\nsys.exit(3)\n", "Extension.Crash", "exit status 3"),
        ("bytearray(b'x') * (1 << 30)\n", "Extension.Crash", "signal: killed"),
    ],
    ids=["crashes", "is killed", "reports", "crashes at work", "wants too much"],
)
def test_one_that_fails_fails_the_invocation(
    script: str, error_type: str, message: str, lambda_client: Any, make_function: Functions
) -> None:
    layer = extension_layer(lambda_client, {"failing": CLIENT + script})
    source = "import time\ndef handler(event, context):\n    time.sleep(5)\n"
    name = make_function(source, Layers=[layer], Timeout=20)
    for _ in range(2):
        payload, error = invoke(lambda_client, name)
        assert error == "Unhandled"
        assert payload["errorType"] == error_type
        assert payload["errorMessage"].partition("Error: ")[2] == message
        assert payload["errorMessage"].startswith("RequestId: ")


def test_what_is_no_program_and_what_is_one_too_many(lambda_client: Any, make_function: Functions) -> None:
    plain = make_function(ECHO, Layers=[extension_layer(lambda_client, {"x": CLIENT}, executable=False)])
    payload, _ = invoke(lambda_client, plain)
    assert payload["errorType"] == "Extension.LaunchError"
    assert payload["errorMessage"].endswith("Error: fork/exec /opt/extensions/x: permission denied")
    many = make_function(ECHO, Layers=[extension_layer(lambda_client, {f"e{n}": CLIENT for n in range(11)})])
    payload, _ = invoke(lambda_client, many)
    assert payload["errorType"] == "Extension.LaunchError"


def test_the_answer_comes_at_once_and_concurrency_is_held_until_extensions_are_done(
    lambda_client: Any, make_function: Functions
) -> None:
    script = CLIENT + "identifier = register('INVOKE')\nwhile True:\n    next_event(identifier)\n    time.sleep(2)\n"
    name = make_function(ECHO, Layers=[extension_layer(lambda_client, {"slow": script})], Timeout=10)
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert invoke(lambda_client, name) == (1, None)  # and the environment is there
    eventually(lambda: attempt(lambda_client, name) == "done")
    assert attempt(lambda_client, name) == "TooManyRequestsException"
    eventually(lambda: attempt(lambda_client, name) == "done")


def attempt(client: Any, name: str) -> str:
    started = time.monotonic()
    try:
        invoke(client, name)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    assert time.monotonic() - started < 1.8, "the caller waited for the extension"
    return "done"


def test_nothing_outlives_its_time(lambda_client: Any, make_function: Functions, live_server: LiveServer) -> None:
    word = f"lampion-test-{os.getpid()}-deaf"
    script = CLIENT + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nidentifier = register('INVOKE', 'SHUTDOWN')\n"
    script += "while True:\n    event = next_event(identifier)\n    print('told', event['eventType'], flush=True)\n"
    script += "    time.sleep(60 if event['eventType'] == 'SHUTDOWN' else 0)\n"
    variables = {"Variables": {"WORD": word}}
    name = make_function(ECHO, Layers=[extension_layer(lambda_client, {"deaf": script})], Environment=variables)
    assert invoke(lambda_client, name) == (1, None)
    assert processes_with(word)
    lambda_client.delete_function(FunctionName=name)
    started = time.monotonic()
    eventually(lambda: "told SHUTDOWN" in log_of(live_server, name))
    eventually(lambda: not processes_with(word))
    assert 1.0 < time.monotonic() - started < 20.0


def test_a_server_with_many_stubborn_extensions_stops_quickly(start_server: Callable[..., LiveServer]) -> None:
    script = CLIENT + "identifier = register('INVOKE', 'SHUTDOWN')\nwhile True:\n    event = next_event(identifier)\n"
    script += "    time.sleep(60 if event['eventType'] == 'SHUTDOWN' else 0)\n"
    server = start_server()
    client = server.client()
    source = "import time\ndef handler(event, context):\n    time.sleep(0.5)\n"
    name = unique_name("stubborn")
    made = Functions(client, name)
    function = made(source, Layers=[extension_layer(client, {"deaf": script})], Timeout=20)
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        assert [answer for answer, _ in threads.map(lambda _: invoke(client, function), range(4))] == [None] * 4
    client.close()
    started = time.monotonic()
    assert server.stop() == 0
    assert 1.5 < time.monotonic() - started < 6.0


def test_a_timeout_tells_extensions_why_they_end(
    lambda_client: Any, make_function: Functions, live_server: LiveServer
) -> None:
    source = "import time\ndef handler(event, context):\n    time.sleep(60)\n"
    layer = sample_layer(lambda_client, "python-example-extension")
    name = make_function(source, Layers=[layer], Timeout=1)
    payload, _ = invoke(lambda_client, name)
    assert payload["errorType"] == "Sandbox.Timedout"
    told = eventually(lambda: events_in(log_of(live_server, name), "python-example-extension")[1:])
    assert told[-1]["shutdownReason"] == "timeout"


def test_an_internal_extension_registers_from_the_runtime_s_process(
    lambda_client: Any, make_function: Functions, live_server: LiveServer
) -> None:
    source = CLIENT.replace("pathlib.Path(__file__).name", "'inside'") + (
        "import threading\n"
        "identifier = register('INVOKE')\n"
        "def listen():\n"
        "    while True: print('inside', next_event(identifier)['eventType'], flush=True)\n"
        "threading.Thread(target=listen, daemon=True).start()\n"
        "def handler(event, context):\n    return event\n"
    )
    name = make_function(source)
    for number in (1, 2):
        assert invoke(lambda_client, name, number) == (number, None)
    eventually(lambda: log_of(live_server, name).count("inside INVOKE") == 2)
    assert "EXTENSION\tName: inside\tState: Ready\tEvents: [INVOKE]" in log_of(live_server, name)
