"""The `lampion` commands against a live server."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.functions import SqliteFunctions
from tests.component.store.samples import function
from tests.conformance.sources import ECHO, FAIL
from tests.deployment import Functions, unique_name
from tests.live_server import LiveServer

SECONDS = 60

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]

SLEEP = """
import time

def handler(event, context):
    time.sleep(30)
"""

LOUD = """
def handler(event, context):
    print("the word is", event)
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "lampion", *arguments]


@pytest.fixture
def lampion(live_server: LiveServer) -> Run:
    """`lampion("invoke", "hello")` in the environment that `lampion env` exports."""

    def call(*arguments: str, stdin: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command(*arguments),
            env={**live_server.aws_environ(), **environ},
            input=stdin,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )

    return call


def test_env_points_clients_at_the_server(lampion: Run, live_server: LiveServer) -> None:
    done = lampion("env", "--data", str(live_server.data))
    assert done.returncode == 0, done.stderr
    expected = live_server.aws_environ()
    names = ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"]
    script = done.stdout.decode() + "".join(f'echo "${name}"\n' for name in names)
    shell = subprocess.run(["/bin/sh", "-eu"], input=script, env={}, capture_output=True, text=True, check=True)
    assert shell.stdout.splitlines() == [expected[name] for name in names]


def test_env_leaves_no_session_token_of_another_key(lampion: Run, live_server: LiveServer) -> None:
    """Whoever assumed a role in this shell goes back to the root key."""
    of_data = ("env", "--data", str(live_server.data))
    assert "export AWS_SESSION_TOKEN=''" in lampion(*of_data, AWS_SESSION_TOKEN="old").stdout.decode().splitlines()
    assert b"AWS_SESSION_TOKEN" not in lampion(*of_data).stdout


def test_env_without_a_server_says_how_to_start_one(lampion: Run, tmp_path: Path) -> None:
    done = lampion("env", "--data", str(tmp_path / "nothing"))
    assert (done.returncode, done.stdout) == (7, b"")
    assert f"lampion serve --data {tmp_path}/nothing".encode() in done.stderr


def test_invoke_by_environment_and_by_data_directory(
    lampion: Run, live_server: LiveServer, make_function: Functions
) -> None:
    name = make_function(ECHO)
    assert lampion("invoke", name, '{"a": 1}').stdout == b'{"heard": {"a": 1}}'
    done = lampion("invoke", name, "-", "--data", str(live_server.data), stdin=b"[1,2]", AWS_ENDPOINT_URL="")
    assert (done.returncode, done.stdout, done.stderr) == (0, b'{"heard": [1, 2]}', b"")


def test_the_log_tail_is_on_stderr(lampion: Run, make_function: Functions) -> None:
    done = lampion("invoke", make_function(ECHO), "1", "--tail")
    assert done.stdout == b'{"heard": 1}'
    lines = done.stderr.decode().splitlines()
    assert "heard 1" in lines
    assert lines[-1].startswith("REPORT RequestId: ")


def test_invoke_exit_codes(lampion: Run, make_function: Functions) -> None:
    failing, sleeping = make_function(FAIL), make_function(SLEEP, Timeout=1)
    assert lampion("invoke", failing).returncode == 1
    assert lampion("invoke", failing, "--dry-run").returncode == 0
    assert lampion("invoke", failing, "{not json").returncode == 2
    assert lampion("invoke", unique_name("missing")).returncode == 3
    assert lampion("invoke", sleeping).returncode == 5
    assert lampion("invoke", failing, AWS_SECRET_ACCESS_KEY="wrong").returncode == 6
    assert lampion("invoke", failing, AWS_ENDPOINT_URL="http://127.0.0.1:1").returncode == 7


def test_logs_show_what_was_printed(lampion: Run, make_function: Functions) -> None:
    name = make_function(LOUD)
    for word in ("one", "two"):
        assert lampion("invoke", name, json.dumps(word)).returncode == 0
    messages = [line.split(" ", 1)[1] for line in lampion("logs", name).stdout.decode().splitlines()]
    assert [line for line in messages if line.startswith("the word")] == ["the word is one", "the word is two"]
    assert lampion("logs", name, "--since", "1d").stdout == lampion("logs", name).stdout

    ids = [line.split()[2] for line in messages if line.startswith("START RequestId: ")]
    chosen = lampion("logs", name, "--request-id", ids[1]).stdout.decode()
    assert "the word is two" in chosen
    assert "the word is one" not in chosen


