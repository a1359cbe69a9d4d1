"""Markers of list operations: opaque to callers, made by us and by nobody else, good for one operation only."""

import base64
import binascii
import hmac
from typing import Final

from lampion.domain.errors import InvalidParameterValueException

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

    def _tag(self, operation: str, plain: bytes) -> bytes:
        return hmac.digest(self._secret, operation.encode() + b"\0" + plain, "sha256")[:_TAG_BYTES]
