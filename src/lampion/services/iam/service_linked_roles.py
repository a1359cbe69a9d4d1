"""Service-linked roles: CreateServiceLinkedRole, DeleteServiceLinkedRole, GetServiceLinkedRoleDeletionStatus."""

import hmac
import re
from collections.abc import Mapping
from typing import Any, Final

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.errors import InvalidInputException, NoSuchEntityException
from lampion.domain.iam.identity import ID_PREFIXES, Identity, IdentityKind, is_service_linked
from lampion.domain.iam.service_roles import (
    service_role_name,
    service_role_path,
    service_role_taken,
    service_role_trust,
)
from lampion.services.iam.rooms import IamRooms, Members, identity_of
from lampion.services.iam.shapes import identity_shape
from lampion.store.iam import IDENTITIES
from lampion.store.resources import Stored

_TASK: Final = re.compile(r"task(/aws-service-role/[^/]+/)([^/]+)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_HALF_BYTES: Final = 8
_GROUPS: Final = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))


class ServiceLinkedRolesApi:
    """No service uses them here: who deploys what makes one isn't to fail."""

    def __init__(self, rooms: IamRooms) -> None:
        self._rooms = rooms

    @operation("CreateServiceLinkedRole")
    async def create_service_linked_role(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Raises InvalidInputException."""
        service = members["AWSServiceName"]
        role = Identity(
            kind=IdentityKind.ROLE,
            account_id=context.account_id,
            path=service_role_path(service),
            name=service_role_name(service, members.get("CustomSuffix")),
            unique_id=self._rooms.new_id(ID_PREFIXES[IdentityKind.ROLE]),
            created_epoch_seconds=self._rooms.now_epoch_seconds,
            trust=service_role_trust(service),
            description=members.get("Description", ""),
        )

        def create(stored: Stored) -> None:
            if stored.get(IDENTITIES, IDENTITIES.place(role)) is not None:
                raise service_role_taken(role.name)
            stored.put(IDENTITIES, role)

        await self._rooms.resources.change(create)
        return {"Role": identity_shape(role)}

    @operation("DeleteServiceLinkedRole")
    async def delete_service_linked_role(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Done when it is answered. Raises NoSuchEntityException, InvalidInputException."""

        def delete(stored: Stored) -> Identity:
            role = identity_of(stored, context.account_id, IdentityKind.ROLE, members["RoleName"])
            if not is_service_linked(role):
                raise InvalidInputException(f"Role {role.name} is not a service-linked role.")
            stored.delete(IDENTITIES, IDENTITIES.place(role))
            return role

        role = await self._rooms.resources.change(delete)
        random = self._rooms.rng.token(_HALF_BYTES)
        task = self._task(context.account_id, f"{role.path}{role.name}", random)
        return {"DeletionTaskId": f"task{role.path}{role.name}/{task}"}

    @operation("GetServiceLinkedRoleDeletionStatus")
    async def get_service_linked_role_deletion_status(
        self, context: RequestContext, members: Members
    ) -> Mapping[str, Any]:
        """Of a task that was given out to this account. Raises NoSuchEntityException for any other."""
        task_id = members["DeletionTaskId"]
        found = _TASK.fullmatch(task_id)
        if found is not None:
            path, name, task = found.groups()
            random = bytes.fromhex(task.replace("-", ""))[:_HALF_BYTES]
            if hmac.compare_digest(self._task(context.account_id, f"{path}{name}", random), task):
                return {"Status": "SUCCEEDED"}
        raise NoSuchEntityException(f"The deletion task with id {task_id} was not found.")

    def _task(self, account_id: str, role: str, random: bytes) -> str:
        """In the form of a UUID, and known again without being kept."""
        about = b"iam deletion task\0" + f"{account_id}\0{role}\0".encode() + random
        digits = (random + hmac.digest(self._rooms.secret, about, "sha256")[:_HALF_BYTES]).hex()
        return "-".join(digits[start:end] for start, end in _GROUPS)
