"""What happened, as the events of each version of AWS's schemas. Pure.

Events are made in the newest schema; what an older one has is less, and sometimes other. Lambda developer guide,
"Lambda Telemetry API Event schema reference" and "Using the Lambda Logs API", "Log messages".
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec

from lampion.function_telemetry.subscription import Stream, Subscription

Record = Mapping[str, Any]

SUBSCRIPTION: Final = "platform.telemetrySubscription"
DROPPED: Final = "platform.logsDropped"
END: Final = "platform.end"
FAULT: Final = "platform.fault"
"""The latter two are of the Logs API alone."""

SLOW_CONSUMER: Final = "Some logs were dropped because the downstream consumer is slower than the logs production rate"


class Event(msgspec.Struct, frozen=True):
    """Something that happened, at a time in milliseconds since the epoch.

    `record` is an object in the newest schema, or text; `line` is what was written to a log, which is an object too
    where `is_json` and it can be read so.
    """

    time_ms: int
    stream: Stream
    kind: str
    record: Record | str = ""
    line: bytes = b""
    is_json: bool = False


def log_line(time_ms: int, stream: Stream, line: bytes, *, is_json: bool) -> Event:
    """Something that the function or an extension has written, with its newline if it had one."""
    return Event(time_ms, stream, stream.value, line=line, is_json=is_json)


def platform_event(time_ms: int, kind: str, record: Record | str) -> Event:
    return Event(time_ms, Stream.PLATFORM, kind, record)


def dropped_event(time_ms: int, records: int, size_bytes: int) -> Event:
    record = {"reason": SLOW_CONSUMER, "droppedRecords": records, "droppedBytes": size_bytes}
    return platform_event(time_ms, DROPPED, record)


def subscription_event(time_ms: int, name: str, state: str, subscription: Subscription) -> Event:
    record = {"name": name, "state": state, "types": [stream.value for stream in subscription.streams]}
    return platform_event(time_ms, SUBSCRIPTION, record)


def encode_event(event: Event, schema: str) -> bytes | None:
    """The event as JSON, without a newline in it; None when the schema has no such event."""
    if event.stream is not Stream.PLATFORM:
        kind, record = event.kind, _line_record(event, schema)
    else:
        known = _SCHEMAS[schema].get(event.kind)
        if known is None:
            return None
        kind, record = known.kind, known.reduce(event.record)
    return msgspec.json.encode({"time": iso_time(event.time_ms), "type": kind, "record": record})


def iso_time(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms // 1000, UTC).replace(microsecond=time_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _line_record(event: Event, schema: str) -> Any:
    if event.is_json and schema in _WITH_OBJECTS:
        try:
            return msgspec.json.decode(event.line, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            pass  # as it stands, then
    return event.line.decode("utf-8", "replace")


_Reduce = Callable[[Any], Any]


class _Known(msgspec.Struct, frozen=True):
    """An event of a schema: its name there, and what it has of the newest schema's record."""

    kind: str
    reduce: _Reduce


def _all(record: Any) -> Any:
    return record


def _only(*names: str) -> _Reduce:
    return lambda record: {name: record[name] for name in names if name in record}


def _without(*names: str) -> _Reduce:
    return lambda record: {name: value for name, value in record.items() if name not in names}


def _done(record: Any) -> Any:
    """Of the Logs API, which knows no errors but failures."""
    return {
        "requestId": record["requestId"],
        "status": "failure" if record["status"] == "error" else record["status"],
    }


_NEWEST: Final = MappingProxyType(
    {
        kind: _Known(kind, _all)
        for kind in (
            "platform.initStart",
            "platform.initRuntimeDone",
            "platform.initReport",
            "platform.start",
            "platform.runtimeDone",
            "platform.report",
            "platform.restoreStart",
            "platform.restoreRuntimeDone",
            "platform.restoreReport",
            "platform.extension",
            SUBSCRIPTION,
            DROPPED,
        )
    }
)
_SECOND: Final = {**_NEWEST, "platform.start": _Known("platform.start", _without("functionArn"))}
_OF_INSTANCES: Final = ("functionName", "functionVersion", "instanceId", "instanceMaxMemory")
_FIRST: Final = {
    **_SECOND,
    "platform.initStart": _Known("platform.initStart", _without(*_OF_INSTANCES)),
    "platform.restoreStart": _Known("platform.restoreStart", _without(*_OF_INSTANCES)),
    "platform.initReport": _Known("platform.initReport", _without("status", "errorType")),
}
_LOGS: Final = {
    "platform.start": _Known("platform.start", _only("requestId", "version")),
    END: _Known(END, _all),
    "platform.report": _Known("platform.report", _only("requestId", "metrics", "tracing")),
    FAULT: _Known(FAULT, _all),
    "platform.extension": _Known("platform.extension", _all),
    SUBSCRIPTION: _Known("platform.logsSubscription", _all),
    DROPPED: _Known(DROPPED, _all),
}
_SCHEMAS: Final[Mapping[str, Mapping[str, _Known]]] = MappingProxyType(
    {
        "2020-08-15": _LOGS,
        "2021-03-18": {**_LOGS, "platform.runtimeDone": _Known("platform.runtimeDone", _done)},
        "2022-07-01": _FIRST,
        "2022-12-13": _SECOND,
        "2025-01-29": _NEWEST,
    }
)
_WITH_OBJECTS: Final = frozenset({"2022-12-13", "2025-01-29"})
