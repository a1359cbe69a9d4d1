"""GetFunctionConfiguration, UpdateFunctionConfiguration."""

from collections.abc import Mapping
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.api.function_shape import changed_configuration
from lampion.aws.operation import RequestContext, operation
from lampion.domain.function_rules import check_configuration, check_revision, check_updatable
from lampion.invoke.qualifier import check_unqualified, resolve

Members = dict[str, Any]


class FunctionConfigurationApi:
    """A function's settings."""

    def __init__(self, rooms: FunctionRooms) -> None:
        self._rooms = rooms

    @operation("GetFunctionConfiguration")
    async def get_function_configuration(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        target = resolve(members["FunctionName"], members.get("Qualifier"), context, "GetFunctionConfiguration")
        function = await self._rooms.lookup.find(target)
        return self._rooms.shape(function, qualifier=target.qualifier)

    @operation("UpdateFunctionConfiguration")
    async def update_function_configuration(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        target = resolve(members["FunctionName"], None, context, "UpdateFunctionConfiguration")
        check_unqualified(target)
        function = await rooms.lookup.find(target)
        check_revision(function, members.get("RevisionId"))
        check_updatable(function)
        configuration = changed_configuration(function.configuration, members)
        if configuration.runtime is not None and "Runtime" in members:
            rooms.runtimes.check(configuration.runtime, is_update=True)
        configuration = await rooms.with_layers(configuration, members, context)
        check_configuration(configuration)
        await rooms.check_unzipped(configuration, function.package)
        changed = function.changed(
            configuration=configuration, revision_id=rooms.rng.uuid4(), now_epoch_ms=rooms.now_epoch_ms()
        )
        await rooms.commit_update(function, changed)
        return rooms.shape(changed)
