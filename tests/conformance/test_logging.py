"""LoggingConfig on a running function: formats, levels and groups, for Python, Node.js and any program's output."""

import base64
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from tests.deployment import Functions, wait_updated
from tests.live_server import LiveServer

PYTHON = """
import json
import logging

def handler(event, context):
    own = logging.getLogger("own")
    own.setLevel(1)
    for level in ("debug", "info", "warning", "error", "critical"):
        getattr(own, level)(level)
    print("printed")
    at = "2026-11-26T12:00:00Z"
    for level in ("TRACE", "debug", "Info", "WARN", "error", "FATAL"):
        print(json.dumps({"level": level, "timestamp": at, "message": f"line at {level}"}))
"""
NODEJS = """
exports.handler = async () => {
  for (const level of ["trace", "debug", "info", "warn", "error", "fatal"]) console[level](level);
  process.stdout.write("printed\\n");
};
"""
LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]


def log_of(client: Any, name: str) -> list[str]:
    told = client.invoke(FunctionName=name, LogType="Tail")
    assert "FunctionError" not in told, told["Payload"].read()
    return base64.b64decode(told["LogResult"]).decode().splitlines()


def configure(client: Any, name: str, **logging: str) -> None:
    client.update_function_configuration(FunctionName=name, LoggingConfig=logging)
    wait_updated(client, name)


def platform(lines: Sequence[str]) -> list[str]:
    """What Lambda itself writes of one invocation: its types in JSON, its first words in text."""
    found = [json.loads(line) for line in lines if line.startswith('{"time":')]
    texts = [line.partition(" ")[0] for line in lines if line.startswith(("START ", "END ", "REPORT "))]
    return [record["type"] for record in found] + texts


def own(lines: Sequence[str]) -> list[Any]:
    return [
        line if not line.startswith("{") else json.loads(line)["message"] for line in lines if '"time":' not in line
    ]


@pytest.mark.parametrize("level", LEVELS)
def test_an_application_level_hides_what_is_below_it(lambda_client: Any, make_function: Functions, level: str) -> None:
    """Also where code lowers the level of a logger, and in JSON that any program writes; never what is no JSON."""
    name = make_function(PYTHON, LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": level})
    least = LEVELS.index(level)
    pythons = ["debug", "info", "warning", "error", "critical"]
    expected = [
        *(text for text in pythons if pythons.index(text) + 1 >= least),
        "printed",
        *(f"line at {text}" for text in ("TRACE", "debug", "Info", "WARN", "error", "FATAL")[least:]),
    ]
    assert own(log_of(lambda_client, name)) == expected


def test_a_system_level_hides_lambdas_own_lines(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(PYTHON, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "WARN"})
    log_of(lambda_client, name)
    assert platform(log_of(lambda_client, name)) == []
    configure(lambda_client, name, LogFormat="JSON", SystemLogLevel="INFO")
    assert platform(log_of(lambda_client, name))[-2:] == ["platform.start", "platform.report"]
    configure(lambda_client, name, LogFormat="JSON", SystemLogLevel="DEBUG")
    log_of(lambda_client, name)
    assert platform(log_of(lambda_client, name)) == ["platform.start", "platform.runtimeDone", "platform.report"]


def test_an_update_changes_the_format_and_levels_go_with_it(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(
        {"index.js": NODEJS}, Runtime="nodejs20.x", Handler="index.handler", LoggingConfig={"LogFormat": "JSON"}
    )
    assert own(log_of(lambda_client, name)) == ["info", "warn", "error", "fatal", "printed"]
    configure(lambda_client, name, ApplicationLogLevel="ERROR")
    assert own(log_of(lambda_client, name)) == ["error", "fatal", "printed"]
    configure(lambda_client, name, LogFormat="Text")
    found = lambda_client.get_function_configuration(FunctionName=name)["LoggingConfig"]
    assert found == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
    log_of(lambda_client, name)
    lines = log_of(lambda_client, name)
    assert platform(lines) == ["START", "END", "REPORT"]
    assert [line.split("\t")[2:] for line in lines[1:-3]] == [
        [level.upper(), level] for level in map(str.lower, LEVELS)
    ]


def test_another_log_group_takes_what_comes_from_then_on(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    name = make_function("def handler(event, context):\n    print(event)\n")
    lambda_client.invoke(FunctionName=name, Payload=b'"before"')
    configure(lambda_client, name, LogGroup="/of/several")
    lambda_client.invoke(FunctionName=name, Payload=b'"after"')
    log = shown(live_server, name)
    assert " after" in log
    assert " before" not in log, "that is in the group that it had"
    other = make_function("def handler(event, context):\n    print(event)\n", LoggingConfig={"LogGroup": "/of/several"})
    lambda_client.invoke(FunctionName=other, Payload=b'"from another function"')
    assert "from another function" in shown(live_server, name)


def shown(server: LiveServer, name: str) -> str:
    command = [sys.executable, "-m", "lampion", "logs", name, "--data", str(server.data)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_active_tracing_records_what_no_caller_has_decided_on(lambda_client: Any, make_function: Functions) -> None:
    source = "import os\n\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n"
    traced = make_function(source, TracingConfig={"Mode": "Active"})
    passing = make_function(source)
    seen = {}
    for name in (traced, passing):
        told = lambda_client.invoke(FunctionName=name, LogType="Tail")
        header = json.loads(told["Payload"].read())
        seen[name] = header
        report = base64.b64decode(told["LogResult"]).decode().partition("REPORT ")[2]
        root = header.partition(";")[0].removeprefix("Root=")
        xray = [line for line in report.splitlines() if line.startswith(f"XRAY TraceId: {root}\tSegmentId: ")]
        assert [line.endswith("\tSampled: true") for line in xray] == ([True] if name == traced else [])
    assert "Sampled=1" in seen[traced]
    assert "Sampled=0" in seen[passing]
