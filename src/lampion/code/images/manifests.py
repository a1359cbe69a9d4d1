"""Manifests and configurations as values: OCI image specification 1.1, and Docker's image manifest version 2, schema 2.

Pure. Whatever somebody pushed, it becomes a value here or BadManifest.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from lampion.domain.image import is_digest

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST_TYPES: Final = (OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, DOCKER_LIST)

_INDEXES: Final = frozenset((OCI_INDEX, DOCKER_LIST))
_CONFIGS: Final = frozenset(
    ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
)
_LAYERS: Final = {
    "application/vnd.oci.image.layer.v1.tar": "",
    "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
    "application/vnd.docker.image.rootfs.diff.tar": "",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
}
_MOST_LAYERS: Final = 512
_MOST_WORDS: Final = 1000
_MOST_CHARACTERS: Final = 256 * 1024
_ARCHITECTURES: Final = {"amd64": "x86_64", "arm64": "arm64"}


class BadManifest(Exception):
    """It isn't a manifest or a configuration that can be made sense of; the message says why."""


class Platform(msgspec.Struct, frozen=True):
    """What an entry of an index is for, in Go's words."""

    architecture: str = ""
    os: str = ""


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    """What a manifest refers to."""

    digest: str
    size: int
    media_type: str = ""
    platform: Platform | None = None


class _Manifest(msgspec.Struct, frozen=True, rename="camel"):
    schema_version: int
    media_type: str | None = None
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] | None = None
    manifests: tuple[Descriptor, ...] | None = None
    subject: Descriptor | None = None


class _Run(msgspec.Struct, frozen=True):
    entrypoint: tuple[str, ...] | None = msgspec.field(default=None, name="Entrypoint")
    command: tuple[str, ...] | None = msgspec.field(default=None, name="Cmd")
    environment: tuple[str, ...] | None = msgspec.field(default=None, name="Env")
    working_directory: str | None = msgspec.field(default=None, name="WorkingDir")


class _RootFs(msgspec.Struct, frozen=True):
    diff_ids: tuple[str, ...] = ()


class _Config(msgspec.Struct, frozen=True):
    architecture: str = ""
    os: str = ""
    config: _Run | None = None
    rootfs: _RootFs | None = None


_MANIFEST: Final = msgspec.json.Decoder(_Manifest)
_CONFIG: Final = msgspec.json.Decoder(_Config)
"""Made here: msgspec isn't safe where several threads are the first to decode a class."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image (with `config`), or an index of images (without)."""

    media_type: str
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    manifests: tuple[Descriptor, ...]

    @property
    def is_index(self) -> bool:
        return self.media_type in _INDEXES

    @property
    def references(self) -> tuple[Descriptor, ...]:
        """All that must be there for it to be complete."""
        own = () if self.config is None else (self.config,)
        return (*own, *self.layers, *self.manifests)

    def for_architecture(self, architecture: str) -> Descriptor | None:
        """The image that an index has for one of Lambda's architectures."""
        for part in self.manifests:
            platform = part.platform or Platform()
            if platform.os == "linux" and _ARCHITECTURES.get(platform.architecture) == architecture:
                return part
        return None

    @property
    def is_runnable(self) -> bool:
        """Whether every part of it is of a kind that is known here: else it is an index, or no image at all."""
        if self.is_index or self.config is None or self.config.media_type not in _CONFIGS:
            return False
        return all(layer.media_type in _LAYERS for layer in self.layers)


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """How an image says that it is to be run."""

    architecture: str
    diff_ids: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    working_directory: str = ""


def parse_manifest(data: bytes, media_type: str | None = None) -> Manifest:
    """`media_type` is what its sender called it. Raises BadManifest."""
    try:
        read = _MANIFEST.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadManifest(f"not a manifest: {error}") from None
    named = read.media_type or media_type or _presumed(read)
    if read.schema_version != 2 or named not in MANIFEST_TYPES:
        raise BadManifest(f"manifests of type {named or 'unknown'!r} aren't known")
    if media_type and read.media_type and media_type != read.media_type:
        raise BadManifest(f"sent as {media_type!r}, but it says {read.media_type!r} of itself")
    is_index = named in _INDEXES
    has_its_parts = read.manifests is not None if is_index else read.config is not None and read.layers is not None
    if not has_its_parts:
        raise BadManifest("parts are missing")
    manifest = Manifest(named, None, (), read.manifests or ())
    if not is_index:
        manifest = Manifest(named, read.config, read.layers or (), ())
    references = manifest.references
    if len(references) > _MOST_LAYERS or any(not is_digest(part.digest) or part.size < 0 for part in references):
        raise BadManifest("what it refers to is too much, or isn't named by SHA-256")
    return manifest


def _presumed(read: _Manifest) -> str:
    """OCI's may leave it to others to say what they are."""
    return OCI_MANIFEST if read.manifests is None else OCI_INDEX


def parse_config(data: bytes) -> ImageConfig:
    """Raises BadManifest."""
    try:
        read = _CONFIG.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadManifest(f"not an image's configuration: {error}") from None
    run, rootfs = read.config or _Run(), read.rootfs or _RootFs()
    if read.os not in ("linux", ""):
        raise BadManifest(f"an image for {read.os!r}")
    if not all(map(is_digest, rootfs.diff_ids)):
        raise BadManifest("its layers aren't named by SHA-256")
    _check_words([*(run.entrypoint or ()), *(run.command or ()), *(run.environment or ()), run.working_directory or ""])
    return ImageConfig(
        architecture=_ARCHITECTURES.get(read.architecture, read.architecture),
        diff_ids=rootfs.diff_ids,
        entrypoint=run.entrypoint or (),
        command=run.command or (),
        environment=run.environment or (),
        working_directory=run.working_directory or "",
    )


def _check_words(words: list[str]) -> None:
    """What is to become a process's: it takes no NUL, and not everything."""
    if len(words) > _MOST_WORDS or sum(map(len, words)) > _MOST_CHARACTERS:
        raise BadManifest("its command and variables are too long")
    if any("\0" in word or not _is_text(word) for word in words):
        raise BadManifest("its command or variables are no text")


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def compression_of(layer: Descriptor) -> str:
    """ "" for none. Raises KeyError for a layer of an unknown kind."""
    return _LAYERS[layer.media_type]


def config_media_type(manifest: Manifest) -> str | None:
    return None if manifest.config is None else manifest.config.media_type
