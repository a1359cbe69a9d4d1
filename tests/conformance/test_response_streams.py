"""InvokeWithResponseStream by boto3, of a function whose runtime is a Python program that streams."""

import base64
import io
import itertools
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.sources import ECHO, FAIL
from tests.deployment import Functions, functions
from tests.live_server import LiveServer

PROGRAM = Path(__file__).with_name("streaming_program.py").read_text()
WRAPPER = '#!/bin/sh\nexec "$1" /var/task/program.py\n'
BLOCK = bytes(range(256)) * 256

Step = list[Any]


def package() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content, mode in (("program.py", PROGRAM, 0o644), ("wrapper", WRAPPER, 0o755)):
            entry = zipfile.ZipInfo(name, date_time=(2024, 1, 1, 0, 0, 0))
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def streaming(make_function: Functions, variables: Mapping[str, str] | None = None, **configuration: Any) -> str:
    """A function that does what its event says."""
    environment = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper", **(variables or {})}}
    return make_function(ECHO, Code={"ZipFile": package()}, Environment=environment, **configuration)


def start(client: Any, name: str, *steps: Step, **arguments: Any) -> Any:
    return client.invoke_with_response_stream(FunctionName=name, Payload=json.dumps(steps), **arguments)


def events(answer: Any) -> tuple[bytes, dict[str, str]]:
    """All of the payload, and what InvokeComplete tells."""
    *chunks, last = answer["EventStream"]
    return b"".join(chunk["PayloadChunk"]["Payload"] for chunk in chunks), last["InvokeComplete"]


def run(client: Any, name: str, *steps: Step, **arguments: Any) -> tuple[bytes, dict[str, str]]:
    return events(start(client, name, *steps, **arguments))


@pytest.fixture(scope="module")
def name(live_server: LiveServer) -> Iterator[str]:
    """One function for all tests that need no settings of their own."""
    with functions(live_server.client(), "streams") as made:
        yield streaming(made)


def test_the_pieces_come_as_the_function_writes_them(lambda_client: Any, name: str) -> None:
    steps: list[Step] = []
    for word in ("one", "two", "three"):
        steps += [["write", word], ["sleep", 0.3]]
    answer = start(lambda_client, name, *steps)
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    seen = [(time.monotonic(), event) for event in answer["EventStream"]]
    assert [event["PayloadChunk"]["Payload"] for _, event in seen[:-1]] == [b"one", b"two", b"three"]
    assert seen[-1][1] == {"InvokeComplete": {}}
    gaps = [later - sooner for (sooner, _), (later, _) in itertools.pairwise(seen)]
    assert min(gaps) > 0.2, "they came all at once"


def test_the_same_environment_serves_again(lambda_client: Any, name: str) -> None:
    for number in range(3):
        assert run(lambda_client, name, ["write", str(number)], ["say", "x"])[0] == str(number).encode()
    _, complete = run(lambda_client, name, ["write", "x"], LogType="Tail")
    assert "Init Duration" not in base64.b64decode(complete["LogResult"]).decode()


def test_the_tail_of_the_log_comes_with_the_end(lambda_client: Any, name: str) -> None:
    answer = start(lambda_client, name, ["say", "said this"], ["write", "x"], LogType="Tail")
    request_id = answer["ResponseMetadata"]["RequestId"]
    _, complete = events(answer)
    log = base64.b64decode(complete["LogResult"]).decode()
    assert "said this" in log
    assert f"REPORT RequestId: {request_id}\tDuration: " in log
    assert "ErrorCode" not in complete


def test_an_empty_stream_is_only_complete(lambda_client: Any, name: str) -> None:
    assert run(lambda_client, name, ["begin", "text/plain"]) == (b"", {})


def test_an_error_in_the_middle_is_told_at_the_end(lambda_client: Any, name: str) -> None:
    error = {"errorType": "TypeError", "errorMessage": "té"}
    payload, complete = run(lambda_client, name, ["write", "part"], ["fail", "TypeError", error])
    assert payload == b"part"
    assert complete["ErrorCode"] == "TypeError"
    assert json.loads(complete["ErrorDetails"]) == error
    assert run(lambda_client, name, ["write", "again"])[0] == b"again"


def test_an_error_before_the_first_piece_is_told_in_the_stream(lambda_client: Any, name: str) -> None:
    payload, complete = run(lambda_client, name, ["fail", "TypeError", {"errorType": "TypeError"}])
    assert (payload, complete["ErrorCode"]) == (b"", "TypeError")


