"""From an operation's members, however wrong they are, to the HTTP request that carries them. rest-json."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from botocore.model import OperationModel

from tests.conformance.bad_requests.case import HttpRequest

_LINE_ENDS = str.maketrans("", "", "\r\n\0")


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes that stand in the JSON body as they are."""

    text: bytes


def rendered(operation: OperationModel, members: Mapping[str, Any]) -> HttpRequest:
    """`members` in wire names; a member that isn't in the model travels in the body."""
    path = operation.http["requestUri"]
    query, headers, body = [], [("Content-Type", "application/json")], {}
    shape = operation.input_shape
    payload = shape.serialization.get("payload") if shape is not None else None
    for name, value in members.items():
        member = shape.members.get(name) if shape is not None else None
        location = member.serialization.get("location") if member is not None else None
        wire_name = member.serialization.get("name", name) if member is not None else name
        if location == "uri":
            path = path.replace(f"{{{wire_name}}}", _quoted(value)).replace(f"{{{wire_name}+}}", _quoted(value))
        elif location == "querystring":
            query += [f"{_quoted(wire_name)}={_quoted(item)}" for item in _texts(value)]
        elif location == "header":
            headers.append((wire_name, _header(value)))
        elif name != payload:
            body[name] = value
    content = (
        _payload(members[payload]) if payload is not None and payload in members else json_bytes(body) if body else b""
    )
    return HttpRequest(
        method=operation.http["method"],
        target=_with_query(path, query),
        headers=tuple(headers),
        body=content,
    )


def json_bytes(document: Any) -> bytes:
    """JSON with whatever the document holds: NaN, lone surrogates (escaped), and Raw parts. bytes become base64."""
    raw: list[bytes] = []

    def default(value: Any) -> str:
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        assert isinstance(value, Raw)
        raw.append(value.text)
        return f"raw part {len(raw) - 1}"

    text = json.dumps(document, default=default).encode()
    for number, part in enumerate(raw):
        text = text.replace(f'"raw part {number}"'.encode(), part)
    return text


def _payload(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json_bytes(value)


def _with_query(path: str, query: list[str]) -> str:
    return path + ("&" if "?" in path else "?") + "&".join(query) if query else path


def _texts(value: Any) -> list[str]:
    return [_text(item) for item in value] if isinstance(value, list) else [_text(value)]


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if isinstance(value, str) else json_bytes(value).decode()


def _header(value: Any) -> str:
    """What can be sent in one line, and be signed."""
    return _text(value).translate(_LINE_ENDS).encode("utf-8", "replace").decode()


def _quoted(value: Any) -> str:
    return quote(_text(value).encode("utf-8", "surrogatepass"), safe="-_.~")
