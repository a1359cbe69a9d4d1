"""AWS's protocol "query": a form of flat names in, XML out. IAM and STS speak it.

A list is `Tags.member.1.Key`, a map `Attributes.entry.1.key`. Constraints come later, as in every protocol.
"""

import base64
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from lampion.aws import timestamps
from lampion.aws.errors import MalformedInput, MalformedQueryString
from lampion.aws.model import Operation, ServiceModel, Shape
from lampion.aws.text_readers import text_reader
from lampion.domain.errors import ApiError, Fault

CONTENT_TYPE: Final = "text/xml"
_HALF_ENCODED: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_FIELDS_MAX: Final = 5000
_DEPTH_MAX: Final = 12
_UNREADABLE: Final = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF], " ")
"""Characters that XML can't have."""

_Tree = dict[str, Any]
"""Texts and further trees by the parts of their names."""
_Shapes = Mapping[str, Shape]
_Reader = Callable[[Any], Any]
_Writer = Callable[[Any, list[str]], None]


def fields_of(body: bytes) -> dict[str, str]:
    """The form in a request's body, each field once. Raises MalformedQueryString."""
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, max_num_fields=_FIELDS_MAX, errors="strict"
        )
    except (UnicodeError, ValueError):
        raise _no_form() from None
    fields = dict(pairs)
    if len(fields) < len(pairs) or _HALF_ENCODED.search(text):
        raise _no_form()
    return fields


def _no_form() -> MalformedQueryString:
    return MalformedQueryString("The query string is malformed.")


def parse(operation: Operation, fields: Mapping[str, str]) -> dict[str, Any]:
    """The members of the operation's input. What the model doesn't know is ignored, as AWS does.

    Raises MalformedInput for values of the wrong type.
    """
    if operation.input is None:
        return {}
    tree: _Tree = {}
    for name, value in fields.items():
        _plant(tree, name.split("."), value)
    members: dict[str, Any] = _reader(operation.input, operation)(tree)
    return members


def _plant(tree: _Tree, parts: list[str], value: str) -> None:
    if len(parts) > _DEPTH_MAX:
        raise MalformedInput("Unexpected complex element termination")
    *path, last = parts
    for part in path:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            raise MalformedInput("Unexpected list element termination")
        tree = inner
    if isinstance(tree.get(last), dict):
        raise MalformedInput("Unexpected list element termination")
    tree[last] = value


@cache
def _reader(name: str, operation: Operation) -> _Reader:
    """Of the shape `name`; those of members are made when they are first needed, for shapes that contain themselves."""
    shape = operation.shapes[name]
    if shape.type == "structure":
        return lambda tree: {
            member: _reader(reference.shape, operation)(tree[member])
            for member, reference in shape.members.items()
            if member in _grown(tree)
        }
    if shape.type == "list":
        return lambda tree: [_reader(shape.member, operation)(value) for value in _numbered(tree, "member")]
    if shape.type == "map":
        return lambda tree: dict(_entry(_grown(entry), shape, operation) for entry in _numbered(tree, "entry"))
    read = text_reader(shape)

    def scalar(value: Any) -> Any:
        if not isinstance(value, str):
            raise MalformedInput("Unexpected complex element termination")
        try:
            return read(value)
        except ApiError as error:
            raise MalformedInput(error.message) from None

    return scalar


def _entry(entry: _Tree, shape: Shape, operation: Operation) -> tuple[Any, Any]:
    key = _reader(shape.key, operation)(entry.get("key", ""))
    return key, _reader(shape.value, operation)(entry.get("value", ""))


def _grown(tree: Any) -> _Tree:
    if not isinstance(tree, dict):
        raise MalformedInput("Unexpected complex element termination")
    return tree


def _numbered(tree: Any, word: str) -> list[Any]:
    """The elements in the order of their numbers. `Tags=` alone is an empty list."""
    if tree == "":
        return []
    numbered = _grown(_grown(tree).get(word, {}))
    if not all(number.isascii() and number.isdecimal() and len(number) < 10 for number in numbered):
        raise MalformedInput("Unexpected list element termination")
    return [numbered[number] for number in sorted(numbered, key=int)]


def serialize(service: ServiceModel, operation: Operation, output: Mapping[str, Any], request_id: str) -> bytes:
    """The answer's XML. Members that are None are absent.

    Raises ValueError when `output` holds a member that the model doesn't have: a mistake of the handler.
    """
    name = operation.name
    parts = [f'<{name}Response xmlns="{service.xml_namespace}">']
    if operation.result_wrapper:
        parts.append(f"<{operation.result_wrapper}>")
        _writer(operation.output or "", operation)(output, parts)
        parts.append(f"</{operation.result_wrapper}>")
    parts.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>\n")
    return "".join(parts).encode()


def serialize_error(service: ServiceModel, error: ApiError, code: str, request_id: str) -> bytes:
    """`code` as the protocol has it; the model may have another name for the shape."""
    fault = "Sender" if error.fault is Fault.CALLER else "Receiver"
    told = f"<Type>{fault}</Type><Code>{code}</Code><Message>{_text(error.message)}</Message>"
    return (
        f'<ErrorResponse xmlns="{service.xml_namespace}"><Error>{told}</Error>'
        f"<RequestId>{request_id}</RequestId></ErrorResponse>\n"
    ).encode()


@cache
def _writer(name: str, operation: Operation) -> _Writer:
    shape = operation.shapes[name]
    if shape.type == "structure":
        return lambda value, parts: _write_structure(name, value, operation, parts)
    if shape.type == "list":
        return lambda value, parts: _write_elements("member", shape.member, value, operation, parts)
    if shape.type == "map":
        return lambda value, parts: _write_map(shape, value, operation, parts)
    spell = _SPELLED.get(shape.type, str)
    return lambda value, parts: parts.append(_text(spell(value)))


def _write_structure(name: str, value: Mapping[str, Any], operation: Operation, parts: list[str]) -> None:
    members = operation.shapes[name].members
    if not value.keys() <= members.keys():
        raise ValueError(f"{name} has no member {sorted(value.keys() - members.keys())}")
    for member, reference in members.items():
        if value.get(member) is not None:
            _write_elements(member, reference.shape, [value[member]], operation, parts)


def _write_elements(tag: str, name: str, values: Any, operation: Operation, parts: list[str]) -> None:
    write = _writer(name, operation)
    for value in values:
        parts.append(f"<{tag}>")
        write(value, parts)
        parts.append(f"</{tag}>")


def _write_map(shape: Shape, value: Mapping[str, Any], operation: Operation, parts: list[str]) -> None:
    for key, one in value.items():
        parts.append("<entry>")
        _write_elements("key", shape.key, [key], operation, parts)
        _write_elements("value", shape.value, [one], operation, parts)
        parts.append("</entry>")


def _text(text: str) -> str:
    return escape(text.translate(_UNREADABLE))


_SPELLED: Final[Mapping[str, Callable[[Any], str]]] = {
    "blob": lambda value: base64.b64encode(value).decode(),
    "boolean": lambda value: "true" if value else "false",
    "timestamp": lambda value: timestamps.to_text(value, "iso8601"),
}