@pytest.mark.parametrize(
    ("last", "reported"),
    [
        (["exit", 3], "Runtime.ExitError"),
        (["kill"], "Runtime.ExitError"),
        (["hang_up"], "Runtime.TruncatedResponse"),
        (["eat"], "Runtime.OutOfMemory"),
    ],
    ids=["exit", "kill", "hang up", "out of memory"],
)
def test_a_process_that_ends_in_the_middle_truncates_the_stream(
    lambda_client: Any, make_function: Functions, last: Step, reported: str
) -> None:
    function = streaming(make_function, Timeout=20)
    payload, complete = run(lambda_client, function, ["write", "part"], ["sleep", 0.1], last, LogType="Tail")
    assert payload == b"part"
    assert complete["ErrorCode"] == "Runtime.TruncatedResponse"
    assert "ErrorDetails" not in complete
    log = base64.b64decode(complete["LogResult"]).decode()
    assert f"Status: error\tError Type: {reported}" in log
    assert run(lambda_client, function, ["write", "again"])[0] == b"again"


def test_a_process_that_ends_before_it_streams_says_why(lambda_client: Any, name: str) -> None:
    payload, complete = run(lambda_client, name, ["exit", 3])
    assert (payload, complete["ErrorCode"]) == (b"", "Runtime.ExitError")
    assert json.loads(complete["ErrorDetails"])["errorMessage"].endswith(
        "Error: Runtime exited with error: exit status 3"
    )


def test_a_timeout_in_the_middle(lambda_client: Any, make_function: Functions) -> None:
    function = streaming(make_function, Timeout=1)
    answer = start(lambda_client, function, ["write", "part"], ["sleep", 30], LogType="Tail")
    payload, complete = events(answer)
    assert (payload, complete["ErrorCode"]) == (b"part", "Sandbox.Timedout")
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert json.loads(complete["ErrorDetails"]) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 1.00 seconds",
    }
    assert "Status: timeout" in base64.b64decode(complete["LogResult"]).decode()


def test_a_function_that_does_not_stream_answers_in_pieces(lambda_client: Any, make_function: Functions) -> None:
    function = make_function(ECHO)
    text = "ü" * 100_000
    answer = lambda_client.invoke_with_response_stream(FunctionName=function, Payload=json.dumps(text))
    *chunks, last = answer["EventStream"]
    assert json.loads(b"".join(chunk["PayloadChunk"]["Payload"] for chunk in chunks)) == {"heard": text}
    assert len(chunks) > 1
    assert last == {"InvokeComplete": {}}


def test_an_error_of_a_function_that_does_not_stream(lambda_client: Any, make_function: Functions) -> None:
    payload, complete = events(lambda_client.invoke_with_response_stream(FunctionName=make_function(FAIL)))
    assert (payload, complete["ErrorCode"]) == (b"", "ValueError")
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "no such luck"


def test_a_plain_invoke_gets_the_whole_stream(lambda_client: Any, name: str) -> None:
    steps = [["begin", "text/plain"], ["write", '{"a": '], ["write", "1}"]]
    answer = lambda_client.invoke(FunctionName=name, Payload=json.dumps(steps))
    assert answer["Payload"].read() == b'{"a": 1}'
    assert "FunctionError" not in answer


def test_a_plain_invoke_gets_the_error_of_a_stream(lambda_client: Any, name: str) -> None:
    steps = [["write", "part"], ["fail", "TypeError", {"errorType": "TypeError"}]]
    answer = lambda_client.invoke(FunctionName=name, Payload=json.dumps(steps))
    assert json.loads(answer["Payload"].read()) == {"errorType": "TypeError"}
    assert answer["FunctionError"] == "Unhandled"


def test_a_plain_invoke_of_too_much_is_refused(lambda_client: Any, name: str) -> None:
    answer = lambda_client.invoke(FunctionName=name, Payload=json.dumps([["blocks", 97]]))
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read()) == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }
    answer = lambda_client.invoke(FunctionName=name, Payload=json.dumps([["blocks", 96]]))
    assert answer["Payload"].read() == BLOCK * 96


def test_a_dry_run_runs_nothing(lambda_client: Any, name: str) -> None:
    answer = start(lambda_client, name, ["exit", 1], InvocationType="DryRun")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (204, "$LATEST")
    assert list(answer["EventStream"]) == []


def test_errors_before_the_stream_are_errors(lambda_client: Any, make_function: Functions, name: str) -> None:
    with pytest.raises(lambda_client.exceptions.ResourceNotFoundException):
        start(lambda_client, "no-such-function")
    with pytest.raises(lambda_client.exceptions.InvalidRequestContentException) as caught:
        lambda_client.invoke_with_response_stream(FunctionName=name, Payload="{")
    assert caught.value.response["Error"]["Message"].startswith("Could not parse request body into json")
    with pytest.raises(ClientError) as refused:
        start(lambda_client, name, InvocationType="Event")
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    reserved = streaming(make_function)
    lambda_client.put_function_concurrency(FunctionName=reserved, ReservedConcurrentExecutions=0)
    with pytest.raises(lambda_client.exceptions.TooManyRequestsException):
        start(lambda_client, reserved, ["write", "x"])


