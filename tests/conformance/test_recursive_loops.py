"""Functions that invoke themselves or one another through boto3 are stopped after sixteen times, unless they may."""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lampion.cli.client import Call, send
from lampion.domain.arn import FunctionKey
from lampion.domain.trace_header import function_hash
from tests.conformance.sdk_package import boto3_files, js_sdk_files
from tests.deployment import Functions, functions
from tests.live_server import LiveServer

ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793"
PARENT = "Parent=53995c3f42cd8ad8"
HOPS = """
import json, os
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CLIENT = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}, read_timeout=100))

def handler(event, context):
    told = [{"name": context.function_name, "trace": os.environ["_X_AMZN_TRACE_ID"]}]
    if event["hops"] == 1:
        return told
    following = event["route"][event["at"] % len(event["route"])]
    event |= {"hops": event["hops"] - 1, "at": event["at"] + 1}
    try:
        answer = CLIENT.invoke(FunctionName=following, Payload=json.dumps(event))
    except ClientError as error:
        response = error.response
        return told + [{"error": response["Error"], "status": response["ResponseMetadata"]["HTTPStatusCode"]}]
    return told + json.loads(answer["Payload"].read())
"""
HOPS_JS = """
const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");
const client = new LambdaClient({ maxAttempts: 1 });

exports.handler = async (event, context) => {
  const fields = process.env._X_AMZN_TRACE_ID.split(";").map((field) => field.split("="));
  const told = [Object.fromEntries(fields)];
  if (event.hops === 1) return told;
  const Payload = JSON.stringify({ hops: event.hops - 1 });
  try {
    const answer = await client.send(new InvokeCommand({ FunctionName: context.functionName, Payload }));
    return told.concat(JSON.parse(Buffer.from(answer.Payload).toString()));
  } catch (error) {
    return told.concat([{ error: error.name, status: error.$metadata?.httpStatusCode }]);
  }
};
"""
EVENTS = """
import boto3
CLIENT = boto3.client("lambda")

def handler(event, context):
    CLIENT.invoke(FunctionName=context.function_name, InvocationType="Event", Payload="{}")
"""
TRACE = "import os\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n"


@pytest.fixture(scope="module")
def server(marked_root: Any) -> Iterator[LiveServer]:
    """One whose functions may invoke functions."""
    data = marked_root / "loops"
    with LiveServer(data=data, options=("--function-access", "all", "--max-environments", "40")) as started:
        yield started


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Any:
    return server.client(read_timeout=110)


