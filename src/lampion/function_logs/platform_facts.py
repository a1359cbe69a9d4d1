"""What Lambda itself tells of an environment: facts, and the records that its lines in JSON and its telemetry have.

Pure. The records are those of AWS's newest schema: developer guide, "Lambda Telemetry API Event schema reference".
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from math import ceil
from typing import Any, Final

import msgspec

from lampion.domain.invocation import Invocation

_MIB: Final = 1024 * 1024
_SAMPLED: Final = "Sampled=1"

Record = dict[str, Any]


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """Which environment it is: of which function and runtime. `instance_id` is as in its log stream's name."""

    function_name: str
    function_version: str
    function_arn: str
    instance_id: str
    memory_mib: int
    runtime_version: str
    runtime_version_arn: str


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


class ExtensionSummary(msgspec.Struct, frozen=True):
    """How an extension began: its state and events in AWS's words."""

    name: str
    state: str
    events: tuple[str, ...]
    error_type: str | None


class SubscriptionSummary(msgspec.Struct, frozen=True):
    """An extension has subscribed: to the API "Telemetry" or "Logs", and to what; its state is in AWS's words."""

    api: str
    name: str
    state: str
    types: tuple[str, ...]


class RunSummary(msgspec.Struct, frozen=True):
    """How an invocation went: `status` is "" for an ordinary end, "error" or "timeout".

    On a cold start there is one of `init_ms` and `restore`. `runtime_ms` is the runtime's part of the duration, where
    extensions had another.
    """

    duration_ms: float
    init_ms: float | None
    max_memory_bytes: int
    status: str
    error_type: str | None
    restore: RestoreDurations | None = None
    runtime_ms: float | None = None


class Overhead(msgspec.Struct, frozen=True):
    """For how long extensions alone went on with an invocation, and since when, in milliseconds since the epoch."""

    start_ms: float
    duration_ms: float


class RuntimeDone(msgspec.Struct, frozen=True):
    """How the runtime's part of an invocation went, which began at `start_ms` since the epoch.

    Durations are since then: until it began to answer, until it had answered, until it was ready for the next one. The
    first two are None when it didn't answer.
    """

    start_ms: float
    duration_ms: float
    status: str
    error_type: str | None = None
    latency_ms: float | None = None
    answered_ms: float | None = None
    produced_bytes: int = 0


def billed_ms(summary: RunSummary) -> int:
    """Whole milliseconds billed, at least 1. Since August 2025 AWS bills the INIT phase of managed runtimes too."""
    # What the line shows has two decimals: 180000.004 ms are shown as 180000.00 and billed as 180000.
    beforehand_ms = summary.init_ms or 0.0 if summary.restore is None else summary.restore.billed_ms
    return max(1, ceil(round(summary.duration_ms + beforehand_ms, 2)))


