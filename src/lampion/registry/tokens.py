"""Authorization tokens: who has one may use an account's registry for 12 hours. Pure.

A token says whose it is and until when, sealed with the secret of the access key that asked for it: none is stored, and
no key that is gone opens anything.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import Final

USER: Final = "AWS"
LIFETIME_SECONDS: Final = 12 * 3600
_LABEL: Final = b"registry authorization token\0"
_MOST_CHARACTERS: Final = 4096


@dataclass(frozen=True, slots=True)
class Token:
    """What a password claims. `is_sealed_with` tells whether it is true."""

    access_key_id: str
    expires_epoch_seconds: int
    seal: str

    def is_sealed_with(self, secret: str) -> bool:
        return hmac.compare_digest(self.seal, _seal(secret, self.access_key_id, self.expires_epoch_seconds))


def issue(access_key_id: str, secret: str, expires_epoch_seconds: int) -> str:
    """The password that goes with USER."""
    plain = f"{access_key_id}:{expires_epoch_seconds}:{_seal(secret, access_key_id, expires_epoch_seconds)}"
    return base64.urlsafe_b64encode(plain.encode()).decode()


def authorization(password: str) -> str:
    """As GetAuthorizationToken gives it, and as clients send it behind "Basic"."""
    return base64.b64encode(f"{USER}:{password}".encode()).decode()


def read_authorization(header: str) -> Token | None:
    """The token in an Authorization header; None for anything else."""
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic" or len(text) > _MOST_CHARACTERS:
        return None
    try:
        user, _, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
        access_key_id, expires, seal = base64.urlsafe_b64decode(password.encode()).decode().split(":")
        if user != USER or not seal.isascii():
            return None
        return Token(access_key_id, int(expires), seal)
    except (ValueError, binascii.Error):
        return None


def _seal(secret: str, access_key_id: str, expires_epoch_seconds: int) -> str:
    message = _LABEL + f"{access_key_id}:{expires_epoch_seconds}".encode()
    return hmac.digest(secret.encode(), message, "sha256").hex()
