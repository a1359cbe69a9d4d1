"""Verification of Signature Version 4, in two steps: who claims to ask (from the head alone), then whether it is true.

A request is signed by its `Authorization` header or by its query (presigned). Lambda signs every payload: the payload's
hash is always computed from the body, so that `UNSIGNED-PAYLOAD` and streaming hashes, which belong to S3, are refused.
"""

import hmac
import re
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_tz
from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec

from lampion.aws.errors import (
    IncompleteSignatureException,
    InvalidSignatureException,
)
from lampion.aws.sigv4_canonical import (
    TERMINATOR,
    basic_iso,
    canonical_query,
    canonical_request,
    query_pairs,
    signature,
)
from lampion.aws.sigv4_parts import read_parts, remembered

SKEW_SECONDS: Final = 900
EXPIRES_SECONDS_MAX: Final = 604_800
_PAIRS_MAX: Final = 1_000
"""Of a query. Each costs a stranger nothing, and to bring them all into one form takes long."""

_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
_UNSIGNED_BY_RIGHT: Final = frozenset({"x-amz-cf-id"})
"""Set by a proxy on the way, after signing."""
_HEX_64: Final = re.compile(r"[0-9a-f]{64}")
_TIMESTAMP: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z")


class Claim(msgspec.Struct, frozen=True):
    """What a request's head claims. Its time, scope and form are checked; its signature is not, until `check`.

    `scope` is date/region/service/aws4_request. Its repr shows neither signature nor token.
    """

    access_key_id: str
    scope: str
    timestamp: str
    signature: str
    canonical_head: bytes
    declared_hash: str | None
    security_token: str | None

    def __repr__(self) -> str:
        return f"Claim({self.access_key_id!r}, {self.scope!r}, {self.timestamp!r})"


def check(claim: Claim, secret: str, body: bytes) -> None:
    """Raises InvalidSignatureException unless the request, with this body, was signed with `secret`. Constant time."""
    check_hash(claim, secret, sha256(body).hexdigest())


def check_hash(claim: Claim, secret: str, payload_hash: str) -> None:
    """`check`, with the body's SHA-256 in hex: for a body that was hashed elsewhere, or while it came in."""
    if claim.declared_hash is not None and claim.declared_hash != payload_hash:
        raise InvalidSignatureException(_MISMATCH)
    expected = signature(secret, claim.scope, claim.timestamp, claim.canonical_head, payload_hash)
    if not hmac.compare_digest(expected, claim.signature):
        raise InvalidSignatureException(_MISMATCH)


@dataclass(frozen=True, slots=True)
class Verifier:
    """Reads signatures meant for one service in one region, or in another one that it is also known in."""

    region: str
    service: str = "lambda"
    also_region: str | None = None

    def read_credential(self, method: str, path: str, query: str, headers: Mapping[str, str], now: float) -> Claim:
        """The claim in a request's head. `path` and `query` are raw, header names lower case, `now` seconds.

        Raises MissingAuthenticationTokenException, IncompleteSignatureException or InvalidSignatureException.
        """
        if query.count("&") > _PAIRS_MAX:
            raise IncompleteSignatureException(f"A signed request's query has at most {_PAIRS_MAX} parameters.")
        pairs = query_pairs(query)
        parts = read_parts(headers, pairs)
        access_key_id, scope, elements = _read_scope(parts.credential)
        timestamp, signed_at = _read_moment(parts.moment)
        self._check_scope(elements, timestamp)
        _check_time(timestamp, signed_at, now, parts.expires)
        names = _read_signed_headers(parts.signed_headers, headers)
        if not _HEX_64.fullmatch(parts.signature):
            raise InvalidSignatureException(_MISMATCH)
        canonical = canonical_query(parts.query) if parts.query else ""
        return Claim(
            access_key_id,
            scope,
            timestamp,
            parts.signature,
            canonical_request(method, path, canonical, headers, names),
            headers.get("x-amz-content-sha256"),
            parts.security_token,
        )

    def _check_scope(self, scope: list[str], timestamp: str) -> None:
        date, region, service, terminator = scope
        is_ours = region in (self.region, self.also_region)
        if is_ours and service == self.service and terminator == TERMINATOR and date == timestamp[:8]:
            return
        faults = []
        if not is_ours:
            faults.append("Credential should be scoped to a valid region.")
        if service != self.service:
            faults.append(f"Credential should be scoped to correct service: '{self.service}'.")
        if terminator != TERMINATOR:
            faults.append(f"Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'.")
        if date != timestamp[:8]:
            faults.append(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"'{date}' != '{timestamp[:8]}', from '{timestamp}'."
            )
        raise InvalidSignatureException(" ".join(faults))


