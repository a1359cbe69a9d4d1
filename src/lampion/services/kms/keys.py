"""Keys themselves: CreateKey, DescribeKey, ListKeys, UpdateKeyDescription."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.kms.key import ORIGIN, SPEC, USAGE, Key, check_kind, check_not_pending
from lampion.domain.kms.policy import check_policy, default_policy, locked_out
from lampion.domain.kms.tags import with_tags
from lampion.identity.key_access import FACTS_OF_KIND, Asked
from lampion.services.kms.rooms import KmsRooms, Members, refuse
from lampion.services.kms.shapes import key_shape
from lampion.services.kms.tags import facts_of_tags, tags_in
from lampion.store.kms import KEYS


class KeysApi:
    """Of the caller's account; DescribeKey also of others, by ARN."""

    def __init__(self, rooms: KmsRooms) -> None:
        self._rooms = rooms

    @operation("CreateKey")
    async def create_key(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Raises UnsupportedOperationException, MalformedPolicyDocumentException, TagException, ..."""
        bypasses = {"kms:bypasspolicylockoutsafetycheck": (_bool(members.get("BypassPolicyLockoutSafetyCheck")),)}
        facts = {**FACTS_OF_KIND, **bypasses, **facts_of_tags(members)}
        self._rooms.access.check_own(context.asker, "CreateKey", "*", facts)
        refuse(members, "CreateKey", "CustomKeyStoreId", "XksKeyId")
        check_kind(
            spec=members.get("KeySpec") or members.get("CustomerMasterKeySpec") or SPEC,
            usage=members.get("KeyUsage", USAGE),
            origin=members.get("Origin", ORIGIN),
            is_multi_region=bool(members.get("MultiRegion")),
        )
        key = self._draft(context, members)
        if "Policy" in members:
            check_policy(key.policy)
            if not members.get("BypassPolicyLockoutSafetyCheck"):
                await self._check_not_locked_out(context, key)
        made = await self._rooms.keys.with_material(key)
        await self._rooms.resources.change(lambda stored: stored.put(KEYS, made))
        return {"KeyMetadata": key_shape(made)}

    @operation("DescribeKey")
    async def describe_key(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key = await self._rooms.find(context, "DescribeKey", members["KeyId"], Asked())
        return {"KeyMetadata": key_shape(key)}

    @operation("ListKeys")
    async def list_keys(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        self._rooms.access.check_own(context.asker, "ListKeys", "*", {})
        found = await self._rooms.keys.all(context.account_id, context.region)
        shown, more = self._rooms.page("ListKeys", members, found, lambda key: key.key_id)
        return {"Keys": [{"KeyId": key.key_id, "KeyArn": key.arn} for key in shown], **more}

    @operation("UpdateKeyDescription")
    async def update_key_description(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key = await self._rooms.find_own(context, "UpdateKeyDescription", members["KeyId"])

        def described(key: Key) -> Key:
            check_not_pending(key)
            return replace(key, description=members["Description"])

        await self._rooms.change(key, described)
        return {}

    def _draft(self, context: RequestContext, members: Members) -> Key:
        """Without material."""
        return Key(
            account_id=context.account_id,
            region=context.region,
            key_id=self._rooms.rng.uuid4(),
            created_epoch_seconds=self._rooms.clock.now(),
            policy=members.get("Policy", default_policy(context.account_id)),
            materials=(),
            description=members.get("Description", ""),
            tags=with_tags({}, tags_in(members)),
        )

    async def _check_not_locked_out(self, context: RequestContext, key: Key) -> None:
        if not await self._rooms.access.may_change_policy(context.asker, key):
            raise locked_out()


def _bool(value: object) -> str:
    return "true" if value else "false"
