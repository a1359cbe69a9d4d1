"""PutFunctionEventInvokeConfig, Update..., Get..., ListFunctionEventInvokeConfigs, DeleteFunctionEventInvokeConfig."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.operation import RequestContext, operation
from lampion.aws.pagination import Markers
from lampion.domain.arn import LATEST
from lampion.domain.event_invoke_config import (
    Destinations,
    EventInvokeConfig,
    check_destinations,
    check_says_something,
    destination_invalid,
    no_config,
    no_function,
)
from lampion.domain.function import Function
from lampion.domain.role_needs import needs_of_destinations
from lampion.invoke.qualifier import Target, resolve
from lampion.store.aliases import qualified
from lampion.store.event_invoke_configs import EVENT_INVOKE_CONFIGS, event_invoke_config_place
from lampion.store.resources import Stored, function_owner

Members = dict[str, Any]

_LIST = "ListFunctionEventInvokeConfigs"


class EventInvokeConfigsApi:
    """How event invocations of a function, version or alias are retried, and who hears of their ends."""

    def __init__(self, rooms: FunctionRooms, *, markers: Markers) -> None:
        self._rooms = rooms
        self._markers = markers

    @operation("PutFunctionEventInvokeConfig")
    async def put_function_event_invoke_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        config = self._asked(context, members, "PutFunctionEventInvokeConfig")
        await self._check_role(config)

        def put(stored: Stored) -> None:
            _check(stored, config)
            stored.put(EVENT_INVOKE_CONFIGS, config)

        await self._rooms.resources.change(put)
        return config_members(config)

    @operation("UpdateFunctionEventInvokeConfig")
    async def update_function_event_invoke_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """What the request doesn't speak of stays as it is."""
        asked = self._asked(context, members, "UpdateFunctionEventInvokeConfig")
        await self._check_role(asked)

        def update(stored: Stored) -> EventInvokeConfig:
            _check(stored, asked)
            before = stored.get(EVENT_INVOKE_CONFIGS, event_invoke_config_place(asked.key, asked.qualifier))
            if before is None:
                raise no_config(asked.arn)
            changed = replace(before, last_modified_epoch_ms=asked.last_modified_epoch_ms, **_settings(members))
            stored.put(EVENT_INVOKE_CONFIGS, changed)
            return changed

        return config_members(await self._rooms.resources.change(update))

    @operation("GetFunctionEventInvokeConfig")
    async def get_function_event_invoke_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "GetFunctionEventInvokeConfig")
        place = event_invoke_config_place(target.key, target.qualifier or LATEST)
        config = await self._rooms.resources.get(EVENT_INVOKE_CONFIGS, place)
        if config is None:
            raise no_config(target.key.qualified_arn(place.id))
        return config_members(config)

    @operation("ListFunctionEventInvokeConfigs")
    async def list_function_event_invoke_configs(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key = resolve(members["FunctionName"], None, context, _LIST).key
        owner, asked = function_owner(key.name), self._markers.asked(_LIST, members)
        after = None if asked.after is None else (owner, asked.after)

        def read(stored: Stored) -> list[EventInvokeConfig]:
            if stored.function(key) is None:
                raise no_function()
            place = (key.account_id, key.region)
            return list(stored.page(EVENT_INVOKE_CONFIGS, *place, owner=owner, after=after, limit=asked.wanted))

        page = asked.page(await self._rooms.resources.read(read), lambda config: config.qualifier)
        return {
            "FunctionEventInvokeConfigs": [config_members(one) for one in page.shown],
            "NextMarker": page.next_marker,
        }

    @operation("DeleteFunctionEventInvokeConfig")
    async def delete_function_event_invoke_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "DeleteFunctionEventInvokeConfig")
        place = event_invoke_config_place(target.key, target.qualifier or LATEST)
        if not await self._rooms.resources.change(lambda stored: stored.delete(EVENT_INVOKE_CONFIGS, place)):
            raise no_config(target.key.qualified_arn(place.id))
        return {}

    async def _check_role(self, config: EventInvokeConfig) -> None:
        """After what can be said of the destinations themselves. Raises as `_check` does, and as check_role."""
        function = await self._rooms.resources.read(lambda stored: _check(stored, config))
        needs = needs_of_destinations(config.destinations)
        await self._rooms.check_role(config.key.account_id, function.configuration.role, needs)

    def _asked(self, context: RequestContext, members: Members, action: str) -> EventInvokeConfig:
        """The configuration that holds what the request speaks of, and nothing else."""
        target = _target(context, members, action)
        settings = _settings(members)
        check_says_something(*settings.values())
        return EventInvokeConfig(
            key=target.key,
            qualifier=target.qualifier or LATEST,
            last_modified_epoch_ms=self._rooms.now_epoch_ms(),
            **settings,
        )


def config_members(config: EventInvokeConfig) -> Mapping[str, Any]:
    """The shape FunctionEventInvokeConfig; AWS shows where a destination could be."""
    return {
        "LastModified": config.last_modified_epoch_ms / 1000,
        "FunctionArn": config.arn,
        "MaximumRetryAttempts": config.maximum_retry_attempts,
        "MaximumEventAgeInSeconds": config.maximum_event_age_seconds,
        "DestinationConfig": {
            "OnSuccess": {"Destination": config.destinations.on_success},
            "OnFailure": {"Destination": config.destinations.on_failure},
        },
    }


def _settings(members: Members) -> dict[str, Any]:
    """The settings of which the request speaks, as members of an EventInvokeConfig."""
    settings: dict[str, Any] = {}
    if members.get("MaximumRetryAttempts") is not None:
        settings["maximum_retry_attempts"] = members["MaximumRetryAttempts"]
    if members.get("MaximumEventAgeInSeconds") is not None:
        settings["maximum_event_age_seconds"] = members["MaximumEventAgeInSeconds"]
    if members.get("DestinationConfig") is not None:
        settings["destinations"] = _destinations(members["DestinationConfig"])
    return settings


def _destinations(members: Members) -> Destinations:
    """AWS's pattern lets an empty ARN pass; it names no destination."""
    success, failure = (members.get(name) or {} for name in ("OnSuccess", "OnFailure"))
    return Destinations(on_success=success.get("Destination") or None, on_failure=failure.get("Destination") or None)


def _target(context: RequestContext, members: Members, action: str) -> Target:
    return resolve(members["FunctionName"], members.get("Qualifier"), context, action)


def _check(stored: Stored, config: EventInvokeConfig) -> Function:
    """What is to be configured. Raises when it, or one of its destinations, doesn't exist or can't be meant."""
    function = qualified(stored, config.key, config.qualifier)
    if function is None:
        raise no_function()
    for destination in check_destinations(config.key, config.destinations):
        if qualified(stored, destination.key, destination.qualifier) is None:
            raise destination_invalid(destination.arn)
    return function
