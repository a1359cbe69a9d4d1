"""Keys of KMS as Lambda uses them: for what it keeps of functions, in their owner's name, a caller's, or its own."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.domain.errors import ApiError
from lampion.domain.key_problems import KeyUnusable
from lampion.domain.kms.alias import LAMBDAS, KeyReference, read_reference
from lampion.domain.kms.errors import InvalidCiphertextException
from lampion.domain.kms.key import Key, check_usable, key_arn, key_missing
from lampion.identity.actors import Actor, known_of
from lampion.identity.callers import Caller, CallerKind, service
from lampion.identity.ciphertexts import canonical
from lampion.identity.directory import Directory
from lampion.identity.encryption_keys import EncryptionKeys
from lampion.identity.key_access import Asked, KeyAccess
from lampion.identity.master_key import NONCE_BYTES, NotOurs, aes_gcm, decrypted
from lampion.identity.request_facts import Asker, Facts, asking_within

FUNCTION_ARN: Final = "aws:lambda:FunctionArn"
"""What Lambda's encryption contexts say: of which function it is (its unqualified ARN)."""

_VERSION: Final = b"\x01"
_DATA_KEY_BYTES: Final = 32
_VIA_SERVICE: Final[Facts] = {"aws:viaawsservice": ("true",)}
_LAMBDA: Final = Actor(caller=service("lambda.amazonaws.com"), user_id="")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose function it is, and where."""

    account_id: str
    region: str


@dataclass(frozen=True, slots=True)
class FunctionRole:
    """Lambda itself in the role of a function, as which it opens what a function needs to start."""

    account_id: str
    role_arn: str
    session_name: str

    @property
    def arn(self) -> str:
        role = self.role_arn.rpartition("/")[2]
        return f"arn:aws:sts::{self.account_id}:assumed-role/{role}/{self.session_name}"


class _Sealed(msgspec.Struct, frozen=True, array_like=True):
    """`wrapped` is a ciphertext of KMS: of the plaintext, or of the data key that encrypted `body`."""

    region: str
    wrapped: bytes
    body: bytes | None = None


class FunctionKeys:
    """Seals and opens. Every failure that a key is to blame for is KeyUnusable."""

    def __init__(
        self, *, keys: EncryptionKeys, access: KeyAccess, directory: Directory, clock: Clock, rng: Rng
    ) -> None:
        self._keys = keys
        self._access = access
        self._directory = directory
        self._clock = clock
        self._rng = rng

    async def seal(
        self,
        key_arn: str | None,
        plaintext: bytes,
        context: Mapping[str, str],
        asker: Asker | None,
        owner: Owner,
        *,
        in_envelope: bool = False,
    ) -> bytes:
        """For `open`, in the same `context` alone. `key_arn` None means the key that Lambda has in `owner`'s account.

        `asker` must be allowed Encrypt; None is Lambda itself, whom nobody need allow it. `in_envelope`: what is large
        is encrypted with a data key, which KMS encrypts (GenerateDataKey is what must be allowed then).
        """
        operation = "GenerateDataKey" if in_envelope else "Encrypt"
        key = await self.usable(key_arn, operation, Asked(context=context), asker, owner)
        data_key, nonce = self._rng.token(_DATA_KEY_BYTES), self._rng.token(NONCE_BYTES)
        with _refused_by_kms(operation):
            wrapped = (await self._keys.encrypt(key, data_key if in_envelope else plaintext, context)).blob
        if not in_envelope:
            return _packed(_Sealed(owner.region, wrapped))
        body = await asyncio.to_thread(lambda: aes_gcm(data_key).encrypt(nonce, plaintext, canonical(context)))
        return _packed(_Sealed(owner.region, wrapped, nonce + body))

    async def open(self, blob: bytes, context: Mapping[str, str], asker: Asker | FunctionRole | None) -> bytes:
        """What was sealed. `asker`, or the role, must be allowed Decrypt by policies or a grant; None is Lambda itself,
        whom nobody need allow it, but whom the key's policy may deny it. Raises KeyUnusable.
        """
        try:
            with _refused_by_kms("Decrypt"):
                sealed = msgspec.msgpack.decode(memoryview(blob)[len(_VERSION) :], type=_Sealed)
                return await self._opened(sealed, context, asker)
        except (NotOurs, msgspec.MsgspecError):
            raise KeyUnusable("Decrypt", InvalidCiphertextException("")) from None

    async def usable(self, key_arn: str | None, operation: str, asked: Asked, asker: Asker | None, owner: Owner) -> Key:
        """The key, if it can do `operation` and `asker` may have it done. Raises KeyUnusable."""
        with _refused_by_kms(operation):
            reference = _reference(key_arn, owner)
            key = await self._keys.find(reference, is_own=reference.account_id == owner.account_id)
            facts = {**_VIA_SERVICE, **asked.facts}
            via = replace(asked, named=reference, via_service=_service(owner.region), facts=facts)
            if key is None:
                if asker is not None:
                    self._access.check_absent(asker, operation, reference.arn, reference.account_id, via)
                raise key_missing(reference.arn)
            if asker is not None:
                await self._access.check(asker, operation, key, via)
            check_usable(key)
        return key

    async def _opened(self, sealed: _Sealed, context: Mapping[str, str], asker: Asker | FunctionRole | None) -> bytes:
        ciphertext = self._keys.read(sealed.wrapped)
        account_id, key_id = ciphertext.header.account_id, ciphertext.header.key_id
        key = await self._keys.get(account_id, sealed.region, key_id)
        if key is None:
            raise key_missing(key_arn(account_id, sealed.region, key_id))
        asked = Asked(context=context, via_service=_service(sealed.region), facts=_VIA_SERVICE)
        if asker is None:
            await self._access.check_not_denied(self._asking(_LAMBDA, sealed.region), "Decrypt", key, asked)
        else:
            who = asker if isinstance(asker, Asker) else await self._asker(asker, sealed.region)
            await self._access.check(who, "Decrypt", key, asked)
        check_usable(key)
        plaintext = self._keys.decrypt(key, ciphertext, context)
        if sealed.body is None:
            return plaintext
        body, data_key = sealed.body, plaintext
        return await asyncio.to_thread(lambda: decrypted(aes_gcm(data_key), body, canonical(context)))

    async def _asker(self, role: FunctionRole, region: str) -> Asker:
        """A role that isn't in IAM has no policies: it may what a key's policy and grants allow it."""
        caller = Caller(CallerKind.ROLE_SESSION, role.account_id, role.arn, role.role_arn)
        found = await self._directory.role(role.account_id, role.role_arn.rpartition("/")[2])
        if found is None or found.caller.role_arn != role.role_arn:
            found = Actor(caller=caller, user_id="")
        user_id = f"{found.user_id}:{role.session_name}" if found.user_id else ""
        known = {**found.known, **known_of(caller, user_id, {})}
        return self._asking(replace(found, caller=caller, user_id=user_id, known=known), region)

    def _asking(self, actor: Actor, region: str) -> Asker:
        return Asker(actor, asking_within(region, self._clock.now()), has_session=True)


@contextmanager
def _refused_by_kms(operation: str) -> Iterator[None]:
    """Raises KeyUnusable for whatever KMS's errors are raised within."""
    try:
        yield
    except ApiError as error:
        raise KeyUnusable(operation, error) from None


def function_context(function_arn: str) -> Mapping[str, str]:
    """In which what belongs to a function is sealed."""
    return {FUNCTION_ARN: function_arn}


def _reference(key_arn: str | None, owner: Owner) -> KeyReference:
    """Raises NotFoundException, InvalidArnException."""
    if key_arn is None:
        return KeyReference(owner.account_id, owner.region, alias=LAMBDAS)
    return read_reference(key_arn, owner.account_id, owner.region)


def _service(region: str) -> str:
    return f"lambda.{region}.amazonaws.com"


def _packed(sealed: _Sealed) -> bytes:
    return _VERSION + msgspec.msgpack.encode(sealed)
