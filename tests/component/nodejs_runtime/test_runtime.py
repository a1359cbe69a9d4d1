"""What our Node.js runtime does beyond what it shares with AWS's: its connection, its refusals, its surroundings."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.component.nodejs_runtime.node_process import RUNTIME, every_node, every_version, lampion_command, run_source
from tests.component.python_runtime.fake_runtime_api import Event, FakeRuntimeApi
from tests.component.python_runtime.runtime_process import result

ECHO = "exports.handler = async (event) => event;"
OFFER = {"Lampion-Runtime-Next": "true"}


@every_version
def test_one_connection_serves_all_and_an_answer_takes_the_next_request_along(major: int, tmp_path: Path) -> None:
    ran = run_source(ECHO, tmp_path, *[Event(b"1"), Event(b"2"), Event(b"3")], major=major)
    assert [post.body for post in ran.posts] == [b"1", b"2", b"3"]
    assert ran.connections == 1
    together = [
        read for read in ran.reads if read.startswith(b"POST ") and b"GET /2018-06-01/runtime/invocation/next" in read
    ]
    assert len(together) == 3


@every_node
def test_lampions_shortcut_is_taken_when_it_is_offered(major: int, tmp_path: Path) -> None:
    """The scripted server accepts without an event, so that the runtime must ask again: a refusal is no end."""
    ran = run_source(ECHO, tmp_path, Event(b"1", OFFER), Event(b"2"), major=major)
    assert [post.body for post in ran.posts] == [b"1", b"2"]
    assert [post.headers.get("lampion-runtime-next") for post in ran.posts] == ["true", None]
    assert "lambda-runtime-invocation-id" not in ran.posts[0].headers
    assert not any(b"POST" in read and b"GET" in read for read in ran.reads[:2])


@every_node
def test_answers_in_pieces_and_in_chunks(major: int, tmp_path: Path) -> None:
    body = json.dumps({"text": "é😀" * 40}).encode()
    events = [Event(body), Event(body, is_chunked=True), Event(b"2")]
    ran = run_source(ECHO, tmp_path, *events, major=major, api_options={"piece_bytes": 7})
    assert [json.loads(post.body) for post in ran.posts] == [json.loads(body), json.loads(body), 2]


@every_version
def test_large_events_and_answers(major: int, tmp_path: Path) -> None:
    large = json.dumps("x" * 6_000_000).encode()
    ran = run_source(ECHO, tmp_path, Event(large), Event(b"1"), Event(large), major=major)
    assert [post.body for post in ran.posts] == [large, b"1", large]


@every_node
def test_a_server_that_closes_after_each_answer(major: int, tmp_path: Path) -> None:
    events = [Event(b"1"), Event(b"2"), Event(b"3")]
    ran = run_source(ECHO, tmp_path, *events, major=major, api_options={"closes_after_each_post": True})
    assert [post.body for post in ran.posts] == [b"1", b"2", b"3"]
    assert ran.connections > 1


@every_node
def test_it_ends_quietly_with_the_runtime_api(major: int, tmp_path: Path) -> None:
    ran = run_source(ECHO, tmp_path, Event(), major=major, drop=True)
    assert (ran.exit_status, ran.stdout, ran.stderr) == (0, "", "")


@every_node
def test_a_refused_answer_is_no_end(major: int, tmp_path: Path) -> None:
    with FakeRuntimeApi([Event(b"1"), Event(b"2")], post_status="413 Request Entity Too Large") as api:
        (tmp_path / "index.js").write_text(ECHO)
        environ = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "LAMBDA_TASK_ROOT": str(tmp_path),
            "_HANDLER": "index.handler",
        }
        needed = ("FUNCTION_NAME", "FUNCTION_VERSION", "FUNCTION_MEMORY_SIZE", "LOG_GROUP_NAME", "LOG_STREAM_NAME")
        environ |= {f"AWS_LAMBDA_{name}": "1" for name in needed}
        with subprocess.Popen(lampion_command(major), env=environ) as process:
            try:
                assert api.exhausted.wait(20)
            finally:
                process.kill()
    assert [post.body for post in api.posts] == [b"1", b"2"]


@every_version
def test_an_errors_type_is_told_in_a_header_that_nothing_can_break(major: int, tmp_path: Path) -> None:
    named = "Object.assign(new Error('x'), {name: 'Odd\\r\\nInjected: 1'})"
    source = f"exports.handler = async () => {{ throw {named}; }};"
    (post,) = run_source(source, tmp_path, major=major).posts
    assert post.headers["lambda-runtime-function-error-type"] == "Odd  Injected: 1"
    assert "injected" not in post.headers


@every_node
def test_a_streaming_mark_of_another_kind_is_malformed(major: int, tmp_path: Path) -> None:
    mark = "exports.handler[Symbol.for('aws.lambda.runtime.handler.streaming')] = 'request';"
    (post,) = run_source(f"exports.handler = async () => 1; {mark}", tmp_path, major=major).posts
    assert json.loads(post.body)["errorType"] == "Runtime.MalformedStreamingHandler"


def test_from_node_24_on_a_callback_is_refused(tmp_path: Path) -> None:
    source = "exports.handler = (event, context, callback) => callback(null, 1);"
    assert result(run_source(source, tmp_path, major=20)) == 1
    (post,) = run_source(source, tmp_path, major=24).posts
    assert json.loads(post.body)["errorType"] == "Runtime.CallbackHandlerDeprecated"


@every_node
def test_json_logs_name_the_tenant(major: int, tmp_path: Path) -> None:
    """AWS's client for Node.js 24 forgets it, against its documentation."""
    event = Event(headers={"Lambda-Runtime-Aws-Tenant-Id": "tenant-a"})
    source = "exports.handler = async () => console.log('x');"
    ran = run_source(source, tmp_path, event, major=major, variables={"AWS_LAMBDA_LOG_FORMAT": "JSON"})
    assert json.loads(ran.stdout)["tenantId"] == "tenant-a"


