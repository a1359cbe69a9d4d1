"""CreateEventSourceMapping, GetEventSourceMapping, ListEventSourceMappings, UpdateEventSourceMapping,
DeleteEventSourceMapping."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.operation import RequestContext, operation
from lampion.aws.pagination import Markers
from lampion.domain import limits
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import InvalidParameterValueException, resource_missing
from lampion.domain.event_source import SourceSpec, spec_of_arn
from lampion.domain.event_source_mapping import (
    EventSourceMapping,
    Transition,
    Update,
    check_single,
    deleted,
    updated,
)
from lampion.domain.event_source_settings import created_settings, updated_settings
from lampion.domain.role_needs import needs_of_failures, needs_of_source
from lampion.domain.tags import check_tags
from lampion.event_sources import SELF_MANAGED, SPECS
from lampion.invoke.qualifier import resolve
from lampion.store.aliases import qualified
from lampion.store.event_source_mappings import (
    EVENT_SOURCE_MAPPINGS,
    mappings_after,
    mappings_of_source,
    remove_gone,
    stored_mapping,
)
from lampion.store.resources import Place, Stored

Members = dict[str, Any]


class EventSourceMappingsApi:
    """What functions read from: configuration and desired state. The API never touches a poller."""

    def __init__(self, rooms: FunctionRooms, *, markers: Markers) -> None:
        self._rooms = rooms
        self._markers = markers

    @operation("CreateEventSourceMapping")
    async def create_event_source_mapping(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = resolve(members["FunctionName"], None, context, "CreateEventSourceMapping")
        spec, source = _source(members)
        check_tags(members.get("Tags") or {})
        now_ms, uuid = self._rooms.now_epoch_ms(), self._rooms.rng.uuid4()
        mapping = EventSourceMapping(
            account_id=context.account_id,
            region=context.region,
            uuid=uuid,
            spec_name=spec.name,
            source=source,
            function=target.key,
            qualifier=target.qualifier,
            settings=created_settings(spec, members, uuid=uuid, now_seconds=now_ms / 1000),
            is_enabled=members.get("Enabled", True),
            transition=Transition.CREATING,
            changed_at_ms=now_ms,
            tags=members.get("Tags") or {},
        )
        await self._check_role(mapping, is_read_anew=True, fails_anew=True)

        def create(stored: Stored) -> None:
            _check_function(stored, mapping.function, mapping.qualifier)
            check_single(mapping, _of_source(stored, mapping, now_ms), spec)
            stored.put(EVENT_SOURCE_MAPPINGS, mapping)

        await self._rooms.resources.change(create)
        return mapping_members(mapping, now_ms)

    @operation("GetEventSourceMapping")
    async def get_event_source_mapping(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        now_ms = self._rooms.now_epoch_ms()
        mapping = await self._rooms.resources.get(EVENT_SOURCE_MAPPINGS, _place(context, members))
        if mapping is None or mapping.is_gone(now_ms):
            raise resource_missing()
        return mapping_members(mapping, now_ms)

    @operation("ListEventSourceMappings")
    async def list_event_source_mappings(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Those of a function are listed by the function's name alone only if they name no version or alias."""
        most, source = limits.EVENT_SOURCE_MAPPING_ITEMS_MAX, members.get("EventSourceArn")
        asked = self._markers.asked("ListEventSourceMappings", members, most=most)
        now_ms, function_arn = self._rooms.now_epoch_ms(), None
        if "FunctionName" in members:
            function_arn = resolve(members["FunctionName"], None, context, "ListEventSourceMappings").arn

        def read(stored: Stored) -> tuple[list[EventSourceMapping], list[EventSourceMapping]]:
            gone: list[EventSourceMapping] = []
            found = mappings_after(stored, context.account_id, context.region, asked.after or "", source=source)
            wanted = (one for one in found if function_arn in (None, one.function_arn))
            return list(islice(_without_gone(wanted, now_ms, gone), asked.wanted)), gone

        some, gone = await self._rooms.resources.read(read)
        if gone:
            await self._rooms.resources.change(lambda stored: remove_gone(stored, gone, now_ms))
        page = asked.page(some, lambda mapping: mapping.uuid)
        return {
            "EventSourceMappings": [listed_members(mapping, now_ms) for mapping in page.shown],
            "NextMarker": page.next_marker,
        }

    @operation("UpdateEventSourceMapping")
    async def update_event_source_mapping(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        now_ms, place = self._rooms.now_epoch_ms(), _place(context, members)
        function = None
        if "FunctionName" in members:
            target = resolve(members["FunctionName"], None, context, "UpdateEventSourceMapping")
            function = (target.key, target.qualifier)

        def changed(stored: Stored) -> EventSourceMapping:
            before = _stored(stored, place, now_ms)
            settings = updated_settings(SPECS[before.spec_name], before.settings, members)
            return updated(before, Update(settings, function, members.get("Enabled")), now_ms)

        def update(stored: Stored) -> EventSourceMapping:
            mapping = changed(stored)
            if function is not None:
                _check_function(stored, *function)
                check_single(mapping, _of_source(stored, mapping, now_ms), SPECS[mapping.spec_name])
            stored.put(EVENT_SOURCE_MAPPINGS, mapping)
            return mapping

        has_new_access, has_new_destination = "SourceAccessConfigurations" in members, "DestinationConfig" in members
        await self._check_role(
            await self._rooms.resources.read(changed),
            is_read_anew=function is not None or has_new_access,
            fails_anew=function is not None or has_new_destination,
        )
        return mapping_members(await self._rooms.resources.change(update), now_ms)

    @operation("DeleteEventSourceMapping")
    async def delete_event_source_mapping(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """It is there, Deleting, for a while; then it is gone."""
        now_ms, place = self._rooms.now_epoch_ms(), _place(context, members)

        def delete(stored: Stored) -> EventSourceMapping:
            changed = deleted(_stored(stored, place, now_ms), now_ms)
            stored.put(EVENT_SOURCE_MAPPINGS, changed)
            return changed

        return mapping_members(await self._rooms.resources.change(delete), now_ms)

    async def _check_role(self, mapping: EventSourceMapping, *, is_read_anew: bool, fails_anew: bool) -> None:
        """Raises InvalidParameterValueException for what the function's role can't of what a request makes new."""
        key, qualifier = mapping.function, mapping.qualifier
        function = await self._rooms.resources.read(lambda stored: qualified(stored, key, qualifier))
        if function is None:
            return  # which is said when it is stored
        needs = [*needs_of_source(mapping.source, mapping.settings)] if is_read_anew else []
        needs += needs_of_failures(mapping.settings) if fails_anew else []
        await self._rooms.check_role(key.account_id, function.configuration.role, needs)


def mapping_members(mapping: EventSourceMapping, now_ms: int) -> Mapping[str, Any]:
    """The shape EventSourceMappingConfiguration."""
    spec = SPECS[mapping.spec_name]
    is_self_managed = spec.arn is None
    endpoints = {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": mapping.source.split(",")}}
    return {
        **mapping.settings,
        "UUID": mapping.uuid,
        "EventSourceMappingArn": mapping.arn,
        "EventSourceArn": None if is_self_managed else mapping.source,
        "SelfManagedEventSource": endpoints if is_self_managed else None,
        "FunctionArn": mapping.function_arn,
        "LastModified": mapping.last_modified_ms(now_ms) / 1000,
        "LastProcessingResult": spec.first_processing_result,
        "State": mapping.state(now_ms),
        "StateTransitionReason": spec.state_transition_reason,
    }


def listed_members(mapping: EventSourceMapping, now_ms: int) -> Mapping[str, Any]:
    """As `mapping_members`; filter criteria that a key encrypts aren't in a list."""
    shown = mapping_members(mapping, now_ms)
    return {**shown, "FilterCriteria": None} if "KMSKeyArn" in mapping.settings else shown


def _source(members: Members) -> tuple[SourceSpec, str]:
    """What is to be read, and the text by which it is found. Raises InvalidParameterValueException."""
    arn = members.get("EventSourceArn")
    if arn is not None:
        spec = spec_of_arn(SPECS.values(), arn)
        if spec is not None:
            return spec, arn
    elif "SelfManagedEventSource" in members:
        endpoints = members["SelfManagedEventSource"].get("Endpoints", {})
        if endpoints.get("KAFKA_BOOTSTRAP_SERVERS"):
            return SELF_MANAGED, ",".join(endpoints["KAFKA_BOOTSTRAP_SERVERS"])
    raise InvalidParameterValueException("Unrecognized event source.")


def _without_gone(
    mappings: Iterable[EventSourceMapping], now_ms: int, gone: list[EventSourceMapping]
) -> Iterator[EventSourceMapping]:
    """Those that are there; the others are noted in `gone`."""
    for mapping in mappings:
        if mapping.is_gone(now_ms):
            gone.append(mapping)
        else:
            yield mapping


def _place(context: RequestContext, members: Members) -> Place:
    return Place.of_account(context.account_id, context.region, members["UUID"])


def _stored(stored: Stored, place: Place, now_ms: int) -> EventSourceMapping:
    mapping = stored_mapping(stored, place, now_ms)
    if mapping is None:
        raise resource_missing()
    return mapping


def _of_source(stored: Stored, mapping: EventSourceMapping, now_ms: int) -> list[EventSourceMapping]:
    return list(mappings_of_source(stored, mapping.account_id, mapping.region, mapping.source, now_ms))


def _check_function(stored: Stored, key: FunctionKey, qualifier: str | None) -> None:
    if qualified(stored, key, qualifier) is None:
        raise InvalidParameterValueException("Function does not exist")
