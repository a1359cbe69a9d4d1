"""`lampion invoke`: what it asks, what it prints where, and how it exits."""

import base64
import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from lampion.cli.failure import ExitCode
from tests.unit.cli.conftest import Ran
from tests.unit.cli.stub_server import Stub

Lampion = Callable[..., Ran]


def error(code: str, message: str) -> bytes:
    return json.dumps({"Type": "User", "message": message, "code": code}).encode()


@pytest.mark.parametrize(
    "payload", [b'{"a":  1}', b"null", b"", b'"\xc3\xbc"', b'"\x1b[31m"\n', bytes(range(256)), b"x" * 100_000]
)
def test_stdout_is_the_payload_byte_for_byte(stub: Stub, lampion: Lampion, payload: bytes) -> None:
    stub.answer(200, payload)
    ran = lampion("invoke", "hello")
    assert (ran.code, ran.out, ran.err) == (0, payload, "")


def test_what_is_asked(stub: Stub, lampion: Lampion) -> None:
    stub.answer(200, b"{}")
    lampion("invoke", "hello", '{"n": "ü"}', "--qualifier", "$LATEST", "--client-context", '{"custom": {"a": 1}}')
    (asked,) = stub.asked
    assert (asked.method, asked.target) == ("POST", "/2015-03-31/functions/hello/invocations?Qualifier=%24LATEST")
    assert asked.body == '{"n": "ü"}'.encode()
    assert asked.headers["x-amz-invocation-type"] == "RequestResponse"
    assert base64.b64decode(asked.headers["x-amz-client-context"]) == b'{"custom": {"a": 1}}'
    assert asked.headers["host"] == f"127.0.0.1:{stub.port}"
    assert "/eu-west-1/lambda/aws4_request" in asked.headers["authorization"]


def test_a_temporary_key_is_sent_with_its_token(stub: Stub, lampion: Lampion, monkeypatch: pytest.MonkeyPatch) -> None:
    stub.answer(200, b"{}")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "what STS gave")
    lampion("invoke", "hello")
    assert stub.asked[0].headers["x-amz-security-token"] == "what STS gave"
    assert "x-amz-security-token" in stub.asked[0].headers["authorization"]


def test_an_arn_is_one_part_of_the_path(stub: Stub, lampion: Lampion) -> None:
    stub.answer(200, b"{}")
    lampion("invoke", "arn:aws:lambda:us-east-1:123456789012:function:hello")
    assert stub.asked[0].target == (
        "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Ahello/invocations"
    )


def test_the_payload_may_come_from_a_file(stub: Stub, lampion: Lampion, tmp_path: Path) -> None:
    stub.answer(200, b"{}")
    (tmp_path / "event.json").write_bytes(b'{"from": "file"}\n')
    lampion("invoke", "hello", f"@{tmp_path}/event.json")
    assert stub.asked[0].body == b'{"from": "file"}\n'


def test_a_file_that_is_missing_is_named(stub: Stub, lampion: Lampion, tmp_path: Path) -> None:
    ran = lampion("invoke", "hello", f"@{tmp_path}/no.json")
    assert (ran.code, ran.out, stub.asked) == (ExitCode.USAGE, b"", [])
    assert f"can't read '{tmp_path}/no.json'" in ran.err


