"""What an operation of IAM wants, to IAM: ARNs with the paths that are stored, and the condition keys it brings.

Docs: service authorization reference, "Actions, resources, and condition keys for AWS Identity and Access Management".
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from lampion.domain.iam.errors import InvalidInputException
from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.domain.iam.managed_policy import ManagedPolicy
from lampion.domain.iam.service_roles import service_role_name, service_role_path
from lampion.identity.callers import Caller, CallerKind
from lampion.identity.evaluation import Wanted
from lampion.services.iam.rooms import NAMES
from lampion.store.cached_resources import CachedResources
from lampion.store.iam import IDENTITIES, MANAGED_POLICIES, identity_place, policy_place

_OF_ONESELF: Final = frozenset(("GetUser", "CreateAccessKey", "ListAccessKeys", "UpdateAccessKey", "DeleteAccessKey"))
"""Without a name they are about the caller, when that is a user."""
_NEW_NAMES: Final = {"UpdateUser": "NewUserName", "UpdateGroup": "NewGroupName"}
"""These are about what they make of it as well: both must be allowed."""
_LISTS: Final = {f"List{kind.capitalize()}s": kind for kind in IdentityKind}
_KINDS: Final = (IdentityKind.ROLE, IdentityKind.GROUP, IdentityKind.USER)
"""In this order: of a user in a group, it is about the group."""
_NAME_CHARACTERS: Final = 128
"""Longer ones name nothing, and aren't looked for."""

_About = Identity | ManagedPolicy | None


class AskedOfIam:
    """Looks up what names mean now."""

    def __init__(self, resources: CachedResources) -> None:
        self._resources = resources

    async def __call__(
        self, operation: str, members: dict[str, Any], caller: Caller
    ) -> tuple[Sequence[Wanted], Mapping[str, Sequence[str]]]:
        """All that must be allowed, and condition keys but those of tags in the request."""
        account_id = caller.account_id or ""
        if operation in _OF_ONESELF and caller.kind is CallerKind.USER:
            members = {"UserName": caller.arn.rpartition("/")[2], **members}
        if "AWSServiceName" in members:
            return _service_role(operation, members, account_id)
        for kind in _KINDS:
            name = members.get(NAMES[kind])
            if name is not None:
                identity = await self._identity(account_id, kind, name)
                return _wanted(operation, members, account_id, (kind, name), identity), _facts(members, identity)
        if "PolicyArn" in members:
            arn = str(members["PolicyArn"])
            about = await self._policy(account_id, arn)
            return [Wanted(f"iam:{operation}", arn, f"policy {arn}")], _facts(members, about)
        if "PolicyName" in members:
            arn = f"arn:aws:iam::{account_id}:policy{members.get('Path', '/')}{members['PolicyName']}"
            return [Wanted(f"iam:{operation}", arn, f"policy {members['PolicyName']}"), *_tagging(members, arn)], {}
        if "DeletionTaskId" in members:
            role = str(members["DeletionTaskId"]).removeprefix("task/").rpartition("/")[0]
            return [Wanted(f"iam:{operation}", f"arn:aws:iam::{account_id}:role/{role}")], {}
        if "PolicySourceArn" in members:
            source = await self._source(account_id, str(members["PolicySourceArn"]))
            return [Wanted(f"iam:{operation}", source)], {}
        if "Arn" in members:
            return [Wanted(f"iam:{operation}", str(members["Arn"]))], {}
        return [Wanted(f"iam:{operation}", "*", _list_of(operation, members, account_id))], {}

    async def _identity(self, account_id: str, kind: IdentityKind, name: str) -> Identity | None:
        if len(name) > _NAME_CHARACTERS:
            return None
        return await self._resources.get(IDENTITIES, identity_place(account_id, kind, name))

    async def _source(self, account_id: str, arn: str) -> str:
        """The ARN of whom a simulation is about: its path is the one that is stored, whatever the request says."""
        path = arn.removeprefix(f"arn:aws:iam::{account_id}:")
        kind, name = path.partition("/")[0], path.rpartition("/")[2]
        known = [one for one in IdentityKind if one == kind]
        found = await self._identity(account_id, known[0], name) if known else None
        return arn if found is None else found.arn

    async def _policy(self, account_id: str, arn: str) -> ManagedPolicy | None:
        name = arn.rpartition("/")[2]
        if len(name) > _NAME_CHARACTERS:
            return None
        found = await self._resources.get(MANAGED_POLICIES, policy_place(account_id, name))
        return found if found is not None and found.arn == arn else None


def _wanted(
    operation: str, members: Mapping[str, Any], account_id: str, named: tuple[IdentityKind, str], found: Identity | None
) -> Sequence[Wanted]:
    kind, name = named
    action, is_new = f"iam:{operation}", operation.startswith(f"Create{kind.capitalize()}")
    path = members.get("Path", "/") if found is None else found.path
    arn = f"arn:aws:iam::{account_id}:{kind}{path}{name}" if found is None else found.arn
    if is_new:
        return [Wanted(action, arn), *_tagging(members, arn)]
    wanted = Wanted(action, arn, f"{kind} {name}")
    if operation not in _NEW_NAMES:
        return [wanted]
    new_name = members.get(_NEW_NAMES[operation], name if found is None else found.name)
    return [wanted, Wanted(action, f"arn:aws:iam::{account_id}:{kind}{members.get('NewPath', path)}{new_name}")]


def _service_role(
    operation: str, members: Mapping[str, Any], account_id: str
) -> tuple[Sequence[Wanted], Mapping[str, Sequence[str]]]:
    """An unknown service has no role to name, and is refused later."""
    service = str(members["AWSServiceName"])
    arn = f"arn:aws:iam::{account_id}:role{service_role_path(service)}*"
    with suppress(InvalidInputException):
        arn = arn[:-1] + service_role_name(service, members.get("CustomSuffix"))
    return [Wanted(f"iam:{operation}", arn)], {"iam:awsservicename": (service,)}


def _tagging(members: Mapping[str, Any], arn: str) -> Sequence[Wanted]:
    """Who makes something with tags must be allowed to tag it, too."""
    kind = arn.split(":")[5].partition("/")[0].capitalize()
    return [Wanted(f"iam:Tag{kind}", arn)] if members.get("Tags") else []


def _list_of(operation: str, members: Mapping[str, Any], account_id: str) -> str:
    """What refusals call that of which a list is wanted."""
    path = members.get("PathPrefix", "/")
    if operation == "ListPolicies":
        return f"policy path {path}"
    kind = _LISTS.get(operation)
    return "" if kind is None else f"arn:aws:iam::{account_id}:{kind}{path}"


def _facts(members: Mapping[str, Any], about: _About) -> Mapping[str, Sequence[str]]:
    """A boundary is the one that is to be set, or else the one that there is."""
    facts: dict[str, Sequence[str]] = {}
    if "PolicyArn" in members:
        facts["iam:policyarn"] = (str(members["PolicyArn"]),)
    boundary = members.get("PermissionsBoundary") or (about.boundary if isinstance(about, Identity) else None)
    if boundary is not None:
        facts["iam:permissionsboundary"] = (str(boundary),)
    for key, value in () if about is None else about.tags.items():
        for service in ("aws", "iam"):
            facts[f"{service}:resourcetag/{key.lower()}"] = (value,)
    return facts