@remembered
def _read_scope(credential: str) -> tuple[str, str, list[str]]:
    """The access key id; the scope, as text and in its four elements."""
    elements = credential.split("/")
    if len(elements) != 5 or not elements[0]:
        raise IncompleteSignatureException(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{credential}'"
        )
    access_key_id, *scope = elements
    return access_key_id, "/".join(scope), scope


@lru_cache(maxsize=64)
def _read_moment(text: str | None) -> tuple[str, int]:
    """The basic ISO 8601 form of an `X-Amz-Date` or `Date` value, and its seconds."""
    try:
        if text is not None and _TIMESTAMP.fullmatch(text):
            year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
            moment = datetime(year, month, day, int(text[9:11]), int(text[11:13]), int(text[13:15]), tzinfo=UTC)
            return text, int(moment.timestamp())
        parts = parsedate_tz(text) if text is not None else None
        if parts is not None:
            seconds = timegm((*parts[:6], 0, 1, 0)) - (parts[9] or 0)
            return basic_iso(seconds), seconds
    except (ValueError, OverflowError, IndexError, TypeError):
        pass
    raise IncompleteSignatureException("Date must be in ISO-8601 'basic format', like 20130524T000000Z.")


def _check_time(timestamp: str, signed_at: int, now: float, expires: str | None) -> None:
    seconds = _read_expires(expires) if expires is not None else SKEW_SECONDS
    if signed_at > now + SKEW_SECONDS:
        latest = basic_iso(now + SKEW_SECONDS)
        raise InvalidSignatureException(
            f"Signature not yet current: {timestamp} is still later than {latest} ({basic_iso(now)} + 15 min.)"
        )
    if now <= signed_at + seconds:
        return
    if expires is not None:
        end = basic_iso(signed_at + seconds)
        raise InvalidSignatureException(f"Signature expired: {end} is now earlier than {basic_iso(now)}")
    earliest = basic_iso(now - SKEW_SECONDS)
    raise InvalidSignatureException(
        f"Signature expired: {timestamp} is now earlier than {earliest} ({basic_iso(now)} - 15 min.)"
    )


def _read_expires(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= EXPIRES_SECONDS_MAX):
        raise IncompleteSignatureException(
            f"'X-Amz-Expires' must be a whole number of seconds between 1 and {EXPIRES_SECONDS_MAX}."
        )
    return int(text)


def _read_signed_headers(text: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    names, signed = _read_names(text)
    if not signed <= headers.keys():
        raise InvalidSignatureException(_MISMATCH)
    for name in headers:
        if name not in signed and name.startswith("x-amz-") and name not in _UNSIGNED_BY_RIGHT:
            raise InvalidSignatureException(f"There were headers present in the request which were not signed: {name}")
    return names


@remembered
def _read_names(text: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The signed headers in their order, and as a set."""
    names = tuple(text.split(";"))
    signed = frozenset(names)
    if "host" not in signed:
        raise InvalidSignatureException("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    if len(signed) != len(names):
        raise InvalidSignatureException(_MISMATCH)
    return names, signed
