"""The parts of a Signature Version 4, out of the `Authorization` header or a presigned query. Checks form only."""

import base64
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Final, NoReturn, TypeVar
from urllib.parse import unquote_plus

import msgspec

from lampion.aws.errors import IncompleteSignatureException, MissingAuthenticationTokenException
from lampion.aws.sigv4_canonical import ALGORITHM

_USUAL_LEAD: Final = re.compile(rf"{ALGORITHM} Credential=([^,=\s]+), ?SignedHeaders=([^,=\s]+), ?", re.ASCII)
"""What AWS's clients write before the signature; any other order and spacing is read part by part."""

_Read = TypeVar("_Read")

_REMEMBERED_CHARACTERS: Final = 512
_HEADER_PARTS: Final = ("Credential", "Signature", "SignedHeaders")
_QUERY_PARTS: Final = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "X-Amz-Date",
    "X-Amz-Expires",
)


class SignatureParts(msgspec.Struct, frozen=True):
    """The signature's parts as written, from header or query."""

    credential: str
    signed_headers: str
    signature: str
    moment: str | None
    expires: str | None
    query: list[tuple[str, str]]
    security_token: str | None

    def __repr__(self) -> str:
        return f"SignatureParts({self.credential!r})"


def remembered(read: Callable[[str], _Read]) -> Callable[[str], _Read]:
    """Keeps what `read` makes of texts that clients repeat for a day; not of long ones: they would fill the memory."""
    kept = lru_cache(maxsize=256)(read)
    return lambda text: kept(text) if len(text) <= _REMEMBERED_CHARACTERS else read(text)


def read_parts(headers: Mapping[str, str], pairs: list[tuple[str, str]]) -> SignatureParts:
    """Raises MissingAuthenticationTokenException or IncompleteSignatureException. `pairs` are the query's, raw."""
    authorization = headers.get("authorization")
    presigned = [pair for pair in pairs if _plain(pair[0]) in _QUERY_PARTS] if pairs else []
    if authorization is None:
        if not presigned:
            raise MissingAuthenticationTokenException("Missing Authentication Token")
        return _read_query(pairs)
    if presigned:
        raise IncompleteSignatureException("A request is signed by its Authorization header or its query, not both.")
    return _read_header(authorization, headers, pairs)


def _plain(raw: str) -> str:
    return unquote_plus(raw) if "%" in raw or "+" in raw else raw


def _read_header(authorization: str, headers: Mapping[str, str], pairs: list[tuple[str, str]]) -> SignatureParts:
    moment = headers.get("x-amz-date") or headers.get("date")
    lead, _, made = authorization.rpartition("Signature=")
    usual = _read_usual_lead(lead)
    if usual is not None and moment is not None and made.isalnum():
        credential, signed_headers = usual
        return SignatureParts(
            credential, signed_headers, made, moment, None, pairs, headers.get("x-amz-security-token")
        )
    algorithm, _, rest = authorization.strip().partition(" ")
    if algorithm != ALGORITHM and algorithm.startswith("AWS4-"):
        raise IncompleteSignatureException(f"Unsupported AWS 'algorithm': '{algorithm}'.")
    values: dict[str, str] = {}
    for part in rest.split(",") if algorithm == ALGORITHM else ():
        name, equals, value = part.strip().partition("=")
        if not equals:
            raise IncompleteSignatureException(
                "Invalid key=value pair (missing equal-sign) in Authorization header "
                f"(hashed with SHA-256 and encoded with Base64): '{_hashed(authorization)}'."
            )
        if name in values:
            raise IncompleteSignatureException(f"Authorization header has parameter '{name}' more than once.")
        values[name] = value
    if moment is None or not all(values.get(name) for name in _HEADER_PARTS):
        _refuse_incomplete(values, moment, authorization)
    return SignatureParts(
        values["Credential"],
        values["SignedHeaders"],
        values["Signature"],
        moment,
        None,
        pairs,
        headers.get("x-amz-security-token"),
    )


@remembered
def _read_usual_lead(lead: str) -> tuple[str, str] | None:
    """Credential and signed headers, which a client writes alike for a day; None for another form."""
    usual = _USUAL_LEAD.fullmatch(lead)
    return None if usual is None else (usual[1], usual[2])


def _refuse_incomplete(values: Mapping[str, str], moment: str | None, authorization: str) -> NoReturn:
    faults = [f"Authorization header requires '{name}' parameter." for name in _HEADER_PARTS if not values.get(name)]
    if moment is None:
        faults.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    faults.append(f"(Hashed with SHA-256 and encoded with Base64) Authorization={_hashed(authorization)}")
    raise IncompleteSignatureException(" ".join(faults))


def _hashed(authorization: str) -> str:
    return base64.b64encode(sha256(authorization.encode("utf-8", "replace")).digest()).decode()


def _read_query(pairs: list[tuple[str, str]]) -> SignatureParts:
    values: dict[str, str] = {}
    signed = []
    for name, raw in pairs:
        plain_name = _plain(name)
        if plain_name != "X-Amz-Signature":
            signed.append((name, raw))
        if plain_name in _QUERY_PARTS or plain_name == "X-Amz-Security-Token":
            if plain_name in values:
                raise IncompleteSignatureException(
                    f"AWS query-string parameter '{plain_name}' is given more than once."
                )
            values[plain_name] = _plain(raw)
    missing = [f"AWS query-string parameters must include '{name}'." for name in _QUERY_PARTS if not values.get(name)]
    if missing:
        raise IncompleteSignatureException(" ".join([*missing, "Re-examine the query-string parameters."]))
    algorithm, credential, written, signed_headers, moment, expires = [values[name] for name in _QUERY_PARTS]
    if algorithm != ALGORITHM:
        raise IncompleteSignatureException(f"Unsupported AWS 'algorithm': '{algorithm}'.")
    return SignatureParts(
        credential, signed_headers, written, moment, expires, signed, values.get("X-Amz-Security-Token")
    )
