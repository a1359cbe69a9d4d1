"""PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn, ListLayers, ListLayerVersions, DeleteLayerVersion."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lampion.api.function_rooms import CodeLinks, FunctionRooms
from lampion.api.function_shape import timestamp
from lampion.api.layer_reach import named_layer, own_layer, readable_version
from lampion.aws.errors import not_built
from lampion.aws.operation import RequestContext, operation
from lampion.aws.pagination import Markers
from lampion.domain.errors import InvalidParameterValueException, resource_missing
from lampion.domain.layer import Layer, LayerReference, LayerVersion, check_number, parse_layer_arn
from lampion.domain.packaging import check_storage
from lampion.store.layers import (
    LAYER_VERSIONS,
    LAYERS,
    Wanted,
    layer_place,
    layer_version_place,
    newest_versions,
    versions_of,
)
from lampion.store.resources import Stored

Members = dict[str, Any]


class LayersApi:
    """The life of layers and their versions."""

    def __init__(self, rooms: FunctionRooms, *, links: CodeLinks, markers: Markers) -> None:
        self._rooms = rooms
        self._links = links
        self._markers = markers

    @operation("PublishLayerVersion")
    async def publish_layer_version(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        rooms = self._rooms
        key = own_layer(members["LayerName"], context, "PublishLayerVersion")
        async with rooms.deployments.stored(_zip_file(members["Content"])) as package:
            asked = LayerVersion(
                key=key,
                number=0,
                package=package,
                created_epoch_ms=rooms.now_epoch_ms(),
                description=members.get("Description", ""),
                compatible_runtimes=_tuple(members.get("CompatibleRuntimes")),
                compatible_architectures=_tuple(members.get("CompatibleArchitectures")),
                license_info=members.get("LicenseInfo"),
            )

            def publish(stored: Stored) -> LayerVersion:
                number = (stored.get(LAYERS, layer_place(key)) or Layer(key)).last_number + 1
                version = replace(asked, number=number)
                stored.put(LAYERS, Layer(key, number))
                stored.put(LAYER_VERSIONS, version)
                check_storage(stored.code_use(key.account_id, key.region).code_bytes)
                return version

            version = await rooms.resources.change(publish)
        return self._version_members(version, context)

    @operation("GetLayerVersion")
    async def get_layer_version(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        check_number(members["VersionNumber"])
        return await self._read(
            LayerReference(named_layer(members["LayerName"], context), members["VersionNumber"]), context
        )

    @operation("GetLayerVersionByArn")
    async def get_layer_version_by_arn(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        reference = parse_layer_arn(members["Arn"])
        if reference is None or reference.number is None:
            raise resource_missing()
        check_number(reference.number)
        return await self._read(reference, context)

    @operation("ListLayers")
    async def list_layers(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Layers all of whose versions were deleted, or none of which is wanted, aren't listed."""
        asked = self._markers.asked("ListLayers", members)
        wanted = _wanted(members)
        found = await self._rooms.resources.read(
            lambda stored: newest_versions(
                stored, context.account_id, context.region, wanted, after=asked.after, limit=asked.wanted
            )
        )
        page = asked.page(found, lambda version: version.key.name)
        return {
            "Layers": [
                {
                    "LayerName": version.key.name,
                    "LayerArn": version.key.arn,
                    "LatestMatchingVersion": listed_version_members(version),
                }
                for version in page.shown
            ],
            "NextMarker": page.next_marker,
        }

    @operation("ListLayerVersions")
    async def list_layer_versions(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """The newest first; none of a layer that doesn't exist."""
        key = own_layer(members["LayerName"], context, "ListLayerVersions")
        asked = self._markers.asked("ListLayerVersions", members)
        before = None if asked.after is None else int(asked.after)
        wanted = _wanted(members)
        found = await self._rooms.resources.read(
            lambda stored: versions_of(stored, key, wanted, before=before, limit=asked.wanted)
        )
        page = asked.page(found, lambda version: str(version.number))
        return {
            "LayerVersions": [listed_version_members(version) for version in page.shown],
            "NextMarker": page.next_marker,
        }

    @operation("DeleteLayerVersion")
    async def delete_layer_version(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """AWS answers as well when there is no such version. Functions that have it keep it."""
        number = members["VersionNumber"]
        check_number(number)
        key = own_layer(members["LayerName"], context, "DeleteLayerVersion", number)

        def delete(stored: Stored) -> LayerVersion | None:
            place = layer_version_place(key, number)
            version = stored.get(LAYER_VERSIONS, place)
            stored.delete(LAYER_VERSIONS, place)
            return version

        version = await self._rooms.resources.change(delete)
        if version is not None:
            self._rooms.deployments.forget_layer(version)
        return {}

    async def _read(self, reference: LayerReference, context: RequestContext) -> Mapping[str, Any]:
        version = await self._rooms.resources.read(lambda stored: readable_version(stored, reference, context))
        return self._version_members(version, context)

    def _version_members(self, version: LayerVersion, context: RequestContext) -> Mapping[str, Any]:
        """The shape GetLayerVersionResponse."""
        return {
            "LayerArn": version.key.arn,
            "Content": {
                "Location": self._links.link(version.package, context),
                "CodeSha256": version.package.code_sha256,
                "CodeSize": version.package.size_bytes,
            },
            **listed_version_members(version),
        }


def listed_version_members(version: LayerVersion) -> Mapping[str, Any]:
    """The shape LayerVersionsListItem."""
    return {
        "LayerVersionArn": version.arn,
        "Version": version.number,
        "Description": version.description,
        "CreatedDate": timestamp(version.created_epoch_ms),
        "CompatibleRuntimes": version.compatible_runtimes,
        "CompatibleArchitectures": version.compatible_architectures,
        "LicenseInfo": version.license_info,
    }


def _wanted(members: Members) -> Wanted:
    runtime, architecture = members.get("CompatibleRuntime"), members.get("CompatibleArchitecture")
    return lambda version: version.is_for(runtime=runtime, architecture=architecture)


def _tuple(sent: list[str] | None) -> tuple[str, ...] | None:
    return None if sent is None else tuple(sent)


def _zip_file(content: Mapping[str, Any]) -> bytes:
    if "S3Bucket" in content or "S3Key" in content:
        raise not_built("PublishLayerVersion with content in S3")
    zip_file: bytes | None = content.get("ZipFile")
    if zip_file is None:
        raise InvalidParameterValueException("Please provide a source for layer content.")
    return zip_file
