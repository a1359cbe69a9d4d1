"""Roles: CreateRole, GetRole, ListRoles, UpdateRole, UpdateRoleDescription, UpdateAssumeRolePolicy, DeleteRole."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.documents import trust_of
from lampion.domain.iam.errors import InvalidInputException
from lampion.domain.iam.identity import SERVICE_ROLES_PATH, IdentityKind
from lampion.services.iam.identities import Identities
from lampion.services.iam.rooms import IamRooms, Members
from lampion.services.iam.shapes import identity_shape


class RolesApi:
    """Roles of the caller's account."""

    def __init__(self, rooms: IamRooms) -> None:
        self._roles = Identities(rooms, IdentityKind.ROLE)

    @operation("CreateRole")
    async def create_role(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        trust = members["AssumeRolePolicyDocument"]
        trust_of(trust)
        if members.get("Path", "/").startswith(SERVICE_ROLES_PATH):
            raise InvalidInputException(f"The path {members['Path']} is reserved for service-linked roles.")
        draft = replace(
            self._roles.draft(context, members),
            trust=trust,
            description=members.get("Description", ""),
            max_session_seconds=members.get("MaxSessionDuration", 3600),
        )
        return {"Role": identity_shape(await self._roles.create(draft))}

    @operation("GetRole")
    async def get_role(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Nobody notes here when a role was last used, as AWS answers of one that never was."""
        return {"Role": {**identity_shape(await self._roles.get(context, members["RoleName"])), "RoleLastUsed": {}}}

    @operation("ListRoles")
    async def list_roles(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._roles.page("ListRoles", context, members)

    @operation("UpdateRole")
    async def update_role(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        given = {"description": members.get("Description"), "max_session_seconds": members.get("MaxSessionDuration")}
        changes = {name: value for name, value in given.items() if value is not None}
        await self._roles.update(context, members["RoleName"], **changes)
        return {}

    @operation("UpdateRoleDescription")
    async def update_role_description(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        role = await self._roles.update(context, members["RoleName"], description=members["Description"])
        return {"Role": identity_shape(role)}

    @operation("UpdateAssumeRolePolicy")
    async def update_assume_role_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        trust = members["PolicyDocument"]
        trust_of(trust)
        await self._roles.update(context, members["RoleName"], trust=trust)
        return {}

    @operation("DeleteRole")
    async def delete_role(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        await self._roles.delete(context, members["RoleName"])
        return {}
