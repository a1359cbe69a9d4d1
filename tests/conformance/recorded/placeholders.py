"""What stands in a recording for a value that differs from run to run, and what such a value must look like."""

import re
from dataclasses import dataclass
from typing import Final

_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SHA256_BASE64: Final = r"[A-Za-z0-9+/]{43}="
_CODE_SHA256: Final = rf"(?:{_SHA256_BASE64}|[0-9a-f]{{64}})"  # of a zip, or of an image's manifest
_URL: Final = r"https?://[^\s'\"]+"
_NAME: Final = r"[^\s'\"/:]+"
_TIMESTAMP: Final = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?"

DATE = re.compile(_TIMESTAMP)
"""How a time that boto3 leaves as text is written; recorded as "date" (a datetime object is recorded as "datetime")."""

_NUMBERED: Final = {
    "uuid": _UUID,
    "code-sha256": _CODE_SHA256,
    "function-name": r"[a-zA-Z0-9-_]+",
    "resource": rf"(?:{_TIMESTAMP}|{_NAME})",
    "log-stream-name": r"\d{4}/\d{2}/\d{2}/\[(?:\$LATEST|\d+)\][0-9a-f]{32}",
    "aws-access-key-id": r"[A-Z0-9]{16,}",
    "aws-secret-access-key": r"\S{16,}",
    "aws-session-token": r"\S+",
    "x-amzn-trace-id": r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;\S*)?",
    "xray-trace-id": r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;\S*)?",
    "xray-daemon-address": r"[^\s:]+",
    "deadline": r"\d+",
    "domain": r"[^\s/]+",
    "origin": r"\S+",
    "receipt-handle": r"\S+",
    "a-w-s-trace-header": r"\S+",
    "<code-sha-256>": _SHA256_BASE64,
    "<code-sha-256:1>": _SHA256_BASE64,
}
"""Families whose members carry a number: one number, one value within a case; two numbers, two values."""

_UNNUMBERED: Final = {
    "location": _URL,
    "layer-location": _URL,
    "function-url": _URL,
    "fn-name": r"[a-zA-Z0-9-_]+",
    "alias-name": r"[a-zA-Z0-9-_]+",
    "table-name": _NAME,
    "custom-tag": r"\S+",
    "repo_uri": r"[^\s@]+",
    "csc_arn_invalid": r"arn:[a-z-]+:lambda:\S+:code-signing-config:[\w-]+",
    "vpc_id": r"vpc-[0-9a-f]+",
    "security_group_id_1": r"sg-[0-9a-f]+",
    "security_group_id_2": r"(?:sg|bad-format)-[0-9a-f]+",
    "subnet_id_1": r"subnet-[0-9a-f]+",
    "subnet_id_2": r"(?:subnet|bad-format)-[0-9a-f]+",
    "code-sha256": _SHA256_BASE64,
    "request-id": _UUID,
    "timeout_error_msg": _UUID,
    "md5-of-body": r"[0-9a-f]{32}",
    "sender-id": r"\S+",
}
"""Placeholders that say of which kind a value is, and no more."""

WHOLE_NUMBERS: Final = frozenset(("code-size", "remaining-time-in-millis"))
NUMBERED_WHOLE_NUMBER = re.compile(r"<deadline:\d+>")
"""A family whose members were numbers before they became placeholders."""
LISTS: Final = frozenset(("stack-trace",))

_WRONG_REGION: Final = r"[a-z]{2}(?:-[a-z]+)+-\d"
_PLACEHOLDER = re.compile(
    r"<(?P<family><[a-z0-9-]+(?::\d+)?>|[a-z][a-z0-9-]*):(?P<number>\d+)>|<(?P<name>[a-z][\w-]*)>"
)
_REPEATED = re.compile(r"<(.):len\((\d+)\)>")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server under test says it is; recordings leave it open."""

    account_id: str
    region: str
    partition: str = "aws"


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that must be there as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Numbered:
    """A value that has to be the same wherever its number stands in the case."""

    family: str
    number: int

    @property
    def pattern(self) -> str:
        return _NUMBERED[self.family]

    def __str__(self) -> str:
        return f"<{self.family}:{self.number}>"


@dataclass(frozen=True, slots=True)
class OfAKind:
    """A value of which only the form is known, as a regular expression."""

    pattern: str


Piece = Literal | Numbered | OfAKind


def pieces(recorded: str, place: Place) -> list[Piece]:
    """A recorded text as what must be there literally and what is left open, in order.

    `<...>` that no table knows is text: Java's and Rust's type names are written like that.
    """
    text = _REPEATED.sub(lambda match: match[1] * int(match[2]), recorded)
    found: list[Piece] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        piece = _piece(match, place)
        if piece is not None:
            found += [_literal(text[end : match.start()], place), piece]
            end = match.end()
    return [*found, _literal(text[end:], place)]


def whole_placeholder(recorded: str) -> str | None:
    """The name, when all of the text is one placeholder without a number."""
    match = _PLACEHOLDER.fullmatch(recorded)
    return match["name"] if match else None


def _piece(match: re.Match[str], place: Place) -> Piece | None:
    if match["family"] in _NUMBERED:
        return Numbered(match["family"], int(match["number"]))
    match match["name"]:
        case "partition":
            return Literal(place.partition)
        case "region":
            return Literal(place.region)
        case "wrong-region":
            return OfAKind(rf"(?!{re.escape(place.region)}\b){_WRONG_REGION}")
        case name if name in _UNNUMBERED:
            return OfAKind(_UNNUMBERED[name])
    return None


def _literal(text: str, place: Place) -> Literal:
    return Literal(text.replace("111111111111", place.account_id))
