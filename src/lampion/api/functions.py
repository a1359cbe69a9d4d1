"""CreateFunction, GetFunction, ListFunctions, DeleteFunction."""

from collections.abc import Mapping
from typing import Any, Protocol

from lampion.api.function_rooms import CodeLinks, FunctionRooms
from lampion.api.function_shape import code_members, concurrency_members, listed_members, new_configuration
from lampion.aws.errors import not_built
from lampion.aws.operation import RequestContext, operation
from lampion.aws.pagination import Markers
from lampion.code.package_trust import check_trusted
from lampion.domain.alias import check_unreferenced
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.connections import check_connections
from lampion.domain.errors import InvalidParameterValueException, ResourceConflictException
from lampion.domain.function import DeploymentPackage, Function, FunctionConfiguration
from lampion.domain.function_rules import check_configuration, check_name
from lampion.domain.key_problems import KeyUnusable, cannot_download
from lampion.domain.packaging import CodeSource, code_source
from lampion.domain.tags import check_tags
from lampion.domain.version import check_publish_to, number_of
from lampion.invoke.qualifier import Target, function_not_found, resolve
from lampion.store.aliases import aliases_of
from lampion.store.code_signing import existing_config
from lampion.store.concurrency import RESERVED, reserved_place
from lampion.store.functions import AlreadyExists
from lampion.store.kms import GRANTS, grants_of_function
from lampion.store.resources import Stored

Members = dict[str, Any]


