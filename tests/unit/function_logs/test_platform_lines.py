"""Lambda's own lines, letter by letter."""

import json

import msgspec
import pytest

from lampion.clock.virtual import VirtualClock
from lampion.domain.invocation import Invocation
from lampion.function_logs.platform_facts import (
    InitSummary,
    Instance,
    RestoreDurations,
    RestoreSummary,
    RunSummary,
    RuntimeDone,
    billed_ms,
)
from lampion.function_logs.platform_lines import JsonLines, PlatformLines, TextLines, platform_lines

ID = "6bc28136-9b4c-4d2b-9c5e-7e0a2f0f1a11"
RUN = Invocation(request_id=ID, invoked_arn="arn:f", payload=b"", trace_id="Root=1-2-3;Parent=4;Sampled=0")
MIB = 1024 * 1024
RUNTIME_ARN = "arn:aws:lambda:us-east-1::runtime:8eeff65f"
HERE = Instance(
    function_name="fn",
    function_version="$LATEST",
    function_arn="arn:aws:lambda:us-east-1:123456789012:function:fn",
    instance_id="2026/11/26/fn[$LATEST]ab",
    memory_mib=128,
    runtime_version="python:3.12.v38",
    runtime_version_arn=RUNTIME_ARN,
)
ITS_RECORD = {
    "runtimeVersion": "python:3.12.v38",
    "runtimeVersionArn": RUNTIME_ARN,
    "functionName": "fn",
    "functionVersion": "$LATEST",
    "instanceId": "2026/11/26/fn[$LATEST]ab",
    "instanceMaxMemory": 134_217_728,
}

WARM = RunSummary(duration_ms=1.234, init_ms=None, max_memory_bytes=35 * MIB, status="", error_type=None)
COLD = RunSummary(duration_ms=1.23, init_ms=120.0, max_memory_bytes=34 * MIB + 1, status="", error_type=None)
TIMEOUT = RunSummary(180000.0, None, 1201 * MIB, "timeout", None)
EXITED = RunSummary(20.5, None, 0, "error", "Runtime.ExitError")
COLD_TIMEOUT = RunSummary(3000.0, 100.5, MIB, "timeout", None)

INIT_OK = InitSummary(1236.04, "init", "success", None)
INIT_TIMEOUT = InitSummary(1236.04, "init", "timeout", None)
INIT_ERROR = InitSummary(1236.04, "invoke", "error", "Runtime.ImportModuleError")


@pytest.mark.parametrize(
    ("summary", "line"),
    [
        (
            WARM,
            "\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 35 MB\t",
        ),
        (
            COLD,
            "\tDuration: 1.23 ms\tBilled Duration: 122 ms\tMemory Size: 128 MB\tMax Memory Used: 35 MB\t"
            "Init Duration: 120.00 ms\t",
        ),
        (
            TIMEOUT,
            "\tDuration: 180000.00 ms\tBilled Duration: 180000 ms\tMemory Size: 128 MB\tMax Memory Used: 1201 MB\t"
            "Status: timeout",
        ),
        (
            EXITED,
            "\tDuration: 20.50 ms\tBilled Duration: 21 ms\tMemory Size: 128 MB\tMax Memory Used: 1 MB\t"
            "Status: error\tError Type: Runtime.ExitError",
        ),
        (
            COLD_TIMEOUT,
            "\tDuration: 3000.00 ms\tBilled Duration: 3101 ms\tMemory Size: 128 MB\tMax Memory Used: 1 MB\t"
            "Init Duration: 100.50 ms\tStatus: timeout",
        ),
    ],
)
def test_the_report_in_text(summary: RunSummary, line: str) -> None:
    assert TextLines().report(RUN, 128, summary).decode() == f"REPORT RequestId: {ID}{line}"


RESTORED = RunSummary(2338.66, None, 173 * MIB, "", None, RestoreDurations(398.97, 182))