def max_memory_mib(summary: RunSummary) -> int:
    return max(1, -(-summary.max_memory_bytes // _MIB))


def tracing_record(trace_id: str, request_id: str) -> Record | None:
    """The trace that an invocation is part of, if it is recorded; the segment's id is the same in all of its events."""
    if not is_sampled(trace_id):
        return None
    return {"spanId": segment_id(request_id), "type": "X-Amzn-Trace-Id", "value": trace_id}


def is_sampled(trace_id: str) -> bool:
    """Whether the trace of that header is recorded."""
    return _SAMPLED in trace_id.split(";")


def trace_root(trace_id: str) -> str:
    """The trace's own id, of its header."""
    return trace_id.partition(";")[0].removeprefix("Root=")


def segment_id(request_id: str) -> str:
    """Of what the function does for one invocation."""
    return hashlib.sha256(request_id.encode()).hexdigest()[:16]


# -- records --


def init_start_record(instance: Instance, initialization_type: str, phase: str) -> Record:
    return {"initializationType": initialization_type, "phase": phase, **_instance(instance)}


def init_done_record(summary: InitSummary) -> Record:
    """Of platform.initRuntimeDone."""
    return {
        "initializationType": summary.initialization_type,
        "phase": summary.phase,
        "status": summary.status,
        **_with_error_type(summary.error_type),
    }


def init_report_record(summary: InitSummary) -> Record:
    return {**init_done_record(summary), "metrics": {"durationMs": round(summary.duration_ms, 3)}}


def restore_start_record(instance: Instance) -> Record:
    return _instance(instance)


def restore_done_record(summary: RestoreSummary) -> Record:
    """Of platform.restoreRuntimeDone."""
    return {"status": summary.status, **_with_error_type(summary.error_type)}


def restore_report_record(summary: RestoreSummary) -> Record:
    return {**restore_done_record(summary), "metrics": {"durationMs": round(summary.duration_ms, 3)}}


def extension_record(extension: ExtensionSummary) -> Record:
    return {
        "name": extension.name,
        "state": extension.state,
        "events": extension.events,
        **_with_error_type(extension.error_type),
    }


def subscription_record(subscription: SubscriptionSummary) -> Record:
    return {"name": subscription.name, "state": subscription.state, "types": subscription.types}


def start_record(instance: Instance, request_id: str, tenant_id: str | None, tracing: Record | None = None) -> Record:
    return {
        "requestId": request_id,
        "functionArn": instance.function_arn,
        "version": instance.function_version,
        **_with_tracing(tracing),
        **_with_tenant(tenant_id),
    }


def done_record(request_id: str, done: RuntimeDone, tenant_id: str | None, tracing: Record | None = None) -> Record:
    """Of platform.runtimeDone."""
    spans = _spans(done)
    return {
        "requestId": request_id,
        "status": done.status or "success",
        **_with_error_type(done.error_type),
        "metrics": {"durationMs": round(done.duration_ms, 3), "producedBytes": done.produced_bytes},
        **({"spans": spans} if spans else {}),
        **_with_tracing(tracing),
        **_with_tenant(tenant_id),
    }


def report_record(
    invocation: Invocation, memory_mib: int, summary: RunSummary, overhead: Overhead | None = None
) -> Record:
    metrics: dict[str, float] = {
        "durationMs": round(summary.duration_ms, 3),
        "billedDurationMs": billed_ms(summary),
        "memorySizeMB": memory_mib,
        "maxMemoryUsedMB": max_memory_mib(summary),
    }
    if summary.init_ms is not None:
        metrics["initDurationMs"] = round(summary.init_ms, 3)
    if summary.restore is not None:
        metrics["restoreDurationMs"] = round(summary.restore.restore_ms, 3)
        metrics["billedRestoreDurationMs"] = summary.restore.billed_ms
    return {
        "requestId": invocation.request_id,
        "metrics": metrics,
        "status": summary.status or "success",
        **_with_error_type(summary.error_type),
        **({} if overhead is None else {"spans": [_overhead_span(overhead)]}),
        **_with_tracing(tracing_record(invocation.trace_id, invocation.request_id)),
        **_with_tenant(invocation.tenant_id),
    }


def span_record(name: str, start_ms: float, duration_ms: float) -> Record:
    """A part of something that took so long, from a time since the epoch on."""
    return {"name": name, "start": iso_time(start_ms), "durationMs": round(max(0.0, duration_ms), 3)}


def _overhead_span(overhead: Overhead) -> Record:
    return span_record("extensionOverhead", overhead.start_ms, overhead.duration_ms)


def iso_time(epoch_ms: float) -> str:
    moment = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _spans(done: RuntimeDone) -> list[Record]:
    if done.latency_ms is None or done.answered_ms is None:
        return []
    began_ms, answered_ms = done.start_ms + done.latency_ms, done.start_ms + done.answered_ms
    return [
        span_record("responseLatency", done.start_ms, done.latency_ms),
        span_record("responseDuration", began_ms, done.answered_ms - done.latency_ms),
        span_record("runtimeOverhead", answered_ms, done.duration_ms - done.answered_ms),
    ]


def _instance(instance: Instance) -> Record:
    runtime = {"runtimeVersion": instance.runtime_version, "runtimeVersionArn": instance.runtime_version_arn}
    return {
        **(runtime if instance.runtime_version else {}),  # a container image has none
        "functionName": instance.function_name,
        "functionVersion": instance.function_version,
        "instanceId": instance.instance_id,
        "instanceMaxMemory": instance.memory_mib * _MIB,
    }


def _with_error_type(error_type: str | None) -> Mapping[str, str]:
    return {} if error_type is None else {"errorType": error_type}


def _with_tenant(tenant_id: str | None) -> Mapping[str, str]:
    return {} if tenant_id is None else {"tenantId": tenant_id}


def _with_tracing(tracing: Record | None) -> Mapping[str, Any]:
    return {} if tracing is None else {"tracing": tracing}