@pytest.fixture
def make(client: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    with functions(client, request.node.name) as made:
        yield made


def hopping(make: Functions) -> str:
    return make({**boto3_files(), "index.py": HOPS}, Timeout=100, MemorySize=128)


def told_by(client: Any, name: str, route: list[str], hops: int) -> list[dict[str, Any]]:
    event = {"route": route, "at": 0, "hops": hops}
    told = json.loads(client.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read())
    assert isinstance(told, list), told
    return told


def test_a_function_that_invokes_itself_runs_sixteen_times(client: Any, make: Functions) -> None:
    name = hopping(make)
    told = told_by(client, name, [name], hops=40)
    ran, refusal = told[:-1], told[-1]
    assert [one["name"] for one in ran] == [name] * 16
    own = function_hash(FunctionKey("123456789012", "us-east-1", name))
    assert [one["trace"].partition(";Lineage=")[2] for one in ran] == [f"{n + 1}:{own}:{n}" for n in range(16)]
    assert len({one["trace"].partition(";")[0] for one in ran}) == 1, "one trace"
    assert refusal["status"] == 400
    assert refusal["error"] == {
        "Code": "RecursiveInvocationException",
        "Message": "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services "
        "resources and stopped your function's invocation.",
    }
    assert len(told_by(client, name, [name], hops=1)) == 1, "another chain begins anew"


def test_the_sdk_for_javascript_hands_the_lineage_on(client: Any, make: Functions) -> None:
    name = make({**js_sdk_files(), "index.js": HOPS_JS}, Runtime="nodejs20.x", Timeout=100, MemorySize=256)
    event = {"hops": 40}
    told = json.loads(client.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read())
    assert [one["Lineage"].rpartition(":")[2] for one in told[:-1]] == [str(number) for number in range(16)]
    assert told[-1] == {"error": "RecursiveInvocationException", "status": 400}


def test_functions_that_invoke_one_another_run_sixteen_times_each(client: Any, make: Functions) -> None:
    one, two = hopping(make), hopping(make)
    told = told_by(client, one, [two, f"{one}:$LATEST"], hops=40)
    assert [ran.get("name") for ran in told] == [one, two] * 16 + [None]
    assert told[-1]["error"]["Code"] == "RecursiveInvocationException"


def test_who_may_loop_goes_on_and_others_in_the_loop_are_stopped(client: Any, make: Functions) -> None:
    name = hopping(make)
    client.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    told = told_by(client, name, [name], hops=20)
    assert [ran.get("name") for ran in told] == [name] * 20
    client.put_function_recursion_config(FunctionName=name, RecursiveLoop="Terminate")
    assert len(told_by(client, name, [name], hops=20)) == 17


def test_a_loop_of_events_ends_after_sixteen_runs(client: Any, make: Functions, server: LiveServer) -> None:
    name = make({**boto3_files(), "index.py": EVENTS}, Timeout=100, MemorySize=128)
    client.invoke(FunctionName=name, InvocationType="Event", Payload="{}")
    give_up_at = time.monotonic() + 60
    ended = ("RecursiveInvocationsDropped", "Invocations")  # the last one that runs ends after the one that it sent
    while [(metrics := metrics_of(server, name)).get(one) for one in ended] != [1, 16]:
        assert time.monotonic() < give_up_at, metrics
        time.sleep(0.1)
    assert metrics["AsyncEventsReceived"] == 17
    time.sleep(0.5)
    told = metrics_of(server, name)
    assert (told["AsyncEventsDropped"], told["Invocations"]) == (1, 16), "it ends for good, without retries"


def metrics_of(server: LiveServer, name: str) -> dict[str, Any]:
    answer = send(server.server, Call("GET", ("_lampion", "metrics", name)), timeout_seconds=20)
    functions = json.loads(answer.body)["functions"]
    return functions[0]["metrics"] if functions else {}


def header_told(client: Any, name: str, header: str | None) -> str:
    def add(params: dict[str, Any], **_: Any) -> None:
        if header is not None:
            params["headers"]["X-Amzn-Trace-Id"] = header

    client.meta.events.register("before-call.lambda.Invoke", add, unique_id="trace")
    try:
        return str(json.loads(client.invoke(FunctionName=name)["Payload"].read()))
    finally:
        client.meta.events.unregister("before-call.lambda.Invoke", unique_id="trace")


def test_what_callers_send_reaches_the_function_made_whole(client: Any, make: Functions) -> None:
    name = make(TRACE)
    own = function_hash(FunctionKey("123456789012", "us-east-1", name))
    new = rf"Root=1-[0-9a-f]{{8}}-[0-9a-f]{{24}};Parent=[0-9a-f]{{16}};Sampled=0;Lineage=1:{own}:0"
    for header in (None, "nonsense", "Root=1;Sampled=1", ";" * 4000):
        assert re.fullmatch(new, header_told(client, name, header)), header
    assert header_told(client, name, f"{ROOT};{PARENT};Sampled=1;Own=1") == (
        f"{ROOT};{PARENT};Sampled=1;Lineage=1:{own}:0;Own=1"
    )


def test_a_loop_is_told_by_the_header_alone_and_before_anything_runs(client: Any, make: Functions) -> None:
    name = make(TRACE)
    own = function_hash(FunctionKey("123456789012", "us-east-1", name))
    last = header_told(client, name, f"{ROOT};Lineage=15:{own}:14")
    assert last.endswith(f";Lineage=16:{own}:15")
    with pytest.raises(client.exceptions.RecursiveInvocationException):
        header_told(client, name, last)
    client.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    assert header_told(client, name, last).endswith(f";Lineage=17:{own}:16")
