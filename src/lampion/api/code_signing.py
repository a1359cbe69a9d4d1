"""Code signing configurations: Create, Get, Update, Delete, List; and those of functions: Put, Get, Delete, List."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.api.function_shape import timestamp
from lampion.aws.operation import RequestContext, operation
from lampion.aws.pagination import Markers
from lampion.domain import limits
from lampion.domain.code_signing import (
    CodeSigningConfig,
    CodeSigningPolicy,
    FunctionCodeSigning,
    check_signable,
    check_unused,
    config_not_found,
)
from lampion.invoke.qualifier import Target, check_unqualified, function_not_found, resolve
from lampion.store.code_signing import (
    CODE_SIGNING_CONFIGS,
    FUNCTION_CODE_SIGNINGS,
    config_place,
    existing_config,
)
from lampion.store.resources import Place, Stored, function_owner

Members = dict[str, Any]


class CodeSigningConfigsApi:
    """Code signing configurations of an account."""

    def __init__(self, rooms: FunctionRooms, *, markers: Markers) -> None:
        self._rooms = rooms
        self._markers = markers

    @operation("CreateCodeSigningConfig")
    async def create_code_signing_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        config = CodeSigningConfig(
            account_id=context.account_id,
            region=context.region,
            id=f"csc-0{self._rooms.rng.token(8).hex()}",
            allowed_publishers=_publishers(members) or (),
            policy=_policy(members) or CodeSigningPolicy.WARN,
            description=members.get("Description"),
            last_modified_epoch_ms=self._rooms.now_epoch_ms(),
            tags=members.get("Tags") or {},
        )
        await self._rooms.resources.change(lambda stored: stored.put(CODE_SIGNING_CONFIGS, config))
        return {"CodeSigningConfig": _config_members(config)}

    @operation("GetCodeSigningConfig")
    async def get_code_signing_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        config = await self._rooms.resources.read(lambda stored: _found(stored, context, members))
        return {"CodeSigningConfig": _config_members(config)}

    @operation("UpdateCodeSigningConfig")
    async def update_code_signing_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        now_epoch_ms = self._rooms.now_epoch_ms()

        def update(stored: Stored) -> CodeSigningConfig:
            before = _found(stored, context, members)
            changed = replace(
                before,
                allowed_publishers=_publishers(members) or before.allowed_publishers,
                policy=_policy(members) or before.policy,
                description=members.get("Description", before.description),
            )
            if changed != before:
                changed = replace(changed, last_modified_epoch_ms=now_epoch_ms)
                stored.put(CODE_SIGNING_CONFIGS, changed)
            return changed

        return {"CodeSigningConfig": _config_members(await self._rooms.resources.change(update))}

    @operation("DeleteCodeSigningConfig")
    async def delete_code_signing_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def delete(stored: Stored) -> None:
            arn = _found(stored, context, members).arn
            users = stored.found(FUNCTION_CODE_SIGNINGS, context.account_id, context.region, by=arn, limit=1)
            check_unused(arn, users)
            stored.delete(CODE_SIGNING_CONFIGS, config_place(arn))

        await self._rooms.resources.change(delete)
        return {}

    @operation("ListCodeSigningConfigs")
    async def list_code_signing_configs(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        asked = self._markers.asked("ListCodeSigningConfigs", members, most=limits.CODE_SIGNING_ITEMS_MAX)
        after = None if asked.after is None else ("", asked.after)
        found = await self._rooms.resources.read(
            lambda stored: stored.page(
                CODE_SIGNING_CONFIGS, context.account_id, context.region, after=after, limit=asked.wanted
            )
        )
        page = asked.page(found, lambda config: config.id)
        return {
            "CodeSigningConfigs": [_config_members(config) for config in page.shown],
            "NextMarker": page.next_marker,
        }


class FunctionCodeSigningApi:
    """Which code signing configuration a function uses."""

    def __init__(self, rooms: FunctionRooms, *, markers: Markers) -> None:
        self._rooms = rooms
        self._markers = markers

    @operation("PutFunctionCodeSigningConfig")
    async def put_function_code_signing_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Holds for code that comes from now on; the configuration is looked for before the function, as AWS does."""
        target = _target(context, members, "PutFunctionCodeSigningConfig")
        arn = members["CodeSigningConfigArn"]

        def put(stored: Stored) -> None:
            existing_config(stored, target.key, arn)
            _check_signable(stored, target)
            stored.put(FUNCTION_CODE_SIGNINGS, FunctionCodeSigning(target.key, arn))

        await self._rooms.resources.change(put)
        return {"CodeSigningConfigArn": arn, "FunctionName": target.key.name}

    @operation("GetFunctionCodeSigningConfig")
    async def get_function_code_signing_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Answers nothing for a function that uses none."""
        target = _target(context, members, "GetFunctionCodeSigningConfig")

        def get(stored: Stored) -> FunctionCodeSigning | None:
            _check_signable(stored, target)
            return stored.get(FUNCTION_CODE_SIGNINGS, Place.of_function(target.key))

        used = await self._rooms.resources.read(get)
        return {} if used is None else {"CodeSigningConfigArn": used.config_arn, "FunctionName": target.key.name}

    @operation("DeleteFunctionCodeSigningConfig")
    async def delete_function_code_signing_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "DeleteFunctionCodeSigningConfig")

        def delete(stored: Stored) -> None:
            _check_signable(stored, target)
            stored.delete(FUNCTION_CODE_SIGNINGS, Place.of_function(target.key))

        await self._rooms.resources.change(delete)
        return {}

    @operation("ListFunctionsByCodeSigningConfig")
    async def list_functions_by_code_signing_config(
        self, context: RequestContext, members: Members
    ) -> Mapping[str, Any]:
        operation_name = "ListFunctionsByCodeSigningConfig"
        asked = self._markers.asked(operation_name, members, most=limits.CODE_SIGNING_ITEMS_MAX)
        after = None if asked.after is None else (function_owner(asked.after), "")

        def users(stored: Stored) -> list[FunctionCodeSigning]:
            arn = _found(stored, context, members).arn
            place = (context.account_id, context.region)
            return list(stored.found(FUNCTION_CODE_SIGNINGS, *place, by=arn, after=after, limit=asked.wanted))

        page = asked.page(await self._rooms.resources.read(users), lambda used: used.key.name)
        return {
            "FunctionArns": [used.key.arn for used in page.shown],
            "NextMarker": page.next_marker,
        }


def _config_members(config: CodeSigningConfig) -> Mapping[str, Any]:
    """The shape CodeSigningConfig."""
    return {
        "CodeSigningConfigId": config.id,
        "CodeSigningConfigArn": config.arn,
        "Description": config.description,
        "AllowedPublishers": {"SigningProfileVersionArns": list(config.allowed_publishers)},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": config.policy.value},
        "LastModified": timestamp(config.last_modified_epoch_ms),
    }


def _found(stored: Stored, context: RequestContext, members: Members) -> CodeSigningConfig:
    """The configuration that a request names. Another account's or region's isn't there for the caller."""
    arn = members["CodeSigningConfigArn"]
    place = config_place(arn)
    here = (place.account_id, place.region) == (context.account_id, context.region)
    config = stored.get(CODE_SIGNING_CONFIGS, place) if here else None
    if config is None:
        raise config_not_found(arn)
    return config


def _publishers(members: Members) -> tuple[str, ...] | None:
    """None when the request doesn't speak of them."""
    allowed = members.get("AllowedPublishers")
    return None if allowed is None else tuple(allowed["SigningProfileVersionArns"])


def _policy(members: Members) -> CodeSigningPolicy | None:
    """None when the request doesn't speak of it."""
    named = (members.get("CodeSigningPolicies") or {}).get("UntrustedArtifactOnDeployment")
    return None if named is None else CodeSigningPolicy(named)


def _target(context: RequestContext, members: Members, action: str) -> Target:
    target = resolve(members["FunctionName"], None, context, action)
    check_unqualified(target)
    return target


def _check_signable(stored: Stored, target: Target) -> None:
    """Raises ResourceNotFoundException, InvalidParameterValueException."""
    function = stored.function(target.key)
    if function is None:
        raise function_not_found(target.key.arn)
    check_signable(function)
