"""Tags of keys: TagResource, UntagResource, ListResourceTags."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lampion.aws.operation import RequestContext, operation
from lampion.domain.kms.key import Key, check_not_pending
from lampion.domain.kms.tags import with_tags, without_tags
from lampion.identity.key_access import Asked
from lampion.identity.tag_facts import facts_of_request_tags
from lampion.services.kms.rooms import KmsRooms, Members


class KmsTagsApi:
    """Of keys of the caller's account."""

    def __init__(self, rooms: KmsRooms) -> None:
        self._rooms = rooms

    @operation("TagResource")
    async def tag_resource(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        asked = Asked(facts=facts_of_tags(members))
        key = await self._rooms.find_own(context, "TagResource", members["KeyId"], asked)

        def tag(key: Key) -> Key:
            check_not_pending(key)
            return replace(key, tags=with_tags(key.tags, tags_in(members)))

        await self._rooms.change(key, tag)
        return {}

    @operation("UntagResource")
    async def untag_resource(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        asked = Asked(facts={"aws:tagkeys": members["TagKeys"]})
        key = await self._rooms.find_own(context, "UntagResource", members["KeyId"], asked)

        def untag(key: Key) -> Key:
            check_not_pending(key)
            return replace(key, tags=without_tags(key.tags, members["TagKeys"]))

        await self._rooms.change(key, untag)
        return {}

    @operation("ListResourceTags")
    async def list_resource_tags(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key = await self._rooms.find_own(context, "ListResourceTags", members["KeyId"])
        shown, more = self._rooms.page("ListResourceTags", members, sorted(key.tags.items()), lambda tag: tag[0])
        return {"Tags": [{"TagKey": name, "TagValue": value} for name, value in shown], **more}


def tags_in(members: Members) -> list[tuple[str, str]]:
    """As the request lists them."""
    return [(tag["TagKey"], tag["TagValue"]) for tag in members.get("Tags", ())]


def facts_of_tags(members: Members) -> dict[str, Sequence[str]]:
    """The condition keys aws:RequestTag/... and aws:TagKeys."""
    return facts_of_request_tags(tags_in(members))
