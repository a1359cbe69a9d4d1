"""X-Ray's SDKs make subsegments of the trace that each invocation is given; that no daemon listens harms nothing."""

import base64
import json
import re
from typing import Any

import pytest

from tests.conformance.programs.packages import nodejs_package
from tests.conformance.test_nodejs import RUNTIME as NODE_RUNTIME
from tests.deployment import ROLE, Functions, unique_name, wait_active

ROOM: dict[str, Any] = {"MemorySize": 1024, "Timeout": 60}
DAEMON = "127.0.0.1:2000"
PYTHON = """
import json, os, socket, time
from aws_xray_sdk.core import xray_recorder

daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
daemon.settimeout(0.2)
if os.environ["AWS_XRAY_DAEMON_ADDRESS"].startswith("127."):
    daemon.bind(("127.0.0.1", 2000))

@xray_recorder.capture("work")
def work():
    xray_recorder.put_annotation("kind", "bread")

def received():
    try:
        return [json.loads(daemon.recv(65536).decode().split("\\n", 1)[1])]
    except OSError:
        return []

def handler(event, context):
    started = time.monotonic()
    work()
    spent = time.monotonic() - started
    return {"spent": spent, "trace": os.environ["_X_AMZN_TRACE_ID"], "sent": received(),
            "address": os.environ["AWS_XRAY_DAEMON_ADDRESS"]}
"""
NODEJS = """
const AWSXRay = require("aws-xray-sdk-core");
const dgram = require("dgram");

const daemon = dgram.createSocket("udp4");
const heard = [];
daemon.on("message", (message) => heard.push(JSON.parse(message.toString().split("\\n", 2)[1])));
const isHere = process.env.AWS_XRAY_DAEMON_ADDRESS.startsWith("127.");
const bound = new Promise((resolve) => (isHere ? daemon.bind(2000, "127.0.0.1", resolve) : resolve()));

exports.handler = async () => {
  await bound;
  const started = performance.now();
  await AWSXRay.captureAsyncFunc("work", async (subsegment) => {
    subsegment.addAnnotation("kind", "bread");
    subsegment.close();
  });
  const spent = (performance.now() - started) / 1000;
  await new Promise((resolve) => setTimeout(resolve, 200));
  return { spent, trace: process.env._X_AMZN_TRACE_ID, sent: heard.splice(0),
    address: process.env.AWS_XRAY_DAEMON_ADDRESS };
};
"""
ROOTS = [f"1-5759e988-bd862e3fe1be46a9942727{number:02}" for number in range(2)]
PARENT = "53995c3f42cd8ad8"


@pytest.fixture(params=["python", "nodejs"])
def deploy(request: pytest.FixtureRequest, client: Any, make: Functions, libraries: str) -> Any:
    """Deploys the program in one language."""
    names: list[str] = []

    def deployed(**configuration: Any) -> str:
        if request.param == "python":
            return make({"index.py": PYTHON}, Layers=[libraries], **ROOM, **configuration)
        names.append(unique_name("xray"))
        about = {"Runtime": NODE_RUNTIME, "Role": ROLE, "Handler": "index.handler", **ROOM, **configuration}
        code = {"ZipFile": nodejs_package("index.js", NODEJS)}
        client.create_function(FunctionName=names[-1], Code=code, **about)
        wait_active(client, names[-1])
        return names[-1]

    yield deployed
    for name in names:
        client.delete_function(FunctionName=name)


def invoke(client: Any, name: str, trace: str | None = None) -> tuple[Any, str]:
    """What the program tells, and the log; `trace` is the caller's header."""

    def add_header(request: Any, **_: Any) -> None:
        if trace is not None:
            request.headers["X-Amzn-Trace-Id"] = trace

    client.meta.events.register_first("before-sign.lambda.Invoke", add_header, unique_id="trace")
    try:
        answer = client.invoke(FunctionName=name, LogType="Tail")
    finally:
        client.meta.events.unregister("before-sign.lambda.Invoke", unique_id="trace")
    payload = json.load(answer["Payload"])
    assert "FunctionError" not in answer, payload
    return payload, base64.b64decode(answer["LogResult"]).decode()


def test_subsegments_belong_to_the_trace_of_their_invocation(client: Any, deploy: Any) -> None:
    name = deploy(Environment={"Variables": {"AWS_XRAY_DAEMON_ADDRESS": DAEMON}})
    for root in ROOTS:
        told, _ = invoke(client, name, f"Root={root};Parent={PARENT};Sampled=1")
        assert told["trace"].startswith(f"Root={root};Parent={PARENT};Sampled=1")
        [sent] = told["sent"]
        assert (sent["name"], sent["type"], sent["trace_id"]) == ("work", "subsegment", root)
        assert sent["parent_id"] == PARENT
        assert sent["annotations"] == {"kind": "bread"}
    told, _ = invoke(client, name, f"Root={ROOTS[0]};Parent={PARENT};Sampled=0")
    assert told["sent"] == []
    told, _ = invoke(client, name)
    assert re.match(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0", told["trace"])
    assert told["sent"] == []


def test_without_a_daemon_nothing_fails_and_nothing_waits(client: Any, deploy: Any) -> None:
    name = deploy()
    for _ in range(2):
        told, log = invoke(client, name, f"Root={ROOTS[0]};Parent={PARENT};Sampled=1")
        assert told["address"] == "169.254.100.1:2000"
        assert told["spent"] < 1
        assert "Traceback" not in log
        assert "cannot find the current segment" not in log
