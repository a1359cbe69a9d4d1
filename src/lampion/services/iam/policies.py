"""Managed policies: CreatePolicy, GetPolicy, ListPolicies, DeletePolicy, their versions, and who has them."""

from collections.abc import Callable, Mapping
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.documents import check_managed_size, permissions_of
from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.domain.iam.managed_policy import (
    ManagedPolicy,
    PolicyVersion,
    check_policy_deletable,
    policy_taken,
    with_default,
    with_version,
    without_version,
)
from lampion.domain.iam.tags import with_tags
from lampion.identity.aws_managed_policies import aws_managed_policies
from lampion.services.iam.managed import having, identities_of, own_policy_of, policy_of
from lampion.services.iam.rooms import IamRooms, Members
from lampion.services.iam.shapes import policy_position, policy_shape, tags_member, version_shape
from lampion.services.iam.tags import tags_in
from lampion.store.iam import GLOBAL, MANAGED_POLICIES, POLICY_OWNER, policy_place
from lampion.store.resources import Stored, every

_KINDS = {
    "PolicyUsers": (IdentityKind.USER, "UserName", "UserId"),
    "PolicyGroups": (IdentityKind.GROUP, "GroupName", "GroupId"),
    "PolicyRoles": (IdentityKind.ROLE, "RoleName", "RoleId"),
}
_FILTERS = {"PolicyUsers": "User", "PolicyGroups": "Group", "PolicyRoles": "Role"}
_USAGES = {None: (False, True), "PermissionsPolicy": (False,), "PermissionsBoundary": (True,)}
"""Whether a boundary is meant, by PolicyUsageFilter."""


