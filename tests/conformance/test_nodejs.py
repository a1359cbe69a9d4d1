"""Node.js functions on a live server, by boto3: answers, log, errors, what the process finds around it."""

import base64
import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.component.nodejs_runtime.node_process import node
from tests.deployment import Functions, functions, zipped
from tests.live_server import LiveServer, marked_directory

_ERROR = "Unhandled"


def _runtime() -> str:
    node = shutil.which("node")
    assert node is not None, "run: make setup-node"
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return f"nodejs{told.removeprefix('v').partition('.')[0]}.x"


RUNTIME = _runtime()
HAS_CALLBACKS = int(RUNTIME.removeprefix("nodejs").removesuffix(".x")) < 24


@pytest.fixture
def deploy(lambda_client: Any) -> Iterator[Functions]:
    with functions(lambda_client, "nodejs") as made:
        yield made


def create(deploy: Functions, files: str | dict[str, str], **configuration: Any) -> str:
    source = {"index.js": files} if isinstance(files, str) else files
    return deploy(source, Runtime=RUNTIME, **configuration)


def invoke(client: Any, name: str, event: object = None, **arguments: Any) -> tuple[Any, str, str | None]:
    """Payload, end of the log, FunctionError."""
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail", **arguments)
    log = base64.b64decode(answer["LogResult"]).decode()
    return json.loads(answer["Payload"].read()), log, answer.get("FunctionError")


def test_an_async_handler_answers_and_logs(lambda_client: Any, deploy: Functions) -> None:
    name = create(deploy, "exports.handler = async (event) => { console.log('heard', event); return {heard: event}; };")
    for number in range(3):
        payload, log, error = invoke(lambda_client, name, {"number": number})
        assert (payload, error) == ({"heard": {"number": number}}, None)
        assert f"\tINFO\theard {{ number: {number} }}\n" in log
        assert "START RequestId: " in log
        assert "REPORT RequestId: " in log


def test_an_es_module_with_a_dependency_and_top_level_await(lambda_client: Any, deploy: Functions) -> None:
    files = {
        "src/main.mjs": "import {greet} from 'greeter';\nconst word = await Promise.resolve('hello');\n"
        "export const handler = async (event, {functionName, memoryLimitInMB}) =>\n"
        "  [greet(word), functionName, memoryLimitInMB];",
        "src/node_modules/greeter/package.json": '{"type": "module", "exports": "./main.js"}',
        "src/node_modules/greeter/main.js": "export const greet = (word) => word + ' world';",
    }
    name = create(deploy, files, Handler="src/main.handler", MemorySize=256)
    assert invoke(lambda_client, name)[0] == ["hello world", name, "256"]


@pytest.mark.skipif(not HAS_CALLBACKS, reason="Node.js 24 has no handlers with callbacks")
def test_a_handler_with_a_callback(lambda_client: Any, deploy: Functions) -> None:
    name = create(deploy, "exports.handler = (event, context, callback) => setTimeout(callback, 5, null, 'called');")
    assert invoke(lambda_client, name)[0] == "called"


def test_an_error_of_the_handler(lambda_client: Any, deploy: Functions) -> None:
    name = create(deploy, "exports.handler = async () => { throw new RangeError('no such luck'); };")
    payload, log, error = invoke(lambda_client, name)
    assert error == _ERROR
    assert (payload["errorType"], payload["errorMessage"]) == ("RangeError", "no such luck")
    assert payload["trace"][0] == "RangeError: no such luck"
    assert "(/var/task/index.js:1:39)" in payload["trace"][1]
    assert '\tERROR\tInvoke Error \t{"errorType":"RangeError","errorMessage":"no such luck"' in log


def test_a_handler_that_is_not_there(lambda_client: Any, deploy: Functions) -> None:
    name = create(deploy, "exports.other = async () => 1;")
    payload, _, error = invoke(lambda_client, name)
    assert error == _ERROR
    assert payload["errorType"] == "Runtime.HandlerNotFound"
    assert payload["errorMessage"] == "index.handler is undefined or not exported"


def test_a_module_that_is_not_there(lambda_client: Any, deploy: Functions) -> None:
    payload, _, error = invoke(lambda_client, create(deploy, "require('not-there');"))
    assert (error, payload["errorType"]) == (_ERROR, "Runtime.ImportModuleError")
    assert payload["errorMessage"].startswith(
        "Error: Cannot find module 'not-there'\nRequire stack:\n- /var/task/index.js"
    )


def test_a_process_that_ends(lambda_client: Any, deploy: Functions) -> None:
    name = create(deploy, "exports.handler = async () => process.exit(3);")
    payload, _, error = invoke(lambda_client, name)
    assert (error, payload["errorType"]) == (_ERROR, "Runtime.ExitError")
    assert "exit status 3" in payload["errorMessage"]


