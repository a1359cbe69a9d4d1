"""The lines that Lambda itself writes into a function's log, as text and as JSON. Pure: no files, no runtimes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import ceil
from typing import Any, Final, Protocol

import msgspec

from lampion.clock.clock import Clock

_MIB: Final = 1024 * 1024
_DEBUG, _INFO, _WARN = range(3)
_LEVELS: Final = {"DEBUG": _DEBUG, "INFO": _INFO, "WARN": _WARN}


class InitSummary(msgspec.Struct, frozen=True):
    """How an initialization went: `phase` is "init" or "invoke", `status` "success", "error" or "timeout"."""

    duration_ms: float
    phase: str
    status: str
    error_type: str | None
    initialization_type: str = "on-demand"


class RestoreSummary(msgspec.Struct, frozen=True):
    """How restoring from a snapshot went: `status` is "success", "error" or "timeout"."""

    duration_ms: float
    status: str
    error_type: str | None


class RestoreDurations(msgspec.Struct, frozen=True):
    """All of restoring, and the part that the runtime and the function's hooks took."""

    restore_ms: float
    billed_ms: int


class RunSummary(msgspec.Struct, frozen=True):
    """How an invocation went: `status` is "" for an ordinary end, "error" or "timeout".

    On a cold start there is one of `init_ms` and `restore`.
    """

    duration_ms: float
    init_ms: float | None
    max_memory_bytes: int
    status: str
    error_type: str | None
    restore: RestoreDurations | None = None


class PlatformLines(Protocol):
    """One log format. Lines come without their final newline; b"" means that the log level hides the line.

    An invocation's tenant, if it has one, is named in JSON only ("Monitoring Lambda functions with tenant isolation").
    """

    def init_start(
        self, runtime_version: str, runtime_version_arn: str, initialization_type: str = "on-demand"
    ) -> bytes: ...

    def init_report(self, summary: InitSummary) -> bytes: ...

    def restore_start(self, runtime_version: str, runtime_version_arn: str) -> bytes: ...

    def restore_report(self, summary: RestoreSummary) -> bytes: ...

    def remark(self, text: str) -> bytes:
        """Something that AWS has no words for."""

    def start(self, request_id: str, version: str, tenant_id: str | None, now: float) -> bytes:
        """`now`, epoch seconds: it may be written a little later."""

    def end(self, request_id: str, summary: RunSummary, tenant_id: str | None = None) -> bytes: ...

    def report(self, request_id: str, memory_mib: int, summary: RunSummary, tenant_id: str | None = None) -> bytes: ...


def platform_lines(log_format: str, system_log_level: str | None, clock: Clock) -> PlatformLines:
    """The lines for a function's LoggingConfig; the level counts for LogFormat JSON only, as in AWS."""
    return JsonLines(clock, system_log_level) if log_format == "JSON" else TextLines()


def billed_ms(summary: RunSummary) -> int:
    """Whole milliseconds billed, at least 1. Since August 2025 AWS bills the INIT phase of managed runtimes too."""
    # What the line shows has two decimals: 180000.004 ms are shown as 180000.00 and billed as 180000.
    beforehand_ms = summary.init_ms or 0.0 if summary.restore is None else summary.restore.billed_ms
    return max(1, ceil(round(summary.duration_ms + beforehand_ms, 2)))


