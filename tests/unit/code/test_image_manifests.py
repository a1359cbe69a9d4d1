"""Manifests and configurations: what is taken, and what isn't believed."""

import json
from typing import Any

import pytest

from lampion.code.images.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    BadManifest,
    parse_config,
    parse_manifest,
)

DIGEST = "sha256:" + "a" * 64
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": DIGEST, "size": 1}
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": DIGEST, "size": 5}


def manifest(**members: Any) -> bytes:
    whole = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": CONFIG, "layers": [LAYER], **members}
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


def test_an_image_has_a_configuration_and_layers_and_an_index_images() -> None:
    image = parse_manifest(manifest(), OCI_MANIFEST)
    assert (image.is_runnable, image.is_index, len(image.references)) == (True, False, 2)
    for media_type in (OCI_INDEX, DOCKER_LIST):
        index = parse_manifest(manifest(mediaType=media_type, manifests=[CONFIG], config=None, layers=None))
        assert (index.is_runnable, index.is_index, len(index.references)) == (False, True, 1)


def test_what_does_not_say_what_it_is_is_what_its_sender_says_or_what_it_looks_like() -> None:
    assert parse_manifest(manifest(mediaType=None), DOCKER_MANIFEST).media_type == DOCKER_MANIFEST
    assert parse_manifest(manifest(mediaType=None)).media_type == OCI_MANIFEST
    index = manifest(mediaType=None, config=None, layers=None, manifests=[])
    assert parse_manifest(index).media_type == OCI_INDEX


@pytest.mark.parametrize(
    "members",
    [
        {"config": {**CONFIG, "mediaType": "application/vnd.cncf.helm.config.v1+json"}},
        {"layers": [{**LAYER, "mediaType": "application/vnd.in-toto+json"}]},
        {"layers": [LAYER, {**LAYER, "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}]},
    ],
)
def test_other_artifacts_are_kept_but_not_run(members: dict[str, Any]) -> None:
    assert not parse_manifest(manifest(**members)).is_runnable


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff", b'{"x":' * 100_000),
        *(manifest(schemaVersion=1), manifest(mediaType="text/plain"), manifest(config=None), manifest(layers=None)),
        manifest(config={**CONFIG, "digest": "sha256:../../etc"}),
        manifest(config={**CONFIG, "size": -1}),
        manifest(layers=[{**LAYER, "size": "5"}]),
        manifest(layers=[LAYER] * 600),
    ],
)
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(BadManifest):
        parse_manifest(data)


def test_an_index_gives_the_linux_image_of_an_architecture() -> None:
    platforms: list[dict[str, str] | None] = [
        None,
        {"architecture": "arm64", "os": "windows"},
        {"architecture": "unknown", "os": "unknown"},
        {"architecture": "arm64", "os": "linux", "variant": "v8"},
        {"architecture": "arm64", "os": "linux"},
    ]
    entries = [
        {**CONFIG, "size": number, **({} if platform is None else {"platform": platform})}
        for number, platform in enumerate(platforms)
    ]
    index = parse_manifest(manifest(mediaType=OCI_INDEX, manifests=entries, config=None, layers=None))
    found = index.for_architecture("arm64")
    assert found is not None
    assert found.size == 3
    assert index.for_architecture("x86_64") is None


def test_a_type_that_contradicts_its_sender_is_refused() -> None:
    with pytest.raises(BadManifest):
        parse_manifest(manifest(), DOCKER_MANIFEST)


def config(**members: Any) -> bytes:
    return json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": [DIGEST]}, **members}).encode()


def test_a_configuration_says_how_its_image_is_run() -> None:
    run: dict[str, Any] = {
        "Entrypoint": ["/a"],
        "Cmd": None,
        "Env": ["A=1"],
        "WorkingDir": "/w",
        "User": "root",
        "Labels": {},
    }
    read = parse_config(config(config=run))
    assert (read.architecture, read.diff_ids) == ("x86_64", (DIGEST,))
    assert (read.entrypoint, read.command, read.environment, read.working_directory) == (("/a",), (), ("A=1",), "/w")
    assert parse_config(b"{}").entrypoint == ()


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"[]", config(os="windows"), config(config={"Env": "A=1"}), config(config={"Cmd": ["a\0b"]})),
        *(config(config={"Env": ["A=\ud800"]}), config(config={"Cmd": ["x"] * 2000})),
        config(config={"Env": ["A=" + "x" * 300_000]}),
        *(config(rootfs={"diff_ids": [odd]}) for odd in ("", "a" * 64, f"{DIGEST}\n{DIGEST}", f"{DIGEST}\n")),
        b'{"x":' * 100_000,
    ],
)
def test_what_could_be_no_processs_is_refused(data: bytes) -> None:
    with pytest.raises(BadManifest):
        parse_config(data)