def test_a_restored_environment_in_text() -> None:
    """The lines of a real SnapStart function; what it bills includes the restoring that is billed."""
    lines = TextLines()
    assert lines.restore_start(HERE).decode() == (
        f"RESTORE_START Runtime Version: python:3.12.v38\tRuntime Version ARN: {RUNTIME_ARN}"
    )
    assert (
        lines.restore_report(RestoreSummary(398.97, "success", None)) == b"RESTORE_REPORT Restore Duration: 398.97 ms"
    )
    assert lines.restore_report(RestoreSummary(1.0, "error", "Runtime.AfterRestoreError")) == (
        b"RESTORE_REPORT Restore Duration: 1.00 ms\tStatus: error\tError Type: Runtime.AfterRestoreError"
    )
    assert lines.init_report(InitSummary(9908.09, "init", "success", None, "snap-start")) == (
        b"INIT_REPORT Init Duration: 9908.09 ms"
    )
    assert lines.report(RUN, 3009, RESTORED).decode() == (
        f"REPORT RequestId: {ID}\tDuration: 2338.66 ms\tBilled Duration: 2521 ms\tMemory Size: 3009 MB"
        "\tMax Memory Used: 173 MB\tRestore Duration: 398.97 ms\tBilled Restore Duration: 182 ms\t"
    )
    assert lines.remark("x") == b"LAMPION x"


def test_a_restored_environment_in_json() -> None:
    lines = JsonLines(VirtualClock(), "DEBUG")
    start, done, failed, report, init, remark = (
        json.loads(line)
        for line in (
            lines.restore_start(HERE),
            lines.restore_report(RestoreSummary(398.9712, "success", None)),
            lines.restore_report(RestoreSummary(1.0, "timeout", None)),
            lines.report(RUN, 128, RESTORED),
            lines.init_start(HERE, "snap-start"),
            lines.remark("x"),
        )
    )
    assert (start["type"], start["record"]) == ("platform.restoreStart", ITS_RECORD)
    assert (done["type"], done["record"]) == (
        "platform.restoreReport",
        {"status": "success", "metrics": {"durationMs": 398.971}},
    )
    assert failed["record"] == {"status": "timeout", "metrics": {"durationMs": 1.0}}
    assert report["record"]["metrics"]["restoreDurationMs"] == 398.97
    assert report["record"]["metrics"]["billedRestoreDurationMs"] == 182
    assert init["record"]["initializationType"] == "snap-start"
    assert (remark["type"], remark["record"]) == ("lampion.remark", {"message": "x"})
    quiet = JsonLines(VirtualClock(), "WARN")
    assert quiet.restore_start(HERE) == quiet.restore_report(RestoreSummary(1.0, "success", None)) == b""
    assert quiet.restore_report(RestoreSummary(1.0, "error", "x")) != b""


def test_the_other_lines_in_text() -> None:
    lines = TextLines()
    assert lines.init_start(HERE).decode() == (
        f"INIT_START Runtime Version: python:3.12.v38\tRuntime Version ARN: {RUNTIME_ARN}"
    )
    assert lines.start(HERE, RUN, 0.0).decode() == f"START RequestId: {ID} Version: $LATEST"
    assert lines.end(RUN, WARM).decode() == f"END RequestId: {ID}"


@pytest.mark.parametrize(
    ("summary", "line"),
    [
        (INIT_OK, ""),
        (INIT_TIMEOUT, "INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\tStatus: timeout"),
        (
            INIT_ERROR,
            "INIT_REPORT Init Duration: 1236.04 ms\tPhase: invoke\tStatus: error\t"
            "Error Type: Runtime.ImportModuleError",
        ),
    ],
)
def test_an_initialization_is_reported_in_text_when_it_failed(summary: InitSummary, line: str) -> None:
    assert TextLines().init_report(summary).decode() == line


@pytest.mark.parametrize(
    ("duration_ms", "init_ms", "billed"),
    [(0.0, None, 1), (1.0, None, 1), (1.01, None, 2), (180000.004, None, 180000), (0.5, 0.5, 1), (0.5, 99.6, 101)],
)
def test_what_is_billed(duration_ms: float, init_ms: float | None, billed: int) -> None:
    assert billed_ms(RunSummary(duration_ms, init_ms, 0, "", None)) == billed


def event(line: bytes) -> dict[str, object]:
    assert b"\n" not in line
    found = json.loads(line)
    assert found["time"] == "2027-01-15T08:00:00.000Z"
    return {found["type"]: found["record"]}


DONE = RuntimeDone(1_707_468_164_078.0, 1.056, "", latency_ms=0.677, answered_ms=0.712, produced_bytes=50)


