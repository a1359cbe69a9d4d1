"""Requests and responses as values. Header names are lower case; values are text as Latin-1 carries it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

JSON = "application/json"


@dataclass(slots=True)
class RequestHead:
    """Everything before the body. `path` and `query` are raw, still percent-encoded, as they stood on the wire.

    `headers` keeps the last of repeated headers joined by "," as RFC 9110 section 5.3 allows;
    `content_length` is None for a chunked body. `findings` is where the application keeps, for `start`, what it
    found out about the request in `accept`.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    content_length: int | None
    client: str = ""
    findings: Any = None


@dataclass(slots=True)
class Request:
    """A whole request: head and body."""

    head: RequestHead
    body: bytes = b""


class Response(msgspec.Struct, frozen=True):
    """An answer. `headers` are sent as spelled; Content-Length and Connection are the server's own."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    close: bool = False
