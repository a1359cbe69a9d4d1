"""PutFunctionScalingConfig, GetFunctionScalingConfig."""

from collections.abc import Mapping
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.errors import AccessDeniedException
from lampion.aws.operation import RequestContext, operation
from lampion.domain.function import Function
from lampion.domain.scaling_config import ScalingConfig, check_bounds
from lampion.invoke.qualifier import Target, function_not_found, resolve
from lampion.store.resources import Stored
from lampion.store.scaling_configs import SCALING_CONFIGS, scaling_config_place

Members = dict[str, Any]


class ScalingConfigsApi:
    """How far a version on a capacity provider may scale. Nothing here runs such versions yet, so none is applied."""

    def __init__(self, rooms: FunctionRooms) -> None:
        self._rooms = rooms

    @operation("PutFunctionScalingConfig")
    async def put_function_scaling_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "PutFunctionScalingConfig")
        bounds = members.get("FunctionScalingConfig") or {}
        config = ScalingConfig(
            key=target.key,
            qualifier=members["Qualifier"],
            min_environments=bounds.get("MinExecutionEnvironments"),
            max_environments=bounds.get("MaxExecutionEnvironments"),
        )

        def put(stored: Stored) -> Function:
            function = _on_capacity_provider(stored, target)
            check_bounds(config)
            if bounds:
                stored.put(SCALING_CONFIGS, config)
            else:
                stored.delete(SCALING_CONFIGS, scaling_config_place(config.key, config.qualifier))
            return function

        return {"FunctionState": (await self._rooms.resources.change(put)).state.value}

    @operation("GetFunctionScalingConfig")
    async def get_function_scaling_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "GetFunctionScalingConfig")

        def get(stored: Stored) -> ScalingConfig | None:
            _on_capacity_provider(stored, target)
            return stored.get(SCALING_CONFIGS, scaling_config_place(target.key, members["Qualifier"]))

        config = await self._rooms.resources.read(get)
        return {
            "FunctionArn": target.arn,
            "RequestedFunctionScalingConfig": None if config is None else _bounds_members(config),
        }


def _bounds_members(config: ScalingConfig) -> Mapping[str, Any]:
    """The shape FunctionScalingConfig."""
    return {
        "MinExecutionEnvironments": config.min_environments,
        "MaxExecutionEnvironments": config.max_environments,
    }


def _target(context: RequestContext, members: Members, action: str) -> Target:
    return resolve(members["FunctionName"], members["Qualifier"], context, action)


def _on_capacity_provider(stored: Stored, target: Target) -> Function:
    """The version, which only scales by a configuration of its own on a capacity provider."""
    function = stored.function(target.key, target.qualifier or "")
    if function is None:
        raise function_not_found(target.arn)
    if function.configuration.capacity_provider_config is None:
        raise AccessDeniedException(
            "The function provided by the arn does not contain a capacity provider configuration"
        )
    return function
