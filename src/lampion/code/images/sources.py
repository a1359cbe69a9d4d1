"""From an ImageUri to the image that it names now: in this server's own registry, or in one that the settings allow.

What it names is settled when the function is created or updated, as on AWS: a tag that moves later moves no function.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Protocol

from lampion.code.garbage import GarbageCollector
from lampion.code.images.architectures import ImageArchitectures
from lampion.code.images.content import digest_of
from lampion.code.images.manifests import BadManifest, Manifest, parse_manifest
from lampion.code.images.store import ContentDamaged, ContentMissing, Images
from lampion.domain.function import DeploymentPackage
from lampion.domain.image import (
    ImageReference,
    Registry,
    does_not_exist,
    not_supported,
    not_valid,
    parse_image_uri,
    registry_of_host,
    sha256_of,
)
from lampion.store.repositories import find_manifest
from lampion.store.resources import Resources

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class OtherRegistries(Protocol):
    """Registries elsewhere."""

    def serves(self, host: str) -> bool:
        """Whether images may be taken from there."""

    async def manifest(self, reference: ImageReference) -> bytes:
        """What it answers for that name. Raises InvalidParameterValueException, ServiceException."""


class ImageSources:
    """Finds images for functions."""

    def __init__(
        self,
        images: Images,
        resources: Resources,
        others: OtherRegistries,
        garbage: GarbageCollector,
        architectures: ImageArchitectures,
    ) -> None:
        self._images = images
        self._resources = resources
        self._others = others
        self._garbage = garbage
        self._architectures = architectures

    @asynccontextmanager
    async def held(
        self, uri: str, caller: Registry, own_host: str, architecture: str
    ) -> AsyncIterator[DeploymentPackage]:
        """The image that `uri` names, kept at least until the block ends: commit the function in it.

        `own_host` is what the caller calls this server, `architecture` the function's. Raises
        InvalidParameterValueException.
        """
        reference = parse_image_uri(uri)
        if self._others.serves(reference.host):
            digest = await self._digest_elsewhere(uri, reference, architecture)
        else:
            digest = await self._digest(uri, reference, caller, own_host)
        package = DeploymentPackage(
            sha256=sha256_of(digest), code_sha256=sha256_of(digest), size_bytes=0, image_uri=uri
        )
        with self._garbage.hold(package.sha256):
            yield package

    async def _digest(self, uri: str, reference: ImageReference, caller: Registry, own_host: str) -> str:
        registry = _own_registry(reference.host, caller, own_host)
        if registry is None or registry.region != caller.region:
            raise not_valid(uri)
        account_id, region = registry.account_id, registry.region
        found = await self._resources.read(
            lambda stored: find_manifest(stored, account_id, region, reference.repository, reference.by)
        )
        if found is None:
            raise does_not_exist(uri)
        try:
            await self._images.describe(found.digest)
        except BadManifest:
            raise not_supported(uri) from None
        except (ContentMissing, ContentDamaged):
            raise does_not_exist(uri) from None
        return found.digest

    async def _digest_elsewhere(self, uri: str, reference: ImageReference, architecture: str) -> str:
        """Elsewhere images are mostly for several architectures, as none of ECR's may be that a function names."""
        data, manifest = await self._manifest_elsewhere(uri, reference)
        if manifest.is_index:
            found = map(manifest.for_architecture, self._architectures.preferred(architecture))
            part = next((one for one in found if one is not None), None)
            if part is None:
                raise not_supported(uri)
            data, manifest = await self._manifest_elsewhere(uri, replace(reference, tag=None, digest=part.digest))
            if digest_of(data) != part.digest:
                raise not_supported(uri)
        if not manifest.is_runnable:
            raise not_supported(uri)
        return await asyncio.to_thread(self._images.content.put, data)

    async def _manifest_elsewhere(self, uri: str, reference: ImageReference) -> tuple[bytes, Manifest]:
        data = await self._others.manifest(reference)
        try:
            return data, parse_manifest(data)
        except BadManifest:
            raise not_supported(uri) from None


def _own_registry(host: str, caller: Registry, own_host: str) -> Registry | None:
    """Whose registry a host names; by this server's own name, the caller's."""
    if host == own_host or _is_same_loopback(host, own_host):
        return caller
    return registry_of_host(host)


def _is_same_loopback(host: str, own_host: str) -> bool:
    """This machine has several names; the port tells servers apart."""
    (name, _, port), (own_name, _, own_port) = host.rpartition(":"), own_host.rpartition(":")
    return port == own_port and name in _LOOPBACK and (own_name in _LOOPBACK or own_name.endswith(".localhost"))
