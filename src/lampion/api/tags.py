"""TagResource, UntagResource, ListTags."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.errors import not_built
from lampion.aws.operation import RequestContext, operation
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.tags import tags_with, tags_without
from lampion.invoke.qualifier import check_account, check_region, function_not_found, resolve
from lampion.store.resources import Place, Stored
from lampion.store.tagged import TAGGED, TaggedKind

Members = dict[str, Any]
Tags = dict[str, str]


class TagsApi:
    """Tags of functions, and of the resources in `tagged`."""

    def __init__(self, rooms: FunctionRooms, *, tagged: Iterable[TaggedKind] = TAGGED) -> None:
        self._rooms = rooms
        self._tagged = {row.arn_kind: row for row in tagged}

    @operation("TagResource")
    async def tag_resource(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        added = members["Tags"]
        await self._change(context, members, "TagResource", lambda present: tags_with(present, added))
        return {}

    @operation("UntagResource")
    async def untag_resource(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        keys = members["TagKeys"]
        await self._change(context, members, "UntagResource", lambda present: tags_without(present, keys))
        return {}

    @operation("ListTags")
    async def list_tags(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        return {"Tags": await self._rooms.resources.read(self._holder(context, members, "ListTags").tags)}

    async def _change(
        self, context: RequestContext, members: Members, action: str, changed: Callable[[Tags], Tags]
    ) -> None:
        holder = self._holder(context, members, action)

        def change(stored: Stored) -> None:
            present = holder.tags(stored)
            tags = changed(present)
            if tags != present:
                holder.keep(stored, tags)

        await self._rooms.resources.change(change)

    def _holder(self, context: RequestContext, members: Members, action: str) -> "_Holder":
        """What an ARN names, whether it exists or not; the model has checked the ARN's form."""
        arn = members["Resource"]
        region, account_id, kind, own_id = arn.split(":", 6)[3:]
        if kind == "function":
            return self._function(context, arn, action)
        check_region(region, context)
        check_account(account_id, arn, context, action)
        row = self._tagged.get(kind)
        if row is None:
            raise not_built(f"tags of what an ARN with {kind} names")
        return _Resource(arn, row, Place.of_account(account_id, region, own_id))

    def _function(self, context: RequestContext, arn: str, action: str) -> "_Holder":
        target = resolve(arn, None, context, action)
        if target.qualifier is not None:
            raise InvalidParameterValueException(
                "Tags on function aliases and versions are not supported. Please specify a function ARN."
            )
        return _Function(target.key, self._rooms.rng.uuid4())


class _Holder(Protocol):
    """What has tags."""

    def tags(self, stored: Stored) -> Tags:
        """Raises ResourceNotFoundException."""

    def keep(self, stored: Stored, tags: Tags) -> None:
        """Instead of those it has."""


@dataclass(frozen=True, slots=True)
class _Function:
    """Other tags are another revision of the function, as on AWS."""

    key: FunctionKey
    next_revision_id: str

    def tags(self, stored: Stored) -> Tags:
        function = stored.function(self.key)
        if function is None:
            raise function_not_found(self.key.arn)
        return function.tags

    def keep(self, stored: Stored, tags: Tags) -> None:
        function = stored.function(self.key)
        assert function is not None
        changed = replace(function, tags=tags, revision_id=self.next_revision_id)
        stored.replace_function(changed, expected_revision_id=function.revision_id)


@dataclass(frozen=True, slots=True)
class _Resource:
    arn: str
    row: TaggedKind
    place: Place

    def tags(self, stored: Stored) -> Tags:
        found = stored.get(self.row.kind, self.place)
        if found is None:
            raise self.row.missing(self.arn)
        tags: Tags = found.tags
        return tags

    def keep(self, stored: Stored, tags: Tags) -> None:
        found: Any = stored.get(self.row.kind, self.place)
        stored.put(self.row.kind, replace(found, tags=tags))