def test_a_stream_counts_as_running_until_it_ends(lambda_client: Any, make_function: Functions) -> None:
    function = streaming(make_function, Timeout=30)
    lambda_client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    answer = start(lambda_client, function, ["write", "x"], ["sleep", 1], ["write", "y"])
    with pytest.raises(lambda_client.exceptions.TooManyRequestsException):
        start(lambda_client, function, ["write", "x"])
    assert events(answer) == (b"xy", {})
    assert run(lambda_client, function, ["write", "free"])[0] == b"free"


def test_an_alias_tells_the_version_that_ran(lambda_client: Any, make_function: Functions) -> None:
    function = streaming(make_function)
    version = lambda_client.publish_version(FunctionName=function)["Version"]
    lambda_client.create_alias(FunctionName=function, Name="live", FunctionVersion=version)
    answer = start(lambda_client, function, ["write", "x"], Qualifier="live")
    assert answer["ExecutedVersion"] == version
    assert events(answer) == (b"x", {})


def test_the_function_goes_on_when_its_caller_goes(live_server: LiveServer, make_function: Functions) -> None:
    client = live_server.client()
    function = streaming(make_function, Timeout=30)
    lambda_client = live_server.client()
    lambda_client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    answer = start(client, function, ["write", "x"], ["blocks", 400], ["sleep", 0.5], ["say", "to the end"])
    next(iter(answer["EventStream"]))
    answer["EventStream"].close()
    end = time.monotonic() + 20
    while True:
        try:
            _, complete = run(lambda_client, function, ["peak"], ["write", "x"], LogType="Tail")
            break
        except lambda_client.exceptions.TooManyRequestsException:
            assert time.monotonic() < end, "the first invocation never ended"
            time.sleep(0.05)
    log = base64.b64decode(complete["LogResult"]).decode()
    assert "Init Duration" not in log, "the environment was not kept"


def resident_kib(process_id: int) -> int:
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_200_mib_pass_through_flat_memory(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    client, process = server.client(), server.process
    assert process is not None
    with functions(client, "large") as made:
        function = streaming(made, Timeout=120, MemorySize=256)
        run(client, function, ["blocks", 200])  # what is needed once is there
        before_kib = peak_kib = resident_kib(process.pid)
        received = 0
        complete = None
        for event in start(client, function, ["blocks", 3199])["EventStream"]:
            received += len(event.get("PayloadChunk", {}).get("Payload", b""))
            complete = event.get("InvokeComplete")
            peak_kib = max(peak_kib, resident_kib(process.pid))
        assert (received, complete) == (3199 * len(BLOCK), {})
        assert peak_kib - before_kib < 32 * 1024
        assert int(run(client, function, ["peak"])[0]) < 64 * 1024, "the function's process grew"


def test_what_comes_is_what_was_written(lambda_client: Any, name: str) -> None:
    payload, complete = run(lambda_client, name, ["blocks", 100], ["write", "end"])
    assert payload == BLOCK * 100 + b"end"
    assert complete == {}


def test_more_than_200_mib_is_refused(lambda_client: Any, make_function: Functions) -> None:
    function = streaming(make_function, Timeout=120)
    for blocks, code in ((3200, None), (3201, "Function.ResponseSizeTooLarge")):
        received, complete = 0, {}
        for event in start(lambda_client, function, ["blocks", blocks])["EventStream"]:
            received += len(event.get("PayloadChunk", {}).get("Payload", b""))
            complete = event.get("InvokeComplete", {})
        assert complete.get("ErrorCode") == code
        assert 3190 * len(BLOCK) < received <= 3200 * len(BLOCK)
    assert json.loads(complete["ErrorDetails"]) == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (209715200 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }


def test_a_caller_that_reads_slowly_makes_the_function_wait(lambda_client: Any, make_function: Functions) -> None:
    function = streaming(make_function, Timeout=60)
    lambda_client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    answer = start(lambda_client, function, ["blocks", 800])
    time.sleep(2)
    with pytest.raises(lambda_client.exceptions.TooManyRequestsException):
        start(lambda_client, function)  # it is still writing
    payload, complete = events(answer)
    assert (len(payload), complete) == (800 * len(BLOCK), {})


def test_time_that_the_caller_takes_is_the_function_s(lambda_client: Any, make_function: Functions) -> None:
    answer = start(lambda_client, streaming(make_function, Timeout=1), ["blocks", 800])
    time.sleep(2)
    payload, complete = events(answer)
    assert complete["ErrorCode"] == "Sandbox.Timedout"
    assert len(payload) < 800 * len(BLOCK)
