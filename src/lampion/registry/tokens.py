"""Authorization tokens: who has one is, to the registry, who asked for it, for 12 hours. Pure.

A token says whose it is and until when, sealed by this server: none is stored. What its bearer may is looked up at each
use, so that one whose user, role or key is gone opens nothing.
"""

import base64
import binascii
import hmac
from hashlib import sha256
from typing import Final

import msgspec

from lampion.identity.temporary_keys import Standing

USER: Final = "AWS"
LIFETIME_SECONDS: Final = 12 * 3600
_SEAL_BYTES: Final = 32
_MOST_CHARACTERS: Final = 48 * 1024
"""Session policies and tags are in it, twice in base64."""


class Bearer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who asked for a token: with which key, and what that stands for where STS gave it out."""

    access_key_id: str
    expires_epoch_seconds: int
    standing: Standing | None = None


class RegistryTokens:
    """Makes them, and reads them again."""

    def __init__(self, secret: bytes) -> None:
        """`secret` is this server's own, and nobody else's."""
        self._secret = secret

    def issue(self, bearer: Bearer) -> str:
        """The password that goes with USER."""
        content = msgspec.json.encode(bearer)
        return base64.urlsafe_b64encode(self._seal(content) + content).decode()

    def read(self, header: str) -> Bearer | None:
        """Whose the token in an Authorization header is, expired or not; None for anything else."""
        scheme, _, text = header.partition(" ")
        if scheme.lower() != "basic" or len(text) > _MOST_CHARACTERS:
            return None
        try:
            user, _, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
            raw = base64.urlsafe_b64decode(password.encode())
        except (ValueError, binascii.Error):
            return None
        seal, content = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
        if user != USER or not hmac.compare_digest(seal, self._seal(content)):
            return None
        return msgspec.json.decode(content, type=Bearer)

    def _seal(self, content: bytes) -> bytes:
        return hmac.digest(self._secret, content, sha256)


def authorization(password: str) -> str:
    """As GetAuthorizationToken gives it, and as clients send it behind "Basic"."""
    return base64.b64encode(f"{USER}:{password}".encode()).decode()
