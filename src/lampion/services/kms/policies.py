"""Key policies: GetKeyPolicy, PutKeyPolicy, ListKeyPolicies. A key has one, called default."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.kms.errors import NotFoundException
from lampion.domain.kms.key import Key, check_not_pending
from lampion.domain.kms.policy import NAME, check_policy, locked_out
from lampion.identity.key_access import Asked
from lampion.services.kms.rooms import KmsRooms, Members


class KeyPoliciesApi:
    """Of keys of the caller's account."""

    def __init__(self, rooms: KmsRooms) -> None:
        self._rooms = rooms

    @operation("GetKeyPolicy")
    async def get_key_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """As it was put, to the letter."""
        key = await self._rooms.find_own(context, "GetKeyPolicy", members["KeyId"])
        _check_name(members)
        return {"Policy": key.policy, "PolicyName": NAME}

    @operation("PutKeyPolicy")
    async def put_key_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Raises MalformedPolicyDocumentException, also for one that locks the caller out, unless he insists."""
        bypasses = bool(members.get("BypassPolicyLockoutSafetyCheck"))
        asked = Asked(facts={"kms:bypasspolicylockoutsafetycheck": ("true" if bypasses else "false",)})
        key = await self._rooms.find_own(context, "PutKeyPolicy", members["KeyId"], asked)
        _check_name(members)
        policy = members["Policy"]
        check_policy(policy)
        if not bypasses and not await self._rooms.access.may_change_policy(context.asker, replace(key, policy=policy)):
            raise locked_out()

        def put(key: Key) -> Key:
            check_not_pending(key)
            return replace(key, policy=policy)

        await self._rooms.change(key, put)
        return {}

    @operation("ListKeyPolicies")
    async def list_key_policies(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        await self._rooms.find_own(context, "ListKeyPolicies", members["KeyId"])
        shown, more = self._rooms.page("ListKeyPolicies", members, [NAME], str)
        return {"PolicyNames": shown, **more}


def _check_name(members: Members) -> None:
    """Raises NotFoundException."""
    name = members.get("PolicyName", NAME)
    if name != NAME:
        raise NotFoundException(f"No such policy exists: {name}")
