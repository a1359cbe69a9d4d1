"""What a function may rely on in our Python runtime, under every interpreter that is here."""

import json
import subprocess
from pathlib import Path

import pytest

from lampion.domain.limits import SYNC_RESPONSE_BYTES
from tests.component.python_runtime.fake_runtime_api import FUNCTION_ARN, REQUEST_ID, Event, FakeRuntimeApi
from tests.component.python_runtime.runtime_process import (
    every_python,
    lampion_command,
    normalised,
    result,
    run,
    run_source,
)

ANSWERS = {
    "answer_everything": '{"text": "é \\"quoted\\" \u2028\\n", "numbers": [1, -2.5, 1e+100, true, null], '
    '"empty": [{}, [], ""], "event": {"case": "answer_everything"}}',
    "answer_text": '"plain é"',
    "answer_none": "null",
    "answer_not_a_number": "[NaN, Infinity, -Infinity]",
    "answer_decimals": '{"price": 1.10, "big": 1E+5, "nan": NaN}',
    "answer_infinite_decimal": "[Infinity, -Infinity]",
    "answer_named_tuple": '{"point": {"x": 1, "y": [{"x": 2, "y": 3}]}, "row": {"id": 7}, "plain": [1, 2]}',
    "answer_inner_bytes": '{"a": "text", "key": 1}',
    "answer_subclasses": '[{"b": 1, "a": 3}, {}, 3, {"3": 1}, "x"]',
    "answer_odd_keys": '{"1": "int", "2.5": "float", "false": "bool", "null": "none", "NaN": "nan"}',
}
MARSHAL_ERRORS = {
    "answer_marshal_error_set": "Object of type set is not JSON serializable",
    "answer_marshal_error_key": "keys must be str, int, float, bool or None, not tuple",
    "answer_marshal_error_object": "Object of type object is not JSON serializable",
    "answer_marshal_error_bytes": "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
    "answer_circular": "Circular reference detected",
    "answer_circular_named": "Circular reference detected",
}


@every_python
def test_posts_are_exact(python: str) -> None:
    names = [*ANSWERS, *MARSHAL_ERRORS]
    ran = run(lampion_command(python), "cases.run", [Event(json.dumps({"case": name}).encode()) for name in names])
    for name, post in zip(names, ran.posts, strict=True):
        assert post.headers["lambda-runtime-invocation-id"] == "invocation-1"
        assert post.headers["content-type"] == "application/json"
        path = f"/2018-06-01/runtime/invocation/{REQUEST_ID}/"
        if name in ANSWERS:
            assert (post.path, post.body.decode()) == (path + "response", ANSWERS[name]), name
        else:
            assert post.path == path + "error"
            assert post.headers["lambda-runtime-function-error-type"] == "Runtime.MarshalError"
            assert json.loads(post.body) == {
                "errorMessage": "Unable to marshal response: " + MARSHAL_ERRORS[name],
                "errorType": "Runtime.MarshalError",
                "requestId": REQUEST_ID,
                "stackTrace": [],
            }


@every_python
def test_a_failing_handler_posts_and_logs_its_stack(python: str) -> None:
    ran = run(lampion_command(python), "cases.fail_value_error", [Event()])
    (post,) = ran.posts
    assert post.headers["lambda-runtime-function-error-type"] == "ValueError"
    frame = '  File "/var/task/cases.py", line N, in fail_value_error\n'
    code = '    raise ValueError("boom é\\nsecond line")\n'
    error = json.loads(post.body)
    line = error["stackTrace"][0].split("line ")[1].split(",")[0]
    assert [normalised(entry).replace(f"line {line}", "line N") for entry in error["stackTrace"]] == [frame + code]
    cause = json.loads(post.headers["lambda-runtime-function-xray-error-cause"].encode("latin-1"))
    assert cause["exceptions"][0]["stack"][0]["label"] == "fail_value_error"
    logged = normalised(ran.stdout).replace(f"line {line}", "line N")
    indented = (frame + code).replace("  ", "\u00a0\u00a0").rstrip("\n").replace("\n", "\r")
    assert logged == f"[ERROR] ValueError: boom é\nsecond line\rTraceback (most recent call last):\r{indented}\n"


