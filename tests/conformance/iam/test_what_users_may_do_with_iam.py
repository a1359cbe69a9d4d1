"""IAM's own operations are for those whom policies let use them: by the paths of ARNs, and by what they bring."""

from typing import Any

import pytest

from tests.conformance.iam.making import ACCOUNT, Made, allowing, call, document, statement
from tests.conformance.refusals import refusal

PREFIX = f"arn:aws:iam::{ACCOUNT}"
READ_ONLY = "arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess"
FULL = "arn:aws:iam::aws:policy/AWSLambda_FullAccess"


@pytest.fixture
def user(made: Made) -> tuple[str, Any]:
    """One that may nothing yet, and its client."""
    name = made.user()
    return name, made.client("iam", made.key(name))


def let(made: Made, user: tuple[str, Any], *statements: dict[str, Any]) -> None:
    """These statements, and no others."""
    made.iam.put_user_policy(UserName=user[0], PolicyName="p", PolicyDocument=document(*statements))


def denied(user: tuple[str, Any], action: str, resource: str) -> tuple[int, str, str]:
    told = f"User: {PREFIX}:user/{user[0]} is not authorized to perform: iam:{action} on resource: {resource}"
    return 403, "AccessDenied", f"{told} because no identity-based policy allows the iam:{action} action"


def test_without_policies_a_user_may_nothing_and_changes_nothing(iam: Any, made: Made, user: tuple[str, Any]) -> None:
    name, own = user
    role, arn = made.identity("Role", Path="/a/"), made.policy()
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GetUser", f"user {name}", {}),
        ("GetUser", "user absent", {"UserName": "absent"}),
        ("ListUsers", f"{PREFIX}:user/", {}),
        ("ListPolicies", "policy path /", {}),
        ("CreateUser", f"{PREFIX}:user/x/new", {"UserName": "new", "Path": "/x/"}),
        ("CreateAccessKey", f"user {name}", {}),
        ("PutUserPolicy", f"user {name}", {"UserName": name, "PolicyName": "p", "PolicyDocument": "{}"}),
        ("AttachUserPolicy", f"user {name}", {"UserName": name, "PolicyArn": FULL}),
        ("DeleteRole", f"role {role}", {"RoleName": role}),
        ("UpdateAssumeRolePolicy", f"role {role}", {"RoleName": role, "PolicyDocument": "{}"}),
        ("CreatePolicy", "policy new", {"PolicyName": "new", "PolicyDocument": "{}"}),
        ("CreatePolicyVersion", f"policy {arn}", {"PolicyArn": arn, "PolicyDocument": "{}", "SetAsDefault": True}),
        ("DeletePolicy", f"policy {arn}", {"PolicyArn": arn}),
        ("GetPolicy", f"policy {READ_ONLY}", {"PolicyArn": READ_ONLY}),
    ]
    before = [call(iam, "get_role", RoleName=role), call(iam, "get_policy", PolicyArn=arn), call(iam, "list_users")]
    for action, resource, members in asked:
        operation = "".join(f"_{c.lower()}" if c.isupper() else c for c in action)[1:]
        assert refusal(getattr(own, operation), **members) == denied(user, action, resource)
    after = [call(iam, "get_role", RoleName=role), call(iam, "get_policy", PolicyArn=arn), call(iam, "list_users")]
    assert after == before
    assert len(iam.list_access_keys(UserName=name)["AccessKeyMetadata"]) == 1


def test_who_one_is_may_always_be_asked(made: Made, user: tuple[str, Any]) -> None:
    name, _ = user
    let(made, user, statement("*", effect="Deny"))
    sts = made.client("sts", made.key(name))
    assert sts.get_caller_identity()["Arn"] == f"{PREFIX}:user/{name}"


def test_a_path_is_part_of_the_arn(made: Made, user: tuple[str, Any]) -> None:
    _, own = user
    let(made, user, statement("iam:*", resource=[f"{PREFIX}:user/dev/*", f"{PREFIX}:role/dev/*"]))
    there, elsewhere = made.user(Path="/dev/"), made.user()
    new = made.name()
    made.names.append(("User", new))
    assert own.create_user(UserName=new, Path="/dev/deep/")["User"]["UserName"] == new
    assert refusal(own.create_user, UserName="new") == denied(user, "CreateUser", f"{PREFIX}:user/new")
    assert own.get_user(UserName=there.upper())["User"]["UserName"] == there
    told = denied(user, "GetUser", f"user {elsewhere}")
    assert refusal(own.get_user, UserName=elsewhere) == told
    assert own.list_groups_for_user(UserName=there)["Groups"] == []
    role = made.identity("Role")
    assert refusal(own.get_role, RoleName=role) == denied(user, "GetRole", f"role {role}")


