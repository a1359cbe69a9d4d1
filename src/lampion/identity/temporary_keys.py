"""Temporary keys that STS gives out: they carry what they stand for, sealed by this server, and need no storage.

A restart changes nothing of them. What they may is looked up at each use, so that a role that is gone is of no use.
"""

import base64
import binascii
import hmac
import zlib
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import msgspec

from lampion.clock.rng import Rng
from lampion.identity.key_ids import RANDOM_BYTES, SESSION_PREFIX, key_id

_TAG_BYTES: Final = 32
_SECRET_CHARACTERS: Final = 40
_PLAIN: Final = b"{"
"""So do tokens begin that were given out before they were compressed."""


class Expired(Exception):
    """The token is this server's, and its time is over."""


class Standing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a temporary key stands for: the session of a role, a user or root that asked for it, or the federated user
    (`federated_name`) for whom one of these did.

    `unique_id` is the role's or the user's; the root has none. `policies` are documents that bound the session,
    `policy_arns` managed policies that do; both None where nothing bounds it.
    """

    account_id: str
    unique_id: str = ""
    role_arn: str = ""
    session_name: str = ""
    issued_epoch_seconds: int
    expires_epoch_seconds: int
    policies: tuple[str, ...] = ()
    policy_arns: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str = ""
    federated_name: str = ""

    @property
    def is_bounded(self) -> bool:
        """A federated user without any policy may nothing: he has no other bounds to be within."""
        return bool(self.policies or self.policy_arns or self.federated_name)


@dataclass(frozen=True, slots=True)
class TemporaryKey:
    """As STS's shape Credentials. Neither secret nor token shows in a repr."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)


class TemporaryKeys:
    """Makes them, and reads them again."""

    def __init__(self, secret: bytes, rng: Rng) -> None:
        """`secret` is this server's own, and nobody else's."""
        self._secret = secret
        self._rng = rng

    def issue(self, standing: Standing, *, token_bytes_min: int = 0) -> TemporaryKey:
        """A shorter token is filled up: so clients can be tried with long ones."""
        access_key_id = key_id(SESSION_PREFIX, standing.account_id, self._rng.token(RANDOM_BYTES))
        content = zlib.compress(msgspec.json.encode(standing))
        content = content.ljust(-(-token_bytes_min * 3 // 4) - _TAG_BYTES, b"\0")
        token = base64.b64encode(self._seal(access_key_id, content) + content).decode()
        return TemporaryKey(access_key_id, self._secret_of(access_key_id), token)

    def open(self, access_key_id: str, token: str, now_epoch_seconds: float) -> tuple[str, Standing] | None:
        """The secret of the key and what it stands for; None for a token that isn't this server's for this key.

        Raises Expired.
        """
        try:
            raw = base64.b64decode(token, validate=True)
        except (binascii.Error, ValueError):
            return None
        tag, content = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._seal(access_key_id, content)):
            return None
        document = content if content.startswith(_PLAIN) else zlib.decompressobj().decompress(content)
        standing = msgspec.json.decode(document, type=Standing)
        if standing.expires_epoch_seconds <= now_epoch_seconds:
            raise Expired
        return self._secret_of(access_key_id), standing

    def _seal(self, access_key_id: str, content: bytes) -> bytes:
        return hmac.digest(self._secret, b"token\0" + access_key_id.encode() + b"\0" + content, sha256)

    def _secret_of(self, access_key_id: str) -> str:
        digest = hmac.digest(self._secret, b"secret\0" + access_key_id.encode(), sha256)
        return base64.b64encode(digest).decode()[:_SECRET_CHARACTERS]
