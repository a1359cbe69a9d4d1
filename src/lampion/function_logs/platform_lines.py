"""The lines that Lambda itself writes into a function's log, as text and as JSON. Pure: no files, no runtimes."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from lampion.clock.clock import Clock
from lampion.domain.invocation import Invocation
from lampion.function_logs.platform_facts import (
    ExtensionSummary,
    InitSummary,
    Instance,
    Overhead,
    RestoreSummary,
    RunSummary,
    RuntimeDone,
    SubscriptionSummary,
    billed_ms,
    done_record,
    extension_record,
    init_done_record,
    init_report_record,
    init_start_record,
    is_sampled,
    iso_time,
    max_memory_mib,
    report_record,
    restore_done_record,
    restore_report_record,
    restore_start_record,
    segment_id,
    start_record,
    subscription_record,
    trace_root,
    tracing_record,
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

    def subscription(self, subscription: SubscriptionSummary) -> bytes: ...

    def remark(self, text: str) -> bytes:
        """Something that AWS has no words for."""

    def start(self, instance: Instance, invocation: Invocation, now: float) -> bytes:
        """`now`, epoch seconds: it may be written a little later."""

    def watches(self, *, has_extensions: bool) -> bool:
        """Whether `runtime_done` is to be written of every invocation, for which its runtime has to be watched."""

    def runtime_done(self, invocation: Invocation, done: RuntimeDone) -> bytes:
        """The runtime is ready for another invocation, or never will be."""

    def end(self, invocation: Invocation, summary: RunSummary) -> bytes:
        """The invocation is over; in JSON that tells of its runtime, where nobody has watched it."""

    def report(
        self, invocation: Invocation, memory_mib: int, summary: RunSummary, overhead: Overhead | None = None
    ) -> bytes:
        """`overhead` is told in JSON only."""


def platform_lines(
    log_format: str, system_log_level: str | None, clock: Clock, *, is_traced: bool = False
) -> PlatformLines:
    """The lines for a function's LoggingConfig; the level counts for LogFormat JSON only, as in AWS.

    `is_traced`: its TracingConfig is Active.
    """
    return JsonLines(clock, system_log_level) if log_format == "JSON" else TextLines(is_traced=is_traced)


class TextLines:
    """LogFormat Text: every line is written, except the report of an initialization that went well on demand.

    An invocation that breaks off has no line of its own: REPORT's Status and Error Type tell (developer guide,
    "Understanding the Lambda execution environment lifecycle", log output "new style").
    """

    def __init__(self, *, is_traced: bool = False) -> None:
        self._is_traced = is_traced

    def init_start(self, instance: Instance, initialization_type: str = "on-demand") -> bytes:
        if not instance.runtime_version:
            return b""  # a container image has no runtime, and AWS says nothing of its start
        return f"INIT_START {_runtime(instance)}".encode()

    def init_done(self, summary: InitSummary) -> bytes:
        return b""

    def init_report(self, summary: InitSummary) -> bytes:
        if summary.status == "success" and summary.initialization_type != "on-demand":
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

    def subscription(self, subscription: SubscriptionSummary) -> bytes:
        types = ", ".join(name.capitalize() for name in subscription.types)
        return (
            f"{subscription.api.upper()}\tName: {subscription.name}\tState: {subscription.state}\tTypes: [{types}]"
        ).encode()

    def remark(self, text: str) -> bytes:
        return f"LAMPION {text}".encode()

    def start(self, instance: Instance, invocation: Invocation, now: float) -> bytes:
        return f"START RequestId: {invocation.request_id} Version: {instance.function_version}".encode()

    def watches(self, *, has_extensions: bool) -> bool:
        return False

    def runtime_done(self, invocation: Invocation, done: RuntimeDone) -> bytes:
        return b""

    def end(self, invocation: Invocation, summary: RunSummary) -> bytes:
        return f"END RequestId: {invocation.request_id}".encode()

    def report(
        self, invocation: Invocation, memory_mib: int, summary: RunSummary, overhead: Overhead | None = None
    ) -> bytes:
        init = "" if summary.init_ms is None else f"Init Duration: {summary.init_ms:.2f} ms\t"
        if summary.restore is not None:
            init = (
                f"Restore Duration: {summary.restore.restore_ms:.2f} ms"
                f"\tBilled Restore Duration: {summary.restore.billed_ms} ms\t"
            )
        status = f"Status: {summary.status}{_error_type(summary.error_type)}" if summary.status else ""
        return (
            f"REPORT RequestId: {invocation.request_id}\tDuration: {summary.duration_ms:.2f} ms"
            f"\tBilled Duration: {billed_ms(summary)} ms\tMemory Size: {memory_mib} MB"
            f"\tMax Memory Used: {max_memory_mib(summary)} MB\t{init}{status}"
            f"{_xray(invocation) if self._is_traced else ''}"
        ).encode()


def _xray(invocation: Invocation) -> str:
    """A second line of REPORT, the same event."""
    sampled = "Sampled: true" if is_sampled(invocation.trace_id) else ""
    segment = segment_id(invocation.request_id)
    return f"\nXRAY TraceId: {trace_root(invocation.trace_id)}\tSegmentId: {segment}\t{sampled}"


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
        record = init_start_record(instance, initialization_type, "init")
        return self._line(_start_level(instance), "platform.initStart", record)

    def init_done(self, summary: InitSummary) -> bytes:
        level = _DEBUG if summary.status == "success" else _WARN
        return self._line(level, "platform.initRuntimeDone", init_done_record(summary))

    def init_report(self, summary: InitSummary) -> bytes:
        usual = _DEBUG if summary.initialization_type == "on-demand" else _INFO
        level = usual if summary.status == "success" else _WARN
        return self._line(level, "platform.initReport", init_report_record(summary))

    def restore_start(self, instance: Instance) -> bytes:
        return self._line(_start_level(instance), "platform.restoreStart", restore_start_record(instance))

    def restore_done(self, summary: RestoreSummary) -> bytes:
        level = _DEBUG if summary.status == "success" else _WARN
        return self._line(level, "platform.restoreRuntimeDone", restore_done_record(summary))

    def restore_report(self, summary: RestoreSummary) -> bytes:
        level = _INFO if summary.status == "success" else _WARN
        return self._line(level, "platform.restoreReport", restore_report_record(summary))

    def extension(self, extension: ExtensionSummary) -> bytes:
        level = _INFO if extension.error_type is None else _WARN
        return self._line(level, "platform.extension", extension_record(extension))

    def subscription(self, subscription: SubscriptionSummary) -> bytes:
        return self._line(_INFO, f"platform.{subscription.api.lower()}Subscription", subscription_record(subscription))

    def remark(self, text: str) -> bytes:
        return self._line(_WARN, "lampion.remark", {"message": text})

    def start(self, instance: Instance, invocation: Invocation, now: float) -> bytes:
        tracing = tracing_record(invocation.trace_id, invocation.request_id)
        record = start_record(instance, invocation.request_id, invocation.tenant_id, tracing)
        return self._line(_INFO, "platform.start", record, now)

    def watches(self, *, has_extensions: bool) -> bool:
        return self._level == _DEBUG or has_extensions  # a runtime may be done well before an extension fails

    def runtime_done(self, invocation: Invocation, done: RuntimeDone) -> bytes:
        level = _WARN if done.status else _DEBUG
        if level < self._level:
            return b""
        tracing = tracing_record(invocation.trace_id, invocation.request_id)
        record = done_record(invocation.request_id, done, invocation.tenant_id, tracing)
        return self._line(level, "platform.runtimeDone", record)

    def end(self, invocation: Invocation, summary: RunSummary) -> bytes:
        if not summary.status:
            return b""
        return self.runtime_done(invocation, RuntimeDone(0.0, summary.duration_ms, summary.status, summary.error_type))

    def report(
        self, invocation: Invocation, memory_mib: int, summary: RunSummary, overhead: Overhead | None = None
    ) -> bytes:
        record = report_record(invocation, memory_mib, summary, overhead)
        return self._line(_WARN if summary.status else _INFO, "platform.report", record)

    def _line(self, level: int, kind: str, record: Mapping[str, Any], now: float | None = None) -> bytes:
        if level < self._level:
            return b""
        time = iso_time((self._clock.now() if now is None else now) * 1000)
        return msgspec.json.encode({"time": time, "type": kind, "record": record})


def _start_level(instance: Instance) -> int:
    return _INFO if instance.runtime_version else _DEBUG
