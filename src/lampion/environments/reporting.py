"""What is told of an environment's phases at their ends: the log's reports, and outcomes for callers."""

from lampion.domain.function import Function
from lampion.domain.invocation import Invocation, Outcome
from lampion.environments.endings import Answer, Ending, TimedOut
from lampion.environments.failures import Failure, failure_of
from lampion.environments.narrator import Narrator
from lampion.function_logs.platform_lines import InitSummary, RestoreDurations, RunSummary


class Reporting:
    """Of one environment. Its first report tells of its cold start, too: `init_ms` or `restore`, whichever it was."""

    def __init__(self, function: Function, narrator: Narrator, initialization_type: str) -> None:
        self.init_ms: float | None = None
        self.restore: RestoreDurations | None = None
        self._version = function.version
        self._timeout_seconds = float(function.configuration.timeout_seconds)
        self._narrator = narrator
        self._initialization_type = initialization_type

    def failure_of(self, ending: Ending, invocation: Invocation | None) -> Failure | None:
        return failure_of(ending, "" if invocation is None else invocation.request_id, self._timeout_seconds)

    def init_failed(self, ending: Ending, duration_ms: float, invocation: Invocation | None) -> None:
        """It was repeated for an invocation, if there is one."""
        failure = self.failure_of(ending, invocation)
        assert failure is not None
        error_type = None if isinstance(ending, TimedOut) else failure.error_type
        phase = "init" if invocation is None else "invoke"
        status = failure.status or "error"
        self._narrator.init_report(InitSummary(duration_ms, phase, status, error_type, self._initialization_type))

    def report(
        self,
        invocation: Invocation,
        duration_ms: float,
        failure: Failure | None,
        used_bytes: int,
        *,
        during_init: bool = False,
        runtime_ms: float | None = None,
    ) -> None:
        """Of an invocation; `runtime_ms` is its part when extensions had another."""
        init_ms, self.init_ms = self.init_ms, None
        restore, self.restore = self.restore, None
        status = "" if failure is None else failure.status or ("error" if during_init else "")
        error_type = failure.error_type if failure is not None and status == "error" else None
        summary = RunSummary(duration_ms, init_ms, used_bytes, status, error_type, restore, runtime_ms)
        logged = "" if failure is None else failure.logged
        self._narrator.finish(invocation.request_id, summary, invocation.tenant_id, logged)

    def outcome(self, ending: Ending, failure: Failure | None, duration_ms: float) -> Outcome:
        return Outcome(
            payload=ending.payload if failure is None and isinstance(ending, Answer) else _payload(failure),
            executed_version=self._version,
            function_error=None if failure is None else "Unhandled",
            error_type=None if failure is None else failure.error_type,
            log_tail=self._narrator.tail(),
            duration_ms=duration_ms,
        )


def _payload(failure: Failure | None) -> bytes:
    return b"" if failure is None else failure.payload
