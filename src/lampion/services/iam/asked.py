"""What an operation of IAM is about, to IAM: the ARN with the path that is stored, and the condition keys it brings.

Docs: service authorization reference, "Actions, resources, and condition keys for AWS Identity and Access Management".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lampion.domain.iam.identity import IdentityKind
from lampion.identity.callers import Caller, CallerKind
from lampion.services.iam.rooms import NAMES
from lampion.store.cached_resources import CachedResources
from lampion.store.iam import IDENTITIES, identity_place

_OF_ONESELF: Final = frozenset(("GetUser", "CreateAccessKey", "ListAccessKeys", "UpdateAccessKey", "DeleteAccessKey"))
"""Without a name they are about the caller, when that is a user."""
_KEYS: Final = {"PolicyArn": "iam:policyarn", "PermissionsBoundary": "iam:permissionsboundary"}


class AskedOfIam:
    """Looks up what names mean now."""

    def __init__(self, resources: CachedResources) -> None:
        self._resources = resources

    async def __call__(
        self, operation: str, members: dict[str, Any], caller: Caller
    ) -> tuple[str, Mapping[str, Sequence[str]]]:
        """The ARN, "*" where there is none, and condition keys but those of tags."""
        facts = {key: (str(members[member]),) for member, key in _KEYS.items() if member in members}
        return await self._resource(operation, members, caller), facts

    async def _resource(self, operation: str, members: dict[str, Any], caller: Caller) -> str:
        account_id = caller.account_id or ""
        for kind in (IdentityKind.ROLE, IdentityKind.GROUP, IdentityKind.USER):  # of a user in a group, the group
            name = members.get(NAMES[kind])
            if name is not None:
                found = await self._resources.get(IDENTITIES, identity_place(account_id, kind, name))
                path = members.get("Path", "/")
                return f"arn:aws:iam::{account_id}:{kind}{path}{name}" if found is None else found.arn
        if "PolicyArn" in members:
            return str(members["PolicyArn"])
        if "PolicyName" in members:
            return f"arn:aws:iam::{account_id}:policy{members.get('Path', '/')}{members['PolicyName']}"
        return caller.arn if operation in _OF_ONESELF and caller.kind is CallerKind.USER else "*"
