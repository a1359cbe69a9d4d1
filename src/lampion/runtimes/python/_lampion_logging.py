"""The handler of the root logger: AWS's line format, or JSON with AWS_LAMBDA_LOG_FORMAT=JSON."""

import logging
import time

import _lampion_logs as logs

if False:
    from typing import Any, Dict, Optional

    from _lampion_logs import LogSink

_TEXT_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
_JSON_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_JSON_FRAME = 0xA55A0002
_TEXT_FRAME = 0xA55A0003
_OWN_ATTRIBUTES = frozenset(
    "name msg args levelname levelno pathname filename module exc_info exc_text stack_info lineno funcName created"
    " msecs relativeCreated thread threadName processName process aws_request_id tenant_id _frame_type".split()
)


def install_handler(sink: "LogSink", log_format: "Optional[str]", log_level: "Optional[str]") -> None:
    """Add the handler to the root logger, and set its level when AWS_LAMBDA_LOG_LEVEL names one."""
    logging.Formatter.converter = time.gmtime
    level = "DEBUG" if log_level == "TRACE" else (log_level or "").upper()
    is_json = (log_format or "").upper() == "JSON"
    handler = LambdaLoggerHandlerWithFrameType(sink) if is_json or level else LambdaLoggerHandler(sink)
    handler.setFormatter(JsonFormatter() if is_json else logging.Formatter(_TEXT_FORMAT, "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(LambdaLoggerFilter())
    root = logging.getLogger()
    if isinstance(logging.getLevelName(level), int):
        root.setLevel(level)
    root.addHandler(handler)


class LambdaLoggerFilter(logging.Filter):
    """Tells each record which invocation it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = logs.request_id or ""
        record.tenant_id = logs.tenant_id
        return True


class LambdaLoggerHandler(logging.Handler):
    """Writes every record as one event of no particular level."""

    def __init__(self, log_sink: "LogSink") -> None:
        logging.Handler.__init__(self)
        self.log_sink = log_sink

    def emit(self, record: logging.LogRecord) -> None:
        self.log_sink.log(self.format(record))


class LambdaLoggerHandlerWithFrameType(LambdaLoggerHandler):
    """Writes every record as one event that shows its format and level to the platform."""

    def emit(self, record: logging.LogRecord) -> None:
        message = self.format(record)
        frame_type = getattr(record, "_frame_type", None) or frame_type_of(_TEXT_FRAME, _rounded_level(record))
        self.log_sink.log(message, frame_type)


class JsonFormatter(logging.Formatter):
    """One JSON object per record; what the function passes as `extra` becomes members."""

    def __init__(self) -> None:
        logging.Formatter.__init__(self, datefmt=_JSON_TIME_FORMAT)
        from json import JSONEncoder

        self._encode = JSONEncoder(ensure_ascii=False, default=str).encode

    def format(self, record: logging.LogRecord) -> str:
        record.levelno = _rounded_level(record)
        record.levelname = logging.getLevelName(record.levelno)
        record._frame_type = frame_type_of(_JSON_FRAME, record.levelno)
        structured = isinstance(record.msg, dict) and not record.args
        members = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": record.levelname,
            "message": record.msg if structured else record.getMessage(),
            "logger": record.name,
            **_failure(record),
            "requestId": getattr(record, "aws_request_id", None),
            "location": "%s:%s:%s" % (record.pathname, record.funcName, record.lineno) if record.exc_info else None,
        }  # type: Dict[str, Any]
        if getattr(record, "tenant_id", None) is not None:
            members["tenantId"] = record.tenant_id  # type: ignore[attr-defined]
        for name, value in record.__dict__.items():
            if name not in _OWN_ATTRIBUTES and name not in members:
                members[name] = value
        return self._encode({name: value for name, value in members.items() if value is not None}) + "\n"


def frame_type_of(base: int, level: int) -> int:
    """A frame's type carries the record's level in its third bit and up: 0 none, 2 debug ... 6 critical."""
    return base + (level // 10 + 1) * 4 if level else base


def _rounded_level(record: logging.LogRecord) -> int:
    return min(50, max(0, record.levelno)) // 10 * 10


def _failure(record: logging.LogRecord) -> "Dict[str, Any]":
    """The exception that the record reports; its members hold their place even without one.

    As in AWS's client, a record that is to report the current exception when there is none can't be formatted.
    """
    if not record.exc_info:
        return {"stackTrace": None, "errorType": None, "errorMessage": None}
    from traceback import format_tb

    kind, value, trace = record.exc_info
    return {"stackTrace": format_tb(trace), "errorType": kind.__name__, "errorMessage": str(value)}
