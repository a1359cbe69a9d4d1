"""Events in each version of the schemas, as AWS's guide shows them and as they were seen in public."""

import json
from typing import Any

import pytest

from lampion.function_telemetry.events import (
    Event,
    dropped_event,
    encode_event,
    iso_time,
    log_line,
    platform_event,
    subscription_event,
)
from lampion.function_telemetry.subscription import TELEMETRY, Destination, Protocol, Stream, Subscription

LOGS = ("2020-08-15", "2021-03-18")
TELEMETRIES = ("2022-07-01", "2022-12-13", "2025-01-29")
TIME_MS = 1_666_361_103_165
ID = "459921b5-681c-4a96-beb0-81e0aa586026"
TRACING = {"spanId": "24cd7d670fa455f0", "type": "X-Amzn-Trace-Id", "value": "Root=1-2-3;Parent=4;Sampled=1"}
METRICS = {"durationMs": 2599.4, "billedDurationMs": 2600, "memorySizeMB": 128, "maxMemoryUsedMB": 94}
INIT = {"initializationType": "on-demand", "phase": "init"}
VERSIONS = {"runtimeVersion": "nodejs:22.v1", "runtimeVersionArn": "arn"}
INSTANCE = {"functionName": "fn", "functionVersion": "$LATEST", "instanceId": "x", "instanceMaxMemory": 268435456}
SPANS = [{"name": "responseLatency", "start": "2022-10-21T14:05:03.165Z", "durationMs": 2598.0}]


def seen(event: Event, schema: str) -> Any:
    encoded = encode_event(event, schema)
    if encoded is None:
        return None
    assert b"\n" not in encoded
    found = json.loads(encoded)
    assert list(found) == ["time", "type", "record"]
    assert found["time"] == "2022-10-21T14:05:03.165Z"
    return {found["type"]: found["record"]}


def happened(kind: str, **record: Any) -> Event:
    return platform_event(TIME_MS, kind, record)


START = happened("platform.start", requestId=ID, version="$LATEST", functionArn="arn:f", tracing=TRACING)
DONE = happened(
    "platform.runtimeDone",
    requestId=ID,
    status="error",
    errorType="Runtime.ExitError",
    metrics={"durationMs": 1.0, "producedBytes": 8},
    spans=SPANS,
)
REPORT = happened("platform.report", requestId=ID, metrics=METRICS, status="success", spans=SPANS)
INIT_START = happened("platform.initStart", **INIT, **VERSIONS, **INSTANCE)
INIT_DONE = happened("platform.initRuntimeDone", **INIT, status="success")
INIT_REPORT = happened("platform.initReport", **INIT, status="error", errorType="x", metrics={"durationMs": 500.8})
RESTORE_START = happened("platform.restoreStart", **VERSIONS, **INSTANCE)
RESTORE_DONE = happened("platform.restoreRuntimeDone", status="success")
RESTORE_REPORT = happened("platform.restoreReport", status="success", metrics={"durationMs": 15.19})
EXTENSION = happened("platform.extension", name="e", state="Ready", events=["INVOKE", "SHUTDOWN"])
END = happened("platform.end", requestId=ID)
FAULT = platform_event(TIME_MS, "platform.fault", f"RequestId: {ID} Process exited before completing request")


@pytest.mark.parametrize(
    "event",
    [START, DONE, REPORT, INIT_START, INIT_DONE, INIT_REPORT, RESTORE_START, RESTORE_DONE, RESTORE_REPORT, EXTENSION],
)
def test_the_newest_schema_has_all_of_it(event: Event) -> None:
    assert seen(event, "2025-01-29") == {event.kind: event.record}


@pytest.mark.parametrize("schema", TELEMETRIES)
def test_only_the_logs_api_knows_of_ends_and_faults(schema: str) -> None:
    assert seen(END, schema) is None
    assert seen(FAULT, schema) is None


@pytest.mark.parametrize("schema", LOGS)
@pytest.mark.parametrize(
    "event", [INIT_START, INIT_DONE, INIT_REPORT, RESTORE_START, RESTORE_DONE, RESTORE_REPORT], ids=lambda e: e.kind
)
def test_the_logs_api_knows_of_no_initialization(schema: str, event: Event) -> None:
    assert seen(event, schema) is None