class PoliciesApi:
    """The account's own can be changed, AWS's be read."""

    def __init__(self, rooms: IamRooms) -> None:
        self._rooms = rooms

    @operation("CreatePolicy")
    async def create_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        document = _checked(members["PolicyDocument"])
        now = self._rooms.now_epoch_seconds
        policy = ManagedPolicy(
            account_id=context.account_id,
            path=members.get("Path", "/"),
            name=members["PolicyName"],
            unique_id=self._rooms.new_id("ANPA"),
            created_epoch_seconds=now,
            updated_epoch_seconds=now,
            versions=(PolicyVersion(version_id="v1", document=document, created_epoch_seconds=now),),
            default_version_id="v1",
            description=members.get("Description", ""),
            tags=with_tags({}, tags_in(members)),
        )

        def create(stored: Stored) -> None:
            if stored.get(MANAGED_POLICIES, policy_place(context.account_id, policy.name)) is not None:
                raise policy_taken(policy.name)
            stored.put(MANAGED_POLICIES, policy)

        await self._rooms.resources.change(create)
        return {"Policy": {**policy_shape(policy, 0), **tags_member(policy.tags)}}

    @operation("GetPolicy")
    async def get_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def get(stored: Stored) -> Mapping[str, Any]:
            policy = policy_of(stored, context.account_id, members["PolicyArn"])
            shown = _shown(policy, identities_of(stored, context.account_id))
            return {**shown, "Description": policy.description or None, **tags_member(policy.tags)}

        return {"Policy": await self._rooms.resources.read(get)}

    @operation("ListPolicies")
    async def list_policies(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        scope, prefix = members.get("Scope", "All"), members.get("PathPrefix", "/")

        def find(stored: Stored) -> list[Mapping[str, Any]]:
            own = every(stored, MANAGED_POLICIES, context.account_id, GLOBAL, owner=POLICY_OWNER)
            found = [*(own if scope != "AWS" else ()), *(aws_managed_policies().values() if scope != "Local" else ())]
            everybody = identities_of(stored, context.account_id)
            those = [_shown(one, everybody) for one in found if one.path.startswith(prefix)]
            usage = {"PermissionsPolicy": "AttachmentCount", "PermissionsBoundary": "PermissionsBoundaryUsageCount"}
            if "PolicyUsageFilter" in members:
                those = [one for one in those if one[usage[members["PolicyUsageFilter"]]]]
            return [one for one in those if one["AttachmentCount"] or not members.get("OnlyAttached")]

        found = sorted(await self._rooms.resources.read(find), key=policy_position)
        shown, more = self._rooms.page("ListPolicies", members, found, policy_position)
        return {"Policies": list(shown), **more}

    @operation("DeletePolicy")
    async def delete_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def delete(stored: Stored) -> None:
            policy = own_policy_of(stored, context.account_id, members["PolicyArn"])
            everybody = identities_of(stored, context.account_id)
            users = [*having(everybody, policy.arn), *having(everybody, policy.arn, as_boundary=True)]
            check_policy_deletable(policy, len(users))
            stored.delete(MANAGED_POLICIES, policy_place(context.account_id, policy.name))

        await self._rooms.resources.change(delete)
        return {}

    @operation("CreatePolicyVersion")
    async def create_policy_version(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        document, now = _checked(members["PolicyDocument"]), self._rooms.now_epoch_seconds
        is_default = members.get("SetAsDefault", False)
        changed = await self._change(
            context, members, lambda policy: with_version(policy, document, now, is_default=is_default)
        )
        return {"PolicyVersion": version_shape(changed, changed.versions[-1])}

    @operation("GetPolicyVersion")
    async def get_policy_version(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        policy = await self._policy(context, members)
        return {"PolicyVersion": version_shape(policy, policy.version(members["VersionId"]), with_document=True)}

    @operation("ListPolicyVersions")
    async def list_policy_versions(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        policy = await self._policy(context, members)
        newest_first = list(reversed(policy.versions))
        shown, more = self._rooms.page(
            "ListPolicyVersions", members, newest_first, lambda one: f"{10**6 - int(one.version_id[1:]):07}"
        )
        return {"Versions": [version_shape(policy, one) for one in shown], **more}

    @operation("SetDefaultPolicyVersion")
    async def set_default_policy_version(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        now = self._rooms.now_epoch_seconds
        await self._change(context, members, lambda policy: with_default(policy, members["VersionId"], now))
        return {}

    @operation("DeletePolicyVersion")
    async def delete_policy_version(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        await self._change(context, members, lambda policy: without_version(policy, members["VersionId"]))
        return {}

    @operation("ListEntitiesForPolicy")
    async def list_entities_for_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        prefix, wanted = members.get("PathPrefix", "/"), members.get("EntityFilter")
        kinds = [kind for member, (kind, _, _) in _KINDS.items() if wanted in (None, _FILTERS[member])]
        usages = _USAGES[members.get("PolicyUsageFilter")]

        def find(stored: Stored) -> list[Identity]:
            policy = policy_of(stored, context.account_id, members["PolicyArn"])
            those = [one for one in identities_of(stored, context.account_id) if one.kind in kinds]
            users = {one.unique_id: one for usage in usages for one in having(those, policy.arn, as_boundary=usage)}
            return [one for one in users.values() if one.path.startswith(prefix)]

        found = sorted(await self._rooms.resources.read(find), key=_entity_position)
        shown, more = self._rooms.page("ListEntitiesForPolicy", members, found, _entity_position)
        return {
            **{
                member: [{name: one.name, unique_id: one.unique_id} for one in shown if one.kind is kind]
                for member, (kind, name, unique_id) in _KINDS.items()
            },
            **more,
        }

    async def _policy(self, context: RequestContext, members: Members) -> ManagedPolicy:
        account_id, arn = context.account_id, members["PolicyArn"]
        return await self._rooms.resources.read(lambda stored: policy_of(stored, account_id, arn))

    async def _change(
        self, context: RequestContext, members: Members, changed: Callable[[ManagedPolicy], ManagedPolicy]
    ) -> ManagedPolicy:
        def change(stored: Stored) -> ManagedPolicy:
            after = changed(own_policy_of(stored, context.account_id, members["PolicyArn"]))
            stored.put(MANAGED_POLICIES, after)
            return after

        return await self._rooms.resources.change(change)


def _shown(policy: ManagedPolicy, everybody: list[Identity]) -> Mapping[str, Any]:
    attachments = sum(1 for _ in having(everybody, policy.arn))
    return policy_shape(policy, attachments, sum(1 for _ in having(everybody, policy.arn, as_boundary=True)))


def _entity_position(identity: Identity) -> str:
    return f"{identity.kind}:{identity.name.lower()}"


def _checked(document: str) -> str:
    permissions_of(document)
    check_managed_size(document)
    return document
