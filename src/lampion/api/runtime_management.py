"""PutRuntimeManagementConfig, GetRuntimeManagementConfig."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.operation import RequestContext, operation
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.runtime_management import RuntimeManagement, runtime_management
from lampion.invoke.qualifier import Target, resolve

Members = dict[str, Any]


class RuntimeManagementApi:
    """When `$LATEST` and each version move to newer versions of their runtime."""

    def __init__(self, rooms: FunctionRooms) -> None:
        self._rooms = rooms

    @operation("PutRuntimeManagementConfig")
    async def put_runtime_management_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        target = _target(context, members, "PutRuntimeManagementConfig")
        function = await rooms.lookup.find(target)
        management = runtime_management(
            members["UpdateRuntimeOn"],
            asked_arn=members.get("RuntimeVersionArn"),
            present_arn=rooms.runtimes.version_arn(function),
        )
        changed = replace(function, runtime_management=management, revision_id=rooms.rng.uuid4())
        await rooms.commit_update(function, changed)
        return _answer(target, management)

    @operation("GetRuntimeManagementConfig")
    async def get_runtime_management_config(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = _target(context, members, "GetRuntimeManagementConfig")
        function = await self._rooms.lookup.find(target)
        return _answer(target, function.runtime_management)


def _target(context: RequestContext, members: Members, action: str) -> Target:
    target = resolve(members["FunctionName"], members.get("Qualifier"), context, action)
    if target.alias_name is not None:
        raise InvalidParameterValueException(
            f"The provided function name {target.arn} is invalid. Aliases are not allowed."
        )
    return target


def _answer(target: Target, management: RuntimeManagement) -> Mapping[str, Any]:
    return {
        "UpdateRuntimeOn": management.update_runtime_on.value,
        "RuntimeVersionArn": management.runtime_version_arn,
        "FunctionArn": target.arn,
    }
