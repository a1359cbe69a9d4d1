"""PublishVersion, ListVersionsByFunction."""

from collections.abc import Mapping
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.api.function_shape import listed_members
from lampion.aws.operation import RequestContext, operation
from lampion.aws.pagination import Markers
from lampion.domain.function_rules import check_revision
from lampion.domain.version import check_publish_to, check_publishable, number_of
from lampion.invoke.qualifier import check_unqualified, resolve

Members = dict[str, Any]


class VersionsApi:
    """A function's published versions."""

    def __init__(self, rooms: FunctionRooms, *, markers: Markers) -> None:
        self._rooms = rooms
        self._markers = markers

    @operation("PublishVersion")
    async def publish_version(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        target = resolve(members["FunctionName"], None, context, "PublishVersion")
        check_unqualified(target)
        latest = await rooms.lookup.find_unqualified(target)
        check_publish_to(latest.configuration, members.get("PublishTo"))
        check_revision(latest, members.get("RevisionId"))
        check_publishable(latest, members.get("CodeSha256"))
        publication = await rooms.publication(latest, members.get("Description"), publish_to=members.get("PublishTo"))
        if publication.is_new:
            await rooms.commit_update(latest, publication.latest, published=publication.version)
        return await rooms.shape(publication.version, context, qualifier=publication.version.version)

    @operation("ListVersionsByFunction")
    async def list_versions_by_function(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        target = resolve(members["FunctionName"], None, context, "ListVersionsByFunction")
        await rooms.lookup.find_unqualified(target)
        asked = self._markers.asked("ListVersionsByFunction", members)
        after = None if asked.after is None else int(asked.after)
        found = await rooms.functions.versions(target.key, after=after, limit=asked.wanted)
        page = asked.page(found, lambda version: str(number_of(version)))
        return {
            "Versions": [
                listed_members(await rooms.shape(version, context, qualifier=version.version)) for version in page.shown
            ],
            "NextMarker": page.next_marker,
        }
