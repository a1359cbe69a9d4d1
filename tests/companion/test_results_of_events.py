"""Event invocations of a live server, end to end: what becomes of them arrives where the function's owner wants it."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.tree import ROOT
from tests.companion import inbox
from tests.companion.companion import ACCOUNT, REGION, SECRET, Companion, wait_until
from tests.deployment import arn_of, creation, wait_active
from tests.live_server import LiveServer

FAILS_IF_TOLD = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("as \\x1b told")
    return {"seen": event, "request": context.aws_request_id}
"""

RECORDED = ROOT / "tests" / "conformance" / "recorded" / "data" / "test_lambda.snapshot.json"


@pytest.fixture(scope="module")
def server(marked_root: Path, companion: Companion) -> Iterator[LiveServer]:
    """Told by AWS's variables where the companion is."""
    with LiveServer(data=marked_root / "results", environ=companion.variables) as running:
        yield running


@pytest.fixture(scope="module")
def function(server: LiveServer) -> str:
    client = server.client()
    client.create_function(**creation("results", FAILS_IF_TOLD))
    wait_active(client, "results")
    return "results"


def send_results(client: Any, function: str, *, success: str | None = None, failure: str | None = None) -> None:
    destinations = {name: {"Destination": arn} for name, arn in (("OnSuccess", success), ("OnFailure", failure)) if arn}
    client.put_function_event_invoke_config(
        FunctionName=function, MaximumRetryAttempts=0, DestinationConfig=destinations
    )


def invoke(client: Any, function: str, event: dict[str, Any]) -> str:
    """The request id of an event invocation that was accepted."""
    answer = client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event))
    assert answer["StatusCode"] == 202
    request_id: str = answer["ResponseMetadata"]["RequestId"]
    return request_id


def check_record(record: dict[str, Any], request_id: str, event: dict[str, Any], function: str) -> None:
    failed = "fail" in event
    assert list(record) == [
        "version",
        "timestamp",
        "requestContext",
        "requestPayload",
        "responseContext",
        "responsePayload",
    ]
    assert record["requestContext"] == {
        "requestId": request_id,
        "functionArn": arn_of(function, ":$LATEST"),
        "condition": "RetriesExhausted" if failed else "Success",
        "approximateInvokeCount": 1,
    }
    assert record["requestPayload"] == event
    expected = {"statusCode": 200, "executedVersion": "$LATEST"} | ({"functionError": "Unhandled"} if failed else {})
    assert record["responseContext"] == expected
    if failed:
        assert record["responsePayload"]["errorType"] == "ValueError"
    else:
        assert record["responsePayload"] == {"seen": event, "request": request_id}


@pytest.mark.parametrize("event", [{"text": "é"}, {"fail": True}])
def test_a_queue_hears_of_both_ends(companion: Companion, server: LiveServer, function: str, event: Any) -> None:
    there, client = inbox.queue(companion), server.client()
    send_results(client, function, success=there.arn, failure=there.arn)
    request_id = invoke(client, function, event)
    (message,) = there.receive()
    check_record(json.loads(message["Body"]), request_id, event, function)
    assert message["Attributes"]["AWSTraceHeader"].startswith("Root=1-")
    assert there.is_empty()


def test_a_topic_hears(companion: Companion, server: LiveServer, function: str) -> None:
    there, client = inbox.topic(companion), server.client()
    send_results(client, function, success=there.arn)
    request_id = invoke(client, function, {"n": 1})
    (message,) = there.receive()
    check_record(json.loads(json.loads(message["Body"])["Message"]), request_id, {"n": 1}, function)


def test_a_bus_hears(companion: Companion, server: LiveServer, function: str) -> None:
    there = inbox.bus(companion, {"source": ["lambda"], "detail": {"requestContext": {"condition": ["Success"]}}})
    client = server.client()
    send_results(client, function, success=there.arn)
    request_id = invoke(client, function, {"n": 2})
    (message,) = there.receive()
    event = json.loads(message["Body"])
    assert event["detail-type"] == "Lambda Function Invocation Result - Success"
    check_record(event["detail"], request_id, {"n": 2}, function)


def test_a_bucket_keeps_failures(companion: Companion, server: LiveServer, function: str) -> None:
    bucket, client = inbox.bucket(companion), server.client()
    send_results(client, function, failure=bucket)
    request_id = invoke(client, function, {"fail": 1})
    wait_until(lambda: len(inbox.objects(companion, bucket)) == 1, 10, lambda: server.output)
    ((key, content),) = inbox.objects(companion, bucket).items()
    assert key.startswith(f"aws/lambda/async/{function}/20")
    check_record(json.loads(content), request_id, {"fail": 1}, function)