class EnvironmentRetirement(Protocol):
    """Ends the environments of functions and versions that are gone."""

    def retire_function(self, key: FunctionKey) -> None: ...

    def retire_version(self, key: FunctionKey, version: str) -> None: ...


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
        configuration = await self._asked(target.key, members, context)
        source = _source(members["Code"], configuration)
        if await rooms.functions.get(target.key) is not None:
            raise _exists(target)
        signing, signing_arn = None, members.get("CodeSigningConfigArn")
        if signing_arn is not None:
            signing = await rooms.resources.read(lambda stored: existing_config(stored, target.key, signing_arn))
        async with rooms.held_code(source, members["Code"], context, target.key, configuration) as package:
            if source is CodeSource.UPLOAD:
                await check_trusted(members["Code"]["ZipFile"], signing, target.key.name, rooms.now_epoch_ms())
            await rooms.check_unzipped(configuration, package)
            sealed = await rooms.environments.sealed(target.key, configuration, context.asker)
            function = Function(
                key=target.key,
                configuration=sealed.configuration,
                package=package,
                revision_id=rooms.rng.uuid4(),
                last_modified_epoch_ms=rooms.now_epoch_ms(),
                tags=members.get("Tags") or {},
                creation_id=rooms.rng.uuid4(),
            )
            version = None
            if members.get("Publish") or members.get("PublishTo"):
                made = await rooms.publication(function, publish_to=members.get("PublishTo"))
                function, version = made.latest, made.version
            try:
                await rooms.commit_new(function, published=version, signing_arn=signing_arn, grant=sealed.grant)
            except AlreadyExists:
                raise _exists(target) from None
        return await rooms.shape(version or function, context)

    async def _asked(self, key: FunctionKey, members: Members, context: RequestContext) -> FunctionConfiguration:
        """What a new function is to be, if one can be that. Raises AWS's errors."""
        check_name(key.name)
        _check_built(members)
        configuration = await self._rooms.with_layers(new_configuration(members, key.name), members, context)
        check_configuration(configuration)
        check_tags(members.get("Tags") or {})
        check_connections(configuration, region=key.region)
        await self._rooms.check_configured(key, None, configuration)
        self._rooms.runtimes.check(configuration.runtime)
        check_publish_to(configuration, members.get("PublishTo"))
        return configuration

    @operation("GetFunction")
    async def get_function(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        target = _target(context, members, "GetFunction")
        function = await rooms.lookup.find(target)
        latest = function if target.is_latest else await rooms.lookup.find_unqualified(target)
        reserved = await rooms.resources.get(RESERVED, reserved_place(target.key))
        return {
            "Configuration": await rooms.shape(function, context, qualifier=target.qualifier),
            "Code": code_members(function.package) or await self._location(function.package, context),
            "Tags": latest.tags or None,
            "Concurrency": None if reserved is None else concurrency_members(reserved),
        }

    async def _location(self, package: DeploymentPackage, context: RequestContext) -> Mapping[str, Any]:
        """Where the caller gets the zip; what is told in its place to who may not decrypt it."""
        found = {"RepositoryType": "S3", "SourceKMSKeyArn": package.source_kms_key_arn}
        try:
            await self._links.check(package, context)
        except KeyUnusable as unusable:
            return {**found, "Error": cannot_download(unusable)}
        return {**found, "Location": self._links.link(package, context)}

    @operation("ListFunctions")
    async def list_functions(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        if members.get("FunctionVersion") == "ALL":
            return await self._list_with_versions(context, members)
        asked = self._markers.asked("ListFunctions", members)
        found = await rooms.functions.page(context.account_id, context.region, after=asked.after, limit=asked.wanted)
        page = asked.page(found, lambda function: function.key.name)
        return {
            "Functions": [listed_members(await rooms.shape(function, context)) for function in page.shown],
            "NextMarker": page.next_marker,
        }

    async def _list_with_versions(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Its markers are its own: this list counts versions, too."""
        rooms, asked = self._rooms, self._markers.asked("ListFunctions ALL", members)
        name, _, number = (asked.after or "").partition(":")
        after = None if asked.after is None else (name, int(number))
        found = await rooms.functions.page_with_versions(
            context.account_id, context.region, after=after, limit=asked.wanted
        )
        page = asked.page(found, lambda one: f"{one.key.name}:{number_of(one)}")
        return {
            "Functions": [listed_members(await rooms.shape(one, context, qualifier=one.version)) for one in page.shown],
            "NextMarker": page.next_marker,
        }

    @operation("DeleteFunction")
    async def delete_function(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        target = _target(context, members, "DeleteFunction")
        qualifier = target.qualifier
        if target.alias_name is not None:
            raise InvalidParameterValueException("Deletion of aliases is not currently supported.")
        function = await rooms.lookup.find_unqualified(target)
        if qualifier == LATEST:
            raise InvalidParameterValueException("$LATEST version cannot be deleted without deleting the function.")
        if qualifier is not None:
            await self._delete_version(function.key, qualifier)
        else:
            if not await rooms.resources.change(lambda stored: delete_function(stored, function.key)):
                raise function_not_found(target.key.arn)
            self._environments.retire_function(function.key)
            rooms.deployments.forget(function)
        return {"StatusCode": 204}

    async def _delete_version(self, key: FunctionKey, qualifier: str) -> None:
        """AWS answers as well when there is no such version."""
        rooms = self._rooms
        version = await rooms.resources.change(lambda stored: delete_version(stored, key, qualifier))
        if version is not None:
            self._environments.retire_version(key, qualifier)
            rooms.deployments.forget(version)


def delete_function(stored: Stored, key: FunctionKey) -> bool:
    """With Lambda's grants on its keys; whether it was there."""
    for grant in grants_of_function(stored, key):
        stored.delete(GRANTS, GRANTS.place(grant))
    return stored.delete_function(key)


def delete_version(stored: Stored, key: FunctionKey, qualifier: str) -> Function | None:
    """The version that was there. Raises ResourceConflictException when an alias points to it."""
    version = stored.function(key, qualifier)
    if version is not None:
        check_unreferenced(qualifier, aliases_of(stored, key))
        stored.delete_version(key, qualifier)
    return version


def _target(context: RequestContext, members: Members, action: str) -> Target:
    return resolve(members["FunctionName"], members.get("Qualifier"), context, action)


def _exists(target: Target) -> ResourceConflictException:
    return ResourceConflictException(f"Function already exist: {target.key.name}")


def _check_built(members: Members) -> None:
    if members.get("Runtime") == "custom" or "RuntimeConfig" in members:
        raise not_built("CreateFunction with a customer-managed runtime")


def _source(code: Members, configuration: FunctionConfiguration) -> CodeSource:
    source = code_source(code, configuration.package_type)
    if source is CodeSource.S3:
        raise not_built("CreateFunction with code in S3")
    return source
