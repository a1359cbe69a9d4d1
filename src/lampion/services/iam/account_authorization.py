"""GetAccountAuthorizationDetails: all identities and policies of an account, whole, as auditors read them."""

from collections.abc import Mapping
from typing import Any, Final

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.domain.iam.managed_policy import ManagedPolicy
from lampion.identity.aws_managed_policies import aws_managed_policies
from lampion.services.iam.managed import find_policy, having, identities_of
from lampion.services.iam.rooms import IamRooms, Members
from lampion.services.iam.shapes import encoded, identity_shape, policy_shape, version_shape
from lampion.store.iam import GLOBAL, MANAGED_POLICIES, POLICY_OWNER
from lampion.store.resources import Stored, every

_KINDS: Final = (IdentityKind.USER, IdentityKind.GROUP, IdentityKind.ROLE)
_LISTS: Final = (*(f"{kind.capitalize()}DetailList" for kind in _KINDS), "Policies")

_Detail = tuple[str, str, Mapping[str, Any]]
"""Where it stands among all, the list that it belongs to, and what is shown."""


class AccountAuthorizationApi:
    """Users, groups, roles and policies, in this order."""

    def __init__(self, rooms: IamRooms) -> None:
        self._rooms = rooms

    @operation("GetAccountAuthorizationDetails")
    async def get_account_authorization_details(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        wanted = frozenset(members.get("Filter") or ("User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"))
        found = await self._rooms.resources.read(lambda stored: _details(stored, context.account_id, wanted))
        shown, more = self._rooms.page("GetAccountAuthorizationDetails", members, found, lambda one: one[0])
        return {**{name: [detail for _, of, detail in shown if of == name] for name in _LISTS}, **more}


def _details(stored: Stored, account_id: str, wanted: frozenset[str]) -> list[_Detail]:
    everybody = identities_of(stored, account_id)
    details: list[_Detail] = []
    for number, kind in enumerate(_KINDS):
        those = (one for one in everybody if one.kind is kind and kind.capitalize() in wanted)
        details += (
            (f"{number}:{one.name.lower()}", f"{kind.capitalize()}DetailList", _identity(stored, one)) for one in those
        )
    policies: list[ManagedPolicy] = []
    if "LocalManagedPolicy" in wanted:
        policies += every(stored, MANAGED_POLICIES, account_id, GLOBAL, owner=POLICY_OWNER)
    if "AWSManagedPolicy" in wanted:
        policies += (one for one in aws_managed_policies().values() if _is_used(everybody, one.arn))
    details += ((f"3:{one.name.lower()}:{one.account_id}", "Policies", _policy(one, everybody)) for one in policies)
    return sorted(details, key=lambda one: one[0])


def _is_used(everybody: list[Identity], arn: str) -> bool:
    return any(True for as_boundary in (False, True) for _ in having(everybody, arn, as_boundary=as_boundary))


def _identity(stored: Stored, identity: Identity) -> Mapping[str, Any]:
    shown = {**identity_shape(identity)}
    for unlisted in ("Description", "MaxSessionDuration"):
        shown.pop(unlisted, None)
    inline = [{"PolicyName": name, "PolicyDocument": encoded(text)} for name, text in sorted(identity.inline.items())]
    found = (find_policy(stored, identity.account_id, arn) for arn in identity.attached)
    attached = [{"PolicyName": one.name, "PolicyArn": one.arn} for one in found if one is not None]
    shown |= {f"{identity.kind.capitalize()}PolicyList": inline, "AttachedManagedPolicies": attached}
    if identity.kind is IdentityKind.USER:
        shown["GroupList"] = sorted(identity.groups)
    if identity.kind is IdentityKind.ROLE:
        shown |= {"InstanceProfileList": [], "RoleLastUsed": {}}
    return shown


def _policy(policy: ManagedPolicy, everybody: list[Identity]) -> Mapping[str, Any]:
    attachments = sum(1 for _ in having(everybody, policy.arn))
    boundaries = sum(1 for _ in having(everybody, policy.arn, as_boundary=True))
    versions = [version_shape(policy, one, with_document=True) for one in reversed(policy.versions)]
    return {
        **policy_shape(policy, attachments, boundaries),
        "Description": policy.description or None,
        "PolicyVersionList": versions,
    }
