"""Users: CreateUser, GetUser, ListUsers, UpdateUser, DeleteUser."""

from collections.abc import Mapping
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.errors import DeleteConflictException
from lampion.domain.iam.identity import IdentityKind
from lampion.services.iam.access_keys import keys_of
from lampion.services.iam.identities import Identities
from lampion.services.iam.rooms import IamRooms, Members, is_root, user_name_of
from lampion.services.iam.shapes import identity_shape
from lampion.store.resources import Stored


class UsersApi:
    """Users of the caller's account."""

    def __init__(self, rooms: IamRooms) -> None:
        self._users = Identities(rooms, IdentityKind.USER)

    @operation("CreateUser")
    async def create_user(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return {"User": identity_shape(await self._users.create(self._users.draft(context, members)))}

    @operation("GetUser")
    async def get_user(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Without a name it is the caller: the root, or a user."""
        if "UserName" not in members and is_root(context):
            return {"User": {"UserId": context.user_id, "Arn": context.caller_arn, "Path": "/", "UserName": "root"}}
        return {"User": identity_shape(await self._users.get(context, user_name_of(context, members)))}

    @operation("ListUsers")
    async def list_users(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._users.page("ListUsers", context, members)

    @operation("UpdateUser")
    async def update_user(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        await self._users.rename(context, members["UserName"], members.get("NewUserName"), members.get("NewPath"))
        return {}

    @operation("DeleteUser")
    async def delete_user(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def check(stored: Stored) -> None:
            if keys_of(stored, context.account_id, self._users.of(stored, context, members["UserName"]).unique_id):
                raise DeleteConflictException("Cannot delete entity, must delete access keys first.")

        await self._users.delete(context, members["UserName"], check)
        return {}
