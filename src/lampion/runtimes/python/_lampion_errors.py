"""What becomes of an exception: the payload that is posted, the X-Ray cause, the log record."""

import os
import time
import traceback

import _lampion_json as codec

if False:
    from typing import Any, Dict, List, Optional, Tuple

    from _lampion_logs import LogSink

    Frames = List[Tuple[str, Optional[int], str, Optional[str]]]

_TEXT_ERROR_FRAME = 0xA55A0017
_JSON_ERROR_FRAME = 0xA55A0016
_CAUSE_BYTES_MAX = 1024 * 1024
_SHOWN_BY_AWS = "lambda_runtime_hooks_runner.py"
_OWN_DIRECTORY = os.path.dirname(os.path.abspath(__file__))
_FAILED_INIT = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. However, in rare "
    "cases, a Lambda runtime update can cause unexpected function behavior. For functions using managed runtimes, "
    "runtime updates can be triggered by a function change, or can be applied automatically. To determine if the "
    "runtime has been updated, check the runtime version in the INIT_START log entry. If this error correlates with a "
    "change in the runtime version, you may be able to mitigate this error by temporarily rolling back to the previous "
    "runtime version. For more information, see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
)


def describe(error: Exception, request_id: "Optional[str]") -> "Tuple[Dict[str, Any], Dict[str, Any]]":
    """The payload and the X-Ray cause of `error`; a failure that the runtime detected shows no frames."""
    if hasattr(error, "error_type") and type(error).__name__ == "Fault":
        return (
            _payload(error.message, error.error_type, error.trace, request_id),  # type: ignore[attr-defined]
            _cause("LambdaValidationError", error.message, []),  # type: ignore[attr-defined]
        )
    message, name, frames = str(error), type(error).__name__, _frames_of_function(error)
    return _payload(message, name, traceback.format_list(frames), request_id), _cause(name, message, frames)


def to_bytes(payload: "Dict[str, Any]") -> bytes:
    return codec.dumps(payload).encode()


def to_header(cause: "Dict[str, Any]") -> str:
    """The cause as a header's value; nothing when it is too long for one."""
    text = codec.dumps(cause)
    return text if len(text.encode()) < _CAUSE_BYTES_MAX else ""


def log(payload: "Dict[str, Any]", sink: "LogSink") -> None:
    """Write the failure to the log, as one record."""
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        sink.log_error([codec.dumps({"timestamp": now, "level": "ERROR", **payload})], _JSON_ERROR_FRAME)
    else:
        sink.log_error(_lines(payload), _TEXT_ERROR_FRAME)


def warn_of_failed_init() -> None:
    """AWS's hint that precedes the error of a handler that can't be loaded."""
    import logging

    logging.warning(_FAILED_INIT)


def _payload(
    message: str, error_type: str, trace: "Optional[List[str]]", request_id: "Optional[str]"
) -> "Dict[str, Any]":
    return {
        "errorMessage": message or "",
        "errorType": error_type or "",
        "requestId": request_id or "",
        "stackTrace": trace or [],
    }


def _cause(error_type: str, message: str, frames: "Frames") -> "Dict[str, Any]":
    stack = [{"label": name, "path": path, "line": line} for path, line, name, _ in frames]
    return {
        "working_directory": os.getcwd(),
        "exceptions": [{"message": message, "type": error_type, "stack": stack}],
        "paths": list({path for path, _, _, _ in frames}),
    }


def _frames_of_function(error: Exception) -> "Frames":
    """The stack from the first frame that isn't the runtime's, or is one that AWS shows; all of it when there is none."""
    extracted = traceback.extract_tb(error.__traceback__)
    frames = [(frame.filename, frame.lineno, frame.name, frame.line) for frame in extracted]
    for index, (path, _, _, _) in enumerate(frames):
        if os.path.dirname(path) != _OWN_DIRECTORY or os.path.basename(path) == _SHOWN_BY_AWS:
            return frames[index:]
    return frames


def _lines(payload: "Dict[str, Any]") -> "List[str]":
    head = "[ERROR]"
    if payload["errorType"]:
        head += " " + payload["errorType"]
    if payload["errorMessage"]:
        head += (": " if payload["errorType"] else " ") + payload["errorMessage"]
    lines = [head, "Traceback (most recent call last):"]
    for element in payload["stackTrace"]:
        lines += [_indented(line) for line in element.splitlines()] or [""]
    return lines


def _indented(line: str) -> str:
    """Leading spaces as no-break spaces, which the console doesn't swallow."""
    text = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(text)) + text
