"""Where repositories of container images are kept, with the manifests and tags in each."""

from collections.abc import Sequence
from typing import Final

from lampion.domain.image import ImageTag, PushedManifest, Repository, is_digest
from lampion.store.resources import Kind, Place, Stored, every


def repository_place(account_id: str, region: str, name: str) -> Place:
    return Place.of_account(account_id, region, name)


def _in_repository(account_id: str, region: str, repository: str, own_id: str) -> Place:
    return Place(account_id, region, _owner(repository), own_id)


def _owner(repository: str) -> str:
    return f"repository:{repository}"


REPOSITORIES: Final = Kind(
    "image-repository",
    Repository,
    place=lambda repository: repository_place(repository.account_id, repository.region, repository.name),
)
MANIFESTS: Final = Kind(
    "image-manifest",
    PushedManifest,
    place=lambda manifest: manifest_place(manifest.account_id, manifest.region, manifest.repository, manifest.digest),
)
IMAGE_TAGS: Final = Kind(
    "image-tag",
    ImageTag,
    place=lambda named: tag_place(named.account_id, named.region, named.repository, named.tag),
)


def manifest_place(account_id: str, region: str, repository: str, digest: str) -> Place:
    return _in_repository(account_id, region, repository, digest)


def tag_place(account_id: str, region: str, repository: str, tag: str) -> Place:
    return _in_repository(account_id, region, repository, tag)


def find_manifest(
    stored: Stored, account_id: str, region: str, repository: str, reference: str
) -> PushedManifest | None:
    """By its digest or a tag."""
    if not is_digest(reference):
        named = stored.get(IMAGE_TAGS, tag_place(account_id, region, repository, reference))
        if named is None:
            return None
        reference = named.digest
    return stored.get(MANIFESTS, manifest_place(account_id, region, repository, reference))


def manifests_of(stored: Stored, repository: Repository) -> Sequence[PushedManifest]:
    return every(stored, MANIFESTS, repository.account_id, repository.region, owner=_owner(repository.name))


def tags_of(stored: Stored, repository: Repository) -> Sequence[ImageTag]:
    return every(stored, IMAGE_TAGS, repository.account_id, repository.region, owner=_owner(repository.name))


def indexes_with(stored: Stored, repository: Repository, digest: str) -> list[str]:
    """Digests of the indexes of images that name this image, without which they wouldn't be complete."""
    return sorted(one.digest for one in manifests_of(stored, repository) if digest in one.references)


def delete_manifest(stored: Stored, repository: Repository, digest: str) -> bool:
    """With its tags; whether there was something to delete."""
    for named in tags_of(stored, repository):
        if named.digest == digest:
            stored.delete(IMAGE_TAGS, IMAGE_TAGS.place(named))
    return stored.delete(MANIFESTS, manifest_place(repository.account_id, repository.region, repository.name, digest))


def delete_repository(stored: Stored, repository: Repository) -> None:
    """With everything in it."""
    for named in tags_of(stored, repository):
        stored.delete(IMAGE_TAGS, IMAGE_TAGS.place(named))
    for manifest in manifests_of(stored, repository):
        stored.delete(MANIFESTS, MANIFESTS.place(manifest))
    stored.delete(REPOSITORIES, REPOSITORIES.place(repository))


def pushed_digests(stored: Stored) -> frozenset[str]:
    """Of every manifest in every repository of every account."""
    return frozenset(
        manifest.digest
        for account_id, region in stored.accounts_with(MANIFESTS)
        for manifest in every(stored, MANIFESTS, account_id, region)
    )