def test_a_plain_invoke_of_a_handler_that_streams(lambda_client: Any, deploy: Functions) -> None:
    source = "exports.handler = awslambda.streamifyResponse(async (event, out) => { out.write('[1'); out.end(']'); });"
    assert invoke(lambda_client, create(deploy, source))[::2] == ([1], None)


def test_a_timeout(lambda_client: Any, deploy: Functions) -> None:
    name = create(deploy, "exports.handler = () => new Promise((resolve) => setTimeout(resolve, 60000));", Timeout=1)
    payload, _, error = invoke(lambda_client, name)
    assert (error, payload["errorType"]) == (_ERROR, "Sandbox.Timedout")


def test_json_logs_with_a_level(lambda_client: Any, deploy: Functions) -> None:
    name = create(
        deploy,
        "exports.handler = async () => { console.debug('unseen'); console.warn({seen: 1}); };",
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN"},
    )
    payload, log, _ = invoke(lambda_client, name)
    assert payload is None
    records = [json.loads(line) for line in log.splitlines()]
    own = [record for record in records if "level" in record]
    assert [(record["level"], record["message"]) for record in own] == [("WARN", {"seen": 1})]
    assert own[0]["requestId"]


def test_the_environment(lambda_client: Any, deploy: Functions) -> None:
    source = """
exports.handler = async (event, context) => ({
  env: process.env, cwd: process.cwd(), version: process.versions.node, zone: new Date(0).getHours(),
  left: context.getRemainingTimeInMillis(), custom: context.clientContext?.custom,
});
"""
    variables = {"COLOUR": "blue", "TZ": "Asia/Tokyo", "NODE_OPTIONS": "--no-deprecation"}
    name = create(deploy, source, Timeout=9, Environment={"Variables": variables})
    context = base64.b64encode(b'{"custom": {"tenant": "blue"}}').decode()
    told, _, _ = invoke(lambda_client, name, ClientContext=context)
    env = told["env"]
    assert {key: env[key] for key in variables} == variables
    assert env["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{RUNTIME}"
    assert env["NODE_PATH"].startswith(f"/opt/nodejs/node{told['version'].partition('.')[0]}/node_modules:")
    assert env["_X_AMZN_TRACE_ID"].startswith("Root=")
    assert not {"PYTHONPATH", "_LAMBDA_TELEMETRY_LOG_FD"} & env.keys()
    assert (told["cwd"], told["zone"], told["custom"]) == ("/var/task", 9, {"tenant": "blue"})
    assert 0 < told["left"] <= 9000


def test_an_exec_wrapper(lambda_client: Any, deploy: Functions) -> None:
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}
    code = {"ZipFile": with_wrapper('#!/bin/sh\nexport WRAPPED="$1 $3"\nexec "$@"\n', 0o755)}
    name = deploy("", Runtime=RUNTIME, Code=code, Environment={"Variables": variables})
    payload, _, _ = invoke(lambda_client, name)
    assert payload.endswith("/node --max-http-header-size=81920")


def test_an_exec_wrapper_that_may_not_be_run(lambda_client: Any, deploy: Functions) -> None:
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}
    name = deploy("", Runtime=RUNTIME, Code={"ZipFile": with_wrapper("", 0o644)}, Environment={"Variables": variables})
    payload, log, _ = invoke(lambda_client, name)
    assert payload["errorType"] == "Runtime.ExitError"
    assert "exit status 126" in payload["errorMessage"]
    assert "/var/task/wrapper: is not an executable" in log


def with_wrapper(wrapper: str, mode: int) -> bytes:
    buffer = io.BytesIO(zipped({"index.js": "exports.handler = async () => process.env.WRAPPED;"}))
    with zipfile.ZipFile(buffer, "a") as archive:
        entry = zipfile.ZipInfo("wrapper")
        entry.external_attr = mode << 16
        archive.writestr(entry, wrapper)
    return buffer.getvalue()


def test_a_node_of_ones_own_serves_its_runtime() -> None:
    """As from a version manager: the sandbox gets its whole tree at /var/lang."""
    options = ["--interpreter", f"nodejs24.x={node(24)}"]
    with marked_directory() as directory, LiveServer(data=directory / "data", options=options) as server:
        client = server.client()
        with functions(client, "nodejs24") as deploy:
            source = "export const handler = async () => [process.execPath, process.versions.node.split('.')[0]];"
            name = deploy({"index.mjs": source}, Runtime="nodejs24.x")
            assert invoke(client, name)[0] == ["/var/lang/bin/node", "24"]
            called = deploy(
                {"index.js": "exports.handler = (event, context, callback) => callback();"}, Runtime="nodejs24.x"
            )
            assert invoke(client, called)[0]["errorType"] == "Runtime.CallbackHandlerDeprecated"
