"""From a handler's output members to the HTTP answer. rest-json. Members that are None are absent, never null."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import msgspec

from lampion.aws import timestamps
from lampion.aws.model import Operation, Shape
from lampion.aws.wire import WireAnswer

Writer = Callable[[Any], Any]
_Shapes = Mapping[str, Shape]
_CONTENT_TYPE: Final = ("Content-Type", "application/json")


@dataclass(slots=True)
class _Plan:
    """Where an operation's output members go, worked out once."""

    names: frozenset[str] = frozenset()
    status: str | None = None
    headers: list[tuple[str, str, Callable[[Any], str]]] = field(default_factory=list)
    prefixes: list[tuple[str, str]] = field(default_factory=list)
    raw_payload: str | None = None
    structure_payload: tuple[str, Writer] | None = None
    event_stream: str | None = None
    body: Writer | None = None


def serialize(operation: Operation, output: Mapping[str, Any], request_id: str) -> WireAnswer:
    """The answer for `output`: a status member, header members, and a payload or JSON body.

    An event stream is passed on as it is, for aws.event_stream. Raises ValueError when `output` holds a member that the
    model doesn't have: that is a mistake of the handler, not of the caller.
    """
    plan = _plan(operation)
    if not output.keys() <= plan.names:
        raise ValueError(f"{operation.name} has no output member {sorted(output.keys() - plan.names)}")
    status = operation.status
    if plan.status is not None:
        status = output.get(plan.status) or status
    headers = [_CONTENT_TYPE, ("x-amzn-RequestId", request_id)]
    for name, header, write in plan.headers:
        value = output.get(name)
        if value is not None:
            if header == "Content-Type":
                del headers[0]
            headers.append((header, write(value)))
    for name, prefix in plan.prefixes:
        headers += [(prefix + key, value) for key, value in (output.get(name) or {}).items()]
    events = None if plan.event_stream is None else output.get(plan.event_stream)
    return WireAnswer(status, headers, _body(plan, output), events)


def _body(plan: _Plan, output: Mapping[str, Any]) -> bytes:
    if plan.raw_payload is not None:
        payload = output.get(plan.raw_payload)
        return payload.encode() if isinstance(payload, str) else payload or b""
    if plan.structure_payload is not None:
        name, write = plan.structure_payload
        value = output.get(name)
        return b"" if value is None else msgspec.json.encode(write(value))
    return b"" if plan.body is None else msgspec.json.encode(plan.body(output))


@cache
def _plan(operation: Operation) -> _Plan:
    plan = _Plan()
    if operation.output is None:
        return plan
    shapes = operation.shapes
    shape = shapes[operation.output]
    plan.names = frozenset(shape.members)
    for name, member in shape.members.items():
        match member.location:
            case "statusCode":
                plan.status = name
            case "header":
                plan.headers.append((name, member.wire_name or name, _header_writer(shapes[member.shape])))
            case "headers":
                plan.prefixes.append((name, member.wire_name))
    if shape.payload is None:
        if any(member.location is None for member in shape.members.values()):
            plan.body = _structure_writer(operation.output, shapes, {})
        return plan
    target = shape.members[shape.payload].shape
    if shapes[target].type in {"blob", "string"}:
        plan.raw_payload = shape.payload
    elif shapes[target].eventstream:
        plan.event_stream = shape.payload
    else:
        plan.structure_payload = shape.payload, _writer(target, shapes, {})
    return plan


def structure_writer(name: str, shapes: _Shapes) -> Writer:
    """What makes JSON's values of the members of the structure `name`."""
    return _structure_writer(name, shapes, {})


def _header_writer(shape: Shape) -> Callable[[Any], str]:
    if shape.type == "boolean":
        return lambda value: "true" if value else "false"
    if shape.type == "timestamp":
        return lambda value: timestamps.to_text(value, shape.timestamp_format or "rfc822")
    if shape.type == "blob":
        return lambda value: base64.b64encode(value).decode()
    return str


def _as_is(value: Any) -> Any:
    return value


def _blob(value: bytes) -> str:
    return binascii.b2a_base64(value, newline=False).decode()


def _unix(value: float) -> float:
    """Whole seconds as a whole number, parts of a second to the millisecond."""
    return int(value) if value == int(value) else round(value, 3)


def _timestamp_writer(shape: Shape) -> Writer:
    wanted = shape.timestamp_format
    if wanted in {None, "unixTimestamp"}:
        return _unix
    return lambda value: timestamps.to_text(value, wanted or "")


def _writer(name: str, shapes: _Shapes, known: dict[str, Writer]) -> Writer:
    shape = shapes[name]
    if shape.type in _COMPOUND:
        return _COMPOUND[shape.type](name, shapes, known)
    if shape.type == "blob":
        return _blob
    return _timestamp_writer(shape) if shape.type == "timestamp" else _as_is


def _structure_writer(name: str, shapes: _Shapes, known: dict[str, Writer]) -> Writer:
    if name in known:
        return known[name]
    members: dict[str, tuple[str, Writer]] = {}

    def write(value: Mapping[str, Any]) -> dict[str, Any]:
        out = {}
        for member, item in value.items():
            if item is None:
                continue
            if member not in members:
                if member in located:
                    continue
                raise ValueError(f"{name} has no member {member}")
            wire_name, write_member = members[member]
            out[wire_name] = write_member(item)
        return out

    known[name] = write
    located = frozenset(key for key, member in shapes[name].members.items() if member.location is not None)
    for key, member in shapes[name].members.items():
        if member.location is None:
            members[key] = member.wire_name or key, _writer(member.shape, shapes, known)
    return write


def _list_writer(name: str, shapes: _Shapes, known: dict[str, Writer]) -> Writer:
    element = _writer(shapes[name].member, shapes, known)
    if element is _as_is:
        return list
    return lambda value: [element(item) for item in value]


def _map_writer(name: str, shapes: _Shapes, known: dict[str, Writer]) -> Writer:
    item_writer = _writer(shapes[name].value, shapes, known)
    if item_writer is _as_is:
        return dict
    return lambda value: {key: item_writer(item) for key, item in value.items()}


_COMPOUND: Final[dict[str, Callable[[str, _Shapes, dict[str, Writer]], Writer]]] = {
    "structure": _structure_writer,
    "list": _list_writer,
    "map": _map_writer,
}
