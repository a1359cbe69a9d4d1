"""Policies in users, groups and roles: Put, Get, Delete and List...Policy of each."""

from collections.abc import Mapping
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.documents import permissions_of
from lampion.domain.iam.identity import IdentityKind, inline_missing, with_inline, without_inline
from lampion.services.iam.rooms import NAMES, IamRooms, Members, identity_of, own_identity_of
from lampion.services.iam.shapes import encoded
from lampion.store.iam import IDENTITIES
from lampion.store.resources import Stored


class _InlinePolicies:
    """Of identities of one kind."""

    def __init__(self, rooms: IamRooms, kind: IdentityKind) -> None:
        self._rooms = rooms
        self._kind = kind

    async def put(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        document = members["PolicyDocument"]
        permissions_of(document)

        def put(stored: Stored) -> None:
            identity = own_identity_of(stored, context.account_id, self._kind, members[NAMES[self._kind]])
            stored.put(IDENTITIES, with_inline(identity, members["PolicyName"], document))

        await self._rooms.resources.change(put)
        return {}

    async def get(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        identity = await self._identity(context, members)
        document = identity.inline.get(members["PolicyName"])
        if document is None:
            raise inline_missing(identity, members["PolicyName"])
        named = {NAMES[self._kind]: identity.name, "PolicyName": members["PolicyName"]}
        return {**named, "PolicyDocument": encoded(document)}

    async def delete(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def delete(stored: Stored) -> None:
            identity = own_identity_of(stored, context.account_id, self._kind, members[NAMES[self._kind]])
            stored.put(IDENTITIES, without_inline(identity, members["PolicyName"]))

        await self._rooms.resources.change(delete)
        return {}

    async def page(self, name: str, context: RequestContext, members: Members) -> Mapping[str, Any]:
        names = sorted((await self._identity(context, members)).inline)
        shown, more = self._rooms.page(name, members, names, lambda one: one)
        return {"PolicyNames": list(shown), **more}

    async def _identity(self, context: RequestContext, members: Members) -> Any:
        name = members[NAMES[self._kind]]
        return await self._rooms.resources.read(
            lambda stored: identity_of(stored, context.account_id, self._kind, name)
        )


class InlinePoliciesApi:
    """Each operation three times, as IAM has them."""

    def __init__(self, rooms: IamRooms) -> None:
        self._users = _InlinePolicies(rooms, IdentityKind.USER)
        self._groups = _InlinePolicies(rooms, IdentityKind.GROUP)
        self._roles = _InlinePolicies(rooms, IdentityKind.ROLE)

    @operation("PutUserPolicy")
    async def put_user_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._users.put(context, members)

    @operation("GetUserPolicy")
    async def get_user_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._users.get(context, members)

    @operation("DeleteUserPolicy")
    async def delete_user_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._users.delete(context, members)

    @operation("ListUserPolicies")
    async def list_user_policies(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._users.page("ListUserPolicies", context, members)

    @operation("PutGroupPolicy")
    async def put_group_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._groups.put(context, members)

    @operation("GetGroupPolicy")
    async def get_group_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._groups.get(context, members)

    @operation("DeleteGroupPolicy")
    async def delete_group_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._groups.delete(context, members)

    @operation("ListGroupPolicies")
    async def list_group_policies(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._groups.page("ListGroupPolicies", context, members)

    @operation("PutRolePolicy")
    async def put_role_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._roles.put(context, members)

    @operation("GetRolePolicy")
    async def get_role_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._roles.get(context, members)

    @operation("DeleteRolePolicy")
    async def delete_role_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._roles.delete(context, members)

    @operation("ListRolePolicies")
    async def list_role_policies(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._roles.page("ListRolePolicies", context, members)
