"""Who may what with repositories: users, sessions and functions, by their policies at each request, at both doors."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.iam.making import ACCOUNT, Made, allowing, document, making, statement, with_keys
from tests.conformance.refusals import refusal
from tests.deployment import Functions, unique_name
from tests.images.making import Image, Item, archive, digest_of
from tests.images.pushing import RegistryClient, pushed
from tests.live_server import LiveServer

IMAGE = Image([archive(Item("text", b"may"))], {"Cmd": ["/x"]})
PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
)
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
LOGIN = statement("ecr:GetAuthorizationToken")


@pytest.fixture(scope="module")
def iam(live_server: LiveServer) -> Iterator[Any]:
    client = live_server.client("iam")
    yield client
    client.close()


@pytest.fixture
def made(iam: Any, live_server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Made]:
    with making(iam, live_server, request.node.name) as those:
        yield those


@pytest.fixture(scope="module")
def ecr(live_server: LiveServer) -> Iterator[Any]:
    client = live_server.client("ecr")
    yield client
    client.close()


@pytest.fixture
def repositories(ecr: Any) -> Iterator[tuple[str, str]]:
    """One's own, and a neighbour."""
    own, neighbour = unique_name("own").lower(), unique_name("neighbour").lower()
    ecr.create_repository(repositoryName=own, tags=[{"Key": "team", "Value": "red"}])
    ecr.create_repository(repositoryName=neighbour, tags=[{"Key": "team", "Value": "blue"}])
    yield own, neighbour
    for name in (own, neighbour):
        ecr.delete_repository(repositoryName=name, force=True)


def arn_of(repository: str) -> str:
    return f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{repository}"


class User:
    """With a policy that can be changed, and a token of the registry."""

    def __init__(self, made: Made, server: LiveServer, *statements: dict[str, Any]) -> None:
        self._made = made
        self.name = made.identity("User")
        self.arn = f"arn:aws:iam::{ACCOUNT}:user/{self.name}"
        self.may(LOGIN, *statements)
        self.key = made.iam.create_access_key(UserName=self.name)["AccessKey"]
        self.ecr = with_keys(server.url, "ecr", self.key["AccessKeyId"], self.key["SecretAccessKey"])
        made.clients.append(self.ecr)
        self.registry = registry(server, self.ecr)

    def may(self, *statements: dict[str, Any]) -> None:
        self._made.iam.put_user_policy(UserName=self.name, PolicyName="p", PolicyDocument=document(*statements))


def registry(server: LiveServer, ecr: Any) -> RegistryClient:
    (data,) = ecr.get_authorization_token()["authorizationData"]
    return RegistryClient(server.url, data["authorizationToken"])


def denied(registry: RegistryClient, method: str, path: str, body: bytes = b"", **headers: str) -> str:
    answer = registry.ask(method, path, body, **headers)
    assert (answer.status, answer.error) == (403, "DENIED"), answer
    message: str = json.loads(answer.body)["errors"][0]["message"]
    return message


def test_who_may_push_to_one_repository_pushes_to_no_other_and_pulls_nothing(
    made: Made, live_server: LiveServer, ecr: Any, repositories: tuple[str, str]
) -> None:
    own, neighbour = repositories
    user = User(made, live_server, statement(*PUSH, resource=arn_of(own)))
    user.registry.push(own, "v1", IMAGE)
    told = denied(user.registry, "POST", f"/v2/{neighbour}/blobs/uploads/")
    assert told == (
        f"User: {user.arn} is not authorized to perform: ecr:InitiateLayerUpload on resource: {arn_of(neighbour)} "
        "because no identity-based policy allows the ecr:InitiateLayerUpload action"
    )
    for method, path, body in (
        ("PUT", f"/v2/{neighbour}/manifests/v1", IMAGE.manifest),
        ("GET", f"/v2/{own}/manifests/v1", b""),
        ("GET", f"/v2/{own}/blobs/{digest_of(IMAGE.config)}", b""),
        ("GET", f"/v2/{own}/tags/list", b""),
        ("DELETE", f"/v2/{own}/manifests/v1", b""),
        ("GET", "/v2/not-there/manifests/v1", b""),
    ):
        denied(user.registry, method, path, body)
    assert ecr.list_images(repositoryName=neighbour)["imageIds"] == []
    assert len(ecr.list_images(repositoryName=own)["imageIds"]) == 1


