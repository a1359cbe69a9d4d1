"""States of keys: EnableKey, DisableKey, ScheduleKeyDeletion, CancelKeyDeletion."""

from collections.abc import Mapping
from typing import Any

from lampion.aws.errors import ValidationException
from lampion.aws.operation import RequestContext, operation
from lampion.domain.kms.key import (
    PENDING_DAYS_MAX,
    PENDING_DAYS_MIN,
    KeyState,
    pending_deletion,
    rescued,
    with_state,
)
from lampion.identity.key_access import Asked
from lampion.services.kms.rooms import KmsRooms, Members


class StatesApi:
    """Of keys of the caller's account."""

    def __init__(self, rooms: KmsRooms) -> None:
        self._rooms = rooms

    @operation("EnableKey")
    async def enable_key(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key = await self._rooms.find_own(context, "EnableKey", members["KeyId"])
        await self._rooms.change(key, lambda key: with_state(key, KeyState.ENABLED))
        return {}

    @operation("DisableKey")
    async def disable_key(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key = await self._rooms.find_own(context, "DisableKey", members["KeyId"])
        await self._rooms.change(key, lambda key: with_state(key, KeyState.DISABLED))
        return {}

    @operation("ScheduleKeyDeletion")
    async def schedule_key_deletion(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """When the time has come, the key goes with its material, aliases and grants."""
        days = members.get("PendingWindowInDays", PENDING_DAYS_MAX)
        asked = Asked(facts={"kms:schedulekeydeletionpendingwindowindays": (str(days),)})
        key = await self._rooms.find_own(context, "ScheduleKeyDeletion", members["KeyId"], asked)
        if not PENDING_DAYS_MIN <= days <= PENDING_DAYS_MAX:
            raise ValidationException(
                f"PendingWindowInDays must be between {PENDING_DAYS_MIN} and {PENDING_DAYS_MAX} days"
            )
        now = self._rooms.clock.now()
        changed = await self._rooms.change(key, lambda key: pending_deletion(key, days, now))
        return {
            "KeyId": changed.arn,
            "DeletionDate": changed.deletion_epoch_seconds,
            "KeyState": changed.state.value,
            "PendingWindowInDays": days,
        }

    @operation("CancelKeyDeletion")
    async def cancel_key_deletion(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key = await self._rooms.find_own(context, "CancelKeyDeletion", members["KeyId"])
        await self._rooms.change(key, rescued)
        return {"KeyId": key.arn}