def test_a_rename_must_be_allowed_at_both_ends(iam: Any, made: Made, user: tuple[str, Any]) -> None:
    _, own = user
    let(made, user, statement("iam:UpdateUser", resource=f"{PREFIX}:user/dev/*"))
    name = made.user(Path="/dev/")
    told = denied(user, "UpdateUser", f"{PREFIX}:user/admin/{name}")
    assert refusal(own.update_user, UserName=name, NewPath="/admin/") == told
    other = made.user(Path="/admin/")
    told = denied(user, "UpdateUser", f"user {other}")
    assert refusal(own.update_user, UserName=other, NewPath="/dev/") == told
    own.update_user(UserName=name, NewUserName=f"{name}-new", NewPath="/dev/deep/")
    made.renamed("User", name, f"{name}-new")
    assert iam.get_user(UserName=f"{name}-new")["User"]["Path"] == "/dev/deep/"


def test_which_policies_are_attached_can_be_bounded(iam: Any, made: Made, user: tuple[str, Any]) -> None:
    _, own = user
    only: dict[str, Any] = {"Condition": {"ArnEquals": {"iam:PolicyARN": READ_ONLY}}}
    let(made, user, statement("iam:AttachUserPolicy", "iam:DetachUserPolicy", **only))
    name = made.user()
    told = denied(user, "AttachUserPolicy", f"user {name}")
    assert refusal(own.attach_user_policy, UserName=name, PolicyArn=FULL) == told
    own.attach_user_policy(UserName=name, PolicyArn=READ_ONLY)
    own.detach_user_policy(UserName=name, PolicyArn=READ_ONLY)
    assert iam.list_attached_user_policies(UserName=name)["AttachedPolicies"] == []


def test_tags_in_the_request_decide(made: Made, user: tuple[str, Any]) -> None:
    _, own = user
    blue: dict[str, Any] = {"Condition": {"StringEquals": {"aws:RequestTag/Team": "blue"}}}
    keys: dict[str, Any] = {"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]}}}
    let(made, user, statement("iam:CreateUser", **blue), statement("iam:UntagUser", **keys))
    name = made.name()
    told = denied(user, "CreateUser", f"{PREFIX}:user/{name}")
    assert refusal(own.create_user, UserName=name) == told
    assert refusal(own.create_user, UserName=name, Tags=[{"Key": "Team", "Value": "red"}]) == told
    made.names.append(("User", name))
    tags = [{"Key": "team", "Value": "blue"}, {"Key": "x", "Value": "y"}]
    assert refusal(own.create_user, UserName=name, Tags=tags) == denied(user, "TagUser", f"{PREFIX}:user/{name}")
    let(made, user, statement("iam:CreateUser", "iam:TagUser", **blue), statement("iam:UntagUser", **keys))
    own.create_user(UserName=name, Tags=tags)
    told = denied(user, "UntagUser", f"user {name}")
    assert refusal(own.untag_user, UserName=name, TagKeys=["Team", "x"]) == told
    own.untag_user(UserName=name, TagKeys=["Team"])


@pytest.mark.parametrize("service", ["aws", "iam"])
def test_tags_of_what_is_asked_for_decide(iam: Any, made: Made, user: tuple[str, Any], service: str) -> None:
    _, own = user
    blue: dict[str, Any] = {"Condition": {"StringEquals": {f"{service}:ResourceTag/Team": "blue"}}}
    let(made, user, statement("iam:GetUser", "iam:GetRole", "iam:GetPolicy", **blue))
    tags: dict[str, Any] = {"Tags": [{"Key": "team", "Value": "blue"}]}
    name, other = made.user(**tags), made.user()
    assert own.get_user(UserName=name)["User"]["UserName"] == name
    assert refusal(own.get_user, UserName=other) == denied(user, "GetUser", f"user {other}")
    role = made.identity("Role", **tags)
    assert own.get_role(RoleName=role)["Role"]["RoleName"] == role
    arn = made.policy(**tags)
    assert own.get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn
    iam.untag_user(UserName=name, TagKeys=["Team"])
    assert refusal(own.get_user, UserName=name) == denied(user, "GetUser", f"user {name}")


def test_rights_are_delegated_within_a_boundary(iam: Any, made: Made, user: tuple[str, Any]) -> None:
    """As AWS's documentation has it: who makes users must bound them, and gives rights to none but those."""
    _, own = user
    boundary, other = made.policy(), made.policy()
    bounded: dict[str, Any] = {"Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}}}
    let(made, user, statement("iam:CreateUser", "iam:PutUserPolicy", "iam:AttachUserPolicy", **bounded))
    name = made.name()
    told = denied(user, "CreateUser", f"{PREFIX}:user/{name}")
    assert refusal(own.create_user, UserName=name) == told
    assert refusal(own.create_user, UserName=name, PermissionsBoundary=other) == told
    made.names.append(("User", name))
    own.create_user(UserName=name, PermissionsBoundary=boundary)
    own.attach_user_policy(UserName=name, PolicyArn=FULL)
    own.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=allowing("*"))
    free = made.user()
    told = denied(user, "AttachUserPolicy", f"user {free}")
    assert refusal(own.attach_user_policy, UserName=free, PolicyArn=FULL) == told
    iam.delete_user_permissions_boundary(UserName=name)
    assert refusal(own.put_user_policy, UserName=name, PolicyName="q", PolicyDocument=allowing("*"))[0] == 403
