"""Aliases: CreateAlias, UpdateAlias, DeleteAlias, ListAliases."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lampion.aws.errors import ValidationException
from lampion.aws.operation import RequestContext, operation
from lampion.domain.kms.alias import (
    ALIASES_LISTED_WITHOUT_KEY,
    Alias,
    alias_arn,
    alias_missing,
    alias_taken,
    check_not_reserved,
    check_room_for_alias,
    name_fault,
    read_reference,
)
from lampion.domain.kms.key import Key, check_not_pending
from lampion.services.kms.rooms import KmsRooms, Members
from lampion.services.kms.shapes import alias_shape
from lampion.store.kms import ALIAS_OWNER, ALIASES, alias_place, aliases_of
from lampion.store.resources import Stored, every


class AliasesApi:
    """Of keys of the caller's account. Who changes one must be allowed so for the alias, and for the keys."""

    def __init__(self, rooms: KmsRooms) -> None:
        self._rooms = rooms

    @operation("CreateAlias")
    async def create_alias(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        name = self._checked_name(context, "CreateAlias", members)
        key = await self._target(context, "CreateAlias", members)
        now = self._rooms.clock.now()
        alias = Alias(
            account_id=context.account_id,
            region=context.region,
            name=name,
            key_id=key.key_id,
            created_epoch_seconds=now,
            updated_epoch_seconds=now,
        )

        def create(stored: Stored) -> None:
            if stored.get(ALIASES, ALIASES.place(alias)) is not None:
                raise alias_taken(alias.arn)
            check_room_for_alias(len(aliases_of(stored, key)))
            stored.put(ALIASES, alias)

        await self._rooms.resources.change(create)
        return {}

    @operation("UpdateAlias")
    async def update_alias(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """What it named before goes on decrypting what it encrypted."""
        name = self._checked_name(context, "UpdateAlias", members)
        present = await self._existing(context, name)
        await self._check_on_key(context, "UpdateAlias", present)
        key = await self._target(context, "UpdateAlias", members)
        now = self._rooms.clock.now()

        def update(stored: Stored) -> None:
            alias = _alias(stored, context, name)
            if alias.key_id != key.key_id:
                check_room_for_alias(len(aliases_of(stored, key)))
            stored.put(ALIASES, replace(alias, key_id=key.key_id, updated_epoch_seconds=now))

        await self._rooms.resources.change(update)
        return {}

    @operation("DeleteAlias")
    async def delete_alias(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        name = self._checked_name(context, "DeleteAlias", members)
        await self._check_on_key(context, "DeleteAlias", await self._existing(context, name))

        def delete(stored: Stored) -> None:
            stored.delete(ALIASES, ALIASES.place(_alias(stored, context, name)))

        await self._rooms.resources.change(delete)
        return {}

    @operation("ListAliases")
    async def list_aliases(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """All of the account, with those of AWS that no key has been made for yet; or those of one key."""
        self._rooms.access.check_own(context.asker, "ListAliases", "*", {})
        if "KeyId" in members:
            key = await self._rooms.find_own(context, "DescribeKey", members["KeyId"])
            found: Sequence[Alias] = await self._rooms.resources.read(lambda stored: aliases_of(stored, key))
        else:
            await self._rooms.keys.all(context.account_id, context.region)  # those whose time has come are gone then
            found = await self._rooms.resources.read(
                lambda stored: every(stored, ALIASES, context.account_id, context.region, owner=ALIAS_OWNER)
            )
        shapes = {alias.name: alias_shape(alias) for alias in found}
        if "KeyId" not in members:
            shapes = {**_without_key(context), **shapes}
        shown, more = self._rooms.page("ListAliases", members, sorted(shapes), str)
        return {"Aliases": [shapes[name] for name in shown], **more}

    def _checked_name(self, context: RequestContext, operation: str, members: Members) -> str:
        """Raises AccessDeniedException, ValidationException, InvalidAliasNameException."""
        name: str = members["AliasName"]
        arn = alias_arn(context.account_id, context.region, name)
        self._rooms.access.check_own(context.asker, operation, arn, {})
        fault = name_fault(name)
        if fault is not None:
            raise ValidationException(fault)
        check_not_reserved(name)
        return name

    async def _target(self, context: RequestContext, operation: str, members: Members) -> Key:
        """Raises ValidationException, NotFoundException, KMSInvalidStateException."""
        text = members["TargetKeyId"]
        if read_reference(text, context.account_id, context.region).alias is not None:
            raise ValidationException("Aliases must refer to keys. Not aliases")
        key = await self._rooms.find_own(context, operation, text)
        check_not_pending(key)
        return key

    async def _existing(self, context: RequestContext, name: str) -> Alias:
        return await self._rooms.resources.read(lambda stored: _alias(stored, context, name))

    async def _check_on_key(self, context: RequestContext, operation: str, alias: Alias) -> None:
        """The key that an alias has now has a say as well."""
        await self._rooms.find_own(context, operation, alias.key_id)


def _alias(stored: Stored, context: RequestContext, name: str) -> Alias:
    """Raises NotFoundException."""
    found = stored.get(ALIASES, alias_place(context.account_id, context.region, name))
    if found is None:
        raise alias_missing(alias_arn(context.account_id, context.region, name))
    return found


def _without_key(context: RequestContext) -> dict[str, Mapping[str, Any]]:
    return {
        name: {"AliasName": name, "AliasArn": alias_arn(context.account_id, context.region, name)}
        for name in ALIASES_LISTED_WITHOUT_KEY
    }
