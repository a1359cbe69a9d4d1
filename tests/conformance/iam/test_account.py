"""An account as a whole: its alias, its summary, and everything in it for auditors."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.iam.making import ACCOUNT, TRUST, Made, allowing, document, statement, with_keys
from tests.conformance.refusals import refusal
from tests.live_server import LiveServer

LAMBDA = "arn:aws:iam::aws:policy/AWSLambda_FullAccess"


def test_an_account_has_one_alias_at_most(iam: Any) -> None:
    assert iam.list_account_aliases()["AccountAliases"] == []
    iam.create_account_alias(AccountAlias="first-name")
    iam.create_account_alias(AccountAlias="second-name")
    assert iam.list_account_aliases()["AccountAliases"] == ["second-name"]
    assert refusal(iam.delete_account_alias, AccountAlias="first-name")[:2] == (404, "NoSuchEntity")
    taken = (409, "EntityAlreadyExists", "The account alias second-name already exists.")
    assert refusal(iam.create_account_alias, AccountAlias="second-name") == taken
    iam.delete_account_alias(AccountAlias="second-name")
    assert iam.list_account_aliases()["AccountAliases"] == []


def test_no_two_accounts_have_the_same_alias_and_it_survives(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("--auth", "open")
    one, other = (with_keys(server.url, "iam", account_id, "x") for account_id in ("1" * 12, "2" * 12))
    try:
        one.create_account_alias(AccountAlias="ours")
        assert refusal(other.create_account_alias, AccountAlias="ours")[1] == "EntityAlreadyExists"
        assert refusal(other.delete_account_alias, AccountAlias="ours")[1] == "NoSuchEntity"
        assert other.list_account_aliases()["AccountAliases"] == []
    finally:
        one.close()
        other.close()
    server.restart()
    again = with_keys(server.url, "iam", "1" * 12, "x")
    assert again.list_account_aliases()["AccountAliases"] == ["ours"]
    again.close()


@pytest.mark.parametrize("name", ["ab", "-abc", "a--b", "Upper", "a_b"])
def test_what_is_no_alias(iam: Any, name: str) -> None:
    status, code, _ = refusal(iam.create_account_alias, AccountAlias=name.ljust(3, "-"))
    assert (status, code) == (400, "ValidationError")


def test_the_summary_counts_what_is_there(iam: Any, made: Made) -> None:
    before = iam.get_account_summary()["SummaryMap"]
    for kind in ("User", "User", "Group", "Role"):
        made.identity(kind)
    arn = made.policy()
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=allowing("s3:*"))
    after = iam.get_account_summary()["SummaryMap"]
    changed = {key: after[key] - before[key] for key in after if after[key] != before[key]}
    assert changed == {"Users": 2, "Groups": 1, "Roles": 1, "Policies": 1, "PolicyVersionsInUse": 2}
    modelled = iam.meta.service_model.shape_for("summaryKeyType").enum
    assert set(after) == set(modelled)
    assert (after["AccessKeysPerUserQuota"], after["VersionsPerPolicyQuota"], after["AccountMFAEnabled"]) == (2, 5, 0)


def test_everything_is_shown_to_auditors(iam: Any, made: Made) -> None:
    policy = made.policy(allowing("s3:*"), Description="words")
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=allowing("sqs:*"))
    user = made.user(allowing("lambda:*"), PermissionsBoundary=policy, Tags=[{"Key": "a", "Value": "b"}])
    group, role = made.identity("Group"), made.identity("Role")
    iam.add_user_to_group(GroupName=group, UserName=user)
    iam.attach_role_policy(RoleName=role, PolicyArn=LAMBDA)
    iam.attach_group_policy(GroupName=group, PolicyArn=policy)
    pages = list(iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 1}))

    def shown(member: str, key: str, wanted: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = [one for page in pages for one in page[member] if one[key] == wanted]
        assert len(found) == 1
        return found[0]

    of_user = shown("UserDetailList", "UserName", user)
    assert of_user["UserPolicyList"] == [{"PolicyName": "p0", "PolicyDocument": json.loads(allowing("lambda:*"))}]
    assert (of_user["GroupList"], of_user["Tags"]) == ([group], [{"Key": "a", "Value": "b"}])
    assert of_user["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy
    named = policy.rpartition("/")[2]
    of_group = shown("GroupDetailList", "GroupName", group)
    assert of_group["AttachedManagedPolicies"] == [{"PolicyName": named, "PolicyArn": policy}]
    of_role = shown("RoleDetailList", "RoleName", role)
    assert (of_role["AssumeRolePolicyDocument"], of_role["InstanceProfileList"]) == (TRUST, [])
    assert of_role["AttachedManagedPolicies"] == [{"PolicyName": "AWSLambda_FullAccess", "PolicyArn": LAMBDA}]
    of_policy = shown("Policies", "Arn", policy)
    assert (of_policy["AttachmentCount"], of_policy["PermissionsBoundaryUsageCount"]) == (1, 1)
    versions = [(one["VersionId"], one["IsDefaultVersion"], one["Document"]) for one in of_policy["PolicyVersionList"]]
    assert versions == [("v2", False, json.loads(allowing("sqs:*"))), ("v1", True, json.loads(allowing("s3:*")))]
    assert shown("Policies", "Arn", LAMBDA)["AttachmentCount"] >= 1


@pytest.mark.parametrize(
    ("wanted", "member"),
    [
        ("User", "UserDetailList"),
        ("Group", "GroupDetailList"),
        ("Role", "RoleDetailList"),
        ("LocalManagedPolicy", "Policies"),
        ("AWSManagedPolicy", "Policies"),
    ],
)
def test_a_filter_leaves_out_the_rest(iam: Any, made: Made, wanted: str, member: str) -> None:
    for kind in ("User", "Group", "Role"):
        made.identity(kind)
    iam.attach_role_policy(RoleName=made.identity("Role"), PolicyArn=LAMBDA)
    made.policy()
    answer = iam.get_account_authorization_details(Filter=[wanted])
    lists = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    assert [name for name in lists if answer[name]] == [member]
    if member == "Policies":
        owners = {one["Arn"].split(":")[4] == "aws" for one in answer["Policies"]}
        assert owners == {wanted == "AWSManagedPolicy"}


def test_which_policies_grant_access_to_a_service(iam: Any, made: Made) -> None:
    policy = made.policy(document(statement("s3:GetObject"), statement("sqs:*", effect="Deny")))
    user = made.user(allowing("lambda:InvokeFunction"))
    group = made.identity("Group")
    iam.put_group_policy(GroupName=group, PolicyName="most", PolicyDocument=_all_but("sqs:*"))
    iam.add_user_to_group(GroupName=group, UserName=user)
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    arn = f"arn:aws:iam::{ACCOUNT}:user/{user}"
    answer = iam.list_policies_granting_service_access(Arn=arn, ServiceNamespaces=["sqs", "s3", "lambda"])
    named = policy.rpartition("/")[2]
    own = {"PolicyName": "p0", "PolicyType": "INLINE", "EntityType": "USER", "EntityName": user}
    of_group = {"PolicyName": "most", "PolicyType": "INLINE", "EntityType": "GROUP", "EntityName": group}
    attached = {"PolicyName": named, "PolicyType": "MANAGED", "PolicyArn": policy}
    assert answer["PoliciesGrantingServiceAccess"] == [
        {"ServiceNamespace": "lambda", "Policies": [own, of_group]},
        {"ServiceNamespace": "s3", "Policies": [attached, of_group]},
        {"ServiceNamespace": "sqs", "Policies": []},
    ]
    assert answer["IsTruncated"] is False
    absent = f"arn:aws:iam::{ACCOUNT}:user/absent"
    for wrong, code in ((absent, "NoSuchEntity"), (f"arn:aws:iam::{ACCOUNT}:policy/x", "InvalidInput")):
        told = refusal(iam.list_policies_granting_service_access, Arn=wrong, ServiceNamespaces=["s3"])
        assert told[1] == code


def _all_but(*actions: str) -> str:
    wanted = {"Effect": "Allow", "NotAction": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": wanted})
