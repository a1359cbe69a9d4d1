"""Makes container images for tests: layers, configurations and manifests, and OCI layouts of them on disk."""

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lampion.code.images.manifests import DOCKER_MANIFEST, OCI_MANIFEST

_SOURCE = Path(__file__).with_name("bootstrap.c")
_GZIP_LAYERS = {
    OCI_MANIFEST: "application/vnd.oci.image.layer.v1.tar+gzip",
    DOCKER_MANIFEST: "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
_CONFIGS = {
    OCI_MANIFEST: "application/vnd.oci.image.config.v1+json",
    DOCKER_MANIFEST: "application/vnd.docker.container.image.v1+json",
}


@dataclass(frozen=True)
class Item:
    """One entry of a layer's archive."""

    name: str
    content: bytes = b""
    mode: int = 0o644
    kind: bytes = tarfile.REGTYPE
    target: str = ""
    modified_seconds: float = 1_700_000_000.0


def directory(name: str, mode: int = 0o755) -> Item:
    return Item(name, mode=mode, kind=tarfile.DIRTYPE)


def link(name: str, target: str) -> Item:
    return Item(name, kind=tarfile.SYMTYPE, target=target)


def hard_link(name: str, target: str) -> Item:
    return Item(name, kind=tarfile.LNKTYPE, target=target)


def archive(*items: Item) -> bytes:
    """A tar archive as Docker writes it."""
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for item in items:
            info = tarfile.TarInfo(item.name)
            info.mode, info.type, info.linkname = item.mode, item.kind, item.target
            info.mtime, info.size = item.modified_seconds, len(item.content)
            if item.kind in (tarfile.CHRTYPE, tarfile.BLKTYPE):
                info.devmajor, info.devminor = 1, 3
            tar.addfile(info, io.BytesIO(item.content))
    return memory.getvalue()


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True)
class Image:
    """An image whose layers are gzipped archives."""

    archives: Sequence[bytes]
    run: dict[str, Any] = field(default_factory=dict)
    architecture: str = "amd64"
    media_type: str = OCI_MANIFEST

    @cached_property
    def layers(self) -> list[bytes]:
        return [gzip.compress(data, 1, mtime=0) for data in self.archives]

    @cached_property
    def config(self) -> bytes:
        diff_ids = [digest_of(data) for data in self.archives]
        rootfs = {"type": "layers", "diff_ids": diff_ids}
        return json.dumps(
            {"architecture": self.architecture, "os": "linux", "config": self.run, "rootfs": rootfs}
        ).encode()

    @cached_property
    def manifest(self) -> bytes:
        return json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": self.media_type,
                "config": _descriptor(self.config, _CONFIGS[self.media_type]),
                "layers": [_descriptor(layer, _GZIP_LAYERS[self.media_type]) for layer in self.layers],
            }
        ).encode()

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)

    @property
    def blobs(self) -> Iterable[bytes]:
        return (self.config, *self.layers)


def _descriptor(data: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def write_layout(image: Image, target: Path) -> Path:
    """An OCI layout in the directory `target`."""
    blobs = target / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for data in (image.manifest, *image.blobs):
        (blobs / digest_of(data).removeprefix("sha256:")).write_bytes(data)
    (target / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    index = {"schemaVersion": 2, "manifests": [_descriptor(image.manifest, image.media_type)]}
    (target / "index.json").write_text(json.dumps(index))
    return target


@cache
def bootstrap() -> bytes:
    """The static runtime of bootstrap.c."""
    with TemporaryDirectory(prefix="lampion-test-") as place:
        program = Path(place, "bootstrap")
        subprocess.run(["gcc", "-static", "-O1", "-D_GNU_SOURCE", "-o", str(program), str(_SOURCE)], check=True)
        return program.read_bytes()


def static_image(*further: bytes, **run: Any) -> Image:
    """An image of nothing but that program; `run` as in an image's configuration."""
    base = archive(
        directory("data", 0o777),
        Item("data/text", b"lower"),
        Item("usr/bin/bootstrap", bootstrap(), 0o4755),
        link("bin", "usr/bin"),
    )
    return Image(
        [base, *further],
        {"Entrypoint": ["/bin/bootstrap"], "Cmd": ["app.handler"], "Env": ["COLOR=red", "PATH=/bin"], **run},
    )
