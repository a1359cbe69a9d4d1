"""A request to a function URL as the event that its function gets: payload format 2.0. Pure.

Docs: Lambda developer guide, "Invoking Lambda function URLs". What is empty is left out, as AWS does.
"""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

import msgspec

from lampion.http.message import RequestHead

_ROUTE: Final = "$default"
ANONYMOUS: Final = "anonymous"
"""Whose account an event names when nobody was asked who he is."""

HOP_BY_HOP: Final = frozenset(
    (
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade", "expect"),
    )
)
"""Headers between two neighbours (RFC 9110, section 7.6.1): the client's are not the function's, nor are its ours."""

_TEXT_TYPES: Final = re.compile(
    r"\s*(text/[^;]*|application/(json|xml|javascript))\s*(;.*)?", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who signed the request to a URL that asks for it, as its event names him."""

    account_id: str
    access_key_id: str
    user_id: str
    user_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request and what the door knows of it. `path` is what the URL's own path is, still encoded."""

    head: RequestHead
    body: bytes
    path: str
    url_id: str
    domain: str
    scheme: str
    port: str
    request_id: str
    trace_root: str
    now: float
    caller: Caller | None = None


def event_of(received: Received) -> bytes:
    """The event, in JSON."""
    head = received.head
    query = _parameters(head.query)
    body, is_base64 = _body(received)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": _ROUTE,
        "rawPath": _text(received.path),
        "rawQueryString": _text(head.query),
        "cookies": _cookies(head.headers.get("cookie", "")),
        "headers": _headers(received),
        "queryStringParameters": query,
        "requestContext": _context(received),
        "body": body,
        "isBase64Encoded": is_base64,
    }
    return msgspec.json.encode({name: value for name, value in event.items() if value not in (None, [], {})})


def _context(received: Received) -> dict[str, Any]:
    head, moment = received.head, datetime.fromtimestamp(received.now, UTC)
    caller = received.caller
    authorizer = {} if caller is None else {"authorizer": {"iam": _identity(caller)}}
    return {
        "accountId": ANONYMOUS if caller is None else caller.account_id,
        "apiId": received.url_id,
        **authorizer,
        "domainName": received.domain,
        "domainPrefix": received.url_id,
        "http": {
            "method": head.method,
            "path": unquote(_text(received.path), errors="replace"),
            "protocol": "HTTP/1.1",
            "sourceIp": head.client,
            **({"userAgent": _text(head.headers["user-agent"])} if "user-agent" in head.headers else {}),
        },
        "requestId": received.request_id,
        "routeKey": _ROUTE,
        "stage": _ROUTE,
        "time": f"{moment:%d}/{_MONTHS[moment.month - 1]}/{moment:%Y:%H:%M:%S} +0000",
        "timeEpoch": int(received.now * 1000),
    }


_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Whatever the language of the machine."""


def _identity(caller: Caller) -> dict[str, Any]:
    return {
        "accessKey": caller.access_key_id,
        "accountId": caller.account_id,
        "callerId": caller.user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": caller.user_arn,
        "userId": caller.user_id,
    }


def _headers(received: Received) -> dict[str, str]:
    """As they came, and what the front of Lambda adds; the signature was for us, and is not passed on."""
    head = received.head
    dropped = HOP_BY_HOP if received.caller is None else HOP_BY_HOP | {"authorization"}
    sent = head.headers.get("x-forwarded-for")
    return {
        **{name: _text(value) for name, value in head.headers.items() if name not in dropped},
        "x-amzn-trace-id": received.trace_root,
        "x-forwarded-for": head.client if not sent else f"{_text(sent)}, {head.client}",
        "x-forwarded-port": received.port,
        "x-forwarded-proto": received.scheme,
    }


def _cookies(header: str) -> list[str]:
    return [cookie for part in _text(header).split(";") if (cookie := part.strip())]


def _parameters(query: str) -> dict[str, str]:
    """By decoded name; values of one name are joined by commas, in their order."""
    parameters: dict[str, str] = {}
    for pair in query.split("&"):
        if pair:
            name, _, value = (unquote_plus(_text(part), errors="replace") for part in pair.partition("="))
            parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _body(received: Received) -> tuple[str | None, bool]:
    """Text stays text where its type says that it is; anything else is in base64."""
    if not received.body:
        return None, False
    if _TEXT_TYPES.fullmatch(received.head.headers.get("content-type", "")):
        try:
            return received.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(received.body).decode(), True


def _text(value: str) -> str:
    """What came as Latin-1 text, as the UTF-8 that it nearly always is."""
    if value.isascii():
        return value
    raw = value.encode("latin-1", "replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return value
