"""Extensions that subscribe to telemetry and logs, in layers, on a live server: what they are told, and when."""

import io
import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.test_extensions import log_of
from tests.conformance.test_layers_at_run_time import on_server
from tests.conformance.test_nodejs import RUNTIME as NODE_RUNTIME
from tests.deployment import Functions, unique_name, wait_updated
from tests.live_server import LiveServer

HERE = Path(__file__).parent / "telemetry"
SECONDS = 30
SAY = """
import sys
print("loaded")

def handler(event, context):
    if event == "exit":
        sys.exit(3)
    print("hello", event)
    return event
"""


def layer_of(files: Mapping[str, str | bytes]) -> bytes:
    """A zip; what lies in extensions/ is executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=(2024, 1, 1, 0, 0, 0))
            entry.external_attr = (0o755 if name.startswith("extensions/") else 0o644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def sample(name: str) -> dict[str, bytes]:
    root = HERE / name
    paths = [path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


class Told:
    """A function with extensions, and what they have written to its log."""

    def __init__(self, server: LiveServer, client: Any, name: str) -> None:
        self._server = server
        self._client = client
        self.name = name

    def invoke(self, event: Any) -> Any:
        """Its environment is free for the next one when its extensions are: soon, but later than the answer."""
        answer = self._client.invoke(FunctionName=self.name, Payload=json.dumps(event))
        payload = json.load(answer["Payload"])
        time.sleep(0.1)
        return payload

    def end(self) -> None:
        """Its environments: nobody needs them any more."""
        self._client.delete_function(FunctionName=self.name)

    def lines(self) -> list[str]:
        """What its log has, of one environment after the other."""
        return log_of(self._server, self.name)

    def lines_with(self, word: str, count: int) -> list[str]:
        """The lines that begin so, once there are so many of them."""
        deadline = time.monotonic() + SECONDS
        while True:
            lines = self.lines()
            found = [line.removeprefix(word).strip() for line in lines if line.startswith(word)]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, "\n".join(lines)
            time.sleep(0.2)

    def events(self) -> list[Any]:
        """Of all batches, once the extension has ended."""
        self.lines_with("SHUTDOWN", 1)
        return [event for batch in self.lines_with("BATCH", 1) for event in json.loads(batch)]


@pytest.fixture
def tell(live_server: LiveServer, lambda_client: Any, make_function: Functions) -> Callable[..., Told]:
    def make(files: Mapping[str, str | bytes], **configuration: Any) -> Told:
        name = unique_name("telemetry")
        published = lambda_client.publish_layer_version(LayerName=name, Content={"ZipFile": layer_of(files)})
        layers = [published["LayerVersionArn"]]
        return Told(live_server, lambda_client, make_function(SAY, Layers=layers, Timeout=20, **configuration))

    return make


def kinds(events: list[Any]) -> list[str]:
    return [event["type"].removeprefix("platform.") for event in events]


def of_type(events: list[Any], kind: str) -> list[Any]:
    return [event["record"] for event in events if event["type"] == kind]


OF_AN_INVOCATION = ["start", "function", "runtimeDone", "report"]
OF_INIT = ["initStart", "telemetrySubscription", "function", "initRuntimeDone", "extension", "initReport"]


def test_an_extension_in_python_is_told_everything_in_order(tell: Callable[..., Told]) -> None:
    told = tell(sample("python_extension"))
    assert [told.invoke(number) for number in range(3)] == [0, 1, 2]
    told.end()
    assert told.lines_with("SUBSCRIBED", 1) == ['200 "OK"']
    assert told.lines_with("SHUTDOWN", 1) == ["spindown"]
    events = told.events()
    assert sorted(kinds(events)[:6]) == sorted(OF_INIT)
    assert kinds(events)[6:] == OF_AN_INVOCATION * 3
    assert of_type(events, "function") == ["loaded\n", "hello 0\n", "hello 1\n", "hello 2\n"]
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    (started,) = of_type(events, "platform.initStart")
    assert (started["phase"], started["functionName"], started["instanceMaxMemory"]) == ("init", told.name, 128 << 20)
    assert of_type(events, "platform.extension") == [
        {"name": "python_telemetry", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]}
    ]
    reports, dones = of_type(events, "platform.report"), of_type(events, "platform.runtimeDone")
    assert [report["requestId"] for report in reports] == [done["requestId"] for done in dones]
    assert len({report["requestId"] for report in reports}) == 3
    assert "initDurationMs" in reports[0]["metrics"]
    assert "initDurationMs" not in reports[1]["metrics"]
    for done, report in zip(dones, reports, strict=True):
        assert done["status"] == report["status"] == "success"
        assert done["metrics"]["producedBytes"] == 1
        assert [span["name"] for span in done["spans"]] == ["responseLatency", "responseDuration", "runtimeOverhead"]
        assert [span["name"] for span in report["spans"]] == ["extensionOverhead"]
        assert done["metrics"]["durationMs"] <= report["metrics"]["durationMs"]
    plain = told.lines()
    assert {"loaded", "hello 0", "hello 1", "hello 2"} <= set(plain), "the log has everything as before"


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("crun") is None, reason="needs root and crun")
def test_an_extension_in_a_container_is_told_too(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("--sandbox", "oci")
    with on_server(server) as (client, made):
        content = {"ZipFile": layer_of(sample("python_extension"))}
        layer = client.publish_layer_version(LayerName=unique_name("telemetry"), Content=content)
        told = Told(server, client, made(SAY, Layers=[layer["LayerVersionArn"]], Timeout=20))
        assert [told.invoke(number) for number in range(2)] == [0, 1]
        told.end()
        events = told.events()
        assert sorted(kinds(events)[:6]) == sorted(OF_INIT)
        assert kinds(events)[6:] == OF_AN_INVOCATION * 2


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js on this machine: apt-get install nodejs")
def test_an_extension_in_nodejs_is_told_in_the_newest_schema(tell: Callable[..., Told]) -> None:
    told = tell(sample("nodejs_extension"), **_node())
    assert told.invoke(1) == 1
    told.end()
    events = told.events()
    assert set(OF_INIT) - {"function"} <= set(kinds(events))
    (start,) = of_type(events, "platform.start")
    assert start["functionArn"].endswith(f":function:{told.name}")
    assert of_type(events, "function")[-1].endswith("\tINFO\thello 1\n")
    assert kinds(events)[-1] == "report"


def _node() -> dict[str, Any]:
    source = "exports.handler = async (event) => { console.log('hello', event); return event; };"
    return {"Runtime": NODE_RUNTIME, "Code": {"ZipFile": layer_of({"index.js": source})}}


def test_the_logs_api_and_a_function_that_exits(tell: Callable[..., Told]) -> None:
    wanted = {"path": "/2020-08-15/logs", "schemaVersion": "2021-03-18", "types": ["platform"]}
    told = tell(sample("python_extension"), Environment={"Variables": {"SUBSCRIPTION": json.dumps(wanted)}})
    assert told.invoke(1) == 1
    assert told.invoke("exit")["errorType"] == "Runtime.ExitError"
    assert told.lines_with("SHUTDOWN", 1) == ["failure"]
    events = told.events()
    assert sorted(kinds(events)[:2]) == ["extension", "logsSubscription"]
    usual = ["start", "runtimeDone", "end", "report"]
    assert kinds(events)[2:] == [*usual, "start", "runtimeDone", "fault", "end", "report"]
    assert [done["status"] for done in of_type(events, "platform.runtimeDone")] == ["success", "failure"]
    (fault,) = of_type(events, "platform.fault")
    assert fault.endswith("Error: Runtime exited with error: exit status 3\nRuntime.ExitError")
    assert set(of_type(events, "platform.report")[0]) == {"requestId", "metrics"}


def test_who_asks_for_nonsense_is_told_so_and_the_function_runs(tell: Callable[..., Told]) -> None:
    wanted = {"types": [], "schemaVersion": "1999-01-01"}
    told = tell(sample("python_extension"), Environment={"Variables": {"SUBSCRIPTION": json.dumps(wanted)}})
    assert told.invoke(1) == 1
    (answer,) = told.lines_with("SUBSCRIBED", 1)
    status, _, body = answer.partition(" ")
    schemas = "2022-07-01, 2022-12-13, 2025-01-29"
    message = f"schemaVersion should be one of {schemas}; types should not be empty"
    assert (status, json.loads(body)) == ("400", {"errorType": "ValidationError", "errorMessage": message})


HOSTILE = """#!/usr/bin/env python3
import os, socket, sys, threading, time
sys.path.insert(0, "/opt/python_telemetry/..")
from python_telemetry import api

