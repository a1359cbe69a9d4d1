"""How IAM shows what it has: the shapes User, Group, Role, Policy, PolicyVersion. Documents leave percent-encoded."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.domain.iam.managed_policy import ManagedPolicy, PolicyVersion

_NAMES = {
    IdentityKind.USER: ("UserName", "UserId"),
    IdentityKind.GROUP: ("GroupName", "GroupId"),
    IdentityKind.ROLE: ("RoleName", "RoleId"),
}


def identity_shape(identity: Identity, *, is_listed: bool = False) -> Mapping[str, Any]:
    """Lists show neither tags nor boundaries."""
    name, unique_id = _NAMES[identity.kind]
    shown: dict[str, Any] = {
        "Path": identity.path,
        name: identity.name,
        unique_id: identity.unique_id,
        "Arn": identity.arn,
        "CreateDate": identity.created_epoch_seconds,
    }
    if identity.kind is IdentityKind.ROLE:
        shown |= {
            "AssumeRolePolicyDocument": encoded(identity.trust),
            "Description": identity.description or None,
            "MaxSessionDuration": identity.max_session_seconds,
        }
    if is_listed or identity.kind is IdentityKind.GROUP:
        return shown
    if identity.boundary is not None:
        shown["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": identity.boundary,
        }
    return {**shown, **tags_member(identity.tags)}


def policy_shape(policy: ManagedPolicy, attachments: int, boundaries: int = 0) -> Mapping[str, Any]:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.unique_id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version_id,
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": boundaries,
        "IsAttachable": True,
        "CreateDate": policy.created_epoch_seconds,
        "UpdateDate": policy.updated_epoch_seconds,
    }


def policy_position(shape: Mapping[str, Any]) -> str:
    """Where a policy stands in a list, by what is shown of it. Markers hold positions and may be no longer than 320
    characters: an ARN is.
    """
    arn = str(shape.get("Arn") or shape["PolicyArn"])
    return f"{shape['PolicyName'].lower()}:{arn.split(':')[4]}"


def version_shape(policy: ManagedPolicy, version: PolicyVersion, *, with_document: bool = False) -> Mapping[str, Any]:
    shown = {
        "VersionId": version.version_id,
        "IsDefaultVersion": version.version_id == policy.default_version_id,
        "CreateDate": version.created_epoch_seconds,
    }
    return {"Document": encoded(version.document), **shown} if with_document else shown


def tags_member(tags: Mapping[str, str]) -> Mapping[str, Any]:
    """Left out where there are none."""
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]} if tags else {}


def encoded(document: str) -> str:
    """RFC 3986, as IAM shows documents."""
    return quote(document, safe="-_.~")
