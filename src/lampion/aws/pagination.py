"""Pages of list operations and their markers: opaque, made by us and by nobody else, good for one operation only."""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar

from lampion.domain import limits
from lampion.domain.errors import InvalidParameterValueException

T = TypeVar("T")

_TAG_BYTES: Final = 16


class Markers:
    """Seals positions into markers with a secret, and opens them again."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _TAG_BYTES:
            raise ValueError(f"the secret needs at least {_TAG_BYTES} bytes")
        self._secret = secret

    def seal(self, operation: str, position: str) -> str:
        """A marker (base64url) that only `open` with the same operation gives back as `position`."""
        plain = position.encode()
        return base64.urlsafe_b64encode(self._tag(operation, plain) + plain).decode().rstrip("=")

    def open(self, operation: str, marker: str) -> str:
        """The position sealed in `marker`. Raises InvalidParameterValueException for any other marker."""
        try:
            raw = base64.b64decode(marker + "=" * (-len(marker) % 4), altchars=b"-_", validate=True)
            tag, plain = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
            if hmac.compare_digest(tag, self._tag(operation, plain)):
                return plain.decode()
        except (ValueError, binascii.Error):
            pass
        raise InvalidParameterValueException("Invalid pagination token")

    def asked(self, operation: str, members: Mapping[str, Any], *, most: int = limits.LIST_ITEMS_MAX) -> "Asked":
        """The page that a request's Marker and MaxItems ask for, never of more than `most` items.

        Raises InvalidParameterValueException for a marker that isn't ours.
        """
        marker = members.get("Marker")
        after = None if marker is None else self.open(operation, marker)
        return Asked(self, operation, after, min(members.get("MaxItems", most), most))

    def _tag(self, operation: str, plain: bytes) -> bytes:
        return hmac.digest(self._secret, operation.encode() + b"\0" + plain, "sha256")[:_TAG_BYTES]


class Page(NamedTuple, Generic[T]):
    """What is shown, and the marker of what comes after it; None when nothing does."""

    shown: Sequence[T]
    next_marker: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One page of a list: what comes after the position `after`, or the beginning (None), up to `limit` items."""

    _markers: Markers
    operation: str
    after: str | None
    limit: int

    @property
    def wanted(self) -> int:
        """How many items to look for: one more tells that the list goes on."""
        return self.limit + 1

    def page(self, found: Sequence[T], position: Callable[[T], str]) -> Page[T]:
        """Of up to `wanted` items found; `position` says of one where the next page begins after it."""
        shown = found[: self.limit]
        more = len(found) > self.limit
        return Page(shown, self._markers.seal(self.operation, position(shown[-1])) if more else None)