@every_version
def test_modules_of_layers_are_found_and_the_functions_own_path_stands(major: int, tmp_path: Path) -> None:
    source = "exports.handler = async () => process.env.NODE_PATH;"
    version = result(run_source("exports.handler = async () => process.version;", tmp_path, major=major))
    layers = f"/opt/nodejs/node{str(version)[1:].partition('.')[0]}/node_modules:/opt/nodejs/node_modules"
    path = result(run_source(source, tmp_path, major=major))
    assert path == f"{layers}:/var/runtime/node_modules:/var/runtime:{tmp_path}"
    assert result(run_source(source, tmp_path, major=major, variables={"NODE_PATH": "/mine"})) == "/mine"


@every_node
def test_no_global_is_made_for_who_does_not_want_it(major: int, tmp_path: Path) -> None:
    variables = {"AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA": "true"}
    source = "exports.handler = async () => typeof awslambda;"
    assert result(run_source(source, tmp_path, major=major, variables=variables)) == "undefined"


def test_from_node_24_on_libraries_learn_of_the_invocation(tmp_path: Path) -> None:
    store = "awslambda.InvokeStore"
    source = f"exports.handler = async () => [{store}.getRequestId(), {store}.getXRayTraceId()];"
    told = result(run_source(source, tmp_path, major=24))
    assert told == [
        "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
    ]


class TestWrapped:
    """wrapped.sh, through which the platform starts a runtime that has an exec wrapper."""

    def start(self, wrapper: Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["/bin/sh", str(RUNTIME / "wrapped.sh"), "/bin/echo", "a b", "c"],
            env={"AWS_LAMBDA_EXEC_WRAPPER": str(wrapper), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )

    @pytest.mark.parametrize(
        ("mode", "exit_status", "said"),
        [
            (0o755, 0, "wrapped 3\na b c\n"),
            (0o644, 126, "{}: is not an executable\n"),
            (None, 127, "{}: does not exist\n"),
        ],
    )
    def test_it(self, mode: int | None, exit_status: int, said: str, tmp_path: Path) -> None:
        wrapper = tmp_path / "a wrapper"
        if mode is not None:
            wrapper.write_text('#!/bin/sh\necho wrapped "$#"\nexec "$@"\n')
            wrapper.chmod(mode)
        done = self.start(wrapper)
        assert (done.returncode, done.stdout) == (exit_status, said.format(wrapper))
