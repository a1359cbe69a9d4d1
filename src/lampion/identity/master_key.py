"""The master key: what wraps the keys of KMS, and lies outside the data directory, in a file or a variable.

The store holds something that only this key opens: a server that is started with another one is told so at once.
"""

import asyncio
import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from lampion.clock.rng import Rng
from lampion.identity.key_places import KeyPlace, VariablePlace
from lampion.store.errors import MasterKeyUnusable
from lampion.store.kms import CHECK_PLACE, CHECKS, MasterKeyCheck
from lampion.store.master_key_file import KEY_BYTES
from lampion.store.resources import Resources

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
_CHECK: Final = b"the master key of this store"
_ABOUT_CHECK: Final = b"lampion master key check 1"
_ABOUT_SEAL: Final = b"lampion seal of headers 1"
_VARIABLE: Final = "LAMPION_MASTER_KEY"


class NotOurs(Exception):
    """What was to be opened was sealed by another key, or was changed."""


class MasterKey:
    """Wraps and unwraps. It never shows itself, nor what it wraps."""

    __slots__ = ("_cipher", "_seal")

    def __init__(self, key: bytes, seal: bytes | None = None) -> None:
        """`seal` proves what this server wrote; without it, it is made of the key."""
        self._cipher = aes_gcm(key)
        self._seal = seal or hmac.digest(key, b"lampion headers of ciphertexts 1", sha256)

    def wrap(self, nonce: bytes, secret: bytes, about: bytes) -> bytes:
        """`secret` for the store; only with the same `about` is it had again. A nonce is never used twice."""
        return nonce + self._cipher.encrypt(nonce, secret, about)

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """Raises NotOurs."""
        return decrypted(self._cipher, wrapped, about)

    def tag(self, header: bytes) -> bytes:
        """Proves that this server wrote `header`."""
        return hmac.digest(self._seal, header, sha256)[:TAG_BYTES]

    def successor(self, key: bytes) -> "MasterKey":
        """Wraps by another key, and proves what this one does: ciphertexts that are out there stay this server's."""
        return MasterKey(key, self._seal)

    def check(self, place: str, installation: str, sealed_key: bytes, rng: Rng) -> MasterKeyCheck:
        """What the store keeps, so that it knows this key again."""
        return MasterKeyCheck(
            sealed=self.wrap(rng.token(NONCE_BYTES), _CHECK, _ABOUT_CHECK),
            place=place,
            installation=installation,
            sealed_key=sealed_key,
            seal=self.wrap(rng.token(NONCE_BYTES), self._seal, _ABOUT_SEAL),
        )


class MasterKeys:
    """Holds the one master key. It is made when something is first to be wrapped, and none is there."""

    def __init__(self, *, place: KeyPlace, resources: Resources, rng: Rng) -> None:
        self._place = place
        self._resources = resources
        self._rng = rng
        self._checked: MasterKey | None = None
        self._making = asyncio.Lock()

    async def open(self) -> None:
        """At the start. Raises MasterKeyUnusable for a key that isn't this store's, or is none."""
        check = await self._resources.read(lambda stored: stored.get(CHECKS, CHECK_PLACE))
        if check is not None:
            self._checked = await opened(self._place, check)
        elif self._place.is_made_at_start:
            await self.get()
        else:
            await self._place.read(None)  # so that one that can't be used is told now

    def at_hand(self) -> MasterKey | None:
        """None as long as nothing was ever wrapped."""
        return self._checked

    async def get(self) -> MasterKey:
        """Made, and known to the store, before anything is wrapped with it. Raises MasterKeyUnusable."""
        if self._checked is not None:
            return self._checked
        async with self._making:
            if self._checked is None:
                installation = self._rng.uuid4()
                made = await self._place.make(installation, self._rng.token(KEY_BYTES))
                master = MasterKey(made.key)
                check = master.check(self._place.name, installation, made.sealed_key, self._rng)
                await self._resources.change(lambda stored: stored.put(CHECKS, check))
                self._checked = master
            return self._checked


async def opened(place: KeyPlace, check: MasterKeyCheck) -> MasterKey:
    """The key in `place`, if it is the one that the store knows by `check`. Raises MasterKeyUnusable."""
    key = await place.read(check)
    if key is None:
        was = f" It was in {_told(check)}." if check.place not in ("", place.name) else ""
        raise MasterKeyUnusable(
            f"its keys of KMS are wrapped by a master key that isn't in {place.told}.{was} Bring it back, or name "
            f"another place with --master-key, or set {_VARIABLE}."
        )
    try:
        return verified(key, check)
    except NotOurs:
        is_elsewhere = check.place not in ("", place.name)
        rest = f"that of {_told(check)}" if is_elsewhere else "the one that the data directory was used with"
        raise MasterKeyUnusable(
            f"its keys of KMS are wrapped by another master key than that of {place.told}. Start with {rest}."
        ) from None


def verified(key: bytes, check: MasterKeyCheck) -> MasterKey:
    """Raises NotOurs."""
    plain = MasterKey(key)
    plain.unwrap(check.sealed, _ABOUT_CHECK)
    return MasterKey(key, plain.unwrap(check.seal, _ABOUT_SEAL)) if check.seal else plain


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


def _told(check: MasterKeyCheck) -> str:
    """The place that the store knows, as messages name it."""
    return _VARIABLE if check.place == VariablePlace.name else check.place
