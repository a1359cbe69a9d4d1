"""The records of the platform's events, member by member."""

import msgspec
import pytest

from lampion.domain.invocation import Invocation
from lampion.function_logs.platform_facts import (
    InitSummary,
    Instance,
    Overhead,
    RestoreDurations,
    RestoreSummary,
    RunSummary,
    RuntimeDone,
    done_record,
    init_done_record,
    init_report_record,
    init_start_record,
    iso_time,
    report_record,
    restore_done_record,
    restore_report_record,
    restore_start_record,
    span_record,
    start_record,
    tracing_record,
)

ID = "d661f7cf-9208-46b9-85b0-213b04a91065"
RUN = Invocation(request_id=ID, invoked_arn="arn:f", payload=b"", trace_id="Root=1-2-3")
ARN = "arn:aws:lambda:us-east-1:123456789012:function:fn"
INSTANCE = Instance(
    function_name="fn",
    function_version="8",
    function_arn=ARN,
    instance_id="2026/11/26/fn[8]ab",
    memory_mib=256,
    runtime_version="nodejs:22.v1",
    runtime_version_arn="arn:runtime",
)
TRACED = "Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=1"


def test_an_environments_start_says_which_it_is() -> None:
    which = {
        "runtimeVersion": "nodejs:22.v1",
        "runtimeVersionArn": "arn:runtime",
        "functionName": "fn",
        "functionVersion": "8",
        "instanceId": "2026/11/26/fn[8]ab",
        "instanceMaxMemory": 268435456,
    }
    assert init_start_record(INSTANCE, "on-demand", "invoke") == {
        "initializationType": "on-demand",
        "phase": "invoke",
        **which,
    }
    assert restore_start_record(INSTANCE) == which


@pytest.mark.parametrize(
    ("status", "error_type"), [("success", None), ("error", "Runtime.ExitError"), ("timeout", None)]
)
def test_how_initializing_and_restoring_went(status: str, error_type: str | None) -> None:
    failed = {} if error_type is None else {"errorType": error_type}
    done = {"initializationType": "on-demand", "phase": "init", "status": status, **failed}
    summary = InitSummary(1.23456, "init", status, error_type)
    assert init_done_record(summary) == done
    assert init_report_record(summary) == {**done, "metrics": {"durationMs": 1.235}}
    restored = RestoreSummary(15.19, status, error_type)
    assert restore_done_record(restored) == {"status": status, **failed}
    assert restore_report_record(restored) == {"status": status, **failed, "metrics": {"durationMs": 15.19}}


def test_an_invocations_start() -> None:
    started = {"requestId": ID, "functionArn": ARN, "version": "8"}
    assert start_record(INSTANCE, ID, None) == started
    tracing = tracing_record(TRACED, ID)
    assert start_record(INSTANCE, ID, "blue", tracing) == {**started, "tracing": tracing, "tenantId": "blue"}


def test_a_trace_is_told_of_when_it_is_recorded_and_its_segment_keeps_its_id() -> None:
    found = tracing_record(TRACED, ID)
    assert found is not None
    assert (found["type"], found["value"], len(found["spanId"])) == ("X-Amzn-Trace-Id", TRACED, 16)
    assert int(found["spanId"], 16) > 0
    assert tracing_record(TRACED, ID) == found
    assert tracing_record(TRACED, "another") != found
    assert tracing_record(TRACED.replace("Sampled=1", "Sampled=0"), ID) is None
    assert tracing_record("Root=1-2-3", ID) is None


def test_what_the_runtime_did_as_seen_in_public() -> None:
    """The numbers of a real log in JSON (schema 2022-12-13)."""
    start_ms = 1_707_468_164_078.0
    done = RuntimeDone(start_ms, 1.056, "", latency_ms=0.677, answered_ms=0.845, produced_bytes=50)
    assert done_record(ID, done, None) == {
        "requestId": ID,
        "status": "success",
        "metrics": {"durationMs": 1.056, "producedBytes": 50},
        "spans": [
            {"name": "responseLatency", "start": "2024-02-09T08:42:44.078Z", "durationMs": 0.677},
            {"name": "responseDuration", "start": "2024-02-09T08:42:44.078Z", "durationMs": 0.168},
            {"name": "runtimeOverhead", "start": "2024-02-09T08:42:44.078Z", "durationMs": 0.211},
        ],
    }


def test_a_runtime_that_never_answered_has_no_spans() -> None:
    done = RuntimeDone(0.0, 3000.0, "error", "Runtime.ExitError")
    assert done_record(ID, done, "blue", {"spanId": "1"}) == {
        "requestId": ID,
        "status": "error",
        "errorType": "Runtime.ExitError",
        "metrics": {"durationMs": 3000.0, "producedBytes": 0},
        "tracing": {"spanId": "1"},
        "tenantId": "blue",
    }


def test_the_report_of_an_invocation() -> None:
    summary = RunSummary(2599.4, 549.04, 94 * 1024 * 1024, "", None)
    assert report_record(RUN, 128, summary) == {
        "requestId": ID,
        "metrics": {
            "durationMs": 2599.4,
            "billedDurationMs": 3149,
            "memorySizeMB": 128,
            "maxMemoryUsedMB": 94,
            "initDurationMs": 549.04,
        },
        "status": "success",
    }
    traced = msgspec.structs.replace(RUN, trace_id=TRACED, tenant_id="blue")
    restored = RunSummary(1.0, None, 0, "timeout", None, RestoreDurations(398.9712, 182))
    assert report_record(traced, 128, restored, Overhead(1_665_532_935_499.0, 47.0004)) == {
        "requestId": ID,
        "metrics": {
            "durationMs": 1.0,
            "billedDurationMs": 183,
            "memorySizeMB": 128,
            "maxMemoryUsedMB": 1,
            "restoreDurationMs": 398.971,
            "billedRestoreDurationMs": 182,
        },
        "status": "timeout",
        "spans": [{"name": "extensionOverhead", "start": "2022-10-12T00:02:15.499Z", "durationMs": 47.0}],
        "tracing": tracing_record(TRACED, ID),
        "tenantId": "blue",
    }


def test_a_span_never_runs_backwards() -> None:
    assert span_record("x", 1.5, -0.001) == {"name": "x", "start": "1970-01-01T00:00:00.001Z", "durationMs": 0.0}
    assert iso_time(1_767_225_600_250.7) == "2026-01-01T00:00:00.250Z"
