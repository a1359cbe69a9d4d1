"""What requests to a registry need: AWS's actions, on the repository's ARN."""

from typing import Any

import pytest

from lampion.http.message import RequestHead
from lampion.registry.actions import actions_of, asked_of_ecr
from lampion.registry.routes import Ask

OWN, OTHER, REGION = "123456789012", "210987654321", "us-east-1"
ARN = f"arn:aws:ecr:{REGION}:{OWN}:repository/"


@pytest.mark.parametrize(
    ("ask", "method", "query", "length", "actions"),
    [
        (Ask.VERSION, "GET", "", "0", ""),
        (Ask.GET_BLOB, "GET", "", "0", "GetDownloadUrlForLayer"),
        (Ask.GET_BLOB, "HEAD", "", "0", "BatchCheckLayerAvailability"),
        (Ask.BEGIN_UPLOAD, "POST", "", "0", "InitiateLayerUpload"),
        (Ask.BEGIN_UPLOAD, "POST", "digest=x", "3", "InitiateLayerUpload UploadLayerPart CompleteLayerUpload"),
        (Ask.BEGIN_UPLOAD, "POST", "%64igest=x", "3", "InitiateLayerUpload UploadLayerPart CompleteLayerUpload"),
        (Ask.BEGIN_UPLOAD, "POST", "mount=x&from=y", "0", "InitiateLayerUpload UploadLayerPart CompleteLayerUpload"),
        (Ask.ADD_TO_UPLOAD, "PATCH", "", None, "UploadLayerPart"),
        (Ask.SHOW_UPLOAD, "GET", "", "0", "UploadLayerPart"),
        (Ask.CANCEL_UPLOAD, "DELETE", "", "0", "UploadLayerPart"),
        (Ask.FINISH_UPLOAD, "PUT", "digest=x", "0", "CompleteLayerUpload"),
        (Ask.FINISH_UPLOAD, "PUT", "digest=x", "5", "UploadLayerPart CompleteLayerUpload"),
        (Ask.FINISH_UPLOAD, "PUT", "digest=x", None, "UploadLayerPart CompleteLayerUpload"),
        (Ask.GET_MANIFEST, "HEAD", "", "0", "BatchGetImage"),
        (Ask.PUT_MANIFEST, "PUT", "", "9", "PutImage"),
        (Ask.DELETE_MANIFEST, "DELETE", "", "0", "BatchDeleteImage"),
        (Ask.LIST_TAGS, "GET", "", "0", "ListImages"),
    ],
)
def test_of_the_distribution_api(ask: Ask, method: str, query: str, length: str | None, actions: str) -> None:
    headers = {} if length is None else {"content-length": length}
    assert " ".join(actions_of(ask, RequestHead(method, "/v2/", query, headers, 0))) == actions


def test_every_ask_has_its_actions() -> None:
    for ask in Ask:
        actions_of(ask, RequestHead("GET", "/v2/", "", {}, 0))


@pytest.mark.parametrize(
    ("operation", "members", "arns"),
    [
        ("GetAuthorizationToken", {}, ["*"]),
        ("CreateRepository", {"repositoryName": "team/app"}, [f"{ARN}team/app"]),
        ("ListImages", {"repositoryName": "app", "registryId": OTHER}, [f"{ARN}app".replace(OWN, OTHER)]),
        ("DescribeRepositories", {}, [f"{ARN}*"]),
        ("DescribeRepositories", {"registryId": OTHER}, [f"{ARN}*".replace(OWN, OTHER)]),
        ("DescribeRepositories", {"repositoryNames": ["aa", "bb"]}, [f"{ARN}aa", f"{ARN}bb"]),
        ("ListTagsForResource", {"resourceArn": f"{ARN}app"}, [f"{ARN}app"]),
        ("ListTagsForResource", {"resourceArn": f"{ARN}app".replace(OWN, OTHER)}, [f"{ARN}app".replace(OWN, OTHER)]),
        ("ListTagsForResource", {"resourceArn": f"{ARN}app".replace(REGION, "eu-west-1")}, ["*"]),
        ("ListTagsForResource", {"resourceArn": "nonsense"}, ["*"]),
        ("ListImages", {"repositoryName": "No *"}, ["*"]),
        ("ListImages", {"repositoryName": "app", "registryId": "*"}, ["*"]),
        ("ListImages", {}, ["*"]),
    ],
)
def test_of_ecr(operation: str, members: dict[str, Any], arns: list[str]) -> None:
    assert [arn for arn, _ in asked_of_ecr(operation, members, OWN, REGION)] == arns