name = os.path.basename(__file__)
listener = socket.create_server(("sandbox.localdomain", 0), backlog=1)
port = listener.getsockname()[1]

def never_read(peer):
    time.sleep(600)

def hang_up(peer):
    peer.recv(1)
    peer.close()

def endless(peer):
    peer.recv(65536)
    peer.sendall(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
    while True:
        peer.sendall(b"10000\\r\\n" + b"x" * 65536 + b"\\r\\n")

def nothing(peer):
    peer.shutdown(socket.SHUT_RDWR)

def redirect(peer):
    peer.recv(65536)
    peer.sendall(b"HTTP/1.1 307 No\\r\\nLocation: http://127.0.0.1:9001/\\r\\nContent-Length: 0\\r\\n\\r\\n")

def serve():
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=attend, args=(peer,), daemon=True).start()

def attend(peer):
    try:
        globals()[name](peer)
    except OSError:
        pass

if name == "wrong_port":
    listener.close()
else:
    threading.Thread(target=serve, daemon=True).start()
identifier = api.register(name)
os.environ["SUBSCRIPTION"] = '{"types": ["platform", "function", "extension"]}'
print("SUBSCRIBED", *api.subscribe(identifier, f"http://sandbox.localdomain:{port}"), flush=True)
while api.next_event(identifier)["eventType"] == "INVOKE":
    pass
"""
WAYS = ("never_read", "hang_up", "endless", "nothing", "redirect", "wrong_port")
FLOOD = """
def handler(event, context):
    for number in range(event):
        print("x" * 200)
    return event
"""


def test_hostile_subscribers_hold_nobody_up_and_leave_nothing_behind(
    tell: Callable[..., Told], lambda_client: Any
) -> None:
    api = sample("python_extension")["python_telemetry/api.py"]
    files: dict[str, str | bytes] = {f"extensions/{way}": HOSTILE for way in WAYS}
    told = tell({**files, "python_telemetry/api.py": api, "python_telemetry/__init__.py": b""})
    package = layer_of({"index.py": FLOOD})
    lambda_client.update_function_code(FunctionName=told.name, ZipFile=package)
    wait_updated(lambda_client, told.name)
    assert told.invoke(1) == 1
    assert told.lines_with("SUBSCRIBED", len(WAYS))[: len(WAYS)] == ['200 "OK"'] * len(WAYS)
    started = time.monotonic()
    for _ in range(10):
        assert told.invoke(5000) == 5000
    assert time.monotonic() - started < 20
    assert sum(line == "x" * 200 for line in told.lines()) == 50_001
    told.end()
