"""Create-, Get-, Update-, Delete-, ListCapacityProvider(s), ListFunctionVersionsByCapacityProvider."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.api.function_shape import timestamp
from lampion.aws.operation import RequestContext, operation
from lampion.aws.pagination import Markers
from lampion.domain.capacity_provider import (
    CapacityProvider,
    CapacityProviderState,
    CapacityUse,
    check_provider,
    check_room_for_provider,
    check_unused,
    provider_arn,
    provider_exists,
    provider_not_found,
)
from lampion.domain.function import State
from lampion.store.capacity_providers import CAPACITY_PROVIDERS, CAPACITY_USES, provider_place
from lampion.store.resources import Stored, every, function_owner

Members = dict[str, Any]


class CapacityProvidersApi:
    """Capacity providers of an account. They launch nothing: what AWS does meanwhile is done at once."""

    def __init__(self, rooms: FunctionRooms, *, markers: Markers) -> None:
        self._rooms = rooms
        self._markers = markers

    @operation("CreateCapacityProvider")
    async def create_capacity_provider(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        provider = _new_provider(context, members, self._rooms.now_epoch_ms())
        check_provider(provider)

        def create(stored: Stored) -> None:
            if stored.get(CAPACITY_PROVIDERS, provider_place(provider.arn)) is not None:
                raise provider_exists(provider.arn)
            check_room_for_provider(len(every(stored, CAPACITY_PROVIDERS, context.account_id, context.region)))
            stored.put(CAPACITY_PROVIDERS, provider)

        await self._rooms.resources.change(create)
        return {"CapacityProvider": _provider_members(provider, CapacityProviderState.PENDING)}

    @operation("GetCapacityProvider")
    async def get_capacity_provider(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        provider = await self._rooms.resources.read(lambda stored: _found(stored, context, members))
        return {"CapacityProvider": _provider_members(provider)}

    @operation("UpdateCapacityProvider")
    async def update_capacity_provider(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Members of the scaling configuration that aren't sent stay as they are."""
        now_epoch_ms = self._rooms.now_epoch_ms()

        def update(stored: Stored) -> CapacityProvider:
            before = _found(stored, context, members)
            changed = replace(
                before,
                scaling_config={**before.scaling_config, **(members.get("CapacityProviderScalingConfig") or {})},
                propagate_tags=members.get("PropagateTags", before.propagate_tags),
                telemetry_config=members.get("TelemetryConfig", before.telemetry_config),
            )
            if changed != before:
                changed = replace(changed, last_modified_epoch_ms=now_epoch_ms)
                stored.put(CAPACITY_PROVIDERS, changed)
            return changed

        return {"CapacityProvider": _provider_members(await self._rooms.resources.change(update))}

    @operation("DeleteCapacityProvider")
    async def delete_capacity_provider(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def delete(stored: Stored) -> CapacityProvider:
            provider = _found(stored, context, members)
            users = stored.found(CAPACITY_USES, context.account_id, context.region, by=provider.arn, limit=1)
            check_unused(provider.arn, len(users))
            stored.delete(CAPACITY_PROVIDERS, provider_place(provider.arn))
            return provider

        provider = await self._rooms.resources.change(delete)
        return {"CapacityProvider": _provider_members(provider, CapacityProviderState.DELETING)}

    @operation("ListCapacityProviders")
    async def list_capacity_providers(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        asked = self._markers.asked("ListCapacityProviders", members)
        after = None if asked.after is None else ("", asked.after)
        if members.get("State", CapacityProviderState.ACTIVE) != CapacityProviderState.ACTIVE:
            return {"CapacityProviders": []}  # what is stored is ready for use
        found = await self._rooms.resources.read(
            lambda stored: stored.page(
                CAPACITY_PROVIDERS, context.account_id, context.region, after=after, limit=asked.wanted
            )
        )
        page = asked.page(found, lambda provider: provider.name)
        return {
            "CapacityProviders": [_provider_members(provider) for provider in page.shown],
            "NextMarker": page.next_marker,
        }

    @operation("ListFunctionVersionsByCapacityProvider")
    async def list_function_versions(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Versions configured to run on the provider, $LATEST among them."""
        asked = self._markers.asked("ListFunctionVersionsByCapacityProvider", members)
        function_name, _, version = (asked.after or "").partition(":")
        after = None if asked.after is None else (function_owner(function_name), version)

        def users(stored: Stored) -> tuple[str, list[tuple[CapacityUse, State]]]:
            arn, place = _found(stored, context, members).arn, (context.account_id, context.region)
            uses = stored.found(CAPACITY_USES, *place, by=arn, after=after, limit=asked.wanted)
            return arn, [(use, _state(stored, use)) for use in uses]

        arn, found = await self._rooms.resources.read(users)
        page = asked.page(found, lambda one: f"{one[0].key.name}:{one[0].version}")
        return {
            "CapacityProviderArn": arn,
            "FunctionVersions": [
                {"FunctionArn": use.key.qualified_arn(use.version), "State": state.value} for use, state in page.shown
            ],
            "NextMarker": page.next_marker,
        }


def _new_provider(context: RequestContext, members: Members, now_epoch_ms: int) -> CapacityProvider:
    """What CreateCapacityProvider asks for, with AWS's defaults."""
    return CapacityProvider(
        account_id=context.account_id,
        region=context.region,
        name=_own_name(context, members),
        vpc_config=members["VpcConfig"],
        permissions_config=members["PermissionsConfig"],
        instance_requirements={"Architectures": ["x86_64"], **(members.get("InstanceRequirements") or {})},
        scaling_config={"ScalingMode": "Auto", **(members.get("CapacityProviderScalingConfig") or {})},
        kms_key_arn=members.get("KmsKeyArn"),
        propagate_tags=members.get("PropagateTags"),
        telemetry_config=members.get("TelemetryConfig"),
        last_modified_epoch_ms=now_epoch_ms,
        tags=members.get("Tags") or {},
    )


def _provider_members(
    provider: CapacityProvider, state: CapacityProviderState = CapacityProviderState.ACTIVE
) -> Mapping[str, Any]:
    """The shape CapacityProvider."""
    return {
        "CapacityProviderArn": provider.arn,
        "State": state.value,
        "VpcConfig": provider.vpc_config,
        "PermissionsConfig": provider.permissions_config,
        "InstanceRequirements": provider.instance_requirements,
        "CapacityProviderScalingConfig": provider.scaling_config,
        "KmsKeyArn": provider.kms_key_arn,
        "LastModified": timestamp(provider.last_modified_epoch_ms),
        "PropagateTags": provider.propagate_tags,
        "TelemetryConfig": provider.telemetry_config,
    }


def _own_name(context: RequestContext, members: Members) -> str:
    """The name in what a caller wrote, a name or an ARN. Raises ResourceNotFoundException for another place's ARN."""
    written: str = members["CapacityProviderName"]
    name = written.rpartition(":")[2]
    if written not in (name, provider_arn(context.account_id, context.region, name)):
        raise provider_not_found(written)
    return name


def _found(stored: Stored, context: RequestContext, members: Members) -> CapacityProvider:
    arn = provider_arn(context.account_id, context.region, _own_name(context, members))
    provider = stored.get(CAPACITY_PROVIDERS, provider_place(arn))
    if provider is None:
        raise provider_not_found(arn)
    return provider


def _state(stored: Stored, use: CapacityUse) -> State:
    function = stored.function(use.key, use.version)
    assert function is not None, use  # deleted with it
    return function.state
