"""What encrypting with a key of KMS gives: bytes that tell which key, and are had again only as they were.

A header (version, account, key, which of its materials), a tag that proves this server wrote it, a nonce, and AES-GCM's
output, whose additional data are header, tag and the encryption context.
"""

import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lampion.identity.master_key import NONCE_BYTES, TAG_BYTES, MasterKey, NotOurs, aes_gcm, decrypted

_VERSION: Final = b"\x01"
_ACCOUNT_BYTES: Final = 6
_KEY_ID_BYTES: Final = 16
_NUMBER_BYTES: Final = 2
_HEADER_BYTES: Final = len(_VERSION) + _ACCOUNT_BYTES + _KEY_ID_BYTES + _NUMBER_BYTES
_LENGTH_BYTES: Final = 4

EncryptionContext = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Header:
    """Which key encrypted: the `number`th of its materials."""

    account_id: str
    key_id: str
    number: int

    def to_bytes(self) -> bytes:
        account = int(self.account_id).to_bytes(_ACCOUNT_BYTES)
        return _VERSION + account + uuid.UUID(self.key_id).bytes + self.number.to_bytes(_NUMBER_BYTES)


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """One that this server wrote, at least its header."""

    header: Header
    _bytes: bytes

    def open(self, material: bytes, context: EncryptionContext) -> bytes:
        """The plaintext. Raises NotOurs."""
        end = _HEADER_BYTES + TAG_BYTES
        return decrypted(aes_gcm(material), self._bytes[end:], self._bytes[:end] + canonical(context))


def seal(
    header: Header, material: bytes, plaintext: bytes, context: EncryptionContext, *, master: MasterKey, nonce: bytes
) -> bytes:
    """A nonce is never used twice."""
    assert len(nonce) == NONCE_BYTES
    head = header.to_bytes()
    head += master.tag(head)
    return head + nonce + aes_gcm(material).encrypt(nonce, plaintext, head + canonical(context))


def read(blob: bytes, master: MasterKey) -> Ciphertext:
    """Raises NotOurs."""
    head, rest = blob[:_HEADER_BYTES], blob[_HEADER_BYTES:]
    if not hmac.compare_digest(master.tag(head), rest[:TAG_BYTES]):
        raise NotOurs
    account_id = f"{int.from_bytes(head[1 : 1 + _ACCOUNT_BYTES]):012}"
    key_id = str(uuid.UUID(bytes=head[1 + _ACCOUNT_BYTES : -_NUMBER_BYTES]))
    return Ciphertext(Header(account_id, key_id, int.from_bytes(head[-_NUMBER_BYTES:])), blob)


def canonical(context: EncryptionContext) -> bytes:
    """The same bytes for the same pairs in any order, and others for all others."""
    pairs = sorted((_text(key), _text(value)) for key, value in context.items())
    return b"".join(key + value for key, value in pairs)


def _text(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    return len(raw).to_bytes(_LENGTH_BYTES) + raw
