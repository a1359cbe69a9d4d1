"""What a request of ECR or of the distribution API is to IAM: actions, and ARNs of repositories. Pure.

Docs: service authorization reference, "Actions, resources, and condition keys for Amazon Elastic Container Registry";
ECR user guide, "IAM permissions for pushing an image".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

from lampion.domain.image import is_repository_name
from lampion.http.message import RequestHead
from lampion.registry.routes import Ask

_ANY: Final = "*"
_ARN: Final = re.compile(r"arn:aws:ecr:([a-z0-9-]+):(\d{12}):repository/(.+)", re.DOTALL)

_OF_ASKS: Final[Mapping[Ask, tuple[str, ...]]] = {
    Ask.VERSION: (),
    Ask.GET_BLOB: ("GetDownloadUrlForLayer",),
    Ask.BEGIN_UPLOAD: ("InitiateLayerUpload",),
    Ask.SHOW_UPLOAD: ("UploadLayerPart",),
    Ask.ADD_TO_UPLOAD: ("UploadLayerPart",),
    Ask.FINISH_UPLOAD: ("CompleteLayerUpload",),
    Ask.CANCEL_UPLOAD: ("UploadLayerPart",),
    Ask.GET_MANIFEST: ("BatchGetImage",),
    Ask.PUT_MANIFEST: ("PutImage",),
    Ask.DELETE_MANIFEST: ("BatchDeleteImage",),
    Ask.LIST_TAGS: ("ListImages",),
}
OF_MOUNTS: Final = ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer")
"""What is needed in the repository that a blob is taken over from."""


def actions_of(ask: Ask, head: RequestHead) -> Sequence[str]:
    """All that a request of the distribution API needs, without the service's name."""
    if ask is Ask.GET_BLOB and head.method == "HEAD":
        return ("BatchCheckLayerAvailability",)
    if ask is Ask.BEGIN_UPLOAD and not {"digest", "mount"}.isdisjoint(parse_qs(head.query)):
        return ("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload")
    if ask is Ask.FINISH_UPLOAD and head.headers.get("content-length") != "0":
        return ("UploadLayerPart", "CompleteLayerUpload")
    return _OF_ASKS[ask]


def repository_arn(account_id: str, region: str, name: str) -> str:
    return f"arn:aws:ecr:{region}:{account_id}:repository/{name}"


def asked_of_ecr(
    operation: str, members: Mapping[str, Any], account_id: str, region: str
) -> Sequence[tuple[str, tuple[str, str] | None]]:
    """The ARNs that an operation must be allowed for, each with the account and the name of its repository.

    What names none is asked for as everything.
    """
    if operation == "DescribeRepositories":
        owner = str(members.get("registryId", account_id))
        names = members.get("repositoryNames") or ()
        if not names:
            return [(repository_arn(owner, region, _ANY), (owner, ""))]
        return [_named(owner, region, str(name)) for name in names]
    if "repositoryName" in members:
        return [_named(str(members.get("registryId", account_id)), region, str(members["repositoryName"]))]
    found = _ARN.fullmatch(str(members.get("resourceArn", "")))
    if found is not None and found[1] == region:
        return [_named(found[2], region, found[3])]
    return [(_ANY, None)]


def _named(owner: str, region: str, name: str) -> tuple[str, tuple[str, str] | None]:
    """A name that is none goes no further: the model says so, to who may everything."""
    if not is_repository_name(name) or re.fullmatch(r"\d{12}", owner) is None:
        return _ANY, None
    return repository_arn(owner, region, name), (owner, name)
