"""Registries elsewhere, through a skopeo that says what the test wants."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from lampion.aws.errors import AccessDeniedException
from lampion.code.images.content import ImageContent
from lampion.code.images.foreign import Allowed, ForeignRegistries
from lampion.domain.errors import ApiError, InvalidParameterValueException, ServiceException
from lampion.domain.function import DeploymentPackage
from lampion.domain.image import parse_image_uri
from tests.images.making import Image, Item, archive, digest_of

IMAGE = Image([archive(Item("a", b"1"))])
URI = "ghcr.io/team/app:v1"


@dataclass
class Result:
    code: int = 0
    stdout: bytes = b""
    stderr: bytes = b""


class Skopeo:
    """Remembers how it was called."""

    def __init__(self, answer: Callable[[Sequence[str]], Result]) -> None:
        self.calls: list[list[str]] = []
        self._answer = answer

    async def run(self, arguments: Sequence[str], timeout_seconds: float) -> Result:
        self.calls.append(list(arguments))
        return self._answer(arguments)


def registries(root: Path, skopeo: Skopeo, logins: Path | None = None, *, tls: bool = True) -> ForeignRegistries:
    for name in ("content", "staging"):
        (root / name).mkdir()
    content = ImageContent(root / "content", root / "staging")
    return ForeignRegistries(content, root / "staging", skopeo, Allowed({"ghcr.io": tls}, logins))


def package(image: Image = IMAGE, uri: str = URI) -> DeploymentPackage:
    digest = image.digest.removeprefix("sha256:")
    return DeploymentPackage(sha256=digest, code_sha256=digest, size_bytes=0, image_uri=uri)


def written(arguments: Sequence[str], manifest: bytes, *blobs: bytes) -> Result:
    """What `skopeo copy ... dir:PLACE` leaves."""
    place = Path(arguments[-1].removeprefix("dir:"))
    place.mkdir()
    (place / "manifest.json").write_bytes(manifest)
    for blob in blobs:
        (place / digest_of(blob).removeprefix("sha256:")).write_bytes(blob)
    return Result()


async def test_only_what_the_settings_name_is_asked(tmp_path: Path) -> None:
    others = registries(tmp_path, Skopeo(lambda _: Result()))
    assert [others.serves(host) for host in ("ghcr.io", "docker.io", "evil.ghcr.io")] == [True, False, False]
    with pytest.raises(KeyError):
        await others.pull(package(uri="docker.io/app:v1"))


async def test_skopeo_is_told_of_logins_and_of_missing_tls_and_nothing_secret(tmp_path: Path) -> None:
    skopeo = Skopeo(lambda _: Result(stdout=IMAGE.manifest))
    others = registries(tmp_path, skopeo, tmp_path / "auth.json", tls=False)
    assert await others.manifest(parse_image_uri(URI)) == IMAGE.manifest
    expected = ["inspect", "--raw", "--tls-verify=false", "--authfile", f"{tmp_path}/auth.json", f"docker://{URI}"]
    assert skopeo.calls == [expected]


async def test_an_image_is_brought_by_its_digest_and_nothing_else_is_left(tmp_path: Path) -> None:
    skopeo = Skopeo(lambda arguments: written(arguments, IMAGE.manifest, *IMAGE.blobs))
    await registries(tmp_path, skopeo).pull(package())
    assert skopeo.calls[0][2] == f"docker://ghcr.io/team/app@{IMAGE.digest}"
    stored = {f"sha256:{path.name}" for path in (tmp_path / "content").rglob("*") if path.is_file()}
    assert stored == {IMAGE.digest, *map(digest_of, IMAGE.blobs)}
    assert list((tmp_path / "staging").iterdir()) == []


async def test_what_was_there_before_an_image_is_young_again(tmp_path: Path) -> None:
    skopeo = Skopeo(lambda arguments: written(arguments, IMAGE.manifest, *IMAGE.blobs))
    others = registries(tmp_path, skopeo)
    for data in (IMAGE.manifest, *IMAGE.blobs):
        digest = others._content.put(data).removeprefix("sha256:")
        os.utime(tmp_path / "content" / digest[:2] / digest, (1000, 1000))
    await others.pull(package())
    assert others._content.sweep(set(), older_than_epoch_seconds=2000) == 0


@pytest.mark.parametrize("kind", ["a blob that is another", "a blob that is missing", "another manifest"])
async def test_what_is_not_what_its_digest_says_is_not_taken(tmp_path: Path, kind: str) -> None:
    other = Image([archive(Item("b", b"2"))])

    def bring(arguments: Sequence[str]) -> Result:
        if kind == "another manifest":
            return written(arguments, other.manifest, *other.blobs)
        written(arguments, IMAGE.manifest, *IMAGE.blobs)
        layer = Path(arguments[-1].removeprefix("dir:"), digest_of(IMAGE.layers[0]).removeprefix("sha256:"))
        layer.unlink() if kind == "a blob that is missing" else layer.write_bytes(b"else")
        return Result()

    with pytest.raises(ServiceException, match="isn't what its digest says"):
        await registries(tmp_path, Skopeo(bring)).pull(package())
    assert list((tmp_path / "staging").iterdir()) == []


@pytest.mark.parametrize(
    ("stderr", "error", "words"),
    [
        (b'msg="reading manifest v1 in ghcr.io/team/app: manifest unknown"', InvalidParameterValueException, "exist"),
        (b"unauthorized: authentication required", AccessDeniedException, "permission"),
        (b"requested access to the resource is denied", AccessDeniedException, "permission"),
        (b"first\ndial tcp: connection refused", ServiceException, "registry: dial tcp: connection refused$"),
        (
            rb'time="2026-01-01T00:00:00Z" level=fatal msg="reading \"app\": unexpected EOF"',
            *(ServiceException, 'registry: reading "app": unexpected EOF$'),
        ),
    ],
)
async def test_what_skopeo_says_becomes_what_aws_says(
    tmp_path: Path, stderr: bytes, error: type[ApiError], words: str
) -> None:
    with pytest.raises(error, match=words):
        await registries(tmp_path, Skopeo(lambda _: Result(1, stderr=stderr))).manifest(parse_image_uri(URI))


async def test_a_machine_without_skopeo_is_told_how_to_get_it(tmp_path: Path) -> None:
    def missing(_: Sequence[str]) -> Result:
        raise OSError("skopeo doesn't start: No such file or directory")

    with pytest.raises(ServiceException, match="apt-get install skopeo"):
        await registries(tmp_path, Skopeo(missing)).manifest(parse_image_uri(URI))


async def test_a_registry_that_is_slow_is_not_a_skopeo_that_is_missing(tmp_path: Path) -> None:
    def slow(_: Sequence[str]) -> Result:
        raise TimeoutError("skopeo took longer than 30 s")

    with pytest.raises(ServiceException, match=r"can't be taken from its registry: that isn't done after 30 s\.$"):
        await registries(tmp_path, Skopeo(slow)).manifest(parse_image_uri(URI))


async def test_an_image_that_is_too_large_is_not_even_asked_for(tmp_path: Path) -> None:
    huge = json.loads(IMAGE.manifest)
    huge["layers"][0]["size"] = 11 * 1024**3
    manifest = json.dumps(huge).encode()
    skopeo = Skopeo(lambda arguments: written(arguments, manifest))
    others = registries(tmp_path, skopeo)
    digest = others._content.put(manifest).removeprefix("sha256:")
    with pytest.raises(InvalidParameterValueException, match="is not supported"):
        await others.pull(DeploymentPackage(sha256=digest, code_sha256=digest, size_bytes=0, image_uri=URI))
    assert skopeo.calls == []


async def test_what_is_no_image_or_too_large_is_not_brought(tmp_path: Path) -> None:
    huge = json.loads(IMAGE.manifest)
    huge["layers"][0]["size"] = 11 * 1024**3
    for manifest in (b"not json", json.dumps(huge).encode()):
        root = tmp_path / digest_of(manifest)[7:15]
        root.mkdir()
        skopeo = Skopeo(lambda arguments, manifest=manifest: written(arguments, manifest))  # type: ignore[misc]
        with pytest.raises(InvalidParameterValueException, match="is not supported"):
            await registries(root, skopeo).pull(package())