@pytest.mark.parametrize("kind", [inbox.queue, inbox.topic])
def test_a_dead_letter_queue_gets_the_event_beside_the_destination(
    companion: Companion, server: LiveServer, kind: Callable[[Companion], inbox.Inbox]
) -> None:
    letters, records, client, name = kind(companion), inbox.queue(companion), server.client(), inbox.unique("letters")
    client.create_function(**creation(name, FAILS_IF_TOLD, DeadLetterConfig={"TargetArn": letters.arn}))
    wait_active(client, name)
    send_results(client, name, failure=records.arn)
    request_id = invoke(client, name, {"fail": "é"})
    (letter,) = letters.receive()
    (record,) = records.receive()
    check_record(json.loads(record["Body"]), request_id, {"fail": "é"}, name)
    if kind is inbox.topic:
        body = json.loads(letter["Body"])
        event, attributes = body["Message"], {n: (a["Type"], a["Value"]) for n, a in body["MessageAttributes"].items()}
    else:
        event = letter["Body"]
        attributes = {n: (a["DataType"], a["StringValue"]) for n, a in letter["MessageAttributes"].items()}
    assert event == json.dumps({"fail": "é"})
    assert attributes == {
        "RequestID": ("String", request_id),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "as \ufffd told"),
    }
    invoke(client, name, {"n": 1})
    assert letters.is_empty(), "what succeeded is no dead letter"


def test_an_event_of_a_function_that_is_turned_off_is_recorded_as_aws_recorded_it(
    companion: Companion, server: LiveServer
) -> None:
    there, client, name = inbox.queue(companion), server.client(), inbox.unique("off")
    client.create_function(**creation(name, FAILS_IF_TOLD))
    wait_active(client, name)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    send_results(client, name, failure=there.arn)
    request_id = invoke(client, name, {})
    (message,) = there.receive()
    record = json.loads(message["Body"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["timestamp"])
    recorded = recorded_message()
    ours = {
        "date": record["timestamp"],
        "<uuid:2>": request_id,
        "arn:<partition>:lambda:<region>:111111111111:function:<function-name:1>:$LATEST": arn_of(name, ":$LATEST"),
    }
    context = {member: ours.get(value, value) for member, value in recorded["Body"]["requestContext"].items()}
    expected = {
        member: ours.get(value, value) if isinstance(value, str) else value
        for member, value in recorded["Body"].items()
    }
    assert record == {**expected, "requestContext": context}
    assert list(record) == list(recorded["Body"])
    assert list(record["requestContext"]) == list(context)
    assert set(recorded["Attributes"]) <= set(message["Attributes"])
    assert "MessageAttributes" not in message


def recorded_message() -> dict[str, Any]:
    """What AWS's queue held in the recorded case of a function that reserves nothing."""
    cases = json.loads(RECORDED.read_text(encoding="utf-8"))
    (case,) = (cases[name] for name in cases if name.endswith("TestLambdaConcurrency::test_reserved_concurrency"))
    message: dict[str, Any] = case["recorded-content"]["msg"]
    return message


def test_what_is_not_there_is_said_in_the_servers_log(companion: Companion, server: LiveServer, function: str) -> None:
    client, missing = server.client(), f"arn:aws:sqs:{REGION}:{ACCOUNT}:missing-{time.monotonic_ns()}"
    send_results(client, function, success=missing)
    request_id = invoke(client, function, {})
    refusal = f"{missing} doesn't take the result of {request_id}: sqs at {companion.url} answered 400, "
    wait_until(lambda: refusal in server.output, 10, lambda: server.output)
    assert SECRET not in server.output


def test_a_table_of_the_configuration_file_says_where_a_service_is(
    companion: Companion, start_server: Callable[..., LiveServer], tmp_path: Path
) -> None:
    """Queues are reached, with the table's key; topics are not configured, and that is said with the remedy."""
    file = tmp_path / "lampion.toml"
    file.write_text(
        f'idle_seconds = 300\n[services.sqs]\nendpoint = "{companion.url}"\n'
        f'access_key_id = "{ACCOUNT}"\nsecret_access_key = "{SECRET}"\n'
    )
    server = start_server("--config", str(file))
    client, there = server.client(), inbox.queue(companion)
    client.create_function(**creation("told", FAILS_IF_TOLD))
    wait_active(client, "told")
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"
    send_results(client, "told", success=there.arn, failure=topic)
    request_id = invoke(client, "told", {"n": 3})
    (message,) = there.receive()
    check_record(json.loads(message["Body"]), request_id, {"n": 3}, "told")
    invoke(client, "told", {"fail": 1})
    words = (
        f"{topic} takes no results now: sns has no endpoint: set AWS_ENDPOINT_URL_SNS, or endpoint in [services.sns]"
    )
    wait_until(lambda: words in server.output, 10, lambda: server.output)


def test_results_wait_on_disk_while_the_peer_is_away_and_over_a_kill_of_the_server(
    private_companion: Companion, marked_root: Path
) -> None:
    away = private_companion
    there = inbox.queue(away)
    with LiveServer(data=marked_root / "waiting", environ=away.variables) as server:
        client = server.client()
        client.create_function(**creation("waiting", FAILS_IF_TOLD))
        wait_active(client, "waiting")
        send_results(client, "waiting", success=there.arn)
        away.stop()
        sent = {invoke(client, "waiting", {"n": number}) for number in range(20)}
        wait_until(lambda: f"{there.arn} takes no results now" in server.output, 20, lambda: server.output)
        server.restart()
        away.start()
        got = [json.loads(message["Body"]) for message in there.receive(len(sent), seconds=60)]
        assert {record["requestContext"]["requestId"] for record in got} == sent
        assert all(record["requestContext"]["condition"] == "Success" for record in got)
