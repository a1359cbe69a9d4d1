"""Tags of users, roles and managed policies: Tag, Untag and List...Tags of each."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.iam.identity import IdentityKind
from lampion.domain.iam.tags import with_tags, without_tags
from lampion.services.iam.managed import own_policy_of, policy_of
from lampion.services.iam.rooms import NAMES, IamRooms, Members, identity_of
from lampion.store.iam import IDENTITIES, MANAGED_POLICIES
from lampion.store.resources import Stored

_Change = Callable[[Mapping[str, str]], dict[str, str]]


class IamTagsApi:
    """Each operation three times, as IAM has them."""

    def __init__(self, rooms: IamRooms) -> None:
        self._rooms = rooms

    @operation("TagUser")
    async def tag_user(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._change(IdentityKind.USER, context, members, _adding(members))

    @operation("UntagUser")
    async def untag_user(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._change(IdentityKind.USER, context, members, _removing(members))

    @operation("ListUserTags")
    async def list_user_tags(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._page("ListUserTags", IdentityKind.USER, context, members)

    @operation("TagRole")
    async def tag_role(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._change(IdentityKind.ROLE, context, members, _adding(members))

    @operation("UntagRole")
    async def untag_role(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._change(IdentityKind.ROLE, context, members, _removing(members))

    @operation("ListRoleTags")
    async def list_role_tags(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._page("ListRoleTags", IdentityKind.ROLE, context, members)

    @operation("TagPolicy")
    async def tag_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._change_policy(context, members, _adding(members))

    @operation("UntagPolicy")
    async def untag_policy(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return await self._change_policy(context, members, _removing(members))

    @operation("ListPolicyTags")
    async def list_policy_tags(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def get(stored: Stored) -> Mapping[str, str]:
            return policy_of(stored, context.account_id, members["PolicyArn"]).tags

        return self._shown("ListPolicyTags", members, await self._rooms.resources.read(get))

    async def _page(
        self, name: str, kind: IdentityKind, context: RequestContext, members: Members
    ) -> Mapping[str, Any]:
        def get(stored: Stored) -> Mapping[str, str]:
            return identity_of(stored, context.account_id, kind, members[NAMES[kind]]).tags

        return self._shown(name, members, await self._rooms.resources.read(get))

    async def _change(
        self, kind: IdentityKind, context: RequestContext, members: Members, changed: _Change
    ) -> Mapping[str, Any]:
        def change(stored: Stored) -> None:
            identity = identity_of(stored, context.account_id, kind, members[NAMES[kind]])
            stored.put(IDENTITIES, replace(identity, tags=changed(identity.tags)))

        await self._rooms.resources.change(change)
        return {}

    async def _change_policy(self, context: RequestContext, members: Members, changed: _Change) -> Mapping[str, Any]:
        def change(stored: Stored) -> None:
            policy = own_policy_of(stored, context.account_id, members["PolicyArn"])
            stored.put(MANAGED_POLICIES, replace(policy, tags=changed(policy.tags)))

        await self._rooms.resources.change(change)
        return {}

    def _shown(self, name: str, members: Members, tags: Mapping[str, str]) -> Mapping[str, Any]:
        """By number: a marker has no room for every key."""
        numbered = list(enumerate(sorted(tags.items())))
        shown, more = self._rooms.page(name, members, numbered, lambda one: f"{one[0]:03}")
        return {"Tags": [{"Key": key, "Value": value} for _, (key, value) in shown], **more}


def _adding(members: Members) -> _Change:
    return lambda present: with_tags(present, tags_in(members))


def _removing(members: Members) -> _Change:
    return lambda present: without_tags(present, members["TagKeys"])


def tags_in(members: Members) -> list[tuple[str, str]]:
    """As the request lists them."""
    return [(tag["Key"], tag["Value"]) for tag in members.get("Tags", ())]
