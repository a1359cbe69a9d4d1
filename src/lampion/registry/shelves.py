"""What lies in which repository: manifests, tags, and the blobs that may be seen there. Over the store and the content.

A blob is stored once for all, but a repository shows only what its own images are made of, and what was just brought
to it: who guesses a digest learns nothing of another's.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from lampion.clock.clock import Clock
from lampion.code.garbage import GarbageCollector
from lampion.code.images.content import ImageContent, digest_of
from lampion.code.images.manifests import BadManifest, Manifest, config_media_type, parse_manifest
from lampion.domain.image import ImageTag, PushedManifest, Repository, is_digest
from lampion.registry.errors import (
    RegistryError,
    bad_digest,
    bad_manifest,
    no_blob,
    no_manifest,
    no_repository,
    referenced_by,
    unsupported,
)
from lampion.store.repositories import (
    IMAGE_TAGS,
    MANIFESTS,
    REPOSITORIES,
    delete_manifest,
    find_manifest,
    indexes_with,
    manifest_place,
    manifests_of,
    repository_place,
    tag_place,
    tags_of,
)
from lampion.store.resources import Resources, Stored

_BROUGHT_MAX: Final = 65_536


@dataclass(frozen=True, slots=True)
class Shelf:
    """A repository, by whom it belongs to."""

    account_id: str
    region: str
    name: str

    def repository(self, stored: Stored) -> Repository:
        """Raises RegistryError."""
        found = stored.get(REPOSITORIES, repository_place(self.account_id, self.region, self.name))
        if found is None:
            raise no_repository(self.name, self.account_id)
        return found


class Shelves:
    """All repositories."""

    def __init__(self, content: ImageContent, resources: Resources, garbage: GarbageCollector, clock: Clock) -> None:
        self.content = content
        self._resources = resources
        self._garbage = garbage
        self._clock = clock
        self._brought: OrderedDict[tuple[Shelf, str], None] = OrderedDict()

    async def check(self, shelf: Shelf) -> None:
        """Raises RegistryError when there is no such repository."""
        await self._resources.read(shelf.repository)

    def note_brought(self, shelf: Shelf, digest: str) -> None:
        """This blob was uploaded to, or mounted in, the repository."""
        self._brought[shelf, digest] = None
        if len(self._brought) > _BROUGHT_MAX:
            self._brought.popitem(last=False)

    async def blob_size(self, shelf: Shelf, digest: str) -> int:
        """Of a blob that the repository shows; it becomes young. Raises RegistryError."""
        if (shelf, digest) not in self._brought:
            await self._resources.read(lambda stored: _check_shown(stored, shelf, digest))
        else:
            await self.check(shelf)
        size_bytes = await asyncio.to_thread(self.content.size, digest, renew=True)
        if size_bytes is None:
            raise no_blob(digest)
        return size_bytes

    async def manifest(self, shelf: Shelf, reference: str) -> PushedManifest:
        """Raises RegistryError."""

        def find(stored: Stored) -> PushedManifest:
            shelf.repository(stored)
            found = find_manifest(stored, shelf.account_id, shelf.region, shelf.name, reference)
            if found is None:
                raise no_manifest(reference)
            return found

        return await self._resources.read(find)

    async def put_manifest(self, shelf: Shelf, reference: str, media_type: str, data: bytes) -> str:
        """Store a manifest all of whose parts are there, under its digest and, if `reference` is one, a tag.

        Its digest. Raises RegistryError.
        """
        digest = digest_of(data)
        if is_digest(reference) and reference != digest:
            raise bad_digest("manifest digest did not match")
        try:
            manifest = parse_manifest(data, media_type)
        except BadManifest as error:
            raise bad_manifest(str(error)) from None
        await self.check(shelf)
        await self._check_parts(shelf, manifest)
        with self._garbage.hold(digest.removeprefix("sha256:")):
            await asyncio.to_thread(self.content.put, data)
            tag = None if is_digest(reference) else reference
            pushed = PushedManifest(
                account_id=shelf.account_id,
                region=shelf.region,
                repository=shelf.name,
                digest=digest,
                media_type=manifest.media_type,
                size_bytes=sum(part.size for part in manifest.layers),
                pushed_epoch_ms=int(self._clock.now() * 1000),
                config_media_type=config_media_type(manifest),
                references=tuple(part.digest for part in manifest.references),
            )
            await self._resources.change(lambda stored: _put(stored, shelf, pushed, tag))
        return digest

    async def delete_manifest(self, shelf: Shelf, reference: str) -> None:
        """By its digest, with its tags; by a tag, that alone. Raises RegistryError."""

        def delete(stored: Stored) -> None:
            repository = shelf.repository(stored)
            if is_digest(reference):
                indexes = indexes_with(stored, repository, reference)
                if indexes:
                    raise unsupported(referenced_by(indexes))
                is_gone = delete_manifest(stored, repository, reference)
            else:
                place = tag_place(shelf.account_id, shelf.region, shelf.name, reference)
                is_gone = stored.delete(IMAGE_TAGS, place)
            if not is_gone:
                raise no_manifest(reference)

        await self._resources.change(delete)
        self._garbage.nudge()

    async def tags(self, shelf: Shelf, *, after: str, most: int) -> list[str]:
        """Names in bytewise order. Raises RegistryError."""

        def names(stored: Stored) -> list[str]:
            found = sorted(named.tag for named in tags_of(stored, shelf.repository(stored)))
            return [name for name in found if name > after][:most]

        return await self._resources.read(names)

    async def _check_parts(self, shelf: Shelf, manifest: Manifest) -> None:
        """All that it is made of is in the repository and as large as it says; all becomes young."""
        for part in manifest.references:
            try:
                if manifest.is_index:
                    await self.manifest(shelf, part.digest)
                    size_bytes = await asyncio.to_thread(self.content.size, part.digest, renew=True)
                else:
                    size_bytes = await self.blob_size(shelf, part.digest)
            except RegistryError as error:
                raise RegistryError(404, "MANIFEST_BLOB_UNKNOWN", f"not in the repository: {part.digest}") from error
            if size_bytes != part.size:
                raise bad_manifest(f"{part.digest} has {size_bytes} bytes, not {part.size}")


def _check_shown(stored: Stored, shelf: Shelf, digest: str) -> None:
    if not any(digest in manifest.references for manifest in manifests_of(stored, shelf.repository(stored))):
        raise no_blob(digest)


def _put(stored: Stored, shelf: Shelf, pushed: PushedManifest, tag: str | None) -> None:
    repository = shelf.repository(stored)
    before = stored.get(MANIFESTS, manifest_place(shelf.account_id, shelf.region, shelf.name, pushed.digest))
    stored.put(MANIFESTS, pushed if before is None else replace(pushed, pushed_epoch_ms=before.pushed_epoch_ms))
    if tag is None:
        return
    named = stored.get(IMAGE_TAGS, tag_place(shelf.account_id, shelf.region, shelf.name, tag))
    if named is not None and named.digest != pushed.digest and repository.tag_mutability == "IMMUTABLE":
        raise RegistryError(
            400,
            "TAG_INVALID",
            f"The image tag '{tag}' already exists in the '{shelf.name}' repository and cannot be overwritten because "
            "the repository is immutable.",
        )
    stored.put(
        IMAGE_TAGS,
        ImageTag(
            account_id=shelf.account_id, region=shelf.region, repository=shelf.name, tag=tag, digest=pushed.digest
        ),
    )
