"""The lines that Lambda itself writes into a function's log, as text and as JSON. Pure: no files, no runtimes."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from lampion.clock.clock import Clock
from lampion.function_logs.platform_facts import (
    ExtensionSummary,
    InitSummary,
    Instance,
    RestoreSummary,
    RunSummary,
    billed_ms,
    extension_record,
    init_done_record,
    init_report_record,
    init_start_record,
    iso_time,
    max_memory_mib,
    report_record,
    restore_done_record,
    restore_report_record,
    restore_start_record,
    start_record,
)

_DEBUG, _INFO, _WARN = range(3)
_LEVELS: Final = {"DEBUG": _DEBUG, "INFO": _INFO, "WARN": _WARN}


class PlatformLines(Protocol):
    """One log format. Lines come without their final newline; b"" means that the log level hides the line.

    An invocation's tenant, if it has one, is named in JSON only ("Monitoring Lambda functions with tenant isolation").
    """

    def init_start(self, instance: Instance, initialization_type: str = "on-demand") -> bytes: ...

    def init_done(self, summary: InitSummary) -> bytes:
        """The runtime has initialized, or has failed to; text doesn't tell."""

    def init_report(self, summary: InitSummary) -> bytes: ...

    def restore_start(self, instance: Instance) -> bytes: ...

    def restore_done(self, summary: RestoreSummary) -> bytes: ...

    def restore_report(self, summary: RestoreSummary) -> bytes: ...

    def extension(self, extension: ExtensionSummary) -> bytes: ...

    def remark(self, text: str) -> bytes:
        """Something that AWS has no words for."""

    def start(self, instance: Instance, request_id: str, tenant_id: str | None, now: float) -> bytes:
        """`now`, epoch seconds: it may be written a little later."""

    def end(self, request_id: str, summary: RunSummary, tenant_id: str | None = None) -> bytes: ...

    def report(self, request_id: str, memory_mib: int, summary: RunSummary, tenant_id: str | None = None) -> bytes: ...


def platform_lines(log_format: str, system_log_level: str | None, clock: Clock) -> PlatformLines:
    """The lines for a function's LoggingConfig; the level counts for LogFormat JSON only, as in AWS."""
    return JsonLines(clock, system_log_level) if log_format == "JSON" else TextLines()


class TextLines:
    """LogFormat Text: every line is written, except the report of an initialization that went well."""

    def init_start(self, instance: Instance, initialization_type: str = "on-demand") -> bytes:
        if not instance.runtime_version:
            return b""  # a container image has no runtime, and AWS says nothing of its start
        return f"INIT_START {_runtime(instance)}".encode()

    def init_done(self, summary: InitSummary) -> bytes:
        return b""

    def init_report(self, summary: InitSummary) -> bytes:
        if summary.status == "success" and summary.initialization_type == "snap-start":
            return f"INIT_REPORT Init Duration: {summary.duration_ms:.2f} ms".encode()
        if summary.status == "success":
            return b""  # in text, AWS tells of it by the Init Duration in REPORT
        return (
            f"INIT_REPORT Init Duration: {summary.duration_ms:.2f} ms\tPhase: {summary.phase}"
            f"\tStatus: {summary.status}{_error_type(summary.error_type)}"
        ).encode()

    def restore_start(self, instance: Instance) -> bytes:
        return f"RESTORE_START {_runtime(instance)}".encode()

    def restore_done(self, summary: RestoreSummary) -> bytes:
        return b""

    def restore_report(self, summary: RestoreSummary) -> bytes:
        status = "" if summary.status == "success" else f"\tStatus: {summary.status}{_error_type(summary.error_type)}"
        return f"RESTORE_REPORT Restore Duration: {summary.duration_ms:.2f} ms{status}".encode()

    def extension(self, extension: ExtensionSummary) -> bytes:
        return (
            f"EXTENSION\tName: {extension.name}\tState: {extension.state}"
            f"\tEvents: [{', '.join(extension.events)}]{_error_type(extension.error_type)}"
        ).encode()

    def remark(self, text: str) -> bytes:
        return f"LAMPION {text}".encode()

    def start(self, instance: Instance, request_id: str, tenant_id: str | None, now: float) -> bytes:
        return f"START RequestId: {request_id} Version: {instance.function_version}".encode()

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
            f"\tMax Memory Used: {max_memory_mib(summary)} MB\t{init}{status}"
        ).encode()


