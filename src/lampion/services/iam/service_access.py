"""ListPoliciesGrantingServiceAccess: which policies of a user, a group or a role allow anything of a service."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.errors import InvalidInputException
from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.domain.policy_document import matches
from lampion.identity.statements import Statement, read_policy
from lampion.services.iam.managed import find_policy
from lampion.services.iam.rooms import IamRooms, Members, identity_of
from lampion.store.iam import IDENTITIES, identity_place
from lampion.store.resources import Stored

_Granting = tuple[str, Mapping[str, Any]]
"""A document, and how the policy is shown that it is of."""


class ServiceAccessApi:
    """Looks at actions alone: whether a resource or a condition is ever met isn't asked."""

    def __init__(self, rooms: IamRooms) -> None:
        self._rooms = rooms

    @operation("ListPoliciesGrantingServiceAccess")
    async def list_policies_granting_service_access(
        self, context: RequestContext, members: Members
    ) -> Mapping[str, Any]:
        """Raises NoSuchEntityException, InvalidInputException."""
        kind, name = _named(members["Arn"], context.account_id)

        def find(stored: Stored) -> list[_Granting]:
            return list(_policies(stored, identity_of(stored, context.account_id, kind, name)))

        found = await self._rooms.resources.read(find)
        services = sorted(set(members["ServiceNamespaces"]))
        shown, more = self._rooms.page("ListPoliciesGrantingServiceAccess", members, services, lambda one: one)
        granting = [
            {"ServiceNamespace": service, "Policies": [about for text, about in found if _grants(text, service)]}
            for service in shown
        ]
        return {"PoliciesGrantingServiceAccess": granting, **more}


def _named(arn: str, account_id: str) -> tuple[IdentityKind, str]:
    """Raises InvalidInputException."""
    kind, _, path = arn.removeprefix(f"arn:aws:iam::{account_id}:").partition("/")
    if kind not in tuple(IdentityKind) or not path:
        raise InvalidInputException(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    return IdentityKind(kind), path.rpartition("/")[2]


def _policies(stored: Stored, identity: Identity) -> Iterator[_Granting]:
    """In it and on it; of a user, those of its groups as well."""
    places = (identity_place(identity.account_id, IdentityKind.GROUP, one) for one in identity.groups)
    groups = (stored.get(IDENTITIES, place) for place in places)
    for one in (identity, *(group for group in groups if group is not None)):
        about = {"PolicyType": "INLINE", "EntityType": one.kind.upper(), "EntityName": one.name}
        for name, document in sorted(one.inline.items()):
            yield document, {"PolicyName": name, **about}
        for policy in (find_policy(stored, one.account_id, arn) for arn in one.attached):
            if policy is not None:
                yield policy.document, {"PolicyName": policy.name, "PolicyType": "MANAGED", "PolicyArn": policy.arn}


def _grants(document: str, service: str) -> bool:
    return any(not one.denies and _reaches(one, service) for one in read_policy(json.loads(document)).statements)


def _reaches(statement: Statement, service: str) -> bool:
    """Whether it is about any action of the service."""
    if statement.is_not_action:
        return not any(one in ("*", f"{service}:*") for one in statement.actions)
    return any(one == "*" or matches(one.partition(":")[0], service) for one in statement.actions)
