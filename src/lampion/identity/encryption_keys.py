"""Keys of KMS at work: finds them, makes their material, encrypts and decrypts. Who may is asked in key_access."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.domain.kms.alias import LAMBDAS, Alias, KeyReference
from lampion.domain.kms.errors import InvalidCiphertextException
from lampion.domain.kms.key import (
    DAY_SECONDS,
    ROTATION_DAYS,
    Key,
    KeyManager,
    Material,
    key_arn,
    key_missing,
    rotated,
)
from lampion.domain.kms.policy import lambdas_policy
from lampion.identity.ciphertexts import Ciphertext, EncryptionContext, Header, read, seal
from lampion.identity.master_key import NONCE_BYTES, MasterKeys, NotOurs
from lampion.store.cached_resources import CachedResources
from lampion.store.kms import ALIASES, KEYS, alias_place, delete_key, key_place
from lampion.store.resources import Stored, every

_MATERIAL_BYTES: Final = 32
_MATERIAL_ID_BYTES: Final = 32
_LAMBDAS_DESCRIPTION: Final = "Default key that protects my Lambda functions when no other key is defined"


class Encrypted(NamedTuple):
    """What Decrypt takes, and by which of the key's materials it was made."""

    blob: bytes
    material_id: str


class EncryptionKeys:
    """Of all accounts. A key whose time has come is deleted when it is next looked for, or at the next start."""

    def __init__(self, *, resources: CachedResources, masters: MasterKeys, clock: Clock, rng: Rng) -> None:
        self._resources = resources
        self._masters = masters
        self._clock = clock
        self._rng = rng

    async def open(self) -> None:
        """At the start. Raises MasterKeyUnusable."""
        await self._masters.open()
        now = self._clock.now()

        def find(stored: Stored) -> list[Key]:
            return [
                key
                for account_id, region in stored.accounts_with(KEYS)
                for key in every(stored, KEYS, account_id, region)
                if key.is_gone(now)
            ]

        await self._delete(await self._resources.read(find))

    async def get(self, account_id: str, region: str, key_id: str) -> Key | None:
        """None when there is no such key, or its time has come."""
        key = await self._resources.get(KEYS, key_place(account_id, region, key_id))
        if key is not None and key.is_gone(self._clock.now()):
            await self._delete([key])
            return None
        return key

    async def find(self, reference: KeyReference, *, is_own: bool) -> Key | None:
        """By whatever names it. Lambda's own key is made when an account (`is_own`) first asks for it."""
        if reference.alias is None:
            return await self.get(reference.account_id, reference.region, reference.key_id or "")
        alias = await self._resources.get(ALIASES, alias_place(reference.account_id, reference.region, reference.alias))
        if alias is not None:
            return await self.get(alias.account_id, alias.region, alias.key_id)
        if is_own and reference.alias == LAMBDAS:
            return await self._make_lambdas(reference.account_id, reference.region)
        return None

    async def all(self, account_id: str, region: str) -> Sequence[Key]:
        """That are there now, in order of their ids."""
        found = await self._resources.read(lambda stored: every(stored, KEYS, account_id, region))
        now = self._clock.now()
        await self._delete([key for key in found if key.is_gone(now)])
        return [key for key in found if not key.is_gone(now)]

    async def with_material(self, draft: Key) -> Key:
        """A new key with its first material. Nothing is stored yet but the master key."""
        return replace(draft, materials=(await self._material(draft.account_id, draft.region, draft.key_id),))

    async def encrypt(self, key: Key, plaintext: bytes, context: EncryptionContext) -> Encrypted:
        """`key` is usable; where new material is due, that is made first."""
        master = await self._masters.get()
        key = await self._with_due_material(key)
        latest = key.materials[-1]
        header = Header(key.account_id, key.key_id, len(key.materials) - 1)
        material = master.unwrap(latest.wrapped, _about(key, latest))
        blob = seal(header, material, plaintext, context, master=master, nonce=self._rng.token(NONCE_BYTES))
        return Encrypted(blob, latest.id)

    def read(self, blob: bytes) -> Ciphertext:
        """A ciphertext of whatever key. Raises InvalidCiphertextException for one that isn't of this server."""
        master = self._masters.at_hand()
        if master is None:
            raise InvalidCiphertextException("")
        try:
            return read(blob, master)
        except NotOurs:
            raise InvalidCiphertextException("") from None

    def decrypt(self, key: Key, ciphertext: Ciphertext, context: EncryptionContext) -> bytes:
        """`key` is the one that the ciphertext names, and usable. Raises InvalidCiphertextException."""
        master, number = self._masters.at_hand(), ciphertext.header.number
        if master is None or number >= len(key.materials):
            raise InvalidCiphertextException("")
        material = key.materials[number]
        try:
            return ciphertext.open(master.unwrap(material.wrapped, _about(key, material)), context)
        except NotOurs:
            raise InvalidCiphertextException("") from None

    async def _material(self, account_id: str, region: str, key_id: str) -> Material:
        master, rng = await self._masters.get(), self._rng
        material = Material(id=rng.token(_MATERIAL_ID_BYTES).hex(), wrapped=b"")
        about = about_material(key_arn(account_id, region, key_id), material.id)
        return replace(material, wrapped=master.wrap(rng.token(NONCE_BYTES), rng.token(_MATERIAL_BYTES), about))

    async def _with_due_material(self, key: Key) -> Key:
        now = self._clock.now()
        if not key.needs_material(now):
            return key
        material = await self._material(key.account_id, key.region, key.key_id)

        def rotate(stored: Stored) -> Key:
            fresh = stored.get(KEYS, KEYS.place(key))
            if fresh is None:
                raise key_missing(key.arn)
            if fresh.needs_material(now):
                fresh = rotated(fresh, material, now)
                stored.put(KEYS, fresh)
            return fresh

        return await self._resources.change(rotate)

    async def _make_lambdas(self, account_id: str, region: str) -> Key:
        now = self._clock.now()
        made = await self.with_material(
            Key(
                account_id=account_id,
                region=region,
                key_id=self._rng.uuid4(),
                created_epoch_seconds=now,
                policy=lambdas_policy(account_id, region),
                materials=(),
                description=_LAMBDAS_DESCRIPTION,
                manager=KeyManager.AWS,
                rotation_days=ROTATION_DAYS,
                rotation_epoch_seconds=now + ROTATION_DAYS * DAY_SECONDS,
            )
        )
        alias = Alias(
            account_id=account_id,
            region=region,
            name=LAMBDAS,
            key_id=made.key_id,
            created_epoch_seconds=now,
            updated_epoch_seconds=now,
        )

        def keep(stored: Stored) -> Key:
            present = stored.get(ALIASES, ALIASES.place(alias))
            if present is not None:
                found = stored.get(KEYS, key_place(account_id, region, present.key_id))
                if found is not None:
                    return found
            stored.put(KEYS, made)
            stored.put(ALIASES, alias)
            return made

        return await self._resources.change(keep)

    async def _delete(self, keys: Sequence[Key]) -> None:
        """Unless somebody rescued them meanwhile."""
        if not keys:
            return
        now = self._clock.now()

        def delete(stored: Stored) -> None:
            for key in keys:
                fresh = stored.get(KEYS, KEYS.place(key))
                if fresh is not None and fresh.is_gone(now):
                    delete_key(stored, fresh)

        await self._resources.change(delete)


def _about(key: Key, material: Material) -> bytes:
    return about_material(key.arn, material.id)


def about_material(arn: str, material_id: str) -> bytes:
    """What a material is wrapped for, so that it is of no use to another key."""
    return f"lampion key material 1\0{arn}\0{material_id}".encode()
