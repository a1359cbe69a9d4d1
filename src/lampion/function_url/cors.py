"""Cross-origin resource sharing as a function URL's configuration has it: preflights answered, headers added. Pure.

Docs: Lambda developer guide, "Creating and managing Lambda function URLs", CORS; Fetch standard, "CORS protocol".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lampion.http.message import RequestHead

Headers = list[tuple[str, str]]
Cors = Mapping[str, Any]
"""The shape Cors (botocore `lambda` 2015-03-31)."""

_ANY: Final = "*"
_ORIGIN: Final = "Access-Control-Allow-Origin"
_CREDENTIALS: Final = "Access-Control-Allow-Credentials"
_EXPOSED: Final = "Access-Control-Expose-Headers"
_METHODS: Final = "Access-Control-Allow-Methods"
_HEADERS: Final = "Access-Control-Allow-Headers"
_MAX_AGE: Final = "Access-Control-Max-Age"

_CONFIGURED_BY: Final = {
    _ORIGIN: "AllowOrigins",
    _CREDENTIALS: "AllowCredentials",
    _EXPOSED: "ExposeHeaders",
    _METHODS: "AllowMethods",
    _HEADERS: "AllowHeaders",
    _MAX_AGE: "MaxAge",
}


def is_preflight(head: RequestHead) -> bool:
    """Whether a browser asks what it may do, instead of doing it."""
    return head.method == "OPTIONS" and "origin" in head.headers and "access-control-request-method" in head.headers


def preflight_headers(cors: Cors, head: RequestHead) -> Headers:
    """The answer's headers: what an allowed origin may do, nothing for another."""
    shared = _shared(cors, head)
    if not shared:
        return _vary(cors)
    asked = head.headers.get("access-control-request-headers")
    return [
        *shared,
        *_list(cors, _METHODS, head.headers["access-control-request-method"]),
        *(_list(cors, _HEADERS, asked) if asked else []),
        *([(_MAX_AGE, str(cors["MaxAge"]))] if cors.get("MaxAge") is not None else []),
        *_vary(cors),
    ]


def with_cors(cors: Cors | None, head: RequestHead, headers: Sequence[tuple[str, str]]) -> Headers:
    """The headers of an answer, with those of CORS; what is configured outweighs what the function says."""
    if not cors:
        return list(headers)
    settled = {name.lower() for name, member in _CONFIGURED_BY.items() if member in cors}
    kept = [header for header in headers if header[0].lower() not in settled]
    shared = _shared(cors, head)
    return [*kept, *shared, *(_list(cors, _EXPOSED, _ANY) if shared else []), *_vary(cors)]


def _shared(cors: Cors, head: RequestHead) -> Headers:
    """What preflights and other answers say alike; nothing when the origin isn't allowed, or there is none."""
    origin, allowed = head.headers.get("origin"), cors.get("AllowOrigins") or ()
    if origin is None or not (_ANY in allowed or origin in allowed):
        return []
    if cors.get("AllowCredentials"):
        return [(_ORIGIN, origin), (_CREDENTIALS, "true")]  # browsers take no wildcard together with credentials
    return [(_ORIGIN, _ANY if _ANY in allowed else origin)]


def _list(cors: Cors, name: str, asked: str) -> Headers:
    """A list of the configuration; instead of a wildcard that browsers don't take with credentials, what was asked."""
    values = cors.get(_CONFIGURED_BY[name]) or ()
    if not values:
        return []
    if _ANY in values:
        return [(name, asked if cors.get("AllowCredentials") else _ANY)]
    return [(name, ",".join(values))]


def _vary(cors: Cors) -> Headers:
    """The answer differs by origin: caches must know."""
    return [("Vary", "Origin")] if cors.get("AllowOrigins") else []
