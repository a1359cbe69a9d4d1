"""Create-, Get-, List-, Update- and DeleteFunctionUrlConfig(s)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.operation import RequestContext, operation
from lampion.aws.pagination import Markers
from lampion.domain.errors import ResourceConflictException, ResourceNotFoundException, resource_missing
from lampion.domain.function_url import (
    INVOKE_MODE_DEFAULT,
    URL_ID_RANDOM_BYTES,
    FunctionUrlConfig,
    normalised_cors,
    url_address,
    url_id_of,
)
from lampion.domain.tenancy import check_shared
from lampion.invoke.qualifier import Target, resolve
from lampion.store.aliases import qualified
from lampion.store.function_urls import FUNCTION_URLS, function_url_place
from lampion.store.resources import Stored, function_owner

Members = dict[str, Any]


class FunctionUrlsApi:
    """What is configured of function URLs. The model takes no version for a qualifier here, and not $LATEST."""

    def __init__(self, rooms: FunctionRooms, *, markers: Markers) -> None:
        self._rooms = rooms
        self._markers = markers

    @operation("CreateFunctionUrlConfig")
    async def create_function_url_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "CreateFunctionUrlConfig")
        now = self._now_epoch_us()
        config = FunctionUrlConfig(
            key=target.key,
            alias=target.qualifier,
            url_id=url_id_of(target.key.account_id, self._rooms.rng.token(URL_ID_RANDOM_BYTES)),
            auth_type=members["AuthType"],
            cors=normalised_cors(members.get("Cors") or {}),
            invoke_mode=members.get("InvokeMode"),
            created_epoch_us=now,
            last_modified_epoch_us=now,
        )

        def create(stored: Stored) -> None:
            function = qualified(stored, target.key, target.qualifier)
            if function is None:
                raise _function_missing()
            check_shared(function.configuration, "Function URL")
            if stored.get(FUNCTION_URLS, FUNCTION_URLS.place(config)) is not None:
                raise ResourceConflictException(
                    f"Failed to create function url config for [functionArn = {config.arn}]. "
                    "Error message:  FunctionUrlConfig exists for this Lambda function"
                )
            stored.put(FUNCTION_URLS, config)

        await self._rooms.resources.change(create)
        return _as_created(config, context)

    @operation("GetFunctionUrlConfig")
    async def get_function_url_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "GetFunctionUrlConfig")
        config = await self._rooms.resources.get(FUNCTION_URLS, function_url_place(target.key, target.qualifier))
        if config is None:
            raise resource_missing()
        return _as_effective(config, context)

    @operation("ListFunctionUrlConfigs")
    async def list_function_url_configs(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        key = _target(context, members, "ListFunctionUrlConfigs").key
        owner, asked = function_owner(key.name), self._markers.asked("ListFunctionUrlConfigs", members)
        after = None if asked.after is None else (owner, asked.after)

        def read(stored: Stored) -> list[FunctionUrlConfig]:
            if stored.function(key) is None:
                raise _function_missing()
            place = (key.account_id, key.region)
            return list(stored.page(FUNCTION_URLS, *place, owner=owner, after=after, limit=asked.wanted))

        page = asked.page(await self._rooms.resources.read(read), lambda config: config.own_id)
        return {
            "FunctionUrlConfigs": [_as_effective(config, context) for config in page.shown],
            "NextMarker": page.next_marker,
        }

    @operation("UpdateFunctionUrlConfig")
    async def update_function_url_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "UpdateFunctionUrlConfig")
        now, cors = self._now_epoch_us(), members.get("Cors")

        def update(stored: Stored) -> FunctionUrlConfig:
            before = stored.get(FUNCTION_URLS, function_url_place(target.key, target.qualifier))
            if before is None:
                raise resource_missing()
            changed = replace(
                before,
                auth_type=members.get("AuthType", before.auth_type),
                cors=before.cors if cors is None else normalised_cors(cors),
                invoke_mode=members.get("InvokeMode", before.invoke_mode),
                last_modified_epoch_us=now,
            )
            stored.put(FUNCTION_URLS, changed)
            return changed

        return _as_updated(await self._rooms.resources.change(update), context)

    @operation("DeleteFunctionUrlConfig")
    async def delete_function_url_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "DeleteFunctionUrlConfig")
        place = function_url_place(target.key, target.qualifier)
        if not await self._rooms.resources.change(lambda stored: stored.delete(FUNCTION_URLS, place)):
            raise resource_missing()
        return {}

    def _now_epoch_us(self) -> int:
        return round(self._rooms.clock.now() * 1_000_000)


def _target(context: RequestContext, members: Members, action: str) -> Target:
    return resolve(members["FunctionName"], members.get("Qualifier"), context, action)


def _function_missing() -> ResourceNotFoundException:
    """AWS's answer when there is no such function, or no such alias of it."""
    return ResourceNotFoundException("Function does not exist")


def _as_created(config: FunctionUrlConfig, context: RequestContext) -> Mapping[str, Any]:
    """AWS shows InvokeMode to who writes only when a caller has named one."""
    return {
        "FunctionUrl": url_address(config, context.host, context.scheme),
        "FunctionArn": config.arn,
        "AuthType": config.auth_type,
        "Cors": config.cors,
        "CreationTime": _timestamp(config.created_epoch_us),
        "InvokeMode": config.invoke_mode,
    }


def _as_updated(config: FunctionUrlConfig, context: RequestContext) -> Mapping[str, Any]:
    return {**_as_created(config, context), "LastModifiedTime": _timestamp(config.last_modified_epoch_us)}


def _as_effective(config: FunctionUrlConfig, context: RequestContext) -> Mapping[str, Any]:
    """The shape FunctionUrlConfig, as who reads it is answered: with the InvokeMode that holds."""
    return {**_as_updated(config, context), "InvokeMode": config.invoke_mode or INVOKE_MODE_DEFAULT}


def _timestamp(epoch_us: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=epoch_us)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
