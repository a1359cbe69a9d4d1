"""What is told of an environment's phases at their ends: the log's reports, and outcomes for callers."""

from lampion.domain.errors import SnapStartException, SnapStartTimeoutException
from lampion.domain.function import Function
from lampion.domain.invocation import Invocation, Outcome
from lampion.environments.endings import Answer, Ending, TimedOut
from lampion.environments.extensions import Extensions
from lampion.environments.failures import Failure, failure_of
from lampion.environments.narrator import Narrator
from lampion.function_logs.platform_facts import InitSummary, RestoreDurations, RestoreSummary, RunSummary


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
        self._narrator.explain(failure)

    def init_went_well(self, duration_ms: float, invocation: Invocation | None) -> None:
        """The next report tells how long it took, unless that is the invocation's own time."""
        phase = "init" if invocation is None else "invoke"
        if invocation is None:
            self.init_ms = duration_ms
        self._narrator.init_report(InitSummary(duration_ms, phase, "success", None, self._initialization_type))

    def initialized(self, extensions: Extensions | None, ending: Ending | None, invocation: Invocation | None) -> None:
        """The runtime and all extensions have come to the end of their Init, `ending` is why if it failed."""
        failure = None if ending is None else self.failure_of(ending, invocation)
        status = "success" if failure is None else failure.status or "error"
        error_type = None if failure is None or isinstance(ending, TimedOut) else failure.error_type
        phase = "init" if invocation is None else "invoke"
        self._narrator.init_done(InitSummary(0.0, phase, status, error_type, self._initialization_type))
        if extensions is not None:
            self._narrator.extensions(extensions)

    def restore_failed(self, ending: Ending, duration_ms: float) -> Exception:
        """What the invocation's caller is told."""
        failure = self.failure_of(ending, None)
        assert failure is not None
        is_late = isinstance(ending, TimedOut)
        status, error_type = ("timeout", None) if is_late else ("error", failure.error_type)
        self._narrator.restore_report(RestoreSummary(duration_ms, status, error_type))
        if is_late:
            return SnapStartTimeoutException("Lambda couldn't restore the snapshot within the timeout limit.")
        return SnapStartException(
            "The afterRestore() runtime hook encountered an error."
            " For more information, check the Amazon CloudWatch logs."
        )

    def foretell(
        self,
        invocation: Invocation,
        duration_ms: float,
        failure: Failure | None,
        used_bytes: int,
        *,
        during_init: bool = False,
        runtime_ms: float | None = None,
    ) -> None:
        """Tell the subscribers what `report` will say, as long as they can be told."""
        if self._narrator.telling is not None:
            summary = self._summary(duration_ms, failure, used_bytes, during_init=during_init, runtime_ms=runtime_ms)
            self._narrator.telling.end(summary, failure)

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
        summary = self._summary(duration_ms, failure, used_bytes, during_init=during_init, runtime_ms=runtime_ms)
        telling = self._narrator.telling
        overhead = None if telling is None else telling.end(summary, failure)
        self.init_ms = self.restore = None
        if (
            failure is not None and not failure.status and not during_init
        ):  # the handler's own: it may load modules late
            self._narrator.explain(failure)
        self._narrator.finish(invocation, summary, overhead)

    def _summary(
        self,
        duration_ms: float,
        failure: Failure | None,
        used_bytes: int,
        *,
        during_init: bool,
        runtime_ms: float | None,
    ) -> RunSummary:
        status = "" if failure is None else failure.status or ("error" if during_init else "")
        error_type = failure.error_type if failure is not None and status == "error" else None
        return RunSummary(duration_ms, self.init_ms, used_bytes, status, error_type, self.restore, runtime_ms)

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
