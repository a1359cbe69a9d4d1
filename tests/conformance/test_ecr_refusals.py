"""What ECR's API refuses, and in whose words: parameters without a client that checks them, and the bare protocol."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lampion.code.images.manifests import OCI_INDEX
from tests.conformance.refusals import refusal
from tests.deployment import unique_name
from tests.images.making import Image, Item, archive, digest_of
from tests.images.pushing import pushed, registry_of
from tests.live_server import LiveServer

IMAGE = Image([archive(Item("text", b"refusals"))], {"Cmd": ["/x"]})
NAME_PATTERN = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
TARGET = "AmazonEC2ContainerRegistry_V20150921."


@pytest.fixture(scope="module")
def ecr(live_server: LiveServer) -> Iterator[Any]:
    """Sends whatever it is given."""
    client = live_server.client("ecr", parameter_validation=False)
    yield client
    client.close()


@pytest.fixture(scope="module")
def repository(ecr: Any, lambda_client: Any) -> Iterator[str]:
    name = unique_name("refusals").lower()
    pushed(lambda_client, name, IMAGE, "v1")
    yield name
    ecr.delete_repository(repositoryName=name, force=True)


def told(at: str, constraint: str) -> tuple[int, str, str]:
    message = f"Invalid parameter at '{at}' failed to satisfy constraint: '{constraint}'"
    return 400, "InvalidParameterException", message


NAMES = {
    "Upper": f"must satisfy regular expression '{NAME_PATTERN}'",
    "-a-": f"must satisfy regular expression '{NAME_PATTERN}'",
    "a//b": f"must satisfy regular expression '{NAME_PATTERN}'",
    "a___b": f"must satisfy regular expression '{NAME_PATTERN}'",
    "a": "must have length greater than or equal to 2",
    "a" * 257: "must have length less than or equal to 256",
    "a" * 100_000: "must have length less than or equal to 256",
}
OF_A_REPOSITORY = (
    *("create_repository", "delete_repository", "list_images", "describe_images"),
    *("batch_get_image", "batch_delete_image"),
)


@pytest.mark.parametrize(("name", "constraint"), NAMES.items(), ids=lambda text: text[:20])
def test_a_name_that_is_none(ecr: Any, name: str, constraint: str) -> None:
    for operation in OF_A_REPOSITORY:
        arguments = {"imageIds": [{"imageTag": "v1"}]} if operation.startswith("batch") else {}
        assert refusal(getattr(ecr, operation), repositoryName=name, **arguments) == told("repositoryName", constraint)


@pytest.mark.parametrize("operation", OF_A_REPOSITORY)
def test_a_name_that_is_missing(ecr: Any, operation: str) -> None:
    assert refusal(getattr(ecr, operation)) == told("repositoryName", "must not be null")


MEMBERS = [
    ("create_repository", {"imageTagMutability": "SOMETIMES"}, "imageTagMutability",
     "Member must satisfy enum value set: [IMMUTABLE, MUTABLE, MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION]"),
    ("create_repository", {"registryId": "x"}, "registryId", "must satisfy regular expression '[0-9]{12}'"),
    ("create_repository", {"tags": [{"Key": "a", "Value": ""}, {"Value": ""}]}, "tags.2.member.key",
     "Member must not be null"),
    ("create_repository", {"encryptionConfiguration": {}}, "encryptionConfiguration.encryptionType",
     "Member must not be null"),
    ("list_images", {"maxResults": 1001}, "maxResults", "Member must have value less than or equal to 1000"),
    ("list_images", {"maxResults": 0}, "maxResults", "Member must have value greater than or equal to 1"),
    ("list_images", {"nextToken": "made-up"}, "nextToken", "Invalid token"),
    ("describe_images", {"imageIds": []}, "imageIds", "Member must have length greater than or equal to 1"),
    ("describe_images", {"imageIds": [{"imageTag": "?"}]}, "imageTag",
     "must satisfy regular expression '[a-zA-Z0-9-_.]+'"),
    ("describe_images", {"imageIds": [{"imageDigest": "v1"}]}, "imageDigest",
     "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"),
    ("batch_get_image", {}, "imageIds", "Member must not be null"),
    ("batch_delete_image", {"imageIds": [{"imageTag": "v1"}] * 101}, "imageIds",
     "Member must have length less than or equal to 100"),
    ("batch_delete_image", {"imageIds": [{"imageTag": "v" * 301}]}, "imageIds.1.member.imageTag",
     "Member must have length less than or equal to 300"),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "members", "at", "constraint"), MEMBERS, ids=[f"{m[0]} {m[2]}" for m in MEMBERS])
def test_members_that_break_a_constraint(
    ecr: Any, repository: str, operation: str, members: dict[str, Any], at: str, constraint: str
) -> None:
    assert refusal(getattr(ecr, operation), repositoryName=repository, **members) == told(at, constraint)
    assert len(ecr.list_images(repositoryName=repository)["imageIds"]) == 1


def test_lists_of_names_and_of_accounts(ecr: Any) -> None:
    pattern = NAME_PATTERN.replace("/", r"\/", 1)
    words = (
        "Member must satisfy constraint: [Member must have length less than or equal to 256, Member must have length "
        f"greater than or equal to 2, Member must satisfy regular expression pattern: {pattern}]"
    )
    assert refusal(ecr.describe_repositories, repositoryNames=["app", "No"]) == told("repositoryNames", words)
    words = "Member must satisfy constraint: [Member must satisfy regular expression pattern: [0-9]{12}]"
    assert refusal(ecr.get_authorization_token, registryIds=["x"]) == told("registryIds", words)


TAGS = {
    "no key": [{"Key": "", "Value": "x"}],
    "a long key": [{"Key": "k" * 129, "Value": ""}],
    "a long value": [{"Key": "k", "Value": "v" * 257}],
    "one of AWS's own": [{"Key": "aws:k", "Value": ""}],
    "the same twice": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}],
}


@pytest.mark.parametrize("tags", TAGS.values(), ids=TAGS)
def test_tags_that_are_none_make_no_repository(ecr: Any, tags: list[dict[str, str]]) -> None:
    name = unique_name("tags").lower()
    answer = refusal(ecr.create_repository, repositoryName=name, tags=tags)
    assert answer == (400, "InvalidTagParameterException", "Tag parameters are invalid")
    assert refusal(ecr.describe_repositories, repositoryNames=[name])[1] == "RepositoryNotFoundException"


def test_only_so_many_tags(ecr: Any) -> None:
    name = unique_name("tags").lower()
    tags = [{"Key": "k" * 128, "Value": "v" * 256}, *({"Key": f"{number}", "Value": ""} for number in range(50))]
    assert refusal(ecr.create_repository, repositoryName=name, tags=tags)[1] == "TooManyTagsException"
    ecr.create_repository(repositoryName=name, tags=tags[:50])
    ecr.delete_repository(repositoryName=name)


def test_what_is_not_there(ecr: Any, repository: str) -> None:
    missing = "The repository with name 'nobody' does not exist in the registry with id '%s'"
    for operation in OF_A_REPOSITORY[1:]:
        arguments = {"imageIds": [{"imageTag": "v1"}]} if operation.startswith("batch") else {}
        call = getattr(ecr, operation)
        expected = (400, "RepositoryNotFoundException", missing % "123456789012")
        assert refusal(call, repositoryName="nobody", **arguments) == expected
        status, code, message = refusal(call, repositoryName="nobody", registryId="210987654321", **arguments)
        assert (status, code) == (400, "AccessDeniedException")
        assert "arn:aws:ecr:us-east-1:210987654321:repository/nobody because no resource-based policy" in message
    digest = digest_of(b"none")
    shown = f"{{imageDigest:'{digest}', imageTag:'null'}}"
    message = (
        f"The image with imageId {shown} does not exist within the repository with name '{repository}' in the registry "
        "with id '123456789012'"
    )
    answer = refusal(ecr.describe_images, repositoryName=repository, imageIds=[{"imageDigest": digest}])
    assert answer == (400, "ImageNotFoundException", message)
    answer = refusal(ecr.describe_images, repositoryName=repository, imageIds=[{}])
    assert answer[1:] == ("InvalidParameterException", "Invalid request parameters: both tag and digest cannot be null")
    for arn in ("", "nonsense", "arn:aws:ecr:us-east-1:123456789012:image/x", "arn:aws:ecr:eu-west-1:1:repository/x"):
        assert refusal(ecr.list_tags_for_resource, resourceArn=arn) == told("resourceArn", "Invalid ARN")
    arn = "arn:aws:ecr:us-east-1:123456789012:repository/nobody"
    assert refusal(ecr.list_tags_for_resource, resourceArn=arn)[2] == missing % "123456789012"


def test_images_that_are_answered_one_by_one(ecr: Any, repository: str) -> None:
    asked = [{"imageTag": "?"}, {"imageDigest": "v1"}, {}, {"imageTag": "v2"}]
    for operation in (ecr.batch_get_image, ecr.batch_delete_image):
        answer = operation(repositoryName=repository, imageIds=asked)
        assert [(one["imageId"], one["failureCode"]) for one in answer["failures"]] == list(
            zip(asked, ["InvalidImageTag", "InvalidImageDigest", "MissingDigestAndTag", "ImageNotFound"], strict=True)
        )


def test_an_image_of_an_index_stays_as_long_as_the_index_does(ecr: Any, lambda_client: Any) -> None:
    name = unique_name("index").lower()
    pushed(lambda_client, name, IMAGE, "v1")
    entry = {"mediaType": IMAGE.media_type, "digest": IMAGE.digest, "size": len(IMAGE.manifest)}
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
    registry = registry_of(lambda_client)
    assert registry.ask("PUT", f"/v2/{name}/manifests/all", index, content_type=OCI_INDEX).status == 201
    reason = f"Requested image referenced by manifest list: [{digest_of(index)}]"
    for asked in ({"imageDigest": IMAGE.digest}, {"imageTag": "v1"}):
        answer = ecr.batch_delete_image(repositoryName=name, imageIds=[asked])
        failure = {"imageId": asked, "failureCode": "ImageReferencedByManifestList", "failureReason": reason}
        assert (answer["imageIds"], answer["failures"]) == ([], [failure])
    answer = registry.ask("DELETE", f"/v2/{name}/manifests/{IMAGE.digest}")
    assert (answer.status, json.loads(answer.body)["errors"][0]) == (405, {"code": "UNSUPPORTED", "message": reason})
    gone = ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "all"}, {"imageTag": "v1"}])
    assert [one["imageDigest"] for one in gone["imageIds"]] == [digest_of(index), IMAGE.digest]
    ecr.delete_repository(repositoryName=name)


# -- the bare protocol --


def ask(
    server: LiveServer, target: str, body: bytes, *, secret: str = "", key: str = "", token: str | None = None
) -> tuple[int, str, str]:
    """Status, type and message of the answer to a signed request."""
    own = server.server
    credentials = Credentials(key or own.access_key_id, secret or own.secret_access_key, token)
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", f"{own.url}/", headers=headers, data=body)
    SigV4Auth(credentials, "ecr", own.region).add_auth(request)
    return send(server, "POST", dict(request.headers.items()), body)


def send(server: LiveServer, method: str, headers: dict[str, str], body: bytes) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.request(method, "/", body, headers)
    response = connection.getresponse()
    told = json.loads(response.read())
    connection.close()
    if response.status != 413:  # that is said before anybody knows whose request it is
        assert response.getheader("Content-Type") == "application/x-amz-json-1.1"
    code = told.get("__type") or response.getheader("x-amzn-ErrorType") or ""
    return response.status, code, told.get("message") or told["Message"]


BODIES = {
    b"": "repositoryName",
    b"{}": "repositoryName",
    b"null": "repositoryName",
    b"{": "Could not parse request body into json",
    b"\xff": "Could not parse request body into json",
    b'{"repositoryName":"a","repositoryName":"b"}': "Could not parse request body into json",
    b"[" * 100_000: "Could not parse request body into json",
    b"[]": "Start of list found where not expected",
    b'"text"': "Unexpected field type",
    b'{"repositoryName":7}': "NUMBER_VALUE can not be converted to a String",
    b'{"repositoryName":["app"]}': "Start of list found where not expected",
    b'{"repositoryName":{"a":1}}': "Start of structure or map found where not expected.",
    b'{"repositoryName":"app","maxResults":"1"}': "STRING_VALUE can not be converted to an Integer",
    b'{"repositoryName":"app","maxResults":1e100}': "NUMBER_VALUE can not be converted to an Integer",
    b'{"repositoryName":"app","imageIds":{}}': "Start of structure or map found where not expected.",
    b'{"repositoryName":"app","imageIds":["v1"]}': "Unexpected field type",
    b'{"repositoryName":"app","imageIds":[null]}': "imageIds",
}


@pytest.mark.parametrize(("body", "words"), BODIES.items(), ids=[repr(body[:40]) for body in BODIES])
def test_a_body_that_is_none_of_the_operations(live_server: LiveServer, body: bytes, words: str) -> None:
    status, code, message = ask(live_server, f"{TARGET}DescribeImages", body)
    of_a_member = words in ("repositoryName", "imageIds")
    assert (status, code) == (400, "InvalidParameterException" if of_a_member else "SerializationException")
    assert words in message


def test_operations_that_nobody_offers(live_server: LiveServer) -> None:
    for target in (f"{TARGET}PutLifecyclePolicy", f"{TARGET}Nothing", TARGET, f"{TARGET}{'x' * 5000}"):
        assert ask(live_server, target, b"{}")[:2] == (400, "UnknownOperationException")
    headers = {"X-Amz-Target": f"{TARGET}ListImages"}
    assert send(live_server, "PUT", headers, b"{}")[:2] == (400, "UnknownOperationException")


def test_who_may_not(live_server: LiveServer) -> None:
    target = f"{TARGET}GetAuthorizationToken"
    assert send(live_server, "POST", {"X-Amz-Target": target}, b"{}")[:2] == (
        *(400, "MissingAuthenticationTokenException"),
    )
    assert ask(live_server, target, b"{}", secret="wrong")[:2] == (400, "InvalidSignatureException")
    assert ask(live_server, target, b"{}", key="AKIANOBODY")[:2] == (400, "UnrecognizedClientException")
    assert ask(live_server, target, b"{}", token="made up")[:2] == (400, "UnrecognizedClientException")


def test_a_body_that_is_too_large(live_server: LiveServer) -> None:
    body = b'{"repositoryName":"%s"}' % (b"a" * (4 * 1024 * 1024))
    assert ask(live_server, f"{TARGET}ListImages", body)[:2] == (413, "RequestEntityTooLargeException")
