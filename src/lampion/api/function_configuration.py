"""GetFunctionConfiguration, UpdateFunctionConfiguration."""

from collections.abc import Mapping
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.api.function_shape import changed_configuration
from lampion.aws.errors import not_built
from lampion.aws.operation import RequestContext, operation
from lampion.domain.capacity_provider import check_compute_type_kept
from lampion.domain.connections import check_connections
from lampion.domain.function_rules import check_configuration, check_revision, check_updatable
from lampion.domain.runtime_management import check_runtime_changeable
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
        return await self._rooms.shape(function, context, qualifier=target.qualifier)

    @operation("UpdateFunctionConfiguration")
    async def update_function_configuration(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        if members.get("Runtime") == "custom" or "RuntimeConfig" in members:
            raise not_built("UpdateFunctionConfiguration with a customer-managed runtime")
        target = resolve(members["FunctionName"], None, context, "UpdateFunctionConfiguration")
        check_unqualified(target)
        function = await rooms.lookup.find(target)
        check_revision(function, members.get("RevisionId"))
        check_updatable(function)
        configuration = changed_configuration(function.configuration, members)
        check_runtime_changeable(
            function.runtime_management, changes_runtime=configuration.runtime != function.configuration.runtime
        )
        rooms.runtimes.check(configuration.runtime, is_update=True)
        check_compute_type_kept(function.configuration, configuration)
        configuration = await rooms.with_layers(configuration, members, context)
        check_configuration(configuration)
        check_connections(configuration, region=target.key.region)
        await rooms.check_configured(target.key, function.configuration, configuration)
        await rooms.check_unzipped(configuration, function.package)
        sealed = await rooms.environments.sealed(target.key, configuration, context.asker, function.configuration)
        changed = function.changed(
            configuration=sealed.configuration, revision_id=rooms.rng.uuid4(), now_epoch_ms=rooms.now_epoch_ms()
        )
        await rooms.commit_update(function, changed, grant=sealed.grant)
        return await rooms.shape(changed, context)
