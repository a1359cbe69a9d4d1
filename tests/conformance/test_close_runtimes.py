"""A runtime whose own version isn't on this machine: refused with what helps, or served by the closest, and told."""

import base64
import json
import platform
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.component.nodejs_runtime.node_process import node
from tests.deployment import configuration, creation, functions, unique_name, wait_active, zipped
from tests.live_server import LiveServer

ABSENT = "python3.15"
"""Of a version that the set interpreter isn't."""

SETTING = ("--interpreter", f"{ABSENT}={Path(sys.executable).resolve()}")
FEATURE = f"{sys.version_info.major}.{sys.version_info.minor}"
LOOKS = """
import os, sys, answer
def handler(event, context):
    return ["%d.%d" % sys.version_info[:2], os.environ["AWS_EXECUTION_ENV"], answer.ANSWER]
"""


def invoke(client: Any, name: str) -> tuple[Any, str]:
    answer = client.invoke(FunctionName=name, Payload=b"{}", LogType="Tail")
    return json.load(answer["Payload"]), base64.b64decode(answer["LogResult"]).decode()


def test_without_the_setting_a_function_says_what_it_could_run_on(start_server: Callable[..., LiveServer]) -> None:
    client, name = start_server(*SETTING).client(), unique_name("close")
    client.create_function(**creation(name, LOOKS, Runtime=ABSENT))
    with pytest.raises(WaiterError):
        wait_active(client, name)
    told = configuration(client, name)
    assert (told["State"], told["StateReasonCode"]) == ("Failed", "InvalidRuntime")
    assert f"or start the server with --close-runtimes to use Python {FEATURE}, and update" in told["StateReason"]


def test_a_close_version_serves_and_is_told_wherever_versions_are(start_server: Callable[..., LiveServer]) -> None:
    server = start_server(*SETTING, "--close-runtimes")
    told = re.findall(r"--close-runtimes: version (\S+), \S+, runs also (.*)", server.output)
    assert [version for version, names in told if ABSENT in names.split(", ")] == [platform.python_version()]
    client = server.client()
    layer = zipped({f"python/lib/{ABSENT}/site-packages/answer.py": "ANSWER = 42"})
    arn = client.publish_layer_version(LayerName="answers", Content={"ZipFile": layer})["LayerVersionArn"]
    with functions(client, "close") as deploy:
        name = deploy(LOOKS, Runtime=ABSENT, Layers=[arn])
        own = deploy(LOOKS, Runtime=f"python{FEATURE}")
        assert invoke(client, name)[0] == [FEATURE, f"AWS_Lambda_{ABSENT}", 42]
        arns = {configuration(client, one)["RuntimeVersionConfig"]["RuntimeVersionArn"] for one in (name, own)}
        assert len(arns) == 2
        (begun,) = [line for line in server.log_of(name) if "INIT_START" in line]
        patch = platform.python_version().removeprefix(FEATURE).lstrip(".")
        assert f"INIT_START Runtime Version: python:{FEATURE}.v{patch}\tRuntime Version ARN: arn:" in begun


def test_a_node_that_stands_in_keeps_what_the_runtime_allows(start_server: Callable[..., LiveServer]) -> None:
    """Handlers with callbacks ended with Node.js 24, but those are what functions of nodejs22.x may have."""
    server = start_server("--interpreter", f"nodejs22.x={node(24)}", LAMPION_CLOSE_RUNTIMES="yes")
    client = server.client()
    with functions(client, "close") as deploy:
        source = (
            "exports.handler = (event, context, callback) => callback(null, [process.version, process.argv.length]);"
        )
        name = deploy({"index.js": source}, Runtime="nodejs22.x")
        (version, arguments), _ = invoke(client, name)
        assert (version.partition(".")[0], arguments) == ("v24", 2)