def test_a_push_that_is_denied_half_way_changes_nothing(
    made: Made, live_server: LiveServer, ecr: Any, repositories: tuple[str, str]
) -> None:
    own, _ = repositories
    user = User(made, live_server, statement(*PUSH, resource=arn_of(own)))
    for blob in IMAGE.blobs:
        user.registry.put_blob(own, blob)
    place = user.registry.ask("POST", f"/v2/{own}/blobs/uploads/").headers["location"]
    without = [action for action in PUSH if action not in ("ecr:PutImage", "ecr:UploadLayerPart")]
    user.may(LOGIN, statement(*without, resource=arn_of(own)))
    denied(user.registry, "PATCH", place, b"more")
    denied(user.registry, "PUT", f"{place}?digest={digest_of(b'all')}", b"all")
    denied(user.registry, "POST", f"/v2/{own}/blobs/uploads/?digest={digest_of(b'all')}", b"all")
    denied(user.registry, "POST", f"/v2/{own}/blobs/uploads/?%64igest={digest_of(b'all')}", b"all")
    denied(user.registry, "PUT", f"/v2/{own}/manifests/v1", IMAGE.manifest, content_type=IMAGE.media_type)
    assert ecr.list_images(repositoryName=own)["imageIds"] == []
    root = registry(live_server, ecr)
    assert root.ask("HEAD", f"/v2/{own}/blobs/{digest_of(b'all')}").status == 404
    assert root.ask("GET", place).headers["range"] == "0-0"


def test_a_blob_is_mounted_from_where_one_may_pull(
    made: Made, live_server: LiveServer, lambda_client: Any, repositories: tuple[str, str]
) -> None:
    own, neighbour = repositories
    pushed(lambda_client, neighbour, IMAGE, "v1")
    user = User(made, live_server, statement(*PUSH, resource=arn_of(own)))
    blob = digest_of(IMAGE.config)
    mount = f"/v2/{own}/blobs/uploads/?mount={blob}&from={neighbour}"
    assert user.registry.ask("POST", mount).status == 202, "it is to be uploaded"
    user.may(LOGIN, statement(*PUSH, resource=arn_of(own)), statement(*PUSH[:1], *PULL, resource=arn_of(neighbour)))
    assert user.registry.ask("POST", mount).status == 201


def test_a_deleted_users_token_is_refused_at_once(
    made: Made, live_server: LiveServer, iam: Any, repositories: tuple[str, str]
) -> None:
    own, _ = repositories
    user = User(made, live_server, statement("ecr:*"))
    assert user.registry.ask("GET", f"/v2/{own}/tags/list").status == 200
    key = {"UserName": user.name, "AccessKeyId": user.key["AccessKeyId"]}
    iam.update_access_key(**key, Status="Inactive")
    assert user.registry.ask("GET", f"/v2/{own}/tags/list").error == "UNAUTHORIZED"
    iam.update_access_key(**key, Status="Active")
    assert user.registry.ask("GET", "/v2/").status == 200
    iam.delete_access_key(**key)
    iam.delete_user_policy(UserName=user.name, PolicyName="p")
    iam.delete_user(UserName=user.name)
    made.names.remove(("User", user.name))
    for path in ("/v2/", f"/v2/{own}/tags/list"):
        assert user.registry.ask("GET", path).error == "UNAUTHORIZED"


def test_the_token_of_a_roles_session_may_what_the_session_may(
    made: Made, live_server: LiveServer, iam: Any, repositories: tuple[str, str]
) -> None:
    own, neighbour = repositories
    user = User(made, live_server)
    trusting = {"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [trusting]}
    role = made.identity("Role", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=allowing("ecr:*"))
    sts = with_keys(live_server.url, "sts", user.key["AccessKeyId"], user.key["SecretAccessKey"])
    made.clients.append(sts)
    answer = sts.assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
        RoleSessionName="session",
        Policy=document(LOGIN, statement("ecr:*", resource=arn_of(own))),
    )["Credentials"]
    session = with_keys(
        live_server.url, "ecr", answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]
    )
    made.clients.append(session)
    token = registry(live_server, session)
    assert token.ask("GET", f"/v2/{own}/tags/list").status == 200
    assert "because no session policy allows" in denied(token, "GET", f"/v2/{neighbour}/tags/list")
    iam.delete_role_policy(RoleName=role, PolicyName="p")
    denied(token, "GET", f"/v2/{own}/tags/list")
    iam.delete_role(RoleName=role)
    made.names.remove(("Role", role))
    assert token.ask("GET", f"/v2/{own}/tags/list").error == "UNAUTHORIZED"


