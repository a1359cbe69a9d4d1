"""From the parts of an HTTP request to the operation's members, in wire (CamelCase) names. rest-json.

Members without a value are absent; members the model doesn't know are ignored, as AWS does. Constraints come later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import unquote_plus

from lampion.aws.model import Operation, Shape
from lampion.aws.readers import Reader, body_reader, decode_json
from lampion.aws.text_readers import text_reader

_Store = Callable[[dict[str, Any], list[str]], None]
_RAW_PAYLOADS: Final = frozenset({"blob", "string"})


@dataclass(slots=True)
class _Plan:
    """How an operation's members are found, worked out once."""

    labels: list[tuple[str, str, Callable[[str], Any]]] = field(default_factory=list)
    headers: list[tuple[str, str, Callable[[str], Any]]] = field(default_factory=list)
    prefixes: list[tuple[str, str]] = field(default_factory=list)
    query: dict[str, _Store] = field(default_factory=dict)
    query_maps: list[tuple[str, bool]] = field(default_factory=list)
    raw_payload: str | None = None
    raw_text: bool = False
    structure_payload: tuple[str, Reader] | None = None
    body: Reader | None = None


def parse(
    operation: Operation, labels: Mapping[str, str], query: str, headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """The request's members. `query` is raw; header names are lower case. Blobs are bytes, timestamps seconds.

    Raises SerializationException when the body isn't JSON or a value is of the wrong type.
    """
    plan = _plan(operation)
    members: dict[str, Any] = {}
    for label, name, read in plan.labels:
        members[name] = read(labels[label])
    for header, name, read in plan.headers:
        value = headers.get(header)
        if value is not None:
            members[name] = read(value)
    if plan.prefixes:
        _read_prefixed(plan, headers, members)
    if query and (plan.query or plan.query_maps):
        _read_query(plan, query, members)
    if body:
        _read_body(plan, body, members)
    return members


def _read_prefixed(plan: _Plan, headers: Mapping[str, str], members: dict[str, Any]) -> None:
    for prefix, name in plan.prefixes:
        found = {header[len(prefix) :]: value for header, value in headers.items() if header.startswith(prefix)}
        if found:
            members[name] = found


def _read_query(plan: _Plan, query: str, members: dict[str, Any]) -> None:
    values: dict[str, list[str]] = {}
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if key:
            values.setdefault(_decoded(key), []).append(_decoded(value))
    for key, texts in values.items():
        store = plan.query.get(key)
        if store is not None:
            store(members, texts)
    for name, repeated in plan.query_maps:
        rest = {key: texts if repeated else texts[-1] for key, texts in values.items() if key not in plan.query}
        if rest:
            members[name] = rest


def _read_body(plan: _Plan, body: bytes, members: dict[str, Any]) -> None:
    if plan.raw_payload is not None:
        members[plan.raw_payload] = body.decode("utf-8", "replace") if plan.raw_text else body
    elif plan.structure_payload is not None:
        name, read = plan.structure_payload
        document = decode_json(body)
        if document is not None:
            members[name] = read(document)
    elif plan.body is not None:
        document = decode_json(body)
        if document is not None:
            members.update(plan.body(document))


def _decoded(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text


@cache
def _plan(operation: Operation) -> _Plan:
    plan = _Plan()
    if operation.input is None:
        return plan
    shape = operation.shapes[operation.input]
    for name, member in shape.members.items():
        target = operation.shapes[member.shape]
        wire_name = member.wire_name or name
        match member.location:
            case "uri":
                plan.labels.append((wire_name, name, text_reader(target)))
            case "header":
                plan.headers.append((wire_name.lower(), name, text_reader(target)))
            case "headers":
                plan.prefixes.append((wire_name.lower(), name))
            case "querystring":
                _plan_query(plan, name, wire_name, target, operation.shapes)
    _plan_body(plan, operation, shape)
    return plan


def _plan_query(plan: _Plan, name: str, wire_name: str, shape: Shape, shapes: Mapping[str, Shape]) -> None:
    if shape.type == "map":
        plan.query_maps.append((name, shapes[shape.value].type == "list"))
        return
    is_list = shape.type == "list"
    read = text_reader(shapes[shape.member] if is_list else shape)

    def store(members: dict[str, Any], texts: list[str]) -> None:
        members[name] = [read(text) for text in texts] if is_list else read(texts[-1])

    plan.query[wire_name] = store


def _plan_body(plan: _Plan, operation: Operation, shape: Shape) -> None:
    if shape.payload is None:
        if any(member.location is None for member in shape.members.values()):
            plan.body = body_reader(operation.input or "", operation.shapes)
        return
    target = shape.members[shape.payload].shape
    payload_type = operation.shapes[target].type
    if payload_type in _RAW_PAYLOADS:
        plan.raw_payload, plan.raw_text = shape.payload, payload_type == "string"
    else:
        plan.structure_payload = shape.payload, body_reader(target, operation.shapes)
