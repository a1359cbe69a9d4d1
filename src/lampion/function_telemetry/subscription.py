"""What an extension asks for when it subscribes: AWS's two APIs for it, their rules and their limits. Pure.

Lambda developer guide, "Lambda Telemetry API reference" and "Using the Lambda Logs API".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from lampion.domain.inside import OWN_NAMES


class Stream(StrEnum):
    """The kinds of telemetry that can be subscribed to."""

    PLATFORM = "platform"
    FUNCTION = "function"
    EXTENSION = "extension"


class Protocol(StrEnum):
    """How telemetry comes: POSTed in arrays, or as lines of JSON over a plain connection."""

    HTTP = "HTTP"
    TCP = "TCP"


@dataclass(frozen=True, slots=True)
class Api:
    """One of the two APIs: `schemas` are the versions of its events; without a default, one must be named."""

    name: str
    validation_error: str
    schemas: tuple[str, ...]
    default_schema: str | None = None


TELEMETRY: Final = Api("Telemetry", "ValidationError", ("2022-07-01", "2022-12-13", "2025-01-29"))
LOGS: Final = Api("Logs", "Logs.ValidationError", ("2020-08-15", "2021-03-18"), "2020-08-15")

_RESERVED_PORT: Final = 9001
_HIGHEST_PORT: Final = 65535
_METHODS: Final = ("POST", "PUT")
_VISIBLE: Final = range(0x21, 0x7F)


@dataclass(frozen=True, slots=True)
class Buffering:
    """When a batch is sent: when it has so many events, or bytes, or its first event has waited for so long."""

    max_items: int = 10_000
    max_bytes: int = 262_144
    timeout_ms: int = 1_000


_LIMITS: Final = {"maxItems": (1_000, 10_000), "maxBytes": (262_144, 1_048_576), "timeoutMs": (25, 30_000)}


@dataclass(frozen=True, slots=True)
class Destination:
    """Who listens, on the sandbox's loopback. `target` and `host` are those of the HTTP requests."""

    protocol: Protocol
    port: int
    target: str = "/"
    host: str = OWN_NAMES[0]
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one extension wants."""

    api: Api
    schema: str
    streams: tuple[Stream, ...]
    destination: Destination
    buffering: Buffering = Buffering()


class InvalidSubscription(Exception):
    """The request isn't as it should be; the message names everything that is wrong with it."""


def parse_subscription(api: Api, body: bytes) -> Subscription:
    """Read a request to subscribe. Raises InvalidSubscription."""
    try:
        request = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise InvalidSubscription("the request body is not valid JSON") from None
    if not isinstance(request, dict):
        raise InvalidSubscription("the request body is not a JSON object")
    problems: list[str] = []
    destination = _destination(request.get("destination"), problems)
    schema = _schema(api, request.get("schemaVersion"), problems)
    streams = _streams(request.get("types"), problems)
    buffering = _buffering(request.get("buffering"), problems)
    if problems or destination is None:
        raise InvalidSubscription("; ".join(problems))
    return Subscription(api, schema, streams, destination, buffering)


def _schema(api: Api, wanted: Any, problems: list[str]) -> str:
    if wanted is None or wanted == "":
        if api.default_schema is None:
            problems.append("schemaVersion is not provided")
        return api.default_schema or ""
    if wanted not in api.schemas:
        problems.append(f"schemaVersion should be one of {', '.join(api.schemas)}")
    return str(wanted)


def _streams(wanted: Any, problems: list[str]) -> tuple[Stream, ...]:
    if not isinstance(wanted, list) or not wanted:
        problems.append("types should not be empty")
        return ()
    if any(name not in tuple(Stream) for name in wanted):
        problems.append(f"types should only have {', '.join(Stream)}")
        return ()
    return tuple(dict.fromkeys(Stream(name) for name in wanted))


def _buffering(wanted: Any, problems: list[str]) -> Buffering:
    if wanted is None:
        return Buffering()
    if not isinstance(wanted, dict):
        problems.append("buffering should be an object")
        return Buffering()
    usual = Buffering()
    values = {"maxItems": usual.max_items, "maxBytes": usual.max_bytes, "timeoutMs": usual.timeout_ms}
    for name, (least, most) in _LIMITS.items():
        value = wanted.get(name)
        if value is None:
            continue
        if not _is_between(value, least, most):
            problems.append(f"{name} should be an integer between {least} and {most}")
        else:
            values[name] = value
    return Buffering(values["maxItems"], values["maxBytes"], values["timeoutMs"])


def _destination(wanted: Any, problems: list[str]) -> Destination | None:
    if not isinstance(wanted, dict):
        problems.append("destination is not provided" if wanted is None else "destination should be an object")
        return None
    method = wanted.get("method") or "POST"
    if method not in _METHODS:
        problems.append("method should be POST or PUT")
    if (wanted.get("encoding") or "JSON") != "JSON":
        problems.append("encoding should be JSON")
    match wanted.get("protocol"):
        case Protocol.HTTP:
            return _listener(wanted.get("URI"), "http", str(method), problems)
        case Protocol.TCP:
            return _tcp_listener(wanted, problems)
        case None:
            problems.append("protocol is not provided")
        case _:
            problems.append("protocol should be HTTP or TCP")
    return None


def _tcp_listener(wanted: Mapping[str, Any], problems: list[str]) -> Destination | None:
    """By its `port`, or by a URI that has one."""
    port = wanted.get("port")
    if port is None and wanted.get("URI") is not None:
        found = _listener(wanted["URI"], "tcp", "POST", problems)
        return None if found is None else Destination(Protocol.TCP, found.port)
    if port is None:
        problems.append("port is not provided")
    elif _is_port(port, "port", problems):
        return Destination(Protocol.TCP, port)
    return None


def _listener(uri: Any, scheme: str, method: str, problems: list[str]) -> Destination | None:
    if not isinstance(uri, str) or not uri:
        problems.append("URI is not provided")
        return None
    try:
        # What isn't visible ASCII may neither be in a request line nor be dropped in silence, as urlsplit would.
        if any(ord(character) not in _VISIBLE for character in uri):
            raise ValueError(uri)
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        problems.append("URI is not valid")
        return None
    before = len(problems)
    if parts.scheme != scheme:
        problems.append(f"URI scheme should be {scheme}")
    if parts.hostname not in OWN_NAMES or parts.username is not None:
        problems.append(f"URI host should be {OWN_NAMES[0]}")
    if port is None:
        problems.append("URI port is not provided")
    elif _is_port(port, "URI port", problems) and len(problems) == before:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Destination(Protocol.HTTP, port, target, f"{parts.hostname}:{port}", method)
    return None


def _is_port(port: Any, name: str, problems: list[str]) -> bool:
    if not _is_between(port, 1, _HIGHEST_PORT):
        problems.append(f"{name} should be an integer between 1 and {_HIGHEST_PORT}")
    elif port == _RESERVED_PORT:
        problems.append(f"{name} {_RESERVED_PORT} is reserved")
    else:
        return True
    return False


def _is_between(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
