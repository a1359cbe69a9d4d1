"""The AWS CLI v1 against a live server, as a shell uses it."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.sources import ECHO, FAIL, GREET, TELL_CONTEXT
from tests.deployment import ROLE, RUNTIME, unique_name, zipped
from tests.live_server import LiveServer

AWS = Path(sys.executable).with_name("aws")
SECONDS = 60

Aws = Callable[..., Any]


class AwsFailed(Exception):
    """The command ended with another code than 0; the message is its stderr."""


@pytest.fixture
def aws(live_server: LiveServer) -> Aws:
    """`aws("list-functions")` is `aws lambda list-functions`, its JSON output parsed."""

    def call(operation: str, *arguments: str) -> Any:
        command = [sys.executable, str(AWS), "--output", "json", "lambda", operation, *arguments]
        done = subprocess.run(
            command,
            env=live_server.aws_environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise AwsFailed(done.stderr.strip())
        return json.loads(done.stdout) if done.stdout.strip() else None

    return call


@pytest.fixture
def deploy(aws: Aws, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """`deploy(source, *arguments)` creates and waits; the name. Deleted at the end."""
    names: list[str] = []

    def create(source: str, *arguments: str) -> str:
        name = unique_name("aws-cli")
        names.append(name)
        required = ["--function-name", name, "--runtime", RUNTIME, "--role", ROLE, "--handler", "index.handler"]
        aws("create-function", *required, "--zip-file", package(tmp_path, source), *arguments)
        aws("wait", "function-active-v2", "--function-name", name)
        return name

    yield create
    for name in names:
        aws("delete-function", "--function-name", name)


def package(folder: Path, source: str) -> str:
    """A zip file, as the CLI's --zip-file wants it."""
    path = folder / "package.zip"
    path.write_bytes(zipped(source))
    return f"fileb://{path}"


def invoke(aws: Aws, folder: Path, name: str, *arguments: str) -> tuple[Any, bytes]:
    """The CLI's own output and the payload that it wrote to its file."""
    out = folder / "answer.json"
    shown = aws("invoke", "--function-name", name, *arguments, str(out))
    return shown, out.read_bytes()


def test_create_invoke_update_list_delete(aws: Aws, deploy: Callable[..., str], tmp_path: Path) -> None:
    name = deploy(ECHO, "--timeout", "9", "--memory-size", "256")
    shown, payload = invoke(aws, tmp_path, name, "--payload", '{"a": 1}', "--log-type", "Tail")
    assert (shown["StatusCode"], shown["ExecutedVersion"]) == (200, "$LATEST")
    assert json.loads(payload) == {"heard": {"a": 1}}
    assert "heard {'a': 1}" in base64.b64decode(shown["LogResult"]).decode()

    aws("update-function-code", "--function-name", name, "--zip-file", package(tmp_path, GREET))
    aws("wait", "function-updated-v2", "--function-name", name)
    assert json.loads(invoke(aws, tmp_path, name, "--payload", '{"name": "Ada"}')[1]) == {"greeting": "hello Ada"}

    aws("update-function-configuration", "--function-name", name, "--description", "greets")
    aws("wait", "function-updated-v2", "--function-name", name)
    found = aws("get-function", "--function-name", name)["Configuration"]
    assert (found["Description"], found["Timeout"], found["MemorySize"]) == ("greets", 9, 256)

    listed = aws("list-functions", "--page-size", "1")["Functions"]
    assert name in [function["FunctionName"] for function in listed]


def test_a_handler_error_and_a_dry_run(aws: Aws, deploy: Callable[..., str], tmp_path: Path) -> None:
    name = deploy(FAIL)
    shown, payload = invoke(aws, tmp_path, name, "--payload", "{}")
    assert (shown["StatusCode"], shown["FunctionError"]) == (200, "Unhandled")
    assert json.loads(payload)["errorMessage"] == "no such luck"

    shown, payload = invoke(aws, tmp_path, name, "--invocation-type", "DryRun")
    assert (shown["StatusCode"], payload) == (204, b"")


def test_the_handler_sees_the_client_context(aws: Aws, deploy: Callable[..., str], tmp_path: Path) -> None:
    name = deploy(TELL_CONTEXT)
    context = base64.b64encode(b'{"custom": {"tenant": "blue"}}').decode()
    _, payload = invoke(aws, tmp_path, name, "--client-context", context)
    assert json.loads(payload)["custom"] == {"tenant": "blue"}


def test_errors_name_their_operation_and_code(aws: Aws, deploy: Callable[..., str], tmp_path: Path) -> None:
    with pytest.raises(AwsFailed, match=r"\(ResourceNotFoundException\) when calling the GetFunction operation"):
        aws("get-function", "--function-name", unique_name("missing"))

    name = deploy(ECHO)
    taken = ["--function-name", name, "--runtime", RUNTIME, "--role", ROLE, "--handler", "index.handler"]
    with pytest.raises(AwsFailed, match=r"\(ResourceConflictException\).*Function already exist"):
        aws("create-function", *taken, "--zip-file", package(tmp_path, ECHO))

    with pytest.raises(
        AwsFailed, match=r"\(ValidationException\).*1 validation error detected: Value 'nobody' at 'role'"
    ):
        aws("update-function-configuration", "--function-name", name, "--role", "nobody")
