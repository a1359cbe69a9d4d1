"""Where log records go, and whose they are. `logging` itself is loaded when the function first wants it."""

import sys
import time
from _io import FileIO

if False:
    from typing import Any, List, MutableMapping, Optional, Union

    LogSink = Union["StandardOutput", "TelemetryFrames"]

request_id = None  # type: Optional[str]
tenant_id = None  # type: Optional[str]
_open_sink = None  # type: Any

_PLAIN_TEXT_FRAME = 0xA55A0003


class StandardOutput:
    """Records as text on stdout, wherever `sys.stdout` points."""

    def __enter__(self) -> "StandardOutput":
        return self

    def __exit__(self, *failure: object) -> None:
        pass

    def log(self, message: str, frame_type: int = _PLAIN_TEXT_FRAME) -> None:
        sys.stdout.write(message)

    def log_error(self, lines: "List[str]", frame_type: int) -> None:
        sys.stdout.write("\r".join(lines) + "\n")


class TelemetryFrames:
    """Records as frames on a pipe to the platform, so that one record stays one event however many lines it has.

    A frame is type (4 bytes), length (4), microseconds since the epoch (8), all big-endian, and the message.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> "TelemetryFrames":
        self._file = FileIO(self._descriptor, "wb")
        return self

    def __exit__(self, *failure: object) -> None:
        self._file.close()

    def log(self, message: str, frame_type: int = _PLAIN_TEXT_FRAME) -> None:
        encoded = message.encode()
        head = frame_type.to_bytes(4, "big") + len(encoded).to_bytes(4, "big")
        frame = head + (time.time_ns() // 1000).to_bytes(8, "big") + encoded
        written = self._file.write(frame)
        while written is not None and written < len(frame):  # a signal may cut a long write short
            frame = frame[written:]
            written = self._file.write(frame)

    def log_error(self, lines: "List[str]", frame_type: int) -> None:
        self.log("\n".join(lines), frame_type)


def open_sink(environ: "MutableMapping[str, str]") -> "LogSink":
    """The platform's pipe if there is one, which the function doesn't get to know of, else stdout."""
    global _open_sink
    descriptor = environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
    _open_sink = StandardOutput() if descriptor is None else TelemetryFrames(int(descriptor))
    return _open_sink


def write(message: str) -> None:
    """Write to the sink that the root logger writes to; to stdout when the function has taken its handler away."""
    logging = sys.modules.get("logging")
    if logging is None:
        _open_sink.log(message)
        return
    for handler in logging.getLogger().handlers:
        if hasattr(handler, "log_sink"):
            handler.log_sink.log(message)
            return
    sys.stdout.write(message)


def install_handler(environ: "MutableMapping[str, str]") -> None:
    """Give the root logger its handler, now that `logging` is loaded and before anybody can use it."""
    from _lampion_logging import install_handler

    install_handler(_open_sink, environ.get("AWS_LAMBDA_LOG_FORMAT"), environ.get("AWS_LAMBDA_LOG_LEVEL"))
