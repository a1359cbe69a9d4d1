"""Tells those who have subscribed to an environment's telemetry what happens in it.

It makes of the same facts events that the narrator makes lines of. There is none once Init is over and nobody has
subscribed: then all of this costs nothing.
"""

from collections.abc import Iterable

from lampion.clock.clock import Clock
from lampion.domain.invocation import Invocation
from lampion.function_logs.platform_facts import (
    ExtensionSummary,
    InitSummary,
    Instance,
    Overhead,
    Record,
    RestoreSummary,
    RunSummary,
    RuntimeDone,
    done_record,
    extension_record,
    init_done_record,
    init_report_record,
    init_start_record,
    report_record,
    restore_done_record,
    restore_report_record,
    restore_start_record,
    start_record,
    tracing_record,
)
from lampion.function_telemetry.events import END, FAULT, log_line, platform_event
from lampion.function_telemetry.subscribers import Subscribers
from lampion.function_telemetry.subscription import Stream


class Teller:
    """Of one environment."""

    def __init__(self, instance: Instance, subscribers: Subscribers, clock: Clock, *, is_json: bool) -> None:
        """`is_json`: the function's log is to be in JSON."""
        self.subscribers = subscribers
        self._instance = instance
        self._clock = clock
        self._is_json = is_json

    # -- logs --

    def lines(self, time_ms: int, stream: Stream, lines: Iterable[bytes]) -> None:
        """What the function or an extension has written, in whole lines."""
        for line in lines:
            self.subscribers.tell(log_line(time_ms, stream, line + b"\n", is_json=self._is_json))

    # -- the platform --

    def init_start(self, initialization_type: str, phase: str) -> None:
        self._tell("platform.initStart", init_start_record(self._instance, initialization_type, phase))

    def init_done(self, summary: InitSummary) -> None:
        """The runtime has initialized, or has failed to."""
        self._tell("platform.initRuntimeDone", init_done_record(summary))

    def init_report(self, summary: InitSummary) -> None:
        self._tell("platform.initReport", init_report_record(summary))

    def restore_start(self) -> None:
        self._tell("platform.restoreStart", restore_start_record(self._instance))

    def restore_report(self, summary: RestoreSummary) -> None:
        self._tell("platform.restoreRuntimeDone", restore_done_record(summary))
        self._tell("platform.restoreReport", restore_report_record(summary))

    def extension(self, summary: ExtensionSummary) -> None:
        """How an extension's own Init went."""
        self._tell("platform.extension", extension_record(summary))

    def start(self, invocation: Invocation, now: float) -> None:
        """An invocation began at `now`, epoch seconds."""
        tracing = tracing_record(invocation.trace_id, invocation.request_id)
        record = start_record(self._instance, invocation.request_id, invocation.tenant_id, tracing)
        self.subscribers.tell(platform_event(int(now * 1000), "platform.start", record))

    def runtime_done(self, invocation: Invocation, done: RuntimeDone) -> None:
        """The runtime is ready for another invocation, or never will be."""
        tracing = tracing_record(invocation.trace_id, invocation.request_id)
        self._tell("platform.runtimeDone", done_record(invocation.request_id, done, invocation.tenant_id, tracing))

    def report(self, invocation: Invocation, summary: RunSummary, *, overhead: Overhead | None, fault: str) -> None:
        """The invocation is over. `fault` is what it ended by if it didn't end as it should."""
        request_id = invocation.request_id
        record = report_record(invocation, self._instance.memory_mib, summary, overhead)
        if fault:
            self._tell(FAULT, fault)
        self._tell(END, {"requestId": request_id})
        self._tell("platform.report", record)

    def _tell(self, kind: str, record: Record | str) -> None:
        self.subscribers.tell(platform_event(int(self._clock.now() * 1000), kind, record))
