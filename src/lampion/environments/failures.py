"""What a caller gets when the function didn't answer: AWS's payloads and error types. Pure."""

import json
import re
from dataclasses import dataclass
from signal import Signals

from lampion.environments.endings import (
    Answer,
    Ending,
    ExtensionEnded,
    NoProgram,
    ResponseTooLarge,
    TimedOut,
    Truncated,
)
from lampion.sandbox.driver import Exit

EXIT_ERROR = "Runtime.ExitError"
OUT_OF_MEMORY = "Runtime.OutOfMemory"
TIMED_OUT = "Sandbox.Timedout"
RESPONSE_TOO_LARGE = "Function.ResponseSizeTooLarge"
TRUNCATED_RESPONSE = "Runtime.TruncatedResponse"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed invocation: the payload, the type that REPORT shows, and REPORT's status word."""

    payload: bytes
    error_type: str
    status: str


def failure_of(ending: Ending, request_id: str, timeout_seconds: float) -> Failure | None:
    """The failure that `ending` means; None for a response. A runtime's own error is passed on as posted."""
    match ending:
        case Answer(payload, error_type):
            return None if error_type is None else Failure(payload, error_type, "")
        case TimedOut():
            message = f"RequestId: {request_id} Error: Task timed out after {timeout_seconds:.2f} seconds"
            return Failure(_payload(TIMED_OUT, message), TIMED_OUT, "timeout")
        case ResponseTooLarge(most_bytes):
            limit = f"Response payload size exceeded maximum allowed payload size ({most_bytes} bytes)."
            return Failure(_payload(RESPONSE_TOO_LARGE, limit, message_first=True), RESPONSE_TOO_LARGE, "error")
        case Truncated():
            message = f"RequestId: {request_id} Error: The runtime broke off in the middle of its response"
            return Failure(_payload(TRUNCATED_RESPONSE, message), TRUNCATED_RESPONSE, "error")
        case Exit():
            message = f"RequestId: {request_id} Error: {exit_reason(ending)}"
            kind = OUT_OF_MEMORY if ending.out_of_memory else EXIT_ERROR
            return Failure(_payload(EXIT_ERROR, message), kind, "error")
        case NoProgram(error_type, why) | ExtensionEnded(error_type, why):
            message = f"RequestId: {request_id} Error: {why}"
            return Failure(_payload(error_type, message), error_type, "error")


_MISSING_SDK = (
    (re.compile("python"), re.compile(rb"No module named '(boto3|botocore)['.]")),
    (re.compile("nodejs16"), re.compile(rb"Cannot find (?:module|package) '(aws-sdk)[/']")),
    (re.compile("nodejs(?!16)"), re.compile(rb"Cannot find (?:module|package) '(@aws-sdk/[\w-]+)")),
    (re.compile("ruby"), re.compile(rb"cannot load such file -- (aws-sdk[\w-]*)")),
)


def missing_sdk(runtime: str, payload: bytes) -> str | None:
    """What AWS's runtime brings, and for want of which the function failed; None if it isn't that."""
    for runtimes, cause in _MISSING_SDK:
        found = cause.search(payload) if runtimes.match(runtime) else None
        if found is not None:
            return found[1].decode()
    return None


def exit_reason(exit_: Exit) -> str:
    """AWS's words for how a runtime process ended."""
    if exit_ == Exit(0):
        return "Runtime exited without providing a reason"
    return f"Runtime exited with error: {process_end(exit_)}"


def process_end(exit_: Exit) -> str:
    """AWS's words for how an extension's process ended."""
    if exit_.signal is not None:
        return f"signal: {_signal_words(exit_.signal)}"
    return "exit code 0" if exit_.code == 0 else f"exit status {exit_.code}"


def _signal_words(number: int) -> str:
    """Signals as Go's syscall package spells them, which is what Lambda prints."""
    words = {
        Signals.SIGHUP: "hangup",
        Signals.SIGINT: "interrupt",
        Signals.SIGQUIT: "quit",
        Signals.SIGILL: "illegal instruction",
        Signals.SIGTRAP: "trace/breakpoint trap",
        Signals.SIGABRT: "aborted",
        Signals.SIGBUS: "bus error",
        Signals.SIGFPE: "floating point exception",
        Signals.SIGKILL: "killed",
        Signals.SIGUSR1: "user defined signal 1",
        Signals.SIGSEGV: "segmentation fault",
        Signals.SIGUSR2: "user defined signal 2",
        Signals.SIGPIPE: "broken pipe",
        Signals.SIGALRM: "alarm clock",
        Signals.SIGTERM: "terminated",
    }
    return next((text for known, text in words.items() if known == number), f"signal {number}")


def _payload(error_type: str, message: str, *, message_first: bool = False) -> bytes:
    members = {"errorType": error_type, "errorMessage": message}
    if message_first:
        members = dict(reversed(members.items()))
    return json.dumps(members, separators=(",", ":")).encode()
