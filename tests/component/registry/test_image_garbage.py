"""What of images is kept, and for whom: nothing that somebody has is removed, and nothing else stays."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.code.images import store
from lampion.code.images.content import ContentMissing, ImageContent
from lampion.code.images.garbage import ImageGarbage
from lampion.code.images.manifests import BadManifest
from lampion.code.images.store import Images
from lampion.domain.image import PushedManifest
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources
from lampion.store.repositories import MANIFESTS
from tests.images.making import Image, Item, archive, digest_of

SHARED = archive(Item("shared", b"s"))
ONE = Image([SHARED, archive(Item("one", b"1"))], {"Cmd": ["one"]})
TWO = Image([SHARED, archive(Item("two", b"2"))], {"Cmd": ["two"]})
TWIN = Image(ONE.archives, {"Cmd": ["other"]})


@dataclass
class Stage:
    """Images of which one is in a repository, and how many seconds everything counts as old."""

    root: Path
    images: Images
    resources: MemoryResources
    garbage: ImageGarbage

    def store(self, *images: Image) -> None:
        for image in images:
            for data in (image.manifest, *image.blobs):
                self.images.content.put(data)

    async def push(self, image: Image) -> None:
        manifest = PushedManifest(
            account_id="123456789012",
            region="us-east-1",
            repository="app",
            digest=image.digest,
            media_type=image.media_type,
            size_bytes=1,
            pushed_epoch_ms=1,
        )
        await self.resources.change(lambda stored: stored.put(MANIFESTS, manifest))

    def has(self, *parts: bytes) -> list[bool]:
        return [self.images.content.size(digest_of(part)) is not None for part in parts]

    @property
    def trees(self) -> int:
        return sum(1 for _ in (self.root / "trees").iterdir())


@pytest.fixture
def make_stage(tmp_path: Path) -> Callable[..., Stage]:
    def make(grace_seconds: float = -1.0) -> Stage:
        for name in ("content", "trees", "staging"):
            (tmp_path / name).mkdir()
        clock, resources = VirtualClock(4e9), MemoryResources(MemoryFunctions().tables)
        content = ImageContent(tmp_path / "content", tmp_path / "staging")
        images = Images(content, tmp_path / "trees", tmp_path / "staging", clock)
        return Stage(tmp_path, images, resources, ImageGarbage(images, resources, clock, grace_seconds=grace_seconds))

    return make


async def test_what_a_function_or_a_repository_has_stays_with_all_its_parts(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage()
    stage.store(ONE, TWO, TWIN)
    for image in (ONE, TWO, TWIN):
        await stage.images.prepare(image.digest)
    assert stage.trees == 2  # images of the same layers share one
    await stage.push(TWO)
    await stage.garbage.sweep({ONE.digest.removeprefix("sha256:"), "f" * 64, "no digest"})
    assert stage.has(ONE.manifest, *ONE.blobs, TWO.manifest, *TWO.blobs) == [True] * 8
    assert stage.has(TWIN.manifest, TWIN.config) == [False, False]
    assert stage.trees == 2
    await stage.garbage.sweep(set())
    assert stage.has(*ONE.blobs) == [False, True, False]  # the layer that both have
    assert stage.trees == 1


async def test_what_is_young_stays_because_its_manifest_may_be_about_to_come(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(grace_seconds=4e9)
    stage.store(ONE)
    assert await stage.garbage.sweep(set()) == 0
    assert stage.has(*ONE.blobs) == [True] * 3


async def test_an_image_whose_content_is_lost_is_told(
    make_stage: Callable[..., Stage],
) -> None:
    stage = make_stage()
    stage.store(ONE)
    prepared = await stage.images.prepare(ONE.digest)
    assert (prepared.root / "one").read_bytes() == b"1"
    assert prepared.config.command == ("one",)
    assert not await stage.images.missing(ONE.digest)
    await stage.garbage.sweep(set())
    assert await stage.images.missing(ONE.digest)
    with pytest.raises(ContentMissing):
        await stage.images.prepare(ONE.digest)


async def test_no_configuration_leads_to_the_files_of_other_layers(make_stage: Callable[..., Stage]) -> None:
    """Trees are named after layers and diff ids: who knows those of another's image must not get its files."""
    stage = make_stage()
    stage.store(ONE)
    await stage.images.prepare(ONE.digest)
    diff_ids = json.loads(ONE.config)["rootfs"]["diff_ids"]
    crafted = "\n".join((json.loads(ONE.manifest)["layers"][1]["digest"], *diff_ids))
    config = json.dumps({"os": "linux", "rootfs": {"diff_ids": [crafted]}}).encode()
    manifest = json.loads(Image([SHARED]).manifest)
    manifest["config"] |= {"digest": digest_of(config), "size": len(config)}
    for data in (config, json.dumps(manifest).encode()):
        stage.images.content.put(data)
    with pytest.raises(BadManifest):
        await stage.images.prepare(digest_of(json.dumps(manifest).encode()))


async def test_what_images_say_is_remembered_of_so_many(
    make_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_REMEMBERED", 2)
    stage = make_stage()
    stage.store(ONE, TWO, TWIN)
    for image in (ONE, TWO, TWIN):
        await stage.images.describe(image.digest)
    stage.images.content.sweep(set(), older_than_epoch_seconds=5e9)
    assert [(await stage.images.describe(image.digest)).digest for image in (TWO, TWIN)] == [TWO.digest, TWIN.digest]
    with pytest.raises(ContentMissing):
        await stage.images.describe(ONE.digest)


async def test_names_of_all_letters_are_verified_like_others(make_stage: Callable[..., Stage]) -> None:
    stage, image = make_stage(), Image([archive(Item("Főtanúsítvány ☃", b"1"))])
    stage.store(image)
    prepared = await stage.images.prepare(image.digest)
    assert (prepared.root / "Főtanúsítvány ☃").read_bytes() == b"1"