def test_a_functions_token_may_what_its_role_may_and_ends_with_it(
    made: Made, live_server: LiveServer, lambda_client: Any, iam: Any, make_function: Functions,
    repositories: tuple[str, str],
) -> None:  # fmt: skip
    own, neighbour = repositories
    role = made.identity("Role")
    policy = document(LOGIN, statement("ecr:ListImages", resource=arn_of(own)))
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy)
    source = """
import os

def handler(event, context):
    return [os.environ[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
"""
    name = make_function(source, Role=f"arn:aws:iam::{ACCOUNT}:role/{role}")
    client = with_keys(live_server.url, "ecr", *json.load(lambda_client.invoke(FunctionName=name)["Payload"]))
    made.clients.append(client)
    token = registry(live_server, client)
    assert token.ask("GET", f"/v2/{own}/tags/list").status == 200
    denied(token, "GET", f"/v2/{neighbour}/tags/list")
    lambda_client.delete_function(FunctionName=name)
    assert token.ask("GET", f"/v2/{own}/tags/list").error == "UNAUTHORIZED"


def test_ecr_is_asked_for_by_repository_and_tags(
    made: Made, live_server: LiveServer, ecr: Any, repositories: tuple[str, str]
) -> None:
    own, neighbour = repositories
    red = {"StringEquals": {"ecr:ResourceTag/team": "red"}}
    user = User(made, live_server, statement("ecr:DescribeImages", "ecr:DeleteRepository", Condition=red))
    assert user.ecr.describe_images(repositoryName=own)["imageDetails"] == []
    why = "because no identity-based policy allows the ecr:DeleteRepository action"
    told = f"User: {user.arn} is not authorized to perform: ecr:DeleteRepository on resource: {arn_of(neighbour)} {why}"
    assert refusal(user.ecr.delete_repository, repositoryName=neighbour) == (400, "AccessDeniedException", told)
    assert refusal(user.ecr.describe_images, repositoryName=neighbour)[1] == "AccessDeniedException"
    assert refusal(user.ecr.describe_repositories)[1] == "AccessDeniedException"
    user.may(statement("ecr:DescribeRepositories", resource=arn_of(own)))
    assert len(user.ecr.describe_repositories(repositoryNames=[own])["repositories"]) == 1
    assert refusal(user.ecr.describe_repositories, repositoryNames=[own, neighbour])[1] == "AccessDeniedException"
    user.may(statement("ecr:DescribeRepositories", resource=arn_of("*")))
    assert {own, neighbour} <= {one["repositoryName"] for one in user.ecr.describe_repositories()["repositories"]}


def test_a_repository_is_made_with_the_tags_that_a_policy_asks_for(
    made: Made, live_server: LiveServer, ecr: Any
) -> None:
    asked = {"StringEquals": {"aws:RequestTag/team": "red"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    user = User(made, live_server, statement("ecr:CreateRepository", resource=arn_of("red/*"), Condition=asked))
    name = f"red/{unique_name('app').lower()}"
    for tags in ([], [{"Key": "team", "Value": "blue"}], [{"Key": "team", "Value": "red"}, {"Key": "x", "Value": ""}]):
        assert refusal(user.ecr.create_repository, repositoryName=name, tags=tags)[1] == "AccessDeniedException"
    tags = [{"Key": "team", "Value": "red"}]
    assert refusal(user.ecr.create_repository, repositoryName="blue/app", tags=tags)[1] == "AccessDeniedException"
    user.ecr.create_repository(repositoryName=name, tags=tags)
    ecr.delete_repository(repositoryName=name)


def test_another_accounts_repositories_are_not_seen(ecr: Any, repositories: tuple[str, str]) -> None:
    own, _ = repositories
    for arguments in ({"repositoryNames": [own]}, {}):
        answer = refusal(ecr.describe_repositories, registryId="210987654321", **arguments)
        assert answer[:2] == (400, "AccessDeniedException")
        assert "because no resource-based policy allows the ecr:DescribeRepositories action" in answer[2]
