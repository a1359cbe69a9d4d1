"""What a caller is told of a function that didn't answer: AWS's words."""

import json
import signal

import pytest

from lampion.environments.endings import NoProgram, ResponseTooLarge, TimedOut, Truncated
from lampion.environments.failures import Failure, exit_reason, failure_of, process_end
from lampion.sandbox.driver import Exit

SIGNALS = {  # as Go's syscall package spells them
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGKILL: "killed",
    signal.SIGUSR1: "user defined signal 1",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGUSR2: "user defined signal 2",
    signal.SIGPIPE: "broken pipe",
    signal.SIGALRM: "alarm clock",
    signal.SIGTERM: "terminated",
    signal.SIGRTMAX: f"signal {int(signal.SIGRTMAX)}",
}


@pytest.mark.parametrize(("number", "words"), SIGNALS.items())
def test_every_signal_has_its_words(number: signal.Signals, words: str) -> None:
    assert exit_reason(Exit(None, number)) == f"Runtime exited with error: signal: {words}"
    assert process_end(Exit(None, number)) == f"signal: {words}"


def test_an_exit_that_looks_well_is_told_apart_by_whose_it_is() -> None:
    assert exit_reason(Exit(0)) == "Runtime exited without providing a reason"
    assert process_end(Exit(0)) == "exit code 0"
    assert process_end(Exit(1)) == "exit status 1"


def told(failure: Failure | None) -> tuple[list[tuple[str, str]], str, str]:
    assert failure is not None
    return list(json.loads(failure.payload).items()), failure.error_type, failure.status


def test_the_payloads_of_all_other_ends() -> None:
    """Member by member, in AWS's order."""
    assert told(failure_of(TimedOut(), "r", 3.0)) == (
        [("errorType", "Sandbox.Timedout"), ("errorMessage", "RequestId: r Error: Task timed out after 3.00 seconds")],
        "Sandbox.Timedout",
        "timeout",
    )
    too_large = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
    assert told(failure_of(ResponseTooLarge(), "r", 3.0)) == (
        [("errorMessage", too_large), ("errorType", "Function.ResponseSizeTooLarge")],
        "Function.ResponseSizeTooLarge",
        "error",
    )
    assert told(failure_of(Truncated(), "r", 3.0))[1:] == ("Runtime.TruncatedResponse", "error")
    assert told(failure_of(NoProgram("Runtime.InvalidEntrypoint", "why"), "r", 3.0)) == (
        [("errorType", "Runtime.InvalidEntrypoint"), ("errorMessage", "RequestId: r Error: why")],
        "Runtime.InvalidEntrypoint",
        "error",
    )
    assert told(failure_of(Exit(None, 9, out_of_memory=True), "r", 3.0)) == (
        [
            ("errorType", "Runtime.ExitError"),
            ("errorMessage", "RequestId: r Error: Runtime exited with error: signal: killed"),
        ],
        "Runtime.OutOfMemory",
        "error",
    )
