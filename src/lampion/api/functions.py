"""CreateFunction, GetFunction, ListFunctions, DeleteFunction."""

from collections.abc import Mapping
from typing import Any, Protocol

from lampion.api.function_rooms import FunctionRooms
from lampion.api.function_shape import listed_members, new_configuration
from lampion.aws.errors import not_built
from lampion.aws.operation import RequestContext, operation
from lampion.aws.pagination import Markers
from lampion.domain import limits
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.errors import InvalidParameterValueException, ResourceConflictException
from lampion.domain.function import DeploymentPackage, Function
from lampion.domain.function_rules import check_configuration, check_name
from lampion.invoke.qualifier import Target, function_not_found, resolve
from lampion.store.functions import AlreadyExists

Members = dict[str, Any]


class CodeLinks(Protocol):
    """Addresses under which a caller downloads a package for some minutes."""

    def link(self, package: DeploymentPackage, context: RequestContext) -> str: ...


class EnvironmentRetirement(Protocol):
    """Ends the environments of functions that are gone."""

    def retire_function(self, key: FunctionKey) -> None: ...


class FunctionsApi:
    """The life of a function as a resource."""

    def __init__(
        self, rooms: FunctionRooms, *, environments: EnvironmentRetirement, links: CodeLinks, markers: Markers
    ) -> None:
        self._rooms = rooms
        self._environments = environments
        self._links = links
        self._markers = markers

    @operation("CreateFunction")
    async def create_function(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        target = resolve(members["FunctionName"], None, context, "CreateFunction")
        check_name(target.key.name)
        _check_built(members)
        configuration = new_configuration(members, target.key.name)
        check_configuration(configuration)
        if configuration.runtime is not None:
            rooms.runtimes.check(configuration.runtime)
        if await rooms.functions.get(target.key) is not None:
            raise _exists(target)
        async with rooms.deployments.stored(_zip_file(members["Code"])) as package:
            function = Function(
                key=target.key,
                configuration=configuration,
                package=package,
                revision_id=rooms.rng.uuid4(),
                last_modified_epoch_ms=rooms.now_epoch_ms(),
                tags=members.get("Tags") or {},
            )
            try:
                await rooms.functions.insert(function)
            except AlreadyExists:
                raise _exists(target) from None
        rooms.deployments.settle(function.key)
        return rooms.shape(function)

    @operation("GetFunction")
    async def get_function(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        target = _target(context, members, "GetFunction")
        function = await rooms.lookup.find(target)
        return {
            "Configuration": rooms.shape(function, qualified=target.qualifier is not None),
            "Code": {"RepositoryType": "S3", "Location": self._links.link(function.package, context)},
            "Tags": function.tags or None,
        }

    @operation("ListFunctions")
    async def list_functions(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        marker = members.get("Marker")
        after = None if marker is None else self._markers.open("ListFunctions", marker)
        limit = min(members.get("MaxItems", limits.LIST_ITEMS_MAX), limits.LIST_ITEMS_MAX)
        page = await rooms.functions.page(context.account_id, context.region, after=after, limit=limit + 1)
        shown = page[:limit]
        qualified = members.get("FunctionVersion") == "ALL"
        return {
            "Functions": [listed_members(rooms.shape(function, qualified=qualified)) for function in shown],
            "NextMarker": self._markers.seal("ListFunctions", shown[-1].key.name) if len(page) > limit else None,
        }

    @operation("DeleteFunction")
    async def delete_function(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        target = _target(context, members, "DeleteFunction")
        if target.qualifier is not None and target.qualifier != LATEST and not target.qualifier.isdecimal():
            raise InvalidParameterValueException("Deletion of aliases is not currently supported.")
        function = await rooms.lookup.find_unqualified(target)
        if target.qualifier == LATEST:
            raise InvalidParameterValueException("$LATEST version cannot be deleted without deleting the function.")
        if target.qualifier is None:
            if not await rooms.functions.delete(function.key):
                raise function_not_found(target.key.arn)
            self._environments.retire_function(function.key)
            rooms.deployments.forget(function)
        return {"StatusCode": 204}


def _target(context: RequestContext, members: Members, action: str) -> Target:
    return resolve(members["FunctionName"], members.get("Qualifier"), context, action)


def _exists(target: Target) -> ResourceConflictException:
    return ResourceConflictException(f"Function already exist: {target.key.name}")


def _check_built(members: Members) -> None:
    if members.get("Publish") or members.get("PublishTo"):
        raise not_built("CreateFunction with Publish")
    if members.get("Layers"):
        raise not_built("CreateFunction with Layers")
    if members.get("CodeSigningConfigArn"):
        raise not_built("CreateFunction with CodeSigningConfigArn")
    if members.get("PackageType") == "Image" or "ImageUri" in members["Code"]:
        raise not_built("CreateFunction with a container image")
    if "S3Bucket" in members["Code"] or "S3Key" in members["Code"]:
        raise not_built("CreateFunction with code in S3")


def _zip_file(code: Mapping[str, Any]) -> bytes:
    zip_file: bytes | None = code.get("ZipFile")
    if zip_file is None:
        raise InvalidParameterValueException("Please provide a source for function code.")
    return zip_file