def test_the_events_in_json() -> None:
    lines = JsonLines(VirtualClock(), "DEBUG")
    assert event(lines.init_start(HERE)) == {
        "platform.initStart": {
            "initializationType": "on-demand",
            "phase": "init",
            **ITS_RECORD,
        }
    }
    assert event(lines.init_report(INIT_ERROR)) == {
        "platform.initReport": {
            "initializationType": "on-demand",
            "phase": "invoke",
            "status": "error",
            "errorType": "Runtime.ImportModuleError",
            "metrics": {"durationMs": 1236.04},
        }
    }
    assert event(lines.start(HERE, RUN, VirtualClock().now())) == {
        "platform.start": {"requestId": ID, "functionArn": HERE.function_arn, "version": "$LATEST"}
    }
    assert event(lines.runtime_done(RUN, DONE)) == {
        "platform.runtimeDone": {
            "requestId": ID,
            "status": "success",
            "metrics": {"durationMs": 1.056, "producedBytes": 50},
            "spans": [
                {"name": "responseLatency", "start": "2024-02-09T08:42:44.078Z", "durationMs": 0.677},
                {"name": "responseDuration", "start": "2024-02-09T08:42:44.078Z", "durationMs": 0.035},
                {"name": "runtimeOverhead", "start": "2024-02-09T08:42:44.078Z", "durationMs": 0.344},
            ],
        }
    }
    assert event(lines.report(RUN, 128, COLD)) == {
        "platform.report": {
            "requestId": ID,
            "metrics": {
                "durationMs": 1.23,
                "billedDurationMs": 122,
                "memorySizeMB": 128,
                "maxMemoryUsedMB": 35,
                "initDurationMs": 120.0,
            },
            "status": "success",
        }
    }


def test_a_start_in_json_tells_when_the_invocation_began() -> None:
    line = JsonLines(VirtualClock(), "DEBUG").start(HERE, RUN, 1_767_225_600.25)
    assert json.loads(line)["time"] == "2026-01-01T00:00:00.250Z"


def test_the_report_in_json_looks_as_in_cloudwatch() -> None:
    line = JsonLines(VirtualClock()).report(RUN, 128, TIMEOUT).decode()
    assert line == (
        '{"time":"2027-01-15T08:00:00.000Z","type":"platform.report","record":{"requestId":"' + ID + '",'
        '"metrics":{"durationMs":180000.0,"billedDurationMs":180000,"memorySizeMB":128,"maxMemoryUsedMB":1201},'
        '"status":"timeout"}}'
    )


def test_a_failed_invocation_says_so_in_json() -> None:
    lines = JsonLines(VirtualClock(), "WARN")
    done = event(lines.end(RUN, EXITED))["platform.runtimeDone"]
    report = event(lines.report(RUN, 128, EXITED))["platform.report"]
    for record in (done, report):
        assert isinstance(record, dict)
        assert (record["status"], record["errorType"]) == ("error", "Runtime.ExitError")


def written(lines: PlatformLines) -> set[str]:
    """Which lines of a good cold start, and of a failed one, are not suppressed."""
    return {
        name
        for name, line in {
            "initStart": lines.init_start(HERE),
            "initReport": lines.init_report(INIT_OK),
            "initReport failed": lines.init_report(INIT_TIMEOUT),
            "start": lines.start(HERE, RUN, 0.0),
            "runtimeDone": lines.end(RUN, WARM) or lines.runtime_done(RUN, DONE),
            "runtimeDone failed": lines.end(RUN, TIMEOUT),
            "report": lines.report(RUN, 128, WARM),
            "report failed": lines.report(RUN, 128, TIMEOUT),
        }.items()
        if line
    }


FAILURES = {"initReport failed", "runtimeDone failed", "report failed"}
ORDINARY = {"initStart", "start", "report"}


@pytest.mark.parametrize(
    ("level", "names"),
    [
        ("WARN", FAILURES),
        ("INFO", FAILURES | ORDINARY),
        (None, FAILURES | ORDINARY),
        ("DEBUG", FAILURES | ORDINARY | {"initReport", "runtimeDone"}),
    ],
)
def test_the_system_log_level_chooses_the_events(level: str | None, names: set[str]) -> None:
    assert written(platform_lines("JSON", level, VirtualClock())) == names


PRESENT, SNAPSHOT = "on-demand", "snap-start"


