"""New material once in a while: EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus.

Older material is kept, and decrypts what it encrypted. New material is made when the key next encrypts.
"""

from collections.abc import Mapping
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.kms.key import ROTATION_DAYS, KeyState, with_rotation
from lampion.identity.key_access import Asked
from lampion.services.kms.rooms import KmsRooms, Members


class RotationApi:
    """Of keys of the caller's account."""

    def __init__(self, rooms: KmsRooms) -> None:
        self._rooms = rooms

    @operation("EnableKeyRotation")
    async def enable_key_rotation(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        days = members.get("RotationPeriodInDays", ROTATION_DAYS)
        asked = Asked(facts={"kms:rotationperiodindays": (str(days),)})
        key = await self._rooms.find_own(context, "EnableKeyRotation", members["KeyId"], asked)
        now = self._rooms.clock.now()
        await self._rooms.change(key, lambda key: with_rotation(key, days, now))
        return {}

    @operation("DisableKeyRotation")
    async def disable_key_rotation(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key = await self._rooms.find_own(context, "DisableKeyRotation", members["KeyId"])
        now = self._rooms.clock.now()
        await self._rooms.change(key, lambda key: with_rotation(key, None, now))
        return {}

    @operation("GetKeyRotationStatus")
    async def get_key_rotation_status(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key = await self._rooms.find_by_id(context, "GetKeyRotationStatus", members["KeyId"])
        if key.rotation_days is None or key.state is KeyState.PENDING_DELETION:
            return {"KeyId": key.arn, "KeyRotationEnabled": False}
        return {
            "KeyId": key.arn,
            "KeyRotationEnabled": True,
            "RotationPeriodInDays": key.rotation_days,
            "NextRotationDate": key.rotation_epoch_seconds,
        }
