"""From method and path to what is asked of the distribution API. Pure."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from urllib.parse import unquote

from lampion.domain.image import is_digest, is_repository_name, is_tag
from lampion.registry.errors import RegistryError, bad_digest, unsupported


class Ask(Enum):
    """One entry of the specification's table of endpoints, or several that differ only in what is sent."""

    VERSION = auto()
    GET_BLOB = auto()
    BEGIN_UPLOAD = auto()
    SHOW_UPLOAD = auto()
    ADD_TO_UPLOAD = auto()
    FINISH_UPLOAD = auto()
    CANCEL_UPLOAD = auto()
    GET_MANIFEST = auto()
    PUT_MANIFEST = auto()
    DELETE_MANIFEST = auto()
    LIST_TAGS = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """What is asked; `reference` is a digest, a tag, or an upload's id."""

    ask: Ask
    repository: str = ""
    reference: str = ""


_PATH: Final = re.compile(
    r"/v2/(?P<name>[^?]+?)/(?:(?P<blob>blobs)/(?P<digest>[^/]+)|(?P<uploads>blobs/uploads)/?(?P<id>[^/]*)"
    r"|(?P<manifest>manifests)/(?P<reference>[^/]+)|(?P<tags>tags/list))"
)
_UPLOAD_ASKS: Final = {
    "GET": Ask.SHOW_UPLOAD,
    "PATCH": Ask.ADD_TO_UPLOAD,
    "PUT": Ask.FINISH_UPLOAD,
    "DELETE": Ask.CANCEL_UPLOAD,
}
_MANIFEST_ASKS: Final = {
    "GET": Ask.GET_MANIFEST,
    "HEAD": Ask.GET_MANIFEST,
    "PUT": Ask.PUT_MANIFEST,
    "DELETE": Ask.DELETE_MANIFEST,
}


def route(method: str, path: str) -> Route:
    """`path` is raw. Raises RegistryError."""
    if path.rstrip("/") == "/v2":
        return _one_of({"GET": Ask.VERSION, "HEAD": Ask.VERSION}, method, "", "")
    match = _PATH.fullmatch(unquote(path))
    if match is None:
        raise unsupported("No endpoint of the distribution API is there.", 404)
    name = match["name"]
    if not is_repository_name(name):
        raise RegistryError(400, "NAME_INVALID", f"invalid repository name: {name[:256]!r}")
    if match["tags"]:
        return _one_of({"GET": Ask.LIST_TAGS}, method, name, "")
    if match["uploads"]:
        return _one_of(_UPLOAD_ASKS if match["id"] else {"POST": Ask.BEGIN_UPLOAD}, method, name, match["id"])
    if match["manifest"]:
        reference = match["reference"]
        if not is_digest(reference) and not is_tag(reference):
            raise RegistryError(400, "TAG_INVALID", f"neither a tag nor a digest: {reference[:256]!r}")
        return _one_of(_MANIFEST_ASKS, method, name, reference)
    if match["digest"] == "uploads":
        return _one_of({"POST": Ask.BEGIN_UPLOAD}, method, name, "")
    if not is_digest(match["digest"]):
        raise bad_digest(f"not a SHA-256 digest: {match['digest'][:256]!r}")
    return _one_of({"GET": Ask.GET_BLOB, "HEAD": Ask.GET_BLOB}, method, name, match["digest"])


def _one_of(asks: dict[str, Ask], method: str, name: str, reference: str) -> Route:
    ask = asks.get(method)
    if ask is None:
        raise unsupported()
    return Route(ask, name, reference)


_RANGE: Final = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


def byte_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """First byte and number of bytes that a Range header asks for; None for all, or for what isn't one range.

    Raises RegistryError for one that begins behind the end (RFC 9110, section 14).
    """
    match = None if header is None else _RANGE.fullmatch(header.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        first, last = max(0, size_bytes - int(match[2])), size_bytes - 1
    else:
        first, last = int(match[1]), min(int(match[2] or size_bytes - 1), size_bytes - 1)
        if match[2] and int(match[2]) < first:
            return None
    if last < first:
        raise RegistryError(416, "SIZE_INVALID", "range beyond the end", {"Content-Range": f"bytes */{size_bytes}"})
    return first, last - first + 1


def upload_start(header: str | None) -> int | None:
    """Where a piece of an upload begins, by its Content-Range. Raises RegistryError."""
    if header is None:
        return None
    match = re.fullmatch(r"(?:bytes[ =])?([0-9]{1,15})-([0-9]{1,15})(?:/.*)?", header.strip())
    if match is None:
        raise RegistryError(416, "BLOB_UPLOAD_INVALID", f"no range: {header[:100]!r}")
    return int(match[1])
