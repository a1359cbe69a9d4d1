"""ECR's API, as far as clients need it to log in, publish images, and look at and delete them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from lampion.aws.operation import RequestContext, operation
from lampion.aws.pagination import Markers
from lampion.clock.clock import Clock
from lampion.code.garbage import GarbageCollector
from lampion.code.images.content import ContentDamaged, ContentMissing, ImageContent
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.image import ImageTag, PushedManifest, Repository
from lampion.registry.errors import (
    ImageNotFoundException,
    RepositoryAlreadyExistsException,
    RepositoryNotEmptyException,
    RepositoryNotFoundException,
    missing_repository,
    referenced_by,
)
from lampion.registry.parameters import check_image, checked_tags, image_fault, invalid
from lampion.registry.tokens import LIFETIME_SECONDS, Bearer, RegistryTokens, authorization
from lampion.store.repositories import (
    IMAGE_TAGS,
    REPOSITORIES,
    delete_manifest,
    delete_repository,
    find_manifest,
    indexes_with,
    manifests_of,
    repository_place,
    tag_place,
    tags_of,
)
from lampion.store.resources import Resources, Stored, every

if TYPE_CHECKING:
    from lampion.identity.request_facts import Asker

Members = dict[str, Any]
_PAGE: Final = 100


class EcrApi:
    """Repositories and images of the caller's account."""

    def __init__(
        self,
        *,
        content: ImageContent,
        resources: Resources,
        tokens: RegistryTokens,
        garbage: GarbageCollector,
        markers: Markers,
        clock: Clock,
    ) -> None:
        self._content = content
        self._resources = resources
        self._tokens = tokens
        self._garbage = garbage
        self._markers = markers
        self._clock = clock

    @operation("GetAuthorizationToken")
    async def get_authorization_token(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """On a server started open any password will do."""
        asker: Asker = context.asker
        expires = int(self._clock.now()) + LIFETIME_SECONDS
        password = self._tokens.issue(Bearer(context.principal, expires, asker.actor.standing))
        return {
            "authorizationData": [
                {
                    "authorizationToken": authorization(password),
                    "expiresAt": expires,
                    "proxyEndpoint": f"{context.scheme}://{context.host}",
                }
            ]
        }

    @operation("CreateRepository")
    async def create_repository(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        name = members["repositoryName"]
        repository = Repository(
            account_id=context.account_id,
            region=context.region,
            name=name,
            created_epoch_ms=int(self._clock.now() * 1000),
            tag_mutability=members.get("imageTagMutability", "MUTABLE"),
            scans_on_push=bool(members.get("imageScanningConfiguration", {}).get("scanOnPush")),
            tags=checked_tags(members.get("tags", ())),
        )

        def create(stored: Stored) -> None:
            if stored.get(REPOSITORIES, REPOSITORIES.place(repository)) is not None:
                raise RepositoryAlreadyExistsException(
                    f"The repository with name '{name}' already exists in the registry with id '{context.account_id}'"
                )
            stored.put(REPOSITORIES, repository)

        await self._resources.change(create)
        return {"repository": _repository_members(repository, context)}

    @operation("DescribeRepositories")
    async def describe_repositories(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        account_id = members.get("registryId", context.account_id)
        named = members.get("repositoryNames")

        def read(stored: Stored) -> Sequence[Repository]:
            if named:
                return [_existing(stored, context, {**members, "repositoryName": name}) for name in named]
            if account_id != context.account_id:
                return ()
            return every(stored, REPOSITORIES, account_id, context.region, owner="")

        found = sorted(await self._resources.read(read), key=lambda one: one.name)
        if named:
            return {"repositories": [_repository_members(one, context) for one in found]}
        shown, token = self._page("DescribeRepositories", members, found, [one.name for one in found])
        return {"repositories": [_repository_members(one, context) for one in shown], "nextToken": token}

    @operation("DeleteRepository")
    async def delete_repository(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        def delete(stored: Stored) -> Repository:
            repository = _existing(stored, context, members)
            if manifests_of(stored, repository) and not members.get("force"):
                raise RepositoryNotEmptyException(
                    f"The repository with name '{repository.name}' in registry with id '{repository.account_id}' "
                    "cannot be deleted because it still contains images"
                )
            delete_repository(stored, repository)
            return repository

        repository = await self._resources.change(delete)
        self._garbage.nudge()
        return {"repository": _repository_members(repository, context)}

    @operation("ListTagsForResource")
    async def list_tags_for_resource(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        arn = members["resourceArn"]
        prefix = f"arn:aws:ecr:{context.region}:{context.account_id}:repository/"
        if not arn.startswith(prefix):
            raise invalid("resourceArn", "Invalid ARN")
        wanted = {"repositoryName": arn.removeprefix(prefix)}
        repository = await self._resources.read(lambda stored: _existing(stored, context, wanted))
        return {"tags": [{"Key": key, "Value": value} for key, value in repository.tags.items()]}

    @operation("ListImages")
    async def list_images(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        status = members.get("filter", {}).get("tagStatus", "ANY")

        def read(stored: Stored) -> list[Members]:
            repository = _existing(stored, context, members)
            tags = tags_of(stored, repository)
            tagged = {named.digest for named in tags}
            found = [{"imageDigest": named.digest, "imageTag": named.tag} for named in tags]
            rest = [one.digest for one in manifests_of(stored, repository) if one.digest not in tagged]
            untagged = [{"imageDigest": digest} for digest in rest]
            return {"TAGGED": found, "UNTAGGED": untagged}.get(status, found + untagged)

        found = await self._resources.read(read)
        found.sort(key=_position)
        shown, token = self._page("ListImages", members, found, [_position(one) for one in found])
        return {"imageIds": shown, "nextToken": token}

    @operation("DescribeImages")
    async def describe_images(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        status = members.get("filter", {}).get("tagStatus", "ANY")

        def read(stored: Stored) -> tuple[Sequence[PushedManifest], Sequence[ImageTag]]:
            repository = _existing(stored, context, members)
            tags = tags_of(stored, repository)
            if "imageIds" not in members:
                return manifests_of(stored, repository), tags
            found = {}
            for asked in members["imageIds"]:
                check_image(asked)
                manifest = _found(stored, repository, asked)
                if manifest is None:
                    raise ImageNotFoundException(
                        f"The image with imageId {_shown(asked)} does not exist within the repository with name "
                        f"'{repository.name}' in the registry with id '{repository.account_id}'"
                    )
                found[manifest.digest] = manifest
            return list(found.values()), tags

        manifests, tags = await self._resources.read(read)
        details = [
            _detail_members(one, [named.tag for named in tags if named.digest == one.digest]) for one in manifests
        ]
        if status != "ANY":
            details = [one for one in details if (one["imageTags"] is not None) == (status == "TAGGED")]
        details.sort(key=lambda one: str(one["imageDigest"]))
        shown, token = self._page("DescribeImages", members, details, [one["imageDigest"] for one in details])
        return {"imageDetails": shown, "nextToken": token}

    @operation("BatchGetImage")
    async def batch_get_image(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        found, failures = await self._resources.read(lambda stored: _split(stored, context, members))
        images = []
        for asked, manifest in found:
            try:
                data = await asyncio.to_thread(self._content.read_small, manifest.digest)
            except (ContentMissing, ContentDamaged):
                failures.append(_failure(asked, "ImageInaccessible", "The image's manifest is lost on this machine"))
                continue
            images.append(
                {
                    "registryId": manifest.account_id,
                    "repositoryName": manifest.repository,
                    "imageId": {**asked, "imageDigest": manifest.digest},
                    "imageManifest": data.decode(),
                    "imageManifestMediaType": manifest.media_type,
                }
            )
        return {"images": images, "failures": failures}

    @operation("BatchDeleteImage")
    async def batch_delete_image(self, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """By a tag, that alone goes as long as the image has others."""

        def delete(stored: Stored) -> tuple[list[Members], list[Members]]:
            found, failures = _split(stored, context, members)
            repository = _existing(stored, context, members)
            gone: list[Members] = []
            for asked, manifest in found:
                tags = [named.tag for named in tags_of(stored, repository) if named.digest == manifest.digest]
                is_whole = "imageDigest" in asked or tags == [asked["imageTag"]]
                if is_whole and (parts := indexes_with(stored, repository, manifest.digest)):
                    failures.append(_failure(asked, "ImageReferencedByManifestList", referenced_by(parts)))
                elif is_whole:
                    delete_manifest(stored, repository, manifest.digest)
                    named = [{"imageDigest": manifest.digest, "imageTag": tag} for tag in tags]
                    gone += named or [{"imageDigest": manifest.digest}]
                else:
                    tag = asked["imageTag"]
                    stored.delete(IMAGE_TAGS, tag_place(repository.account_id, repository.region, repository.name, tag))
                    gone.append({"imageDigest": manifest.digest, "imageTag": tag})
            return gone, failures

        gone, failures = await self._resources.change(delete)
        self._garbage.nudge()
        return {"imageIds": gone, "failures": failures}

    def _page(
        self, name: str, members: Members, found: Sequence[Any], positions: Sequence[str]
    ) -> tuple[list[Any], str | None]:
        """What comes after the token's position, and the token of what comes after that."""
        most, after = members.get("maxResults", _PAGE), None
        if "nextToken" in members:
            try:
                after = self._markers.open(name, members["nextToken"])
            except InvalidParameterValueException:
                raise invalid("nextToken", "Invalid token") from None
        rest = [one for one, position in zip(found, positions, strict=True) if after is None or position > after]
        left = [position for position in positions if after is None or position > after]
        more = len(rest) > most
        return rest[:most], self._markers.seal(name, left[most - 1]) if more else None


def _existing(stored: Stored, context: RequestContext, members: Mapping[str, Any]) -> Repository:
    """Raises RepositoryNotFoundException."""
    name, account_id = members["repositoryName"], members.get("registryId", context.account_id)
    found = None
    if account_id == context.account_id:
        found = stored.get(REPOSITORIES, repository_place(account_id, context.region, name))
    if found is None:
        raise RepositoryNotFoundException(missing_repository(name, account_id))
    return found


def _split(
    stored: Stored, context: RequestContext, members: Members
) -> tuple[list[tuple[Members, PushedManifest]], list[Members]]:
    """What was asked for with what it is, and failures for what isn't there."""
    repository = _existing(stored, context, members)
    found, failures = [], []
    for asked in members["imageIds"]:
        fault = image_fault(asked)
        if fault is not None:
            failures.append(_failure(asked, *fault.value))
        elif (manifest := _found(stored, repository, asked)) is not None:
            found.append((asked, manifest))
        else:
            failures.append(_failure(asked, "ImageNotFound", "Requested image not found"))
    return found, failures


def _found(stored: Stored, repository: Repository, asked: Members) -> PushedManifest | None:
    """By tag and digest, where both are given."""
    where = (repository.account_id, repository.region, repository.name)
    by = [asked[name] for name in ("imageDigest", "imageTag") if name in asked]
    found = [find_manifest(stored, *where, reference) for reference in by]
    return found[0] if found and all(one == found[0] for one in found) else None


def _failure(asked: Members, code: str, reason: str) -> Members:
    return {"imageId": asked, "failureCode": code, "failureReason": reason}


def _position(identifier: Members) -> str:
    return f"{identifier['imageDigest']} {identifier.get('imageTag', '')}"


def _shown(asked: Members) -> str:
    return f"{{imageDigest:'{asked.get('imageDigest', 'null')}', imageTag:'{asked.get('imageTag', 'null')}'}}"


def _repository_members(repository: Repository, context: RequestContext) -> Members:
    """Its URI is what a client of this server reaches it by, which AWS's host name wouldn't be."""
    return {
        "repositoryArn": repository.arn,
        "registryId": repository.account_id,
        "repositoryName": repository.name,
        "repositoryUri": f"{context.host}/{repository.name}",
        "createdAt": repository.created_epoch_ms / 1000,
        "imageTagMutability": repository.tag_mutability,
        "imageScanningConfiguration": {"scanOnPush": repository.scans_on_push},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }


def _detail_members(manifest: PushedManifest, tags: list[str]) -> Members:
    return {
        "registryId": manifest.account_id,
        "repositoryName": manifest.repository,
        "imageDigest": manifest.digest,
        "imageTags": tags or None,
        "imageSizeInBytes": manifest.size_bytes,
        "imagePushedAt": manifest.pushed_epoch_ms / 1000,
        "imageManifestMediaType": manifest.media_type,
        "artifactMediaType": manifest.config_media_type,
    }
