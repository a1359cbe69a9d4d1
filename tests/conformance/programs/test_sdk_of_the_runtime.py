"""boto3 and the AWS SDK for JavaScript are there without being brought; a function's own and its layers' come first."""

import base64
import json
from typing import Any

import pytest

from tests.conformance.test_nodejs import RUNTIME as NODE_RUNTIME
from tests.deployment import RUNTIME, Functions, unique_name, zipped

ECHO = "def handler(event, context):\n    return {'echo': event}\n"
PYTHON = """
import boto3, botocore, json

client = boto3.client("lambda")

def handler(event, context):
    answer = client.invoke(FunctionName=event["name"], Payload=json.dumps(event["payload"]))
    return [boto3.__file__, botocore.__cached__, json.load(answer["Payload"])]
"""
COMMONJS = """
const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");
const client = new LambdaClient({});
exports.handler = async (event) => {
  const Payload = JSON.stringify(event.payload);
  const answer = await client.send(new InvokeCommand({ FunctionName: event.name, Payload }));
  return [require.resolve("@aws-sdk/client-lambda"), JSON.parse(Buffer.from(answer.Payload))];
};
"""
MODULE = (
    COMMONJS.replace("const {", "import {", 1).replace("} = require(", "} from ", 1).replace('lambda")', 'lambda"', 1)
)
MODULE = MODULE.replace("exports.handler =", "export const handler =").replace("require.resolve", "import.meta.resolve")
LOCATION = "/var/runtime/node_modules/@aws-sdk/client-lambda/dist-cjs/index.js"
BOTH = {"index.js": ("index.js", COMMONJS, LOCATION), "index.mjs": ("index.mjs", MODULE, f"file://{LOCATION}")}
OWN = "exports.LambdaClient = class {}; exports.where = __filename;"
PACKAGE = "node_modules/@aws-sdk/client-lambda"
ROOM: dict[str, Any] = {"MemorySize": 1024, "Timeout": 60}


def invoke(client: Any, name: str, event: object = None) -> Any:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event))
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


def publish(client: Any, files: dict[str, str]) -> str:
    published = client.publish_layer_version(LayerName=unique_name("sdk"), Content={"ZipFile": zipped(files)})
    return str(published["LayerVersionArn"])


def test_boto3_calls_another_function(client: Any, make: Functions) -> None:
    event = {"name": make(ECHO), "payload": {"n": 1}}
    location, bytecode, answer = invoke(client, make(PYTHON, **ROOM), event)
    assert location == "/var/runtime/boto3/__init__.py"
    assert bytecode.startswith("/var/runtime/botocore/__pycache__/__init__.")
    assert answer == {"echo": {"n": 1}}


@pytest.mark.parametrize(("file", "source", "location"), BOTH.values(), ids=BOTH)
def test_the_javascript_sdk_calls_another_function(
    client: Any, make: Functions, file: str, source: str, location: str
) -> None:
    event = {"name": make(ECHO), "payload": {"n": 1}}
    name = make({file: source}, Runtime=NODE_RUNTIME, **ROOM)
    for _ in range(2):
        assert invoke(client, name, event) == [location, {"echo": {"n": 1}}]


def test_what_a_function_or_its_layers_bring_is_found_first(client: Any, make: Functions) -> None:
    source = "import boto3\ndef handler(event, context):\n    return [boto3.__file__, boto3.WHOSE]\n"
    layer = publish(client, {"python/boto3.py": "WHOSE = 'layer'\n"})
    assert invoke(client, make(source, Layers=[layer])) == ["/opt/python/boto3.py", "layer"]
    own = make({"index.py": source, "boto3/__init__.py": "WHOSE = 'own'\n"}, Layers=[layer])
    assert invoke(client, own) == ["/var/task/boto3/__init__.py", "own"]


@pytest.mark.parametrize("file", ["index.js", "index.mjs"])
def test_node_finds_what_a_function_or_its_layers_bring_first(client: Any, make: Functions, file: str) -> None:
    handler = "handler = async () => sdk.where;"
    source = {
        "index.js": f"const sdk = require('@aws-sdk/client-lambda'); exports.{handler}",
        "index.mjs": f"import * as all from '@aws-sdk/client-lambda'; const sdk = all.default; export const {handler}",
    }[file]
    layer = publish(client, {f"nodejs/{PACKAGE}/index.js": OWN, f"nodejs/{PACKAGE}/package.json": "{}"})
    arguments: dict[str, Any] = {"Runtime": NODE_RUNTIME, "Layers": [layer]}
    assert invoke(client, make({file: source}, **arguments)) == f"/opt/nodejs/{PACKAGE}/index.js"
    files = {file: source, f"{PACKAGE}/index.js": OWN, f"{PACKAGE}/package.json": "{}"}
    assert invoke(client, make(files, **arguments)) == f"/var/task/{PACKAGE}/index.js"


def test_nobody_writes_to_it(client: Any, make: Functions) -> None:
    source = """
import boto3
def handler(event, context):
    try:
        open(boto3.__file__, "a")
    except OSError as error:
        return type(error).__name__
"""
    assert invoke(client, make(source, **ROOM)) in ("OSError", "PermissionError")


@pytest.mark.parametrize(
    ("runtime", "files", "mend"),
    [
        (RUNTIME, {"index.py": "import boto3\n"}, f"lampion sdk install {RUNTIME}"),
        (
            NODE_RUNTIME,
            {"index.mjs": "import '@aws-sdk/client-polly';"},
            f"lampion sdk install {NODE_RUNTIME} --package @aws-sdk/client-polly",
        ),
    ],
)
def test_without_it_the_error_is_pythons_or_nodes_and_the_log_says_how_to_have_it(
    lambda_client: Any, make_function: Functions, runtime: str, files: dict[str, str], mend: str
) -> None:
    name = make_function(files, Runtime=runtime)
    answer = lambda_client.invoke(FunctionName=name, LogType="Tail")
    told = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert told["errorMessage"].startswith(("Unable to import module 'index': No module", "Cannot find package"))
    log = base64.b64decode(answer["LogResult"]).decode()
    assert f"To have it here: {mend}, and restart the server.\n" in log
