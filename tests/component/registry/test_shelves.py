"""What a repository shows and takes, and what of that is kept from being removed as nobody's."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.code.images import store
from lampion.code.images.content import ContentDamaged, ImageContent
from lampion.code.images.manifests import OCI_INDEX
from lampion.code.images.store import Images
from lampion.code.images.streams import BadLayer
from lampion.domain.image import Repository
from lampion.registry import shelves as module
from lampion.registry.errors import RegistryError
from lampion.registry.shelves import Shelf, Shelves
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources
from lampion.store.repositories import REPOSITORIES
from tests.images.making import Image, Item, archive, digest_of

IMAGE = Image([archive(Item("one", b"1" * 2000)), archive(Item("two", b"2" * 2000))], {"Cmd": ["one"]})
SHELF = Shelf("123456789012", "us-east-1", "app")


class Held:
    """Notes what is kept from the garbage collector (code.garbage.GarbageCollector), and what it holds then."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.nudges = 0

    @contextmanager
    def hold(self, sha256: str) -> Iterator[None]:
        self.names.append(sha256)
        yield

    def nudge(self) -> None:
        self.nudges += 1


class Stage:
    """An empty repository."""

    def __init__(self, root: Path) -> None:
        for name in ("content", "staging", "trees"):
            (root / name).mkdir()
        self.root, self.held = root, Held()
        self.content = ImageContent(root / "content", root / "staging")
        self.resources = MemoryResources(MemoryFunctions().tables)
        self.shelves = Shelves(self.content, self.resources, cast("Any", self.held), VirtualClock())

    async def open(self) -> None:
        repository = Repository(account_id="123456789012", region="us-east-1", name="app", created_epoch_ms=1)
        await self.resources.change(lambda stored: stored.put(REPOSITORIES, repository))

    def bring(self, *blobs: bytes) -> None:
        for blob in blobs:
            self.shelves.note_brought(SHELF, self.content.put(blob))

    def path(self, digest: str) -> Path:
        name = digest.removeprefix("sha256:")
        return self.root / "content" / name[:2] / name

    def make_old(self, *blobs: bytes) -> None:
        for blob in blobs:
            os.utime(self.path(digest_of(blob)), (1000, 1000))

    def sweep(self) -> int:
        return self.content.sweep(set(), older_than_epoch_seconds=2000)


@pytest.fixture
async def stage(tmp_path: Path) -> Stage:
    made = Stage(tmp_path)
    await made.open()
    return made


async def test_a_blob_that_somebody_asks_for_is_young_again(stage: Stage) -> None:
    """Its client finds it there, brings it no more, and sends the manifest."""
    stage.bring(b"blob", b"other")
    stage.make_old(b"blob", b"other")
    assert await stage.shelves.blob_size(SHELF, digest_of(b"blob")) == 4
    assert stage.sweep() == 1
    assert stage.content.size(digest_of(b"blob")) == 4


async def test_what_a_manifest_is_made_of_is_young_again_and_it_is_held_until_it_is_stored(stage: Stage) -> None:
    stage.bring(*IMAGE.blobs)
    stage.make_old(*IMAGE.blobs)
    await stage.shelves.put_manifest(SHELF, "v1", IMAGE.media_type, IMAGE.manifest)
    assert stage.sweep() == 0
    assert stage.held.names == [IMAGE.digest.removeprefix("sha256:")]
    stage.make_old(IMAGE.manifest)
    entry = {"mediaType": IMAGE.media_type, "digest": IMAGE.digest, "size": len(IMAGE.manifest)}
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
    await stage.shelves.put_manifest(SHELF, "all", OCI_INDEX, index)
    assert stage.sweep() == 0
    await stage.shelves.delete_manifest(SHELF, "all")
    assert stage.held.nudges == 1


async def test_only_so_many_are_known_to_have_been_brought(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest ones have to be brought again, unless an image has them."""
    monkeypatch.setattr(module, "_BROUGHT_MAX", 2)
    stage.bring(b"first", b"second", b"third")
    assert await stage.shelves.blob_size(SHELF, digest_of(b"third")) == 5
    assert await stage.shelves.blob_size(SHELF, digest_of(b"second")) == 6
    with pytest.raises(RegistryError):
        await stage.shelves.blob_size(SHELF, digest_of(b"first"))


async def test_content_that_a_disk_changed_is_not_taken_for_what_it_was(stage: Stage) -> None:
    stage.bring(IMAGE.manifest)
    for damage in (IMAGE.manifest + b" ", b"", b" " * (4 * 1024 * 1024 + 1)):
        stage.path(IMAGE.digest).write_bytes(damage)
        with pytest.raises(ContentDamaged):
            stage.content.read_small(IMAGE.digest)


async def test_layers_may_be_so_large_all_together(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.bring(IMAGE.manifest, *IMAGE.blobs)
    images = Images(stage.content, stage.root / "trees", stage.root / "staging", VirtualClock())
    sizes = [len(data) for data in IMAGE.archives]
    monkeypatch.setattr(store, "UNPACKED_BYTES", sum(sizes) - 1)
    with pytest.raises(BadLayer, match="larger than 10 GB"):
        await images.prepare(IMAGE.digest)
    assert [*(stage.root / "trees").iterdir(), *(stage.root / "staging").iterdir()] == []
    monkeypatch.setattr(store, "UNPACKED_BYTES", sum(sizes))
    assert (await images.prepare(IMAGE.digest)).root.is_dir()