@every_python
def test_context_is_complete(python: str) -> None:
    shown = result(run(lampion_command(python), "cases.show_context", [Event()]))
    assert isinstance(shown, dict)
    assert shown["members"] == {
        "aws_request_id": REQUEST_ID,
        "client_context": None,
        "function_name": "table",
        "function_version": "$LATEST",
        "invoked_function_arn": FUNCTION_ARN,
        "log_group_name": "/aws/lambda/table",
        "log_stream_name": "2026/11/21/[$LATEST]0123456789abcdef0123456789abcdef",
        "memory_limit_in_mb": "128",
        "tenant_id": None,
    }
    assert shown["has_request_id"] is False
    assert shown["trace"].startswith("Root=1-5bef4de7")
    assert shown["telemetry"] is None


@every_python
def test_records_of_the_root_logger(python: str) -> None:
    ran = run(lampion_command(python), "cases.log_at_info", [Event(), Event()], telemetry=True)
    line = f"[INFO]\tTIME\t{REQUEST_ID}\tnow shown\n"
    assert [(frame.kind, normalised(frame.text)) for frame in ran.frames] == [(0xA55A0003, line)] * 2
    assert ran.stdout == ""


@every_python
def test_an_answer_and_the_next_request_leave_in_one_write(python: str) -> None:
    ran = run(lampion_command(python), "cases.answer_text", [Event()] * 3)
    assert ran.connections == 1
    assert len(ran.posts) == 3
    assert [(read.count(b"POST "), read.count(b"GET ")) for read in ran.reads] == [(0, 1)] + [(1, 1)] * 3


@every_python
@pytest.mark.parametrize("api_options", [{}, {"piece_bytes": 5}, {"closes_after_each_post": True}], ids=str)
def test_answers_may_arrive_in_any_form(python: str, api_options: dict[str, object]) -> None:
    events = [Event(b'{"n": 1}'), Event(b'{"n": 22222222222222222}', is_chunked=True), Event(b'{"n": 3}')]
    ran = run(lampion_command(python), "cases.answer_everything", events, api_options=api_options)
    assert [json.loads(post.body)["event"]["n"] for post in ran.posts] == [1, 22222222222222222, 3]
    assert ran.connections == (4 if "closes_after_each_post" in api_options else 1)


def test_a_large_event_arrives_whole(tmp_path: Path) -> None:
    event = json.dumps("x" * (SYNC_RESPONSE_BYTES - 2)).encode()
    ran = run_source("def handler(event, context):\n    return len(event)", tmp_path, Event(event))
    assert result(ran) == SYNC_RESPONSE_BYTES - 2


def test_a_response_beyond_the_limit_is_posted_all_the_same(tmp_path: Path) -> None:
    source = f"def handler(event, context):\n    return 'x' * {SYNC_RESPONSE_BYTES}"
    ran = run_source(source, tmp_path)
    assert [len(post.body) for post in ran.posts] == [SYNC_RESPONSE_BYTES + 2]


def test_a_refused_large_response_isnt_followed_by_a_request(tmp_path: Path) -> None:
    source = f"def handler(event, context):\n    return 'x' * {SYNC_RESPONSE_BYTES}"
    ran = run_source(source, tmp_path, post_status="413 Request Entity Too Large")
    assert ran.exit_status == 1
    assert sum(read.count(b"GET ") for read in ran.reads) == 1
    assert "Failed to post handler success response. Http response code: 413." in ran.stdout


@every_python
def test_ends_quietly_when_the_runtime_api_goes_away(python: str) -> None:
    ran = run(lampion_command(python), "cases.answer_text", [Event()], drop=True)
    assert (ran.exit_status, ran.stdout, ran.stderr) == (0, "", "")


@every_python
def test_ends_quietly_when_the_runtime_api_is_not_there(python: str) -> None:
    with FakeRuntimeApi([]) as api:
        address = api.address
    variables = {"AWS_LAMBDA_RUNTIME_API": address, "_HANDLER": "cases.run"}
    ended = subprocess.run(lampion_command(python), env=variables, capture_output=True, check=False, timeout=20)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
