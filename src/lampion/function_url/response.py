"""What a function answered, as an HTTP response to the client of its URL. Pure.

Docs: Lambda developer guide, "Invoking Lambda function URLs", section "Response payload format".
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import msgspec

from lampion.function_url.event import HOP_BY_HOP
from lampion.http.message import JSON

Headers = list[tuple[str, str]]

_STATUSES: Final = range(200, 600)
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")
_OURS: Final = HOP_BY_HOP | {"content-length", "date", "x-amzn-requestid", "x-amzn-trace-id"}
"""What the listener or the front of Lambda sets, whatever the function says."""

_DOCUMENT: Final = msgspec.json.Decoder()


class Malformed(Exception):
    """What the function answered can't be an HTTP response; the client hears no more than that."""


@dataclass(frozen=True, slots=True)
class Prelude:
    """What precedes the body: status, and headers with the cookies among them."""

    status: int
    headers: Headers


def response_of(payload: bytes) -> tuple[Prelude, bytes]:
    """What a function returned, taken for a response if it has a `statusCode`, else for the body of one.

    Raises Malformed.
    """
    members = _members(payload)
    if members is None or members.get("statusCode") is None:
        return Prelude(200, [("Content-Type", JSON)]), payload
    return _prelude(members), _body(members)


def prelude_of_json(head: bytes, *, content_type: str) -> Prelude:
    """The head of a stream: all members but the body. Without a `statusCode`: 200. Raises Malformed."""
    members = _members(head)
    if members is None:
        raise Malformed
    return _prelude({"statusCode": 200, **members}, content_type)


def _prelude(members: dict[str, Any], content_type: str = JSON) -> Prelude:
    headers = _headers(members.get("headers"))
    headers += [("Set-Cookie", _value(cookie)) for cookie in _cookies(members.get("cookies"))]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.insert(0, ("Content-Type", content_type))
    return Prelude(_status(members.get("statusCode")), headers)


def _members(payload: bytes) -> dict[str, Any] | None:
    """The members of a JSON object; None for any other JSON text."""
    try:
        document = _DOCUMENT.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        document = _lenient(payload)
    return document if isinstance(document, dict) else None


def _lenient(payload: bytes) -> Any:
    """With halves of surrogate pairs, which JSON may hold and a runtime may write. Raises Malformed."""
    try:
        return json.loads(payload, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Malformed from None


def _refuse(_: str) -> NoReturn:
    raise Malformed


def _status(value: Any) -> int:
    """A number, or a text that is one."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{3}", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value not in _STATUSES:
        raise Malformed
    return value


def _headers(value: Any) -> Headers:
    if value is None:
        return []
    if not isinstance(value, dict):
        raise Malformed
    return [(_name(name), _value(one)) for name, one in value.items() if one is not None and name.lower() not in _OURS]


def _cookies(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed
    return value


def _name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise Malformed
    return name


def _value(value: Any) -> str:
    """A header's value as the wire carries it: UTF-8 in Latin-1's clothes. Line breaks would begin another header."""
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int | float):
        value = msgspec.json.encode(value).decode()
    if not isinstance(value, str) or _VALUE.fullmatch(value) is None:
        raise Malformed
    return value.encode("utf-8", "replace").decode("latin-1")


def _body(members: dict[str, Any]) -> bytes:
    body = members.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        return msgspec.json.encode(body)
    if members.get("isBase64Encoded") is not True:
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed from None
