"""The master key: what wraps the keys of KMS, and lies outside the data directory, in a file or a variable.

The store holds something that only this key opens: a server that is started with another one is told so at once.
"""

import asyncio
import hmac
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lampion.clock.rng import Rng
from lampion.store.cached_resources import CachedResources
from lampion.store.errors import MasterKeyUnusable
from lampion.store.kms import CHECK_PLACE, CHECKS, MasterKeyCheck
from lampion.store.master_key_file import KEY_BYTES, make_master_key, read_master_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
_CHECK: Final = b"the master key of this store"
_ABOUT_CHECK: Final = b"lampion master key check 1"


class NotOurs(Exception):
    """What was to be opened was sealed by another key, or was changed."""


class MasterKey:
    """Wraps and unwraps. It never shows itself, nor what it wraps."""

    __slots__ = ("_cipher", "_seal")

    def __init__(self, key: bytes) -> None:
        self._cipher = aes_gcm(key)
        self._seal = hmac.digest(key, b"lampion headers of ciphertexts 1", sha256)

    def wrap(self, nonce: bytes, secret: bytes, about: bytes) -> bytes:
        """`secret` for the store; only with the same `about` is it had again. A nonce is never used twice."""
        return nonce + self._cipher.encrypt(nonce, secret, about)

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """Raises NotOurs."""
        return decrypted(self._cipher, wrapped, about)

    def tag(self, header: bytes) -> bytes:
        """Proves that this server wrote `header`."""
        return hmac.digest(self._seal, header, sha256)[:TAG_BYTES]


class MasterKeys:
    """Holds the one master key. It is made when something is first to be wrapped, and none is there."""

    def __init__(self, *, file: Path, given: bytes | None, resources: CachedResources, rng: Rng) -> None:
        """`given` is the key itself, from the variable; then the file isn't looked at."""
        self._file = file
        self._given = given
        self._resources = resources
        self._rng = rng
        self._checked: MasterKey | None = None
        self._making = asyncio.Lock()

    async def open(self) -> None:
        """At the start. Raises MasterKeyUnusable for a key that isn't this store's, or is none."""
        key = self._given or await asyncio.to_thread(read_master_key, self._file)
        check = await self._resources.get(CHECKS, CHECK_PLACE)
        if check is None:
            return
        if key is None:
            raise MasterKeyUnusable(
                f"its keys of KMS are wrapped by a master key that isn't in {self._file}. Bring that file back, or "
                "name another one with --master-key, or set LAMPION_MASTER_KEY."
            )
        self._checked = _verified(MasterKey(key), check, "LAMPION_MASTER_KEY" if self._given else str(self._file))

    def at_hand(self) -> MasterKey | None:
        """None as long as nothing was ever wrapped."""
        return self._checked

    async def get(self) -> MasterKey:
        """Made, and known to the store, before anything is wrapped with it. Raises MasterKeyUnusable."""
        if self._checked is not None:
            return self._checked
        async with self._making:
            if self._checked is None:
                key = self._given if self._given is not None else await asyncio.to_thread(self._made)
                master = MasterKey(key)
                sealed = master.wrap(self._rng.token(NONCE_BYTES), _CHECK, _ABOUT_CHECK)
                await self._resources.change(lambda stored: stored.put(CHECKS, MasterKeyCheck(sealed)))
                self._checked = master
            return self._checked

    def _made(self) -> bytes:
        """From the file, which is made when it is missing. Raises MasterKeyUnusable."""
        return read_master_key(self._file) or make_master_key(self._file, self._rng.token(KEY_BYTES))


def aes_gcm(key: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - 20 ms, and most servers need none

    return AESGCM(key)


def decrypted(cipher: "AESGCM", sealed: bytes, about: bytes) -> bytes:
    """Of a nonce with what was encrypted with it. Raises NotOurs."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above

    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise NotOurs
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except InvalidTag:
        raise NotOurs from None


def _verified(master: MasterKey, check: MasterKeyCheck, source: str) -> MasterKey:
    try:
        master.unwrap(check.sealed, _ABOUT_CHECK)
    except NotOurs:
        raise MasterKeyUnusable(
            f"its keys of KMS are wrapped by another master key than that of {source}. Start with the one that the "
            "data directory was used with."
        ) from None
    return master