def _max_memory_mib(summary: RunSummary) -> int:
    return max(1, -(-summary.max_memory_bytes // _MIB))


class TextLines:
    """LogFormat Text: every line is written, except the report of an initialization that went well."""

    def init_start(
        self, runtime_version: str, runtime_version_arn: str, initialization_type: str = "on-demand"
    ) -> bytes:
        if not runtime_version:
            return b""  # a container image has no runtime, and AWS says nothing of its start
        return f"INIT_START Runtime Version: {runtime_version}\tRuntime Version ARN: {runtime_version_arn}".encode()

    def init_report(self, summary: InitSummary) -> bytes:
        if summary.status == "success" and summary.initialization_type == "snap-start":
            return f"INIT_REPORT Init Duration: {summary.duration_ms:.2f} ms".encode()
        if summary.status == "success":
            return b""  # in text, AWS tells of it by the Init Duration in REPORT
        return (
            f"INIT_REPORT Init Duration: {summary.duration_ms:.2f} ms\tPhase: {summary.phase}"
            f"\tStatus: {summary.status}{_error_type(summary.error_type)}"
        ).encode()

    def restore_start(self, runtime_version: str, runtime_version_arn: str) -> bytes:
        return f"RESTORE_START Runtime Version: {runtime_version}\tRuntime Version ARN: {runtime_version_arn}".encode()

    def restore_report(self, summary: RestoreSummary) -> bytes:
        status = "" if summary.status == "success" else f"\tStatus: {summary.status}{_error_type(summary.error_type)}"
        return f"RESTORE_REPORT Restore Duration: {summary.duration_ms:.2f} ms{status}".encode()

    def remark(self, text: str) -> bytes:
        return f"LAMPION {text}".encode()

    def start(self, request_id: str, version: str, tenant_id: str | None, now: float) -> bytes:
        return f"START RequestId: {request_id} Version: {version}".encode()

    def end(self, request_id: str, summary: RunSummary, tenant_id: str | None = None) -> bytes:
        return f"END RequestId: {request_id}".encode()

    def report(self, request_id: str, memory_mib: int, summary: RunSummary, tenant_id: str | None = None) -> bytes:
        init = "" if summary.init_ms is None else f"Init Duration: {summary.init_ms:.2f} ms\t"
        if summary.restore is not None:
            init = (
                f"Restore Duration: {summary.restore.restore_ms:.2f} ms"
                f"\tBilled Restore Duration: {summary.restore.billed_ms} ms\t"
            )
        status = f"Status: {summary.status}{_error_type(summary.error_type)}" if summary.status else ""
        return (
            f"REPORT RequestId: {request_id}\tDuration: {summary.duration_ms:.2f} ms"
            f"\tBilled Duration: {billed_ms(summary)} ms\tMemory Size: {memory_mib} MB"
            f"\tMax Memory Used: {_max_memory_mib(summary)} MB\t{init}{status}"
        ).encode()


def _error_type(error_type: str | None) -> str:
    return "" if error_type is None else f"\tError Type: {error_type}"


class JsonLines:
    """LogFormat JSON: events of the Telemetry API's schema, those of the function's system log level and above.

    Which event has which level: AWS Lambda developer guide, "System log level event mapping".
    """

    def __init__(self, clock: Clock, system_log_level: str | None = None) -> None:
        self._clock = clock
        self._level = _LEVELS.get(system_log_level or "INFO", _INFO)

    def init_start(
        self, runtime_version: str, runtime_version_arn: str, initialization_type: str = "on-demand"
    ) -> bytes:
        record = {
            "initializationType": initialization_type,
            "phase": "init",
            **(
                {"runtimeVersion": runtime_version, "runtimeVersionArn": runtime_version_arn} if runtime_version else {}
            ),
        }
        return self._line(_INFO, "platform.initStart", record)

    def init_report(self, summary: InitSummary) -> bytes:
        record = {
            "initializationType": summary.initialization_type,
            "phase": summary.phase,
            "status": summary.status,
            **_with_error_type(summary.error_type),
            "metrics": {"durationMs": round(summary.duration_ms, 3)},
        }
        return self._line(_DEBUG if summary.status == "success" else _WARN, "platform.initReport", record)

    def restore_start(self, runtime_version: str, runtime_version_arn: str) -> bytes:
        record = {"runtimeVersion": runtime_version, "runtimeVersionArn": runtime_version_arn}
        return self._line(_INFO, "platform.restoreStart", record)

    def restore_report(self, summary: RestoreSummary) -> bytes:
        record = {
            "status": summary.status,
            **_with_error_type(summary.error_type),
            "metrics": {"durationMs": round(summary.duration_ms, 3)},
        }
        return self._line(_DEBUG if summary.status == "success" else _WARN, "platform.restoreReport", record)

    def remark(self, text: str) -> bytes:
        return self._line(_WARN, "lampion.remark", {"message": text})

    def start(self, request_id: str, version: str, tenant_id: str | None, now: float) -> bytes:
        record = {"requestId": request_id, "version": version, **_with_tenant(tenant_id)}
        return self._line(_INFO, "platform.start", record, now)

    def end(self, request_id: str, summary: RunSummary, tenant_id: str | None = None) -> bytes:
        record = {
            "requestId": request_id,
            "status": summary.status or "success",
            **_with_error_type(summary.error_type),
            "metrics": {"durationMs": round(summary.duration_ms, 3)},
            **_with_tenant(tenant_id),
        }
        return self._line(_WARN if summary.status else _DEBUG, "platform.runtimeDone", record)

    def report(self, request_id: str, memory_mib: int, summary: RunSummary, tenant_id: str | None = None) -> bytes:
        metrics: dict[str, float] = {
            "durationMs": round(summary.duration_ms, 3),
            "billedDurationMs": billed_ms(summary),
            "memorySizeMB": memory_mib,
            "maxMemoryUsedMB": _max_memory_mib(summary),
        }
        if summary.init_ms is not None:
            metrics["initDurationMs"] = round(summary.init_ms, 3)
        if summary.restore is not None:
            metrics["restoreDurationMs"] = round(summary.restore.restore_ms, 3)
            metrics["billedRestoreDurationMs"] = summary.restore.billed_ms
        record = {
            "requestId": request_id,
            "metrics": metrics,
            "status": summary.status or "success",
            **_with_error_type(summary.error_type),
            **_with_tenant(tenant_id),
        }
        return self._line(_WARN if summary.status else _INFO, "platform.report", record)

    def _line(self, level: int, kind: str, record: Mapping[str, Any], now: float | None = None) -> bytes:
        if level < self._level:
            return b""
        moment = datetime.fromtimestamp(self._clock.now() if now is None else now, UTC)
        time = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return msgspec.json.encode({"time": time, "type": kind, "record": record})


def _with_error_type(error_type: str | None) -> dict[str, str]:
    return {} if error_type is None else {"errorType": error_type}


def _with_tenant(tenant_id: str | None) -> dict[str, str]:
    return {} if tenant_id is None else {"tenantId": tenant_id}
