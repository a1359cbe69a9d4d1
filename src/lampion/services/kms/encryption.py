"""What keys do: Encrypt, Decrypt, ReEncrypt."""

from collections.abc import Mapping
from typing import Any

from lampion.aws.errors import ValidationException
from lampion.aws.operation import RequestContext, operation
from lampion.domain.kms.alias import read_reference
from lampion.domain.kms.errors import IncorrectKeyException, InvalidKeyUsageException
from lampion.domain.kms.key import ALGORITHM, Key, check_usable, key_arn
from lampion.identity.ciphertexts import Ciphertext
from lampion.identity.key_access import Asked
from lampion.identity.request_facts import Facts
from lampion.services.kms.rooms import KmsRooms, Members, finish_dry_run, refuse


class EncryptionApi:
    """With keys of the caller's account, and with others by ARN. A ciphertext names its key itself."""

    def __init__(self, rooms: KmsRooms) -> None:
        self._rooms = rooms

    @operation("Encrypt")
    async def encrypt(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        about = members.get("EncryptionContext", {})
        key = await self._rooms.find(context, "Encrypt", members["KeyId"], Asked(context=about))
        _check_algorithm(members, "EncryptionAlgorithm")
        check_usable(key)
        finish_dry_run(members)
        made = await self._rooms.keys.encrypt(key, members["Plaintext"], about)
        return {"CiphertextBlob": made.blob, "KeyId": key.arn, "EncryptionAlgorithm": ALGORITHM}

    @operation("Decrypt")
    async def decrypt(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Raises InvalidCiphertextException for what was changed, or encrypted with another context."""
        refuse(members, "Decrypt", "Recipient", "DryRunModifiers")
        about = members.get("EncryptionContext", {})
        ciphertext = self._ciphertext(members)
        key = await self._key_of(context, "Decrypt", ciphertext, members.get("KeyId"), Asked(context=about))
        _check_algorithm(members, "EncryptionAlgorithm")
        check_usable(key)
        finish_dry_run(members)
        return {
            "KeyId": key.arn,
            "Plaintext": self._rooms.keys.decrypt(key, ciphertext, about),
            "EncryptionAlgorithm": ALGORITHM,
            "KeyMaterialId": key.materials[ciphertext.header.number].id,
        }

    @operation("ReEncrypt")
    async def re_encrypt(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """From one key, or one context, to another; the plaintext shows nowhere."""
        refuse(members, "ReEncrypt", "DryRunModifiers")
        ciphertext = self._ciphertext(members)
        before = members.get("SourceEncryptionContext", {})
        after = members.get("DestinationEncryptionContext", {})
        facts = await self._facts_of_move(context, ciphertext, members["DestinationKeyId"])
        leaving, entering = Asked(context=before, facts=facts), Asked(context=after, facts=facts)
        source = await self._key_of(context, "ReEncryptFrom", ciphertext, members.get("SourceKeyId"), leaving)
        target = await self._rooms.find(context, "ReEncryptTo", members["DestinationKeyId"], entering)
        for member in ("SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm"):
            _check_algorithm(members, member)
        check_usable(source)
        check_usable(target)
        finish_dry_run(members)
        made = await self._rooms.keys.encrypt(target, self._rooms.keys.decrypt(source, ciphertext, before), after)
        return {
            "CiphertextBlob": made.blob,
            "SourceKeyId": source.arn,
            "KeyId": target.arn,
            "SourceEncryptionAlgorithm": ALGORITHM,
            "DestinationEncryptionAlgorithm": ALGORITHM,
            "SourceKeyMaterialId": source.materials[ciphertext.header.number].id,
            "DestinationKeyMaterialId": made.material_id,
        }

    async def _facts_of_move(self, context: RequestContext, ciphertext: Ciphertext, target: str) -> Facts:
        """Condition keys about both keys together."""
        reference, header = read_reference(target, context.account_id, context.region), ciphertext.header
        found = await self._rooms.keys.find(reference, is_own=False)
        is_same = found is not None and (found.account_id, found.key_id) == (header.account_id, header.key_id)
        return {"kms:reencryptonsamekey": ("true" if is_same else "false",)}

    def _ciphertext(self, members: Members) -> Ciphertext:
        """Raises ValidationException for none, InvalidCiphertextException for one that isn't of this server."""
        if "CiphertextBlob" not in members:
            raise ValidationException("CiphertextBlob is needed where DryRunModifiers don't say otherwise")
        return self._rooms.keys.read(members["CiphertextBlob"])

    async def _key_of(
        self, context: RequestContext, operation: str, ciphertext: Ciphertext, named: str | None, asked: Asked
    ) -> Key:
        """That encrypted it, which must be the `named` one if there is a name. Raises IncorrectKeyException."""
        header, rooms = ciphertext.header, self._rooms
        if named is not None:
            key = await rooms.find(context, operation, named, asked)
            if (key.account_id, key.key_id) != (header.account_id, header.key_id):
                raise IncorrectKeyException(
                    "The key ID in the request does not identify a CMK that can perform this operation."
                )
            return key
        found = await rooms.keys.get(header.account_id, context.region, header.key_id)
        if found is None:
            arn = key_arn(header.account_id, context.region, header.key_id)
            rooms.access.check_absent(context.asker, operation, arn, header.account_id, asked)
            raise AssertionError("a key that isn't there and isn't named is never told of")
        await rooms.access.check(context.asker, operation, found, asked)
        return found


def _check_algorithm(members: Members, name: str) -> None:
    """Raises InvalidKeyUsageException."""
    if members.get(name, ALGORITHM) != ALGORITHM:
        raise InvalidKeyUsageException(f"{members[name]} is not valid for keys of {ALGORITHM}.")