def test_the_payload_may_come_from_stdin(
    stub: Stub, lampion: Lampion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.answer(200, b"{}")
    (tmp_path / "stdin").write_bytes(b'{"from": "stdin"}')
    with (tmp_path / "stdin").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        lampion("invoke", "hello", "-")
    assert stub.asked[0].body == b'{"from": "stdin"}'


@pytest.mark.parametrize("arguments", [["--dry-run"], ["--invocation-type", "DryRun"]])
def test_a_dry_run(stub: Stub, lampion: Lampion, arguments: list[str]) -> None:
    stub.answer(204)
    ran = lampion("invoke", "hello", *arguments)
    assert (ran.code, ran.out) == (0, b"")
    assert stub.asked[0].headers["x-amz-invocation-type"] == "DryRun"


@pytest.mark.parametrize("arguments", [["--tail"], ["--log-type", "Tail"]])
def test_the_log_tail_goes_to_stderr(stub: Stub, lampion: Lampion, arguments: list[str]) -> None:
    tail = "START RequestId: 1\nheard\nREPORT RequestId: 1\n"
    stub.answer(200, b"{}", X_Amz_Log_Result=base64.b64encode(tail.encode()).decode())
    ran = lampion("invoke", "hello", *arguments)
    assert stub.asked[0].headers["x-amz-log-type"] == "Tail"
    assert (ran.out, ran.err) == (b"{}", tail)


def test_a_function_error_exits_1_and_a_timeout_5(stub: Stub, lampion: Lampion) -> None:
    failed = b'{"errorType": "ValueError", "errorMessage": "no"}'
    timed_out = b'{"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 3.00 seconds"}'
    stub.answer(200, failed, X_Amz_Function_Error="Unhandled")
    stub.answer(200, timed_out, X_Amz_Function_Error="Unhandled")
    assert (first := lampion("invoke", "hello")).code == 1
    assert first.out == failed
    assert "failed (Unhandled)" in first.err
    assert (second := lampion("invoke", "hello")).code == 5
    assert second.out == timed_out


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (400, "ValidationException", 2),
        (400, "InvalidRequestContentException", 2),
        (401, "UnauthorizedException", 6),
        (403, "InvalidSignatureException", 6),
        (404, "ResourceNotFoundException", 3),
        (409, "ResourceConflictException", 2),
        (413, "RequestTooLargeException", 2),
        (429, "TooManyRequestsException", 4),
        (500, "ServiceException", 8),
        (501, "NotImplementedException", 8),
    ],
)
def test_exit_codes_of_refusals(stub: Stub, lampion: Lampion, status: int, code: str, exit_code: int) -> None:
    stub.answer(status, error(code, "for a reason"), x_amzn_ErrorType=code)
    ran = lampion("invoke", "hello")
    assert (ran.code, ran.out) == (exit_code, b"")
    assert ran.err.splitlines()[:2] == [f"lampion: {code} ({status})", "  why: for a reason"]


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("UnrecognizedClientException", '  fix: Take the key of this server: eval "$(lampion env)"'),
        (
            "AccessDeniedException",
            "  fix: Ask who may change policies here: `lampion iam explain` says what they allow.",
        ),
    ],
)
def test_who_is_known_and_denied_is_not_sent_for_another_key(stub: Stub, lampion: Lampion, code: str, fix: str) -> None:
    stub.answer(403, error(code, "for a reason"), x_amzn_ErrorType=code)
    assert lampion("invoke", "hello").err.splitlines()[2] == fix


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff"])
def test_an_error_that_is_not_of_aws_is_told_too(stub: Stub, lampion: Lampion, body: bytes) -> None:
    stub.answer(502, body)
    ran = lampion("invoke", "hello")
    assert ran.code == ExitCode.SERVER_ERROR
    assert ran.err.startswith("lampion: HTTP error (502)")


def test_no_server_exits_7(lampion: Lampion, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "LKIATESTTESTTESTTEST")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        ran = lampion("invoke", "hello")
    assert ran.code == ExitCode.UNREACHABLE
    assert "fix: Start one with: lampion serve" in ran.err


def test_no_running_server_on_a_data_directory_exits_7(lampion: Lampion, tmp_path: Path) -> None:
    ran = lampion("invoke", "hello", "--data", str(tmp_path))
    assert ran.code == ExitCode.UNREACHABLE
    assert f"no server runs on {tmp_path}" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["localhost:9000", "ftp://localhost", "http://"])
def test_an_endpoint_that_is_no_address_is_named(lampion: Lampion, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    ran = lampion("invoke", "hello")
    assert (ran.code, repr(url) in ran.err) == (ExitCode.USAGE, True)


def test_an_endpoint_without_keys_is_refused(lampion: Lampion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    ran = lampion("invoke", "hello")
    assert (ran.code, "no access key" in ran.err) == (ExitCode.USAGE, True)


@pytest.mark.parametrize("context", ["[1]", "not json", "@/no/such/file"])
def test_a_client_context_must_be_an_object(stub: Stub, lampion: Lampion, context: str) -> None:
    ran = lampion("invoke", "hello", "--client-context", context)
    assert (ran.code, stub.asked) == (ExitCode.USAGE, [])


@pytest.mark.parametrize("arguments", [["invoke"], ["invoke", "hello", "--no-such"], ["no-such"]])
def test_a_wrong_command_line_exits_2(lampion: Lampion, arguments: list[str]) -> None:
    ran = lampion(*arguments)
    assert (ran.code, ran.out) == (ExitCode.USAGE, b"")
    assert "Usage: lampion" in ran.err