def _runtime(instance: Instance) -> str:
    return f"Runtime Version: {instance.runtime_version}\tRuntime Version ARN: {instance.runtime_version_arn}"


def _error_type(error_type: str | None) -> str:
    return "" if error_type is None else f"\tError Type: {error_type}"


class JsonLines:
    """LogFormat JSON: events of the Telemetry API's schema, those of the function's system log level and above.

    Which event has which level: AWS Lambda developer guide, "System log level event mapping".
    """

    def __init__(self, clock: Clock, system_log_level: str | None = None) -> None:
        self._clock = clock
        self._level = _LEVELS.get(system_log_level or "INFO", _INFO)

    def init_start(self, instance: Instance, initialization_type: str = "on-demand") -> bytes:
        return self._line(_INFO, "platform.initStart", init_start_record(instance, initialization_type, "init"))

    def init_done(self, summary: InitSummary) -> bytes:
        level = _DEBUG if summary.status == "success" else _WARN
        return self._line(level, "platform.initRuntimeDone", init_done_record(summary))

    def init_report(self, summary: InitSummary) -> bytes:
        usual = _DEBUG if summary.initialization_type == "on-demand" else _INFO
        level = usual if summary.status == "success" else _WARN
        return self._line(level, "platform.initReport", init_report_record(summary))

    def restore_start(self, instance: Instance) -> bytes:
        return self._line(_INFO, "platform.restoreStart", restore_start_record(instance))

    def restore_done(self, summary: RestoreSummary) -> bytes:
        level = _DEBUG if summary.status == "success" else _WARN
        return self._line(level, "platform.restoreRuntimeDone", restore_done_record(summary))

    def restore_report(self, summary: RestoreSummary) -> bytes:
        level = _INFO if summary.status == "success" else _WARN
        return self._line(level, "platform.restoreReport", restore_report_record(summary))

    def extension(self, extension: ExtensionSummary) -> bytes:
        return self._line(_INFO, "platform.extension", extension_record(extension))

    def remark(self, text: str) -> bytes:
        return self._line(_WARN, "lampion.remark", {"message": text})

    def start(self, instance: Instance, request_id: str, tenant_id: str | None, now: float) -> bytes:
        return self._line(_INFO, "platform.start", start_record(instance, request_id, tenant_id), now)

    def end(self, request_id: str, summary: RunSummary, tenant_id: str | None = None) -> bytes:
        record = {
            "requestId": request_id,
            "status": summary.status or "success",
            **_with_error_type(summary.error_type),
            "metrics": {"durationMs": round(summary.runtime_ms or summary.duration_ms, 3)},
            **_with_tenant(tenant_id),
        }
        return self._line(_WARN if summary.status else _DEBUG, "platform.runtimeDone", record)

    def report(self, request_id: str, memory_mib: int, summary: RunSummary, tenant_id: str | None = None) -> bytes:
        record = report_record(request_id, memory_mib, summary, tenant_id)
        return self._line(_WARN if summary.status else _INFO, "platform.report", record)

    def _line(self, level: int, kind: str, record: Mapping[str, Any], now: float | None = None) -> bytes:
        if level < self._level:
            return b""
        time = iso_time((self._clock.now() if now is None else now) * 1000)
        return msgspec.json.encode({"time": time, "type": kind, "record": record})


def _with_error_type(error_type: str | None) -> dict[str, str]:
    return {} if error_type is None else {"errorType": error_type}


def _with_tenant(tenant_id: str | None) -> dict[str, str]:
    return {} if tenant_id is None else {"tenantId": tenant_id}