@pytest.mark.parametrize(
    ("kind", "initialization_type", "status", "level"),
    [
        ("initRuntimeDone", PRESENT, "success", "DEBUG"),
        ("initRuntimeDone", SNAPSHOT, "success", "DEBUG"),
        ("initRuntimeDone", PRESENT, "error", "WARN"),
        ("initReport", PRESENT, "success", "DEBUG"),
        ("initReport", SNAPSHOT, "success", "INFO"),
        ("initReport", "provisioned-concurrency", "success", "INFO"),
        ("initReport", PRESENT, "timeout", "WARN"),
        ("restoreRuntimeDone", "", "success", "DEBUG"),
        ("restoreRuntimeDone", "", "error", "WARN"),
        ("restoreReport", "", "success", "INFO"),
        ("restoreReport", "", "timeout", "WARN"),
    ],
)
def test_the_levels_of_what_tells_how_a_start_went(
    kind: str, initialization_type: str, status: str, level: str
) -> None:
    """Lambda developer guide, "System log level event mapping"."""
    init, restore = InitSummary(1.5, "init", status, None, initialization_type), RestoreSummary(1.5, status, None)
    levels = ["DEBUG", "INFO", "WARN"]
    shown = []
    for chosen in levels:
        lines = JsonLines(VirtualClock(), chosen)
        line = {
            "initRuntimeDone": lambda lines=lines: lines.init_done(init),
            "initReport": lambda lines=lines: lines.init_report(init),
            "restoreRuntimeDone": lambda lines=lines: lines.restore_done(restore),
            "restoreReport": lambda lines=lines: lines.restore_report(restore),
        }[kind]()
        if line:
            shown.append(chosen)
            told = json.loads(line)
            assert (told["type"], told["record"]["status"]) == (f"platform.{kind}", status)
            assert ("metrics" in told["record"]) == kind.endswith("Report")
    assert shown == levels[: levels.index(level) + 1]


def test_text_tells_how_a_runtime_started_in_reports_alone() -> None:
    assert TextLines().init_done(INIT_OK) == TextLines().restore_done(RestoreSummary(1.5, "success", None)) == b""


def test_text_has_no_levels() -> None:
    everything = FAILURES | ORDINARY | {"runtimeDone"}
    assert written(platform_lines("Text", "WARN", VirtualClock())) == everything


def test_provisioned_concurrency_reports_every_initialization_in_text() -> None:
    """Developer guide, "Failures during the Init phase"."""
    good = InitSummary(612.334, "init", "success", None, "provisioned-concurrency")
    assert TextLines().init_report(good) == b"INIT_REPORT Init Duration: 612.33 ms"


def test_the_start_of_what_has_no_runtime_is_a_detail() -> None:
    """A container image, that is."""
    image = msgspec.structs.replace(HERE, runtime_version="", runtime_version_arn="")
    for level, expected in (("DEBUG", True), ("INFO", False)):
        lines = JsonLines(VirtualClock(), level)
        assert bool(lines.init_start(image)) == bool(lines.restore_start(image)) == expected


def test_an_invocation_that_broke_off_in_json_looks_as_in_cloudwatch() -> None:
    line = JsonLines(VirtualClock(), "WARN").end(RUN, RunSummary(5001.182, None, 0, "timeout", None))
    assert event(line) == {
        "platform.runtimeDone": {
            "requestId": ID,
            "status": "timeout",
            "metrics": {"durationMs": 5001.182, "producedBytes": 0},
        }
    }


@pytest.mark.parametrize(
    ("log_format", "level", "alone", "with_extensions"),
    [("Text", None, False, False), ("JSON", "DEBUG", True, True), ("JSON", "INFO", False, True)],
)
def test_a_runtime_is_watched_only_where_its_line_may_be_written(
    log_format: str, level: str | None, alone: bool, with_extensions: bool
) -> None:
    lines = platform_lines(log_format, level, VirtualClock())
    assert lines.watches(has_extensions=False) is alone
    assert lines.watches(has_extensions=True) is with_extensions


def test_a_report_covers_what_extensions_took() -> None:
    summary = RunSummary(250.0, None, MIB, "", None, None, runtime_ms=50.0)
    lines = JsonLines(VirtualClock(), "DEBUG")
    assert json.loads(lines.report(RUN, 128, summary))["record"]["metrics"]["durationMs"] == 250.0
    assert b"Duration: 250.00 ms\tBilled Duration: 250 ms" in TextLines().report(RUN, 128, summary)
