"""Images that are stored: what each says of itself, and its file system unpacked once for all that have it.

An image is named by the digest of its manifest. File systems are named after the layers that they are made of, so that
images which differ in their configuration alone share one (docs/decisions/0004-container-images.md).
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Set
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock
from lampion.code.images.content import ContentDamaged, ContentMissing, ImageContent
from lampion.code.images.manifests import (
    BadManifest,
    ImageConfig,
    Manifest,
    compression_of,
    parse_config,
    parse_manifest,
)
from lampion.code.images.streams import BadLayer, LayerStream
from lampion.code.images.unpack import UNPACKED_BYTES, Rootfs
from lampion.code.trees import Trees

_REMEMBERED: Final = 1024
_MADE_FROM: Final = "1"
"""The rules by which layers become a tree; another number has all trees made again."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image by what it says of itself."""

    digest: str
    manifest: Manifest
    config: ImageConfig

    @property
    def tree_name(self) -> str:
        made_from = (*(layer.digest for layer in self.manifest.layers), *self.config.diff_ids)
        return hashlib.sha256("\n".join(made_from).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """An image that can be run: its root directory, verified, and how it is to be run."""

    root: Path
    config: ImageConfig


class Images:
    """Unpacks each file system once; `staging` is on the same file system."""

    def __init__(self, content: ImageContent, directory: Path, staging: Path, clock: Clock) -> None:
        self.content = content
        self._trees = Trees(directory, staging, clock)
        self._clock = clock
        self._known: OrderedDict[str, StoredImage] = OrderedDict()

    async def describe(self, digest: str) -> StoredImage:
        """Raises ContentMissing, ContentDamaged, BadManifest."""
        known = self._known.get(digest)
        if known is None:
            known = self._known[digest] = await asyncio.to_thread(self._read, digest)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known

    async def prepare(self, digest: str) -> PreparedImage:
        """Raises BadLayer for what must not be unpacked, OSError, and what `describe` raises."""
        image = await self.describe(digest)
        root = await self._trees.prepare(image.tree_name, _MADE_FROM, partial(self._fill, image))
        return PreparedImage(root, image.config)

    async def missing(self, digest: str) -> bool:
        """Whether something of the image isn't stored."""
        return await asyncio.to_thread(self._is_missing, digest)

    async def sweep(self, live: Set[str], *, older_than_epoch_seconds: float, unused_seconds: float) -> int:
        """Remove what belongs to none of the manifests in `live` (digests), young things aside; how much went.

        Names in `live` that are no manifest's are ignored.
        """
        content, trees = await asyncio.to_thread(self._reached_from, live)
        before = self._clock.monotonic() - unused_seconds
        removed = 0
        for name in await self._trees.names():
            if name not in trees and self._trees.is_unused_since(name, before):
                await self._trees.discard(name)
                removed += 1
        sweep = partial(self.content.sweep, content, older_than_epoch_seconds=older_than_epoch_seconds)
        return removed + await asyncio.to_thread(sweep)

    def _read(self, digest: str) -> StoredImage:
        manifest = parse_manifest(self.content.read_small(digest))
        if manifest.config is None or not manifest.is_runnable:
            raise BadManifest("not an image that can be run")
        config = parse_config(self.content.read_small(manifest.config.digest))
        if len(config.diff_ids) != len(manifest.layers):
            raise BadManifest("its configuration is of other layers")
        return StoredImage(digest, manifest, config)

    def _is_missing(self, digest: str) -> bool:
        try:
            manifest = parse_manifest(self.content.read_small(digest))
        except (ContentMissing, ContentDamaged, BadManifest):
            return True
        return any(self.content.size(part.digest) is None for part in manifest.references)

    async def _fill(self, image: StoredImage, tree: Path) -> str:
        await asyncio.to_thread(self._unpack, image, tree)
        return _MADE_FROM

    def _unpack(self, image: StoredImage, tree: Path) -> None:
        rootfs, left_bytes = Rootfs(tree), UNPACKED_BYTES
        for layer, diff_id in zip(image.manifest.layers, image.config.diff_ids, strict=True):
            with self.content.open(layer.digest) as file:
                stream = LayerStream(file, compression_of(layer), left_bytes)
                if rootfs.lay(stream) != diff_id:
                    raise ContentDamaged(layer.digest)
            left_bytes -= stream.read_bytes
        rootfs.furnish()

    def _reached_from(self, live: Set[str]) -> tuple[set[str], set[str]]:
        """All content that these manifests lead to, and the names of their trees."""
        reached: set[str] = set()
        trees: set[str] = set()
        pending = [digest for digest in live if self.content.size(digest) is not None]
        while pending:
            digest = pending.pop()
            if digest in reached:
                continue
            reached.add(digest)
            try:
                manifest = parse_manifest(self.content.read_small(digest))
            except (ContentMissing, ContentDamaged, BadManifest) as error:
                _LOG.warning("manifest %s can't be read: %s", digest, error)
                continue
            reached |= {part.digest for part in (*manifest.layers, *((manifest.config,) if manifest.config else ()))}
            pending += [part.digest for part in manifest.manifests]
            with suppress(ContentMissing, ContentDamaged, BadManifest):  # else it is no image that could have a tree
                trees.add(self._read(digest).tree_name)
        return reached, trees


__all__ = ["BadLayer", "BadManifest", "ContentDamaged", "ContentMissing", "Images", "PreparedImage", "StoredImage"]
