"""Managed policies on users, groups and roles: Attach, Detach and ListAttached...Policies of each."""

from collections.abc import Mapping
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.identity import IdentityKind, with_attached, without_attached
from lampion.services.iam.managed import check_attachable, find_policy
from lampion.services.iam.rooms import NAMES, IamRooms, Members, identity_of, own_identity_of
from lampion.services.iam.shapes import policy_position
from lampion.store.iam import IDENTITIES
from lampion.store.resources import Stored


class _Attachments:
    """To identities of one kind."""

    def __init__(self, rooms: IamRooms, kind: IdentityKind) -> None:
        self._rooms = rooms
        self._kind = kind

    async def attach(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def attach(stored: Stored) -> None:
            identity = own_identity_of(stored, context.account_id, self._kind, members[NAMES[self._kind]])
            check_attachable(stored, context.account_id, members["PolicyArn"])
            stored.put(IDENTITIES, with_attached(identity, members["PolicyArn"]))

        await self._rooms.resources.change(attach)
        return {}

    async def detach(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def detach(stored: Stored) -> None:
            identity = own_identity_of(stored, context.account_id, self._kind, members[NAMES[self._kind]])
            stored.put(IDENTITIES, without_attached(identity, members["PolicyArn"]))

        await self._rooms.resources.change(detach)
        return {}

    async def page(self, name: str, context: RequestContext, members: Members) -> Mapping[str, Any]:
        prefix = members.get("PathPrefix", "/")

        def attached(stored: Stored) -> list[Mapping[str, Any]]:
            identity = identity_of(stored, context.account_id, self._kind, members[NAMES[self._kind]])
            found = (find_policy(stored, context.account_id, arn) for arn in identity.attached)
            those = (one for one in found if one is not None and one.path.startswith(prefix))
            return [{"PolicyName": one.name, "PolicyArn": one.arn} for one in those]

        found = sorted(await self._rooms.resources.read(attached), key=policy_position)
        shown, more = self._rooms.page(name, members, found, policy_position)
        return {"AttachedPolicies": list(shown), **more}


class AttachmentsApi:
    """Each operation three times, as IAM has them."""

    def __init__(self, rooms: IamRooms) -> None:
        self._users = _Attachments(rooms, IdentityKind.USER)
        self._groups = _Attachments(rooms, IdentityKind.GROUP)
        self._roles = _Attachments(rooms, IdentityKind.ROLE)

    @operation("AttachUserPolicy")
    async def attach_user_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._users.attach(context, members)

    @operation("DetachUserPolicy")
    async def detach_user_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._users.detach(context, members)

    @operation("ListAttachedUserPolicies")
    async def list_attached_user_policies(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._users.page("ListAttachedUserPolicies", context, members)

    @operation("AttachGroupPolicy")
    async def attach_group_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._groups.attach(context, members)

    @operation("DetachGroupPolicy")
    async def detach_group_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._groups.detach(context, members)

    @operation("ListAttachedGroupPolicies")
    async def list_attached_group_policies(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._groups.page("ListAttachedGroupPolicies", context, members)

    @operation("AttachRolePolicy")
    async def attach_role_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._roles.attach(context, members)

    @operation("DetachRolePolicy")
    async def detach_role_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._roles.detach(context, members)

    @operation("ListAttachedRolePolicies")
    async def list_attached_role_policies(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._roles.page("ListAttachedRolePolicies", context, members)
