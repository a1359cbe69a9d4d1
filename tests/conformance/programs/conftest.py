"""A server whose runtimes have the AWS SDK, installed from what the tests' own environment has of it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.programs.packages import python_layer
from tests.conformance.sdk_package import JS_MODULES, boto3_files
from tests.conformance.test_nodejs import RUNTIME as NODE_RUNTIME
from tests.deployment import RUNTIME, Functions, functions
from tests.live_server import LiveServer

PYTHONS = tuple(dict.fromkeys((RUNTIME, "python3.11", "python3.12")))
"""That of the tests, and those of recorded cases whose functions use boto3."""


@pytest.fixture(scope="package")
def with_sdk(sdk_server: LiveServer) -> frozenset[str]:
    """The runtimes that can run on that server and have an SDK."""
    command = [sys.executable, "-m", "lampion", "doctor", "--json", "--data", str(sdk_server.data)]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return frozenset(name for name, found in report["runtimes"].items() if found["sdk"])


@pytest.fixture(scope="package")
def sdk_server(marked_root: Path) -> Iterator[LiveServer]:
    """Its functions may call its API."""
    data, boto3 = marked_root / "sdk", marked_root / "boto3"
    for name, content in boto3_files().items():
        (boto3 / name).parent.mkdir(parents=True, exist_ok=True)
        (boto3 / name).write_bytes(content)
    for runtimes, source in ((PYTHONS, boto3), ((NODE_RUNTIME,), JS_MODULES.parent)):
        command = [sys.executable, "-m", "lampion", "sdk", "install", *runtimes, "--from", str(source)]
        subprocess.run([*command, "--data", str(data)], check=True)
    shutil.rmtree(boto3)
    with LiveServer(data=data, options=("--function-access", "all")) as server:
        yield server


@pytest.fixture(scope="package")
def client(sdk_server: LiveServer) -> Iterator[Any]:
    """boto3's Lambda client for that server."""
    made = sdk_server.client()
    yield made
    made.close()


@pytest.fixture
def make(client: Any, request: pytest.FixtureRequest) -> Iterator[Functions]:
    """Functions on that server."""
    with functions(client, request.node.name) as made:
        yield made


@pytest.fixture(scope="package")
def libraries(client: Any) -> str:
    """The ARN of a layer with the libraries of the Python programs."""
    published = client.publish_layer_version(LayerName="libraries", Content={"ZipFile": python_layer()})
    return str(published["LayerVersionArn"])