def test_the_first_two_schemas_of_telemetry() -> None:
    started = {"requestId": ID, "version": "$LATEST", "tracing": TRACING}
    assert seen(START, "2022-12-13") == seen(START, "2022-07-01") == {"platform.start": started}
    assert seen(INIT_START, "2022-12-13") == {"platform.initStart": {**INIT, **VERSIONS, **INSTANCE}}
    assert seen(INIT_START, "2022-07-01") == {"platform.initStart": {**INIT, **VERSIONS}}
    assert seen(RESTORE_START, "2022-07-01") == {"platform.restoreStart": VERSIONS}
    assert seen(INIT_REPORT, "2022-12-13") == {"platform.initReport": INIT_REPORT.record}
    assert seen(INIT_REPORT, "2022-07-01") == {"platform.initReport": {**INIT, "metrics": {"durationMs": 500.8}}}
    for schema in TELEMETRIES:
        for event in (DONE, REPORT, INIT_DONE, EXTENSION):
            assert seen(event, schema) == {event.kind: event.record}


def test_the_schemas_of_the_logs_api() -> None:
    for schema in LOGS:
        assert seen(START, schema) == {"platform.start": {"requestId": ID, "version": "$LATEST"}}
        assert seen(REPORT, schema) == {"platform.report": {"requestId": ID, "metrics": METRICS}}
        assert seen(END, schema) == {"platform.end": {"requestId": ID}}
        assert seen(FAULT, schema) == {"platform.fault": FAULT.record}
        assert seen(EXTENSION, schema) == {"platform.extension": EXTENSION.record}
    assert seen(DONE, "2020-08-15") is None


@pytest.mark.parametrize(
    ("status", "of_logs"),
    [("success", "success"), ("error", "failure"), ("failure", "failure"), ("timeout", "timeout")],
)
def test_an_invocation_that_is_done_in_the_logs_api(status: str, of_logs: str) -> None:
    done = happened("platform.runtimeDone", requestId=ID, status=status, metrics={})
    assert seen(done, "2021-03-18") == {"platform.runtimeDone": {"requestId": ID, "status": of_logs}}


def test_subscriptions_are_told_in_the_words_of_each_api() -> None:
    streams = (Stream.PLATFORM, Stream.FUNCTION)
    subscription = Subscription(TELEMETRY, "2022-12-13", streams, Destination(Protocol.TCP, 1))
    event = subscription_event(TIME_MS, "e", "Already subscribed", subscription)
    record = {"name": "e", "state": "Already subscribed", "types": ["platform", "function"]}
    for schema in TELEMETRIES:
        assert seen(event, schema) == {"platform.telemetrySubscription": record}
    for schema in LOGS:
        assert seen(event, schema) == {"platform.logsSubscription": record}


@pytest.mark.parametrize("schema", LOGS + TELEMETRIES)
def test_dropped_events_are_told_in_every_schema(schema: str) -> None:
    record = seen(dropped_event(TIME_MS, 123, 12345), schema)["platform.logsDropped"]
    assert (record["droppedRecords"], record["droppedBytes"]) == (123, 12345)
    assert "slower" in record["reason"]


TEXT = b"[INFO] Hello world, I am a function!\n"
OBJECT = b'{"level": "INFO",\n "message": "Hello"}\n'


@pytest.mark.parametrize("schema", LOGS + TELEMETRIES)
@pytest.mark.parametrize("stream", [Stream.FUNCTION, Stream.EXTENSION])
def test_a_line_of_a_log_is_text(schema: str, stream: Stream) -> None:
    assert seen(log_line(TIME_MS, stream, TEXT, is_json=False), schema) == {stream.value: TEXT.decode()}
    assert seen(log_line(TIME_MS, stream, OBJECT, is_json=False), schema) == {stream.value: OBJECT.decode()}


def test_a_line_in_json_is_an_object_since_the_second_schema() -> None:
    event = log_line(TIME_MS, Stream.FUNCTION, OBJECT, is_json=True)
    for schema in ("2022-12-13", "2025-01-29"):
        assert seen(event, schema) == {"function": {"level": "INFO", "message": "Hello"}}
    for schema in (*LOGS, "2022-07-01"):
        assert seen(event, schema) == {"function": OBJECT.decode()}


@pytest.mark.parametrize(
    "line", [b"plain\n", b"[1]\n", b"12", b"{", b"", b"\xff\xfe", b'{"a":' * 5000, b"null", b'{"a": NaN}']
)
def test_what_only_should_be_json_is_text(line: bytes) -> None:
    event = log_line(TIME_MS, Stream.FUNCTION, line, is_json=True)
    assert seen(event, "2025-01-29") == {"function": line.decode("utf-8", "replace")}


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_767_225_600_007, "2026-01-01T00:00:00.007Z"),
        (TIME_MS + 834, "2022-10-21T14:05:03.999Z"),
    ],
)
def test_times_have_milliseconds(time_ms: int, text: str) -> None:
    assert iso_time(time_ms) == text
