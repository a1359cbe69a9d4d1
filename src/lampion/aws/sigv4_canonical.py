"""The canonical form of a request and the derived key: what signer and verifier of Signature Version 4 share.

Lambda and every service but S3 normalise the path and encode it twice.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final
from urllib.parse import quote, unquote_plus

ALGORITHM: Final = "AWS4-HMAC-SHA256"
TERMINATOR: Final = "aws4_request"

_PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9_.~/-]*")
_PLAIN_VALUE: Final = re.compile(r"[A-Za-z0-9_.~-]*")


def basic_iso(seconds: float) -> str:
    """Seconds since the epoch as 20260131T235959Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


def canonical_path(path: str) -> str:
    """The raw path without dot segments and repeated slashes, encoded once more."""
    if "//" in path or "/." in path or not path.startswith("/"):
        path = _without_dot_segments(path)
    return path if _PLAIN_PATH.fullmatch(path) else quote(path, safe="/~", errors="replace")


def _without_dot_segments(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in {"", "."}:
            kept.append(segment)
    last = "/" if kept and path.endswith("/") else ""
    return f"{'' if path[:1] not in {'/', ''} else '/'}{'/'.join(kept)}{last}"


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Raw (still encoded) pairs, each brought to one encoding, sorted by name, then value."""
    return "&".join([f"{name}={value}" for name, value in sorted([(_encoded(n), _encoded(v)) for n, v in pairs])])


def _encoded(raw: str) -> str:
    if _PLAIN_VALUE.fullmatch(raw):
        return raw
    return quote(unquote_plus(raw, errors="surrogateescape"), safe="-_.~", errors="surrogateescape")


def query_pairs(query: str) -> list[tuple[str, str]]:
    """The raw names and values of a raw query."""
    if not query:
        return []
    split = [pair.partition("=") for pair in query.split("&") if pair]
    return [(name, value) for name, _, value in split]


def canonical_request(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    signed_headers: Iterable[str],
    *,
    verbatim_path: bool = False,
) -> bytes:
    """The canonical request up to and without the payload's hash. `query` is canonical, `path` raw, header names lower.

    `verbatim_path`: S3 takes the path as it stands. Raises KeyError when a signed header isn't in `headers`.
    """
    names = tuple(signed_headers)
    lines = "".join([f"{name}:{headers[name]}\n" for name in names])
    if " " in lines or "\t" in lines:
        lines = "".join([f"{name}:{_trimmed(headers[name])}\n" for name in names])
    text = f"{method}\n{path if verbatim_path else canonical_path(path)}\n{query}\n{lines}\n{';'.join(names)}\n"
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _trimmed(value: str) -> str:
    """Without outer spaces, inner runs of them made one."""
    if value.isascii():
        return " ".join(value.split()) if "  " in value or "\t" in value else value.strip()
    return re.sub(r"[ \t]+", " ", value.strip(" \t"))


def signature(secret: str, scope: str, timestamp: str, canonical_head: bytes, payload_hash: str) -> str:
    """The signature in hex. `scope` is date/region/service/aws4_request, `timestamp` 20260131T235959Z."""
    hashed = sha256(canonical_head + payload_hash.encode("latin-1")).hexdigest()
    text = f"{ALGORITHM}\n{timestamp}\n{scope}\n{hashed}"
    inner, outer = _hashes_begun(secret, scope)
    inner, outer = inner.copy(), outer.copy()
    inner.update(text.encode("latin-1"))
    outer.update(inner.digest())
    return outer.hexdigest()


@lru_cache(maxsize=256)
def _hashes_begun(secret: str, scope: str) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """HMAC's two hashes (RFC 2104) with the key derived for one day, region and service, up to the message: to copy.

    What they have taken in is the same for all requests, and a copy costs a third of an HMAC that begins with its key.
    """
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    block = key.ljust(sha256().block_size, b"\0")
    return sha256(bytes([byte ^ 0x36 for byte in block])), sha256(bytes([byte ^ 0x5C for byte in block]))
