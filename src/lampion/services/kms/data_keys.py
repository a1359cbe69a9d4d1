"""Keys for use outside of KMS, and plain randomness: GenerateDataKey, ...WithoutPlaintext, GenerateRandom."""

from collections.abc import Mapping
from typing import Any, Final

from lampion.aws.errors import ValidationException
from lampion.aws.operation import RequestContext, operation
from lampion.domain.kms.key import check_usable
from lampion.identity.key_access import Asked
from lampion.services.kms.rooms import KmsRooms, Members, finish_dry_run, refuse

_SPEC_BYTES: Final = {"AES_256": 32, "AES_128": 16}


class DataKeysApi:
    """Data keys are random; nothing of them is kept but what the caller gets."""

    def __init__(self, rooms: KmsRooms) -> None:
        self._rooms = rooms

    @operation("GenerateDataKey")
    async def generate_data_key(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        refuse(members, "GenerateDataKey", "Recipient")
        plaintext, answer = await self._made(context, "GenerateDataKey", members)
        return {**answer, "Plaintext": plaintext}

    @operation("GenerateDataKeyWithoutPlaintext")
    async def generate_data_key_without_plaintext(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        _, answer = await self._made(context, "GenerateDataKeyWithoutPlaintext", members)
        return answer

    @operation("GenerateRandom")
    async def generate_random(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        self._rooms.access.check_own(context.asker, "GenerateRandom", "*", {})
        refuse(members, "GenerateRandom", "Recipient", "CustomKeyStoreId")
        if "NumberOfBytes" not in members:
            raise ValidationException("NumberOfBytes is required.")
        return {"Plaintext": self._rooms.rng.token(members["NumberOfBytes"])}

    async def _made(self, context: RequestContext, operation: str, members: Members) -> tuple[bytes, Mapping[str, Any]]:
        about = members.get("EncryptionContext", {})
        key = await self._rooms.find(context, operation, members["KeyId"], Asked(context=about))
        size_bytes = _size_bytes(members)
        check_usable(key)
        finish_dry_run(members)
        plaintext = self._rooms.rng.token(size_bytes)
        made = await self._rooms.keys.encrypt(key, plaintext, about)
        return plaintext, {"CiphertextBlob": made.blob, "KeyId": key.arn, "KeyMaterialId": made.material_id}


def _size_bytes(members: Members) -> int:
    """Raises ValidationException unless the request says it, once."""
    if ("KeySpec" in members) == ("NumberOfBytes" in members):
        raise ValidationException("Please specify either number of bytes or key spec.")
    if "KeySpec" in members:
        return _SPEC_BYTES[members["KeySpec"]]
    return int(members["NumberOfBytes"])
