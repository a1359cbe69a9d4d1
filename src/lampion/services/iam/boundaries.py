"""Permissions boundaries of users and roles: Put and Delete...PermissionsBoundary of each."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.errors import NoSuchEntityException
from lampion.domain.iam.identity import IdentityKind
from lampion.services.iam.managed import check_attachable
from lampion.services.iam.rooms import NAMES, IamRooms, Members, own_identity_of
from lampion.store.iam import IDENTITIES
from lampion.store.resources import Stored


class BoundariesApi:
    """A boundary is a managed policy."""

    def __init__(self, rooms: IamRooms) -> None:
        self._rooms = rooms

    @operation("PutUserPermissionsBoundary")
    async def put_user_permissions_boundary(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._put(IdentityKind.USER, context, members)

    @operation("PutRolePermissionsBoundary")
    async def put_role_permissions_boundary(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._put(IdentityKind.ROLE, context, members)

    @operation("DeleteUserPermissionsBoundary")
    async def delete_user_permissions_boundary(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._delete(IdentityKind.USER, context, members)

    @operation("DeleteRolePermissionsBoundary")
    async def delete_role_permissions_boundary(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._delete(IdentityKind.ROLE, context, members)

    async def _put(self, kind: IdentityKind, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def put(stored: Stored) -> None:
            identity = own_identity_of(stored, context.account_id, kind, members[NAMES[kind]])
            check_attachable(stored, context.account_id, members["PermissionsBoundary"])
            stored.put(IDENTITIES, replace(identity, boundary=members["PermissionsBoundary"]))

        await self._rooms.resources.change(put)
        return {}

    async def _delete(self, kind: IdentityKind, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def delete(stored: Stored) -> None:
            identity = own_identity_of(stored, context.account_id, kind, members[NAMES[kind]])
            if identity.boundary is None:
                raise NoSuchEntityException(f"The {kind} with name {identity.name} has no permissions boundary.")
            stored.put(IDENTITIES, replace(identity, boundary=None))

        await self._rooms.resources.change(delete)
        return {}
