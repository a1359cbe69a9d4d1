"""Container images by name: references, digests, and what a repository holds. Pure.

Names and digests are those of the OCI distribution specification 1.1; texts are AWS's, as those who got them published.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from lampion.domain.errors import InvalidParameterValueException

NAME_CHARACTERS_MAX: Final = 256
_NAME_PART: Final = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_NAME: Final = re.compile(rf"{_NAME_PART}(?:/{_NAME_PART})*")
_TAG: Final = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")
_AWS_HOST: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)"
    r"\.(?:amazonaws\.com(?:\.cn)?|localhost(?::\d{1,5})?)"
)
_DEFAULT_TAG: Final = "latest"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """HOST/REPOSITORY with a tag or a digest, the other one being None."""

    host: str
    repository: str
    tag: str | None
    digest: str | None

    def resolved(self, digest: str) -> str:
        """The same image by its digest, as ResolvedImageUri spells it."""
        return f"{self.host}/{self.repository}@{digest}"

    @property
    def by(self) -> str:
        """Its tag or digest."""
        return self.digest or self.tag or _DEFAULT_TAG


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry of one account in one region."""

    account_id: str
    region: str


def parse_image_uri(uri: str) -> ImageReference:
    """Raises InvalidParameterValueException. Without tag and digest, the tag is "latest"; not both, as on AWS."""
    host, slash, rest = uri.partition("/")
    name, at, digest = rest.partition("@")
    repository, colon, tag = name.partition(":")
    is_good = bool(slash) and _HOST.fullmatch(host) is not None and is_repository_name(repository)
    if at:
        is_good = is_good and not colon and is_digest(digest)
    elif colon:
        is_good = is_good and is_tag(tag)
    if not is_good:
        raise not_valid(uri)
    return ImageReference(host, repository, None if at else tag or _DEFAULT_TAG, digest or None)


def registry_of_host(host: str) -> Registry | None:
    """Whose registry ACCOUNT.dkr.ecr.REGION.amazonaws.com, or the same under `localhost`, names."""
    match = _AWS_HOST.fullmatch(host)
    return None if match is None else Registry(match["account"], match["region"])


def is_repository_name(text: str) -> bool:
    return len(text) <= NAME_CHARACTERS_MAX and _NAME.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    return _TAG.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """SHA-256 only: what else the specification registers, ECR doesn't take either."""
    return _DIGEST.fullmatch(text) is not None


def sha256_of(digest: str) -> str:
    """The hex digits of a digest."""
    return digest.removeprefix("sha256:")


def not_valid(uri: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(f"Source image {uri} is not valid. Provide a valid source image.")


def does_not_exist(uri: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(f"Source image {uri} does not exist. Provide a valid source image.")


def not_supported(uri: str) -> InvalidParameterValueException:
    """For an index of images, an artifact that is none, or a layer of a kind that isn't known."""
    return InvalidParameterValueException(
        f"The image manifest, config or layer media type for the source image {uri} is not supported."
    )


# -- what a registry holds --


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository; `registry_id` is the account that has it. Options of ECR are kept and given back."""

    account_id: str
    region: str
    name: str
    created_epoch_ms: int
    tag_mutability: str = "MUTABLE"
    scans_on_push: bool = False
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:ecr:{self.region}:{self.account_id}:repository/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedManifest:
    """A manifest in a repository. `size_bytes` is what ECR counts: of the layers, as they are pushed.

    `references` are the digests of all that it is made of.
    """

    account_id: str
    region: str
    repository: str
    digest: str
    media_type: str
    size_bytes: int
    pushed_epoch_ms: int
    config_media_type: str | None = None
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTag:
    """A name of a manifest in its repository."""

    account_id: str
    region: str
    repository: str
    tag: str
    digest: str
