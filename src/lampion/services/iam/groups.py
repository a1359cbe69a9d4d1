"""Groups, and the users in them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.errors import DeleteConflictException, LimitExceededException
from lampion.domain.iam.identity import GROUPS_MAX, Identity, IdentityKind
from lampion.services.iam.identities import Identities
from lampion.services.iam.rooms import IamRooms, Members
from lampion.services.iam.shapes import identity_shape
from lampion.store.iam import IDENTITIES
from lampion.store.resources import Stored


class GroupsApi:
    """Groups of the caller's account."""

    def __init__(self, rooms: IamRooms) -> None:
        self._rooms = rooms
        self._groups = Identities(rooms, IdentityKind.GROUP)
        self._users = Identities(rooms, IdentityKind.USER)

    @operation("CreateGroup")
    async def create_group(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return {"Group": identity_shape(await self._groups.create(self._groups.draft(context, members)))}

    @operation("GetGroup")
    async def get_group(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def get(stored: Stored) -> tuple[Identity, Sequence[Identity]]:
            group = self._groups.of(stored, context, members["GroupName"])
            return group, self._members_of(stored, context, group)

        group, users = await self._rooms.resources.read(get)
        shown, more = self._rooms.page("GetGroup", members, users, lambda one: one.name.lower())
        listed = [identity_shape(one, is_listed=True) for one in shown]
        return {"Group": identity_shape(group), "Users": listed, **more}

    @operation("ListGroups")
    async def list_groups(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._groups.page("ListGroups", context, members)

    @operation("ListGroupsForUser")
    async def list_groups_for_user(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def find(stored: Stored) -> list[Identity]:
            user = self._users.of(stored, context, members["UserName"])
            return [self._groups.of(stored, context, name) for name in sorted(user.groups, key=str.lower)]

        found = await self._rooms.resources.read(find)
        shown, more = self._rooms.page("ListGroupsForUser", members, found, lambda one: one.name.lower())
        return {"Groups": [identity_shape(one, is_listed=True) for one in shown], **more}

    @operation("UpdateGroup")
    async def update_group(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        await self._groups.rename(context, members["GroupName"], members.get("NewGroupName"), members.get("NewPath"))
        return {}

    @operation("DeleteGroup")
    async def delete_group(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def check(stored: Stored) -> None:
            group = self._groups.of(stored, context, members["GroupName"])
            if self._members_of(stored, context, group):
                raise DeleteConflictException("Cannot delete entity, must remove users from group first.")

        await self._groups.delete(context, members["GroupName"], check)
        return {}

    @operation("AddUserToGroup")
    async def add_user_to_group(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def add(stored: Stored) -> None:
            group, user = self._both(stored, context, members)
            if group.name in user.groups:
                return
            if len(user.groups) >= GROUPS_MAX:
                raise LimitExceededException(f"Cannot exceed quota for GroupsPerUser: {GROUPS_MAX}")
            stored.put(IDENTITIES, replace(user, groups=(*user.groups, group.name)))

        await self._rooms.resources.change(add)
        return {}

    @operation("RemoveUserFromGroup")
    async def remove_user_from_group(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def remove(stored: Stored) -> None:
            group, user = self._both(stored, context, members)
            stored.put(IDENTITIES, replace(user, groups=tuple(one for one in user.groups if one != group.name)))

        await self._rooms.resources.change(remove)
        return {}

    def _both(self, stored: Stored, context: RequestContext, members: Members) -> tuple[Identity, Identity]:
        group = self._groups.of(stored, context, members["GroupName"])
        return group, self._users.of(stored, context, members["UserName"])

    def _members_of(self, stored: Stored, context: RequestContext, group: Identity) -> Sequence[Identity]:
        return [one for one in self._users.all(stored, context) if group.name in one.groups]
