"""Access keys of users: CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.access_key import ACTIVE, UserKey, check_room_for_key, key_missing
from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.identity.key_ids import RANDOM_BYTES, SESSION_PREFIX, USER_PREFIX, key_id
from lampion.services.iam.rooms import IamRooms, Members, identity_of, is_root, user_name_of
from lampion.store.iam import GLOBAL, USER_KEYS, key_place
from lampion.store.resources import Stored

_SECRET_RANDOM_BYTES: Final = 30
_MOST: Final = 10


class AccessKeysApi:
    """Keys of the users of the caller's account. A root key isn't made here."""

    def __init__(self, rooms: IamRooms) -> None:
        self._rooms = rooms

    @operation("CreateAccessKey")
    async def create_access_key(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """The only answer that ever holds the secret."""
        rng, now = self._rooms.rng, self._rooms.now_epoch_seconds
        access_key_id = key_id(USER_PREFIX, context.account_id, rng.token(RANDOM_BYTES))
        secret = base64.b64encode(rng.token(_SECRET_RANDOM_BYTES)).decode()

        def create(stored: Stored) -> tuple[Identity, UserKey]:
            user = identity_of(stored, context.account_id, IdentityKind.USER, user_name_of(context, members))
            check_room_for_key(len(keys_of(stored, context.account_id, user.unique_id)))
            key = UserKey(
                account_id=context.account_id,
                access_key_id=access_key_id,
                secret_access_key=secret,
                user_id=user.unique_id,
                created_epoch_seconds=now,
            )
            stored.put(USER_KEYS, key)
            return user, key

        user, key = await self._rooms.resources.change(create)
        return {"AccessKey": {**_shape(user, key), "SecretAccessKey": key.secret_access_key}}

    @operation("ListAccessKeys")
    async def list_access_keys(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """To the root that asks for its own: the one that it signs with, unless that is a temporary one."""
        if "UserName" not in members and is_root(context):
            is_lasting = not context.principal.startswith(SESSION_PREFIX)
            own = [{"AccessKeyId": context.principal, "Status": ACTIVE}] if is_lasting else []
            return {"AccessKeyMetadata": own, "IsTruncated": False}

        def find(stored: Stored) -> tuple[Identity, Sequence[UserKey]]:
            user = identity_of(stored, context.account_id, IdentityKind.USER, user_name_of(context, members))
            return user, keys_of(stored, context.account_id, user.unique_id)

        user, found = await self._rooms.resources.read(find)
        in_order = sorted(found, key=lambda key: key.access_key_id)
        shown, more = self._rooms.page("ListAccessKeys", members, in_order, lambda key: key.access_key_id)
        return {"AccessKeyMetadata": [_shape(user, key) for key in shown], **more}

    @operation("UpdateAccessKey")
    async def update_access_key(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def update(stored: Stored) -> None:
            stored.put(USER_KEYS, replace(_key(stored, context, members), status=members["Status"]))

        await self._rooms.resources.change(update)
        return {}

    @operation("DeleteAccessKey")
    async def delete_access_key(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def delete(stored: Stored) -> None:
            stored.delete(USER_KEYS, key_place(_key(stored, context, members).access_key_id, context.account_id))

        await self._rooms.resources.change(delete)
        return {}


def keys_of(stored: Stored, account_id: str, user_id: str) -> Sequence[UserKey]:
    """By the user's unique id: who is made again under the name has none of them."""
    return stored.found(USER_KEYS, account_id, GLOBAL, by=user_id, limit=_MOST)


def _key(stored: Stored, context: RequestContext, members: Members) -> UserKey:
    """Raises NoSuchEntityException for none, and for another user's."""
    user = identity_of(stored, context.account_id, IdentityKind.USER, user_name_of(context, members))
    key = stored.get(USER_KEYS, key_place(members["AccessKeyId"], context.account_id))
    if key is None or key.user_id != user.unique_id:
        raise key_missing(members["AccessKeyId"])
    return key


def _shape(user: Identity, key: UserKey) -> Mapping[str, Any]:
    return {
        "UserName": user.name,
        "AccessKeyId": key.access_key_id,
        "Status": key.status,
        "CreateDate": key.created_epoch_seconds,
    }
