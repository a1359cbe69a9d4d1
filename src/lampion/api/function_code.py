"""UpdateFunctionCode."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.errors import not_built
from lampion.aws.operation import RequestContext, operation
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function_rules import check_configuration, check_revision, check_updatable
from lampion.invoke.qualifier import check_unqualified, resolve

Members = dict[str, Any]


class FunctionCodeApi:
    """A function's deployment package."""

    def __init__(self, rooms: FunctionRooms) -> None:
        self._rooms = rooms

    @operation("UpdateFunctionCode")
    async def update_function_code(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        target = resolve(members["FunctionName"], None, context, "UpdateFunctionCode")
        check_unqualified(target)
        function = await rooms.lookup.find(target)
        _check_source(members)
        check_revision(function, members.get("RevisionId"))
        check_updatable(function)
        configuration = function.configuration
        if members.get("Architectures"):
            configuration = replace(configuration, architectures=tuple(members["Architectures"]))
        check_configuration(configuration)
        async with rooms.deployments.stored(members["ZipFile"]) as package:
            await rooms.check_unzipped(configuration, package)
            if members.get("DryRun"):
                return rooms.shape(replace(function, configuration=configuration, package=package))
            changed = function.changed(
                configuration=configuration,
                package=package,
                revision_id=rooms.rng.uuid4(),
                now_epoch_ms=rooms.now_epoch_ms(),
            )
            if not members.get("Publish"):
                await rooms.commit_update(function, changed)
                return rooms.shape(changed)
            made = await rooms.publication(changed)
            await rooms.commit_update(function, made.latest, published=made.version if made.is_new else None)
        return rooms.shape(made.version, qualifier=made.version.version)


def _check_source(members: Members) -> None:
    if "ImageUri" in members:
        raise InvalidParameterValueException(
            "Please don't provide ImageUri when updating a function with packageType Zip."
        )
    if members.get("PublishTo"):
        raise not_built("UpdateFunctionCode with PublishTo")
    if "S3Bucket" in members or "S3Key" in members:
        raise not_built("UpdateFunctionCode with code in S3")
    if "ZipFile" not in members:
        raise InvalidParameterValueException("Please provide a source for function code.")
