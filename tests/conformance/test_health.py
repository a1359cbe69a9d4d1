"""Whether the server is well: GET /_lampion/health and `lampion status`, on a disk of its own that gets full."""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lampion.cli.client import Call, send
from tests.deployment import Functions, creation, unique_name
from tests.live_server import LiveServer
from tests.own_disk import OnItsOwnDisk, fill, health, make_room, on_its_own_disk, status

WELL_SECONDS = 8.0
ECHO = "def handler(event, context):\n    return event\n"


@pytest.fixture
def server(marked_root: Path) -> Iterator[OnItsOwnDisk]:
    if os.geteuid() != 0:
        pytest.skip("a file system of one's own takes root")
    with on_its_own_disk(marked_root / unique_name("own-disk")) as started:
        yield started


def invocations(server: LiveServer, name: str) -> int:
    answer = send(server.server, Call("GET", ("_lampion", "metrics", name)), timeout_seconds=20)
    (function,) = json.loads(answer.body)["functions"]
    return int(function["metrics"]["Invocations"])


def tag_until_refused(client: Any, arn: str) -> tuple[dict[str, str], dict[str, Any]]:
    """The tags last told to be kept, and the refusal."""
    kept: dict[str, str] = {}
    for number in range(10_000):
        tags = {"n": f"{number}-{'x' * 200}"}
        try:
            client.tag_resource(Resource=arn, Tags=tags)
        except ClientError as error:
            return kept, error.response
        kept = tags
    raise AssertionError("the disk doesn't get full")


def send_until_refused(client: Any, name: str) -> tuple[int, dict[str, Any]]:
    """How many events were accepted, and the refusal of the next one."""
    for number in range(10_000):
        try:
            client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps("x" * 5000))
        except ClientError as error:
            return number, error.response
    raise AssertionError("the disk doesn't get full")


def test_a_full_disk_is_told_refused_and_got_over(server: OnItsOwnDisk) -> None:
    client, url = server.client(), server.url
    name = Functions(client, "health")(ECHO)
    assert health(url) == (200, {"status": "ok"})
    environ = server.aws_environ()
    assert (status(environ).returncode, status(environ).stdout[:4]) == (0, "ok: ")
    fill(server.root)

    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    kept, answer = tag_until_refused(client, arn)
    assert answer["Error"]["Code"] == "ServiceException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert str(server.data) not in answer["Error"]["Message"]
    assert health(url) == (503, {"status": "failing", "failing": ["store"]})
    accepted, refusal = send_until_refused(client, name)
    assert refusal["Error"]["Code"] == "ServiceException", refusal
    assert health(url) == (503, {"status": "failing", "failing": ["store", "queues"]})
    assert json.loads(client.invoke(FunctionName=name, Payload="[1]")["Payload"].read()) == [1], "what runs, runs on"

    with pytest.raises(ClientError) as refused:
        client.create_function(**creation("late", {"index.py": ECHO, "large.bin": os.urandom(300_000)}))
    assert refused.value.response["Error"]["Code"] == "ServiceException"
    assert "late" not in [function["FunctionName"] for function in client.list_functions()["Functions"]]

    told = status(environ)
    assert (told.returncode, told.stdout[:9]) == (8, "failing: ")
    assert "\nstore: database or disk is full (for " in told.stdout

    make_room(server.root)
    give_up_at = time.monotonic() + WELL_SECONDS
    while health(url)[0] != 200:
        assert time.monotonic() < give_up_at, "it doesn't recover alone"
        time.sleep(0.1)
    assert health(url) == (200, {"status": "ok"})
    assert client.list_tags(Resource=arn)["Tags"] == kept
    client.invoke(FunctionName=name, InvocationType="Event", Payload="{}")
    wanted = accepted + 2  # the synchronous one and the one just sent
    give_up_at = time.monotonic() + WELL_SECONDS
    while (ran := invocations(server, name)) < wanted:
        assert time.monotonic() < give_up_at, f"{wanted - ran} accepted events are lost"
        time.sleep(0.1)
    client.tag_resource(Resource=arn, Tags={"n": "after"})
    assert client.list_tags(Resource=arn)["Tags"] == {"n": "after"}
    client.create_function(**creation("late", ECHO))
    assert "failing: store: database or disk is full" in server.output
    assert "well again after" in server.output
    assert "Traceback" not in server.output
    client.close()


@pytest.mark.parametrize(("method", "path"), [("POST", "health"), ("GET", "health/store"), ("DELETE", "health")])
def test_health_is_only_read(live_server: LiveServer, method: str, path: str) -> None:
    request = urllib.request.Request(f"{live_server.url}/_lampion/{path}", method=method)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    with refused.value as error:
        assert error.code == 404


def test_health_needs_no_signature_and_is_never_cached(live_server: LiveServer) -> None:
    with urllib.request.urlopen(f"{live_server.url}/_lampion/health", timeout=10) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert json.loads(answer.read()) == {"status": "ok"}
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{live_server.url}/_lampion/status", timeout=10)
