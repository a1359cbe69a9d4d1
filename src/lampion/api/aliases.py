"""CreateAlias, GetAlias, ListAliases, UpdateAlias, DeleteAlias."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.operation import RequestContext, operation
from lampion.aws.pagination import Markers
from lampion.domain.alias import Alias, check_alias, check_alias_revision
from lampion.domain.errors import ResourceConflictException, ResourceNotFoundException
from lampion.domain.provisioned_concurrency import check_only_one
from lampion.invoke.qualifier import Target, alias_not_found, check_unqualified, function_not_found, resolve
from lampion.store.aliases import ALIASES, alias_place, aliases_of
from lampion.store.concurrency import provisioned_of
from lampion.store.function_urls import FUNCTION_URLS, function_url_place
from lampion.store.resources import Stored

Members = dict[str, Any]


class AliasesApi:
    """A function's aliases."""

    def __init__(self, rooms: FunctionRooms, *, markers: Markers) -> None:
        self._rooms = rooms
        self._markers = markers

    @operation("CreateAlias")
    async def create_alias(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "CreateAlias")
        alias = Alias(
            key=target.key,
            name=members["Name"],
            function_version=members["FunctionVersion"],
            description=members.get("Description", ""),
            additional_version_weights=_weights(members) or {},
            revision_id=self._rooms.rng.uuid4(),
        )

        def create(stored: Stored) -> None:
            check_alias(alias)
            _check_versions(stored, alias)
            if stored.get(ALIASES, alias_place(alias.key, alias.name)) is not None:
                raise ResourceConflictException(f"Alias already exists: {alias.arn}")
            stored.put(ALIASES, alias)

        await self._rooms.resources.change(create)
        return alias_members(alias)

    @operation("GetAlias")
    async def get_alias(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "GetAlias")
        alias = await self._rooms.resources.get(ALIASES, alias_place(target.key, members["Name"]))
        if alias is None:
            raise alias_not_found(target.key.qualified_arn(members["Name"]))
        return alias_members(alias)

    @operation("ListAliases")
    async def list_aliases(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "ListAliases")
        await self._rooms.lookup.find_unqualified(target)
        asked, version = self._markers.asked("ListAliases", members), members.get("FunctionVersion")
        after = asked.after or ""
        found = await self._rooms.resources.read(lambda stored: aliases_of(stored, target.key))
        rest = [one for one in found if one.name > after and (version is None or version in one.versions)]
        page = asked.page(rest, lambda alias: alias.name)
        return {"Aliases": [alias_members(alias) for alias in page.shown], "NextMarker": page.next_marker}

    @operation("UpdateAlias")
    async def update_alias(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "UpdateAlias")
        revision_id, weights = self._rooms.rng.uuid4(), _weights(members)

        def update(stored: Stored) -> Alias:
            before = stored.get(ALIASES, alias_place(target.key, members["Name"]))
            if before is None:
                raise ResourceNotFoundException(f"Alias not found: {target.key.qualified_arn(members['Name'])}")
            check_alias_revision(before, members.get("RevisionId"))
            changed = replace(
                before,
                function_version=members.get("FunctionVersion", before.function_version),
                description=members.get("Description", before.description),
                additional_version_weights=before.additional_version_weights if weights is None else weights,
                revision_id=revision_id,
            )
            check_alias(changed)
            _check_versions(stored, changed)
            _check_provisioned(stored, changed)
            stored.put(ALIASES, changed)
            return changed

        return alias_members(await self._rooms.resources.change(update))

    @operation("DeleteAlias")
    async def delete_alias(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """AWS answers as well when there is no such alias. What is configured on it goes with it."""
        target = _target(context, members, "DeleteAlias")
        await self._rooms.lookup.find_unqualified(target)

        def delete(stored: Stored) -> None:
            if stored.get(ALIASES, alias_place(target.key, members["Name"])) is None:
                return
            url = stored.get(FUNCTION_URLS, function_url_place(target.key, members["Name"]))
            stored.delete_owned(target.key, members["Name"])
            if url is not None:
                stored.put(FUNCTION_URLS, url)  # AWS keeps it, and answers it with 403: the alias's policy is gone

        await self._rooms.resources.change(delete)
        return {}


def alias_members(alias: Alias) -> Mapping[str, Any]:
    """The shape AliasConfiguration; AWS doesn't show an empty RoutingConfig."""
    weights = alias.additional_version_weights
    return {
        "AliasArn": alias.arn,
        "Name": alias.name,
        "FunctionVersion": alias.function_version,
        "Description": alias.description,
        "RoutingConfig": {"AdditionalVersionWeights": weights} if weights else None,
        "RevisionId": alias.revision_id,
    }


def _target(context: RequestContext, members: Members, action: str) -> Target:
    target = resolve(members["FunctionName"], None, context, action)
    check_unqualified(target)
    return target


def _weights(members: Members) -> dict[str, float] | None:
    """None when the request doesn't speak of them."""
    routing = members.get("RoutingConfig")
    return None if routing is None else routing.get("AdditionalVersionWeights") or {}


def _check_versions(stored: Stored, alias: Alias) -> None:
    """Raises ResourceNotFoundException for a version that doesn't exist, or whose function doesn't."""
    for version in alias.versions:
        if stored.function(alias.key, version) is None:
            raise function_not_found(alias.key.qualified_arn(version))


def _check_provisioned(stored: Stored, changed: Alias) -> None:
    """Raises ResourceConflictException when an alias would take what it provisions to a version that has its own."""
    provisioned = [one.qualifier for one in provisioned_of(stored, changed.key)]
    if changed.name in provisioned:
        aliases = {alias.name: alias for alias in aliases_of(stored, changed.key)}
        check_only_one(changed.name, provisioned, {**aliases, changed.name: changed})