def test_follow_shows_what_is_logged_while_it_waits(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    name = make_function(LOUD)
    with subprocess.Popen(
        command("logs", name, "--follow"), env=live_server.aws_environ(), stdout=subprocess.PIPE, text=True
    ) as follower:
        watchdog = threading.Timer(SECONDS, follower.kill)
        watchdog.start()
        try:
            lambda_client.invoke(FunctionName=name, Payload=b'"late"')
            assert follower.stdout is not None
            assert any("the word is late" in line for line in follower.stdout)
        finally:
            watchdog.cancel()
            follower.kill()


def test_a_second_server_on_the_same_directory_is_refused(live_server: LiveServer) -> None:
    second = command("serve", "--listen", "127.0.0.1:0", "--data", str(live_server.data))
    done = subprocess.run(second, capture_output=True, timeout=SECONDS, check=False)
    assert done.returncode != 0
    assert str(live_server.data).encode() in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_taken_port_is_named(live_server: LiveServer, marked_root: Path) -> None:
    address = live_server.url.removeprefix("http://")
    third = command("serve", "--listen", address, "--data", str(marked_root / "taken-port"))
    done = subprocess.run(third, capture_output=True, timeout=SECONDS, check=False)
    assert done.returncode != 0
    assert address.encode() in done.stderr
    assert b"Traceback" not in done.stderr


def test_open_access_is_announced_and_needs_no_key(start_server: Callable[..., LiveServer]) -> None:
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    server = start_server("--auth", "open")
    assert "open" in server.output
    client = boto3.client(
        "lambda", endpoint_url=server.url, region_name="us-east-1", config=Config(signature_version=UNSIGNED)
    )
    assert client.list_functions()["Functions"] == []
    client.close()


def test_doctor_names_functions_on_deprecated_runtimes(lampion: Run, tmp_path: Path) -> None:
    """Of a runtime that no API takes any more: such a function comes from an earlier day."""

    async def store() -> None:
        database = await open_database(tmp_path / "lampion.db")
        old = function("old")
        old = replace(old, configuration=replace(old.configuration, runtime="python2.7"))
        await SqliteFunctions(database).insert(old)
        await database.close()

    asyncio.run(store())
    report = json.loads(lampion("doctor", "--json", "--data", str(tmp_path)).stdout)
    (finding,) = [one for one in report["findings"] if one["name"] == "runtime-python2.7"]
    assert finding["effect"].startswith("python2.7 is deprecated since 2021-07-15; ")
    assert finding["effect"].endswith("used by old")


def test_runtimes_are_listed_without_a_server(lampion: Run, live_server: LiveServer) -> None:
    ours = f"python3.{sys.version_info.minor}"
    told = {one["identifier"]: one for one in json.loads(lampion("runtimes", "--json").stdout)}
    assert told[ours]["service"] == "own-version"
    assert Path(told[ours]["found"]["executable"]).exists()
    assert told["provided.al2023"]["service"] == "no-interpreter-needed"
    lines = lampion("runtimes").stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == list(told)
    close = lampion("runtimes", "--close-runtimes").stdout.decode()
    assert "not found; install one with `uv python" not in close


def test_doctor_tells_grade_runtimes_and_data_directory(lampion: Run, live_server: LiveServer) -> None:
    done = lampion("doctor", "--json", "--data", str(live_server.data))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["grade"] in ("none", "basic", "strong", "microvm")
    assert f"python3.{sys.version_info.minor}" in report["runtimes"]
    assert report["data"] == {"path": str(live_server.data), "server": live_server.url}
    for finding in report["findings"]:
        assert set(finding) == {"name", "effect", "mend"}

    shown = lampion("doctor").stdout.decode()
    assert report["grade"] in shown
    for finding in report["findings"]:
        assert finding["mend"] in shown
