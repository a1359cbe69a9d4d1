"""Follows one invocation after the other, and tells those who have subscribed and the log what their runtime did.

Only environments that somebody is to be told of have one: the session calls it as its `watch`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from lampion.clock.clock import Clock
from lampion.domain.invocation import Invocation
from lampion.environments.failures import Failure
from lampion.environments.teller import Teller
from lampion.function_logs.platform_facts import Overhead, RunSummary, RuntimeDone


@dataclass(slots=True)
class _Run:
    """An invocation; times are a monotonic clock's, where it isn't said otherwise."""

    invocation: Invocation
    start_ms: float  # since the epoch
    started: float
    began_answer: float | None = None
    answered: float | None = None
    produced_bytes: int = 0
    done: float | None = None


class RunTelling:
    """Of one environment. `read_output` reads what the function has written so far.

    `teller` tells the subscribers, and `write_done` the log, if they are to know.
    """

    def __init__(
        self,
        teller: Teller | None,
        read_output: Callable[[], object],
        clock: Clock,
        write_done: Callable[[Invocation, RuntimeDone], object] | None = None,
    ) -> None:
        self._teller = teller
        self._write_done = write_done
        self._read_output = read_output
        self._clock = clock
        self._run: _Run | None = None

    def begin(self, invocation: Invocation, now: float) -> None:
        """`now` is in seconds since the epoch."""
        self._run = _Run(invocation, now * 1000, self._clock.monotonic())
        if self._teller is not None:
            self._teller.start(invocation, now)

    # -- what the session sees (session.Watch) --

    def answer_begins(self) -> None:
        if self._run is not None and self._run.began_answer is None:
            self._run.began_answer = self._clock.monotonic()

    def answered(self, size_bytes: int) -> None:
        self.answer_begins()
        if self._run is not None and self._run.answered is None:
            self._run.answered = self._clock.monotonic()
            self._run.produced_bytes = size_bytes

    def runtime_waits(self) -> None:
        """It is ready for the next invocation, if it has answered one."""
        if self._run is not None and self._run.answered is not None:
            self._tell_done(self._run, "", None)

    # -- the end --

    def end(self, summary: RunSummary, failure: Failure | None) -> Overhead | None:
        """The invocation is over. `failure` is how, for its caller; by an answer, or as the summary's status says.

        Returns what extensions alone went on with, if they did and came to its end.
        """
        run, self._run = self._run, None
        if run is None:
            return None
        self._tell_done(run, summary.status, summary.error_type)
        assert run.done is not None
        overhead_ms = (self._clock.monotonic() - run.done) * 1000
        broke_off = failure is not None and bool(summary.status)
        has_overhead = not broke_off and summary.runtime_ms is not None
        overhead = Overhead(self._clock.now() * 1000 - overhead_ms, overhead_ms) if has_overhead else None
        if self._teller is not None:
            fault = _fault(run.invocation, failure) if failure is not None and broke_off else ""
            self._teller.report(run.invocation, summary, overhead=overhead, fault=fault)
        return overhead

    def _tell_done(self, run: _Run, status: str, error_type: str | None) -> None:
        """Once. What the function wrote before stands before."""
        if run.done is not None:
            return
        self._read_output()
        run.done = self._clock.monotonic()
        done = RuntimeDone(
            run.start_ms,
            (run.done - run.started) * 1000,
            status,
            error_type,
            _since(run.started, run.began_answer),
            _since(run.started, run.answered),
            run.produced_bytes,
        )
        if self._write_done is not None:
            self._write_done(run.invocation, done)
        if self._teller is not None:
            self._teller.runtime_done(run.invocation, done)


def _fault(invocation: Invocation, failure: Failure) -> str:
    """In AWS's form: what the caller is told, and the type of error."""
    if failure.status:
        return f"{json.loads(failure.payload)['errorMessage']}\n{failure.error_type}"
    return f"RequestId: {invocation.request_id} Error: {failure.error_type}"  # the payload is the function's own


def _since(started: float, moment: float | None) -> float | None:
    return None if moment is None else (moment - started) * 1000
