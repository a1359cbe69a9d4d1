"""A deployment zip as it lies on disk under a key of its owner: a head that tells whose it is, then ciphertext. Pure.

The head holds the function's ARN and the data key, sealed by a key of KMS in the context of that ARN. The rest is
AES-256-GCM under the data key, which encrypts nothing else; its additional data are the head.
"""

import struct
from dataclasses import dataclass
from typing import Final

DATA_KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
HEAD_BYTES_MAX: Final = 16 * 1024
"""So much of a sealed zip has its whole head in it."""

_MAGIC: Final = b"lampion sealed zip 1\n"
_LENGTHS: Final = struct.Struct(">HH")


class SealBroken(Exception):
    """This isn't what was sealed, or it wasn't sealed with this data key."""


@dataclass(frozen=True, slots=True)
class Head:
    """What can be read without any key."""

    function_arn: str
    sealed_key: bytes

    def to_bytes(self) -> bytes:
        arn = self.function_arn.encode()
        head = _MAGIC + _LENGTHS.pack(len(arn), len(self.sealed_key)) + arn + self.sealed_key
        assert len(head) <= HEAD_BYTES_MAX
        return head


def read_head(sealed: bytes) -> Head:
    """Of a sealed zip, or of its first HEAD_BYTES_MAX. Nothing tells yet that it is genuine. Raises SealBroken."""
    start = len(_MAGIC) + _LENGTHS.size
    if not sealed.startswith(_MAGIC) or len(sealed) < start:
        raise SealBroken("not a sealed zip")
    arn_bytes, key_bytes = _LENGTHS.unpack_from(sealed, len(_MAGIC))
    key_start = start + arn_bytes
    sealed_key = sealed[key_start : key_start + key_bytes]
    if len(sealed_key) != key_bytes:
        raise SealBroken("cut off")
    try:
        return Head(sealed[start:key_start].decode(), sealed_key)
    except UnicodeDecodeError:
        raise SealBroken("head damaged") from None


def seal_zip(zipped: bytes, head: Head, data_key: bytes, nonce: bytes) -> bytes:
    """Neither the data key nor the nonce was used before."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - 20 ms, and most servers need none

    assert (len(data_key), len(nonce)) == (DATA_KEY_BYTES, NONCE_BYTES)
    start = head.to_bytes()
    return b"".join((start, nonce, AESGCM(data_key).encrypt(nonce, zipped, start)))


def open_zip(sealed: bytes, data_key: bytes) -> bytes:
    """The zip. Raises SealBroken for whatever isn't what `seal_zip` gave, to the bit."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

    start = read_head(sealed).to_bytes()
    nonce_end = len(start) + NONCE_BYTES
    nonce, rest = sealed[len(start) : nonce_end], memoryview(sealed)[nonce_end:]
    try:
        return AESGCM(data_key).decrypt(nonce, rest, start)
    except (InvalidTag, ValueError):  # ValueError: cut off within the nonce, or not a key
        raise SealBroken("not what was sealed") from None
