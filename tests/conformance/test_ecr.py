"""ECR's API with AWS's own client: repositories and what is in them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.deployment import Functions, unique_name
from tests.images.making import Image, Item, archive, digest_of
from tests.images.pushing import ecr_beside, pushed, registry_of
from tests.live_server import LiveServer

ONE, TWO = (Image([archive(Item("text", text))], {"Cmd": ["/x"]}) for text in (b"one", b"two"))
TELLS_ITS_KEY = """
import os

def handler(event, context):
    return [os.environ[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
"""


@pytest.fixture(scope="module")
def ecr(lambda_client: Any) -> Iterator[Any]:
    client = ecr_beside(lambda_client)
    yield client
    client.close()


@pytest.fixture
def repository(ecr: Any, lambda_client: Any) -> Iterator[str]:
    """With two images: `one` with two tags, `two` with one."""
    name = unique_name("ecr").lower()
    for tag, image in (("v1", ONE), ("latest", ONE), ("v2", TWO)):
        pushed(lambda_client, name, image, tag)
    yield name
    ecr.delete_repository(repositoryName=name, force=True)


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_repository_is_made_found_and_deleted(ecr: Any, live_server: LiveServer) -> None:
    name = unique_name("team/made").lower()
    arguments = {
        "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": {"scanOnPush": True},
        "tags": [{"Key": "who", "Value": "me"}],
    }
    made = ecr.create_repository(repositoryName=name, **arguments)["repository"]
    assert made["repositoryArn"] == f"arn:aws:ecr:us-east-1:123456789012:repository/{name}"
    assert made["repositoryUri"] == f"{live_server.url.removeprefix('http://')}/{name}"
    assert (made["registryId"], made["imageTagMutability"]) == ("123456789012", "IMMUTABLE")
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    message = f"The repository with name '{name}' already exists in the registry with id '123456789012'"
    assert refused(ecr.create_repository, repositoryName=name) == ("RepositoryAlreadyExistsException", message)
    assert ecr.describe_repositories(repositoryNames=[name])["repositories"] == [made]
    assert ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"] == arguments["tags"]
    assert ecr.delete_repository(repositoryName=name)["repository"] == made
    message = f"The repository with name '{name}' does not exist in the registry with id '123456789012'"
    answer = refused(ecr.describe_repositories, repositoryNames=[name])
    assert answer == ("RepositoryNotFoundException", message)
    assert refused(ecr.delete_repository, repositoryName=name)[0] == "RepositoryNotFoundException"


def test_repositories_come_page_by_page(ecr: Any) -> None:
    names = sorted(unique_name("page").lower() for _ in range(5))
    for name in names:
        ecr.create_repository(repositoryName=name)
    pages = ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2})
    found = [one["repositoryName"] for page in pages for one in page["repositories"]]
    assert [name for name in found if name in names] == names
    assert refused(ecr.describe_repositories, nextToken="made-up")[0] == "InvalidParameterException"
    for name in names:
        ecr.delete_repository(repositoryName=name)


def test_images_are_listed_by_tag_and_described_by_digest(ecr: Any, repository: str) -> None:
    listed = ecr.list_images(repositoryName=repository)["imageIds"]
    expected = [(ONE.digest, "latest"), (ONE.digest, "v1"), (TWO.digest, "v2")]
    assert sorted((one["imageDigest"], one["imageTag"]) for one in listed) == sorted(expected)
    details = {one["imageDigest"]: one for one in ecr.describe_images(repositoryName=repository)["imageDetails"]}
    assert details.keys() == {ONE.digest, TWO.digest}
    assert sorted(details[ONE.digest]["imageTags"]) == ["latest", "v1"]
    assert details[ONE.digest]["imageSizeInBytes"] == len(ONE.layers[0])
    assert details[ONE.digest]["imageManifestMediaType"] == ONE.media_type
    (one,) = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": "v2"}])["imageDetails"]
    assert one["imageDigest"] == TWO.digest
    answer = refused(ecr.describe_images, repositoryName=repository, imageIds=[{"imageTag": "v3"}])
    assert answer[0] == "ImageNotFoundException"


def test_manifests_are_had_with_failures_for_what_is_not_there(ecr: Any, repository: str) -> None:
    asked = [
        {"imageTag": "v1"},
        {"imageDigest": TWO.digest},
        {"imageTag": "v1", "imageDigest": TWO.digest},
        {"imageTag": "v3"},
        {"imageDigest": digest_of(b"none")},
        {},
        {"imageDigest": "abc"},
    ]
    answer = ecr.batch_get_image(repositoryName=repository, imageIds=asked)
    assert [json.loads(one["imageManifest"]) for one in answer["images"]] == [
        json.loads(image.manifest) for image in (ONE, TWO)
    ]
    assert answer["images"][0]["imageId"] == {"imageTag": "v1", "imageDigest": ONE.digest}
    assert [one["failureCode"] for one in answer["failures"]] == [
        *("ImageNotFound", "ImageNotFound", "ImageNotFound", "MissingDigestAndTag", "InvalidImageDigest")
    ]


def test_deleting_by_tag_takes_the_tag_and_the_last_one_the_image(ecr: Any, repository: str) -> None:
    def delete(**image_id: str) -> list[dict[str, str]]:
        gone: list[dict[str, str]] = ecr.batch_delete_image(repositoryName=repository, imageIds=[image_id])["imageIds"]
        return gone

    answer = refused(ecr.delete_repository, repositoryName=repository)
    assert answer[0] == "RepositoryNotEmptyException"
    assert delete(imageTag="v1") == [{"imageDigest": ONE.digest, "imageTag": "v1"}]
    assert delete(imageTag="v1") == []
    assert delete(imageTag="latest") == [{"imageDigest": ONE.digest, "imageTag": "latest"}]
    assert delete(imageDigest=ONE.digest) == []
    assert delete(imageDigest=TWO.digest) == [{"imageDigest": TWO.digest, "imageTag": "v2"}]
    assert ecr.list_images(repositoryName=repository)["imageIds"] == []


def test_a_tag_of_an_immutable_repository_stays_where_it_is(ecr: Any, lambda_client: Any) -> None:
    name = unique_name("immutable").lower()
    ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
    pushed(lambda_client, name, ONE, "v1")
    pushed(lambda_client, name, ONE, "v1")
    registry = registry_of(lambda_client)
    for blob in TWO.blobs:
        registry.put_blob(name, blob)
    assert registry.put_manifest(name, "v1", TWO).error == "TAG_INVALID"
    assert registry.put_manifest(name, "v2", TWO).status == 201
    ecr.delete_repository(repositoryName=name, force=True)


def test_who_signs_wrongly_or_for_another_service_gets_nothing(ecr: Any, live_server: LiveServer) -> None:
    wrong = boto3.session.Session().client(
        "ecr",
        endpoint_url=live_server.url,
        region_name="us-east-1",
        aws_access_key_id=live_server.server.access_key_id,
        aws_secret_access_key="wrong",
    )
    assert refused(wrong.get_authorization_token)[0] == "InvalidSignatureException"
    wrong.close()
    assert (
        refused(ecr.list_tags_for_resource, resourceArn="arn:aws:sqs:us-east-1:1:q")[0] == "InvalidParameterException"
    )


def test_a_function_gets_no_token(lambda_client: Any, live_server: LiveServer, make_function: Functions) -> None:
    key = json.load(lambda_client.invoke(FunctionName=make_function(TELLS_ITS_KEY))["Payload"])
    client = boto3.session.Session(*key, "us-east-1").client("ecr", endpoint_url=live_server.url)
    code, message = refused(client.get_authorization_token)
    client.close()
    assert (code, "is not authorized to perform: ecr:GetAuthorizationToken" in message) == (
        "AccessDeniedException",
        True,
    )


def test_a_server_started_open_takes_images_without_a_token(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("--auth", "open")
    client = server.client("ecr")
    client.create_repository(repositoryName="open")
    registry = registry_of(server.client())
    registry._authorization = None
    assert registry.push("open", "v1", ONE).endswith("/open:v1")
    assert registry.ask("GET", "/v2/", Host="example.com").status == 403
