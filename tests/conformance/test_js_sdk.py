"""The AWS SDK for JavaScript v3 against a live server: a second, independent reading of the same answers."""

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.sources import ECHO, FAIL, GREET, TELL_CONTEXT
from tests.deployment import ROLE, RUNTIME, unique_name, zipped
from tests.live_server import LiveServer

JS = Path(__file__).with_name("js")
SECONDS = 90

Step = dict[str, Any]


def command(name: str, **arguments: Any) -> Step:
    return {"command": name, "input": arguments}


def wait_for(state: str, name: str) -> Step:
    return {"waitFor": state, "input": {"FunctionName": name}}


def bytes_of(content: bytes) -> dict[str, str]:
    """How call.mjs spells bytes."""
    return {"$base64": base64.b64encode(content).decode()}


def create(name: str, source: str, **configuration: Any) -> list[Step]:
    required = {"FunctionName": name, "Runtime": RUNTIME, "Role": ROLE, "Handler": "index.handler"}
    code = {"ZipFile": bytes_of(zipped(source))}
    return [command("CreateFunction", **required, Code=code, **configuration), wait_for("FunctionActiveV2", name)]


def invoke(name: str, event: object, **arguments: Any) -> Step:
    return command("Invoke", FunctionName=name, Payload=bytes_of(json.dumps(event).encode()), **arguments)


def payload(answer: Any) -> Any:
    return json.loads(base64.b64decode(answer["Payload"]["$base64"]))


@pytest.fixture
def run(live_server: LiveServer) -> Callable[[list[Step]], list[Any]]:
    """Runs steps in one Node.js process; an answer, or {"$error": ...}, for each."""

    def call(steps: list[Step]) -> list[Any]:
        done = subprocess.run(
            ["node", "call.mjs"],
            cwd=JS,
            env=live_server.aws_environ(),
            input=json.dumps(steps),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answers = json.loads(done.stdout)
        assert len(answers) == len(steps)
        return list(answers)

    return call


def test_create_invoke_update_list_delete(run: Callable[[list[Step]], list[Any]]) -> None:
    name = unique_name("js-sdk")
    created, active, echoed, coded, _, greeted, configured, _, found, listed, deleted, gone = run(
        [
            *create(name, ECHO, Timeout=9, MemorySize=256),
            invoke(name, {"a": 1}, LogType="Tail"),
            command("UpdateFunctionCode", FunctionName=name, ZipFile=bytes_of(zipped(GREET))),
            wait_for("FunctionUpdatedV2", name),
            invoke(name, {"name": "Ada"}),
            command("UpdateFunctionConfiguration", FunctionName=name, Description="greets"),
            wait_for("FunctionUpdatedV2", name),
            command("GetFunction", FunctionName=name),
            {"paginate": "ListFunctions", "input": {}},
            command("DeleteFunction", FunctionName=name),
            command("GetFunction", FunctionName=name),
        ]
    )
    assert (created["FunctionName"], created["State"], active["state"]) == (name, "Pending", "SUCCESS")
    assert (echoed["StatusCode"], echoed["ExecutedVersion"], payload(echoed)) == (200, "$LATEST", {"heard": {"a": 1}})
    assert "heard {'a': 1}" in base64.b64decode(echoed["LogResult"]).decode()
    assert coded["CodeSha256"] != created["CodeSha256"]
    assert payload(greeted) == {"greeting": "hello Ada"}
    assert configured["Description"] == "greets"
    assert (found["Configuration"]["Timeout"], found["Configuration"]["MemorySize"]) == (9, 256)
    assert name in [function["FunctionName"] for page in listed["pages"] for function in page["Functions"]]
    assert deleted["$metadata"]["httpStatusCode"] in (200, 204)
    assert gone["$error"]["name"] == "ResourceNotFoundException"


def test_a_handler_error_a_client_context_and_a_dry_run(run: Callable[[list[Step]], list[Any]]) -> None:
    failing, telling = unique_name("js-sdk-fail"), unique_name("js-sdk-tell")
    context = base64.b64encode(b'{"custom": {"tenant": "blue"}}').decode()
    answers = run(
        [
            *create(failing, FAIL),
            *create(telling, TELL_CONTEXT),
            invoke(failing, {}),
            invoke(failing, {}, InvocationType="DryRun"),
            invoke(telling, {}, ClientContext=context),
            command("DeleteFunction", FunctionName=failing),
            command("DeleteFunction", FunctionName=telling),
        ]
    )
    failed, dry, told = answers[4:7]
    assert (failed["FunctionError"], payload(failed)["errorType"]) == ("Unhandled", "ValueError")
    assert dry["StatusCode"] == 204
    assert payload(told)["custom"] == {"tenant": "blue"}


def test_errors_are_instances_of_the_modelled_classes(run: Callable[[list[Step]], list[Any]]) -> None:
    name = unique_name("js-sdk")
    created = create(name, ECHO)
    answers = run(
        [
            *created,
            created[0],
            command("GetFunction", FunctionName=unique_name("missing")),
            command("UpdateFunctionConfiguration", FunctionName=name, Timeout=0),
            command("DeleteFunction", FunctionName=name),
        ]
    )
    taken, missing, invalid = (answer["$error"] for answer in answers[2:5])
    assert (taken["name"], taken["status"], taken["known"]) == ("ResourceConflictException", 409, True)
    assert (missing["name"], missing["status"], missing["Type"]) == ("ResourceNotFoundException", 404, "User")
    assert (invalid["status"], invalid["known"]) == (400, True)
    assert "Value '0' at 'timeout' failed to satisfy constraint" in invalid["message"]


def test_a_stream_of_pieces(run: Callable[[list[Step]], list[Any]]) -> None:
    echoing, failing = unique_name("js-sdk"), unique_name("js-sdk")
    event = bytes_of(json.dumps("x" * 100_000).encode())
    answers = run(
        [
            *create(echoing, ECHO),
            *create(failing, FAIL),
            command("InvokeWithResponseStream", FunctionName=echoing, Payload=event, LogType="Tail"),
            command("InvokeWithResponseStream", FunctionName=failing),
            command("InvokeWithResponseStream", FunctionName=unique_name("missing")),
            command("DeleteFunction", FunctionName=echoing),
            command("DeleteFunction", FunctionName=failing),
        ]
    )
    echoed, failed, missing = answers[4:7]
    assert (echoed["StatusCode"], echoed["ExecutedVersion"]) == (200, "$LATEST")
    *chunks, complete = echoed["EventStream"]
    content = b"".join(base64.b64decode(chunk["PayloadChunk"]["Payload"]["$base64"]) for chunk in chunks)
    assert json.loads(content) == {"heard": "x" * 100_000}
    assert len(chunks) > 1
    assert list(complete["InvokeComplete"]) == ["LogResult"]
    [told] = failed["EventStream"]
    assert told["InvokeComplete"]["ErrorCode"] == "ValueError"
    assert missing["$error"]["name"] == "ResourceNotFoundException"
