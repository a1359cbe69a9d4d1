"""UpdateFunctionCode."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.errors import not_built
from lampion.aws.operation import RequestContext, operation
from lampion.code.package_trust import check_trusted
from lampion.domain.function_rules import check_configuration, check_revision, check_updatable
from lampion.domain.packaging import CodeSource, updated_code_source
from lampion.domain.runtime_management import check_runtime_changeable
from lampion.domain.version import check_publish_to
from lampion.invoke.qualifier import check_unqualified, resolve
from lampion.store.code_signing import config_of_function

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
        source = updated_code_source(members, function.configuration.package_type)
        check_publish_to(function.configuration, members.get("PublishTo"))
        if source is CodeSource.S3:
            raise not_built("UpdateFunctionCode with code in S3")
        check_revision(function, members.get("RevisionId"))
        check_updatable(function)
        configuration = function.configuration
        if members.get("Architectures"):
            configuration = replace(configuration, architectures=tuple(members["Architectures"]))
            changes = configuration.architectures != function.configuration.architectures
            check_runtime_changeable(function.runtime_management, changes_architecture=changes)
        rooms.runtimes.check(configuration.runtime, is_update=True)
        check_configuration(configuration)
        signing = await rooms.resources.read(lambda stored: config_of_function(stored, target.key))
        async with rooms.held_code(source, members, context, target.key, configuration) as package:
            if source is CodeSource.UPLOAD:
                await check_trusted(members["ZipFile"], signing, target.key.arn, rooms.now_epoch_ms())
            await rooms.check_unzipped(configuration, package)
            if members.get("DryRun"):
                return await rooms.shape(replace(function, configuration=configuration, package=package), context)
            changed = function.changed(
                configuration=configuration,
                package=package,
                revision_id=rooms.rng.uuid4(),
                now_epoch_ms=rooms.now_epoch_ms(),
            )
            if not (members.get("Publish") or members.get("PublishTo")):
                await rooms.commit_update(function, changed)
                return await rooms.shape(changed, context)
            made = await rooms.publication(changed, publish_to=members.get("PublishTo"))
            await rooms.commit_update(function, made.latest, published=made.version if made.is_new else None)
        return await rooms.shape(made.version, context, qualifier=made.version.version)
