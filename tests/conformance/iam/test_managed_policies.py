"""Managed policies with boto3: the account's own with their versions, and those of AWS, which nobody changes."""

import json
import re
from typing import Any

import pytest

from tests.conformance.iam.making import ACCOUNT, Made, allowing, call, document, statement
from tests.conformance.refusals import refusal, refused

AWSS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
MEMBERS = {
    *("PolicyName", "PolicyId", "Arn", "Path", "DefaultVersionId", "AttachmentCount", "PermissionsBoundaryUsageCount"),
    *("IsAttachable", "CreateDate", "UpdateDate"),
}
VERSION = {"VersionId", "IsDefaultVersion", "CreateDate"}


def test_a_policy_from_its_creation_to_its_end(iam: Any, made: Made) -> None:
    name, text = made.name(), allowing("s3:*", Sid="All")
    made.policies.append(arn := f"arn:aws:iam::{ACCOUNT}:policy/a/{name}")
    tags = [{"Key": "Team", "Value": "blue"}]
    created = call(
        iam, "create_policy", PolicyName=name, PolicyDocument=text, Path="/a/", Description="some", Tags=tags
    )["Policy"]
    assert set(created) == MEMBERS | {"Tags"}
    assert (created["Arn"], created["Path"], created["PolicyName"]) == (arn, "/a/", name)
    assert re.fullmatch(r"ANPA[A-Z2-7]{17}", created["PolicyId"])
    assert (created["DefaultVersionId"], created["AttachmentCount"], created["IsAttachable"]) == ("v1", 0, True)
    assert created["CreateDate"] == created["UpdateDate"]
    assert call(iam, "get_policy", PolicyArn=arn) == {"Policy": {**created, "Description": "some"}}
    listed = call(iam, "list_policies", Scope="Local", PathPrefix="/a/")
    del created["Tags"]
    assert listed == {"Policies": [created], "IsTruncated": False}
    version = call(iam, "get_policy_version", PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert set(version) == VERSION | {"Document"}
    assert (version["Document"], version["IsDefaultVersion"]) == (json.loads(text), True)
    assert call(iam, "delete_policy", PolicyArn=arn) == {}
    for operation in (iam.get_policy, iam.delete_policy, iam.list_policy_versions, iam.list_entities_for_policy):
        assert refusal(operation, PolicyArn=arn) == (404, "NoSuchEntity", f"Policy {arn} was not found.")


def test_a_name_is_taken_in_any_case_and_on_any_path(iam: Any, made: Made) -> None:
    name = made.policy().rpartition("/")[2]
    for taken, path in ((name, "/"), (name.upper(), "/"), (name, "/other/")):
        told = f"A policy called {taken} already exists. Duplicate names are not allowed."
        again = refusal(iam.create_policy, PolicyName=taken, Path=path, PolicyDocument=allowing("s3:*"))
        assert again == (409, "EntityAlreadyExists", told)


def test_versions_come_and_go_and_one_of_them_holds(iam: Any, made: Made) -> None:
    arn = made.policy()
    made_version = call(iam, "create_policy_version", PolicyArn=arn, PolicyDocument=allowing("s3:*"))["PolicyVersion"]
    assert set(made_version) == VERSION
    assert (made_version["VersionId"], made_version["IsDefaultVersion"]) == ("v2", False)
    third = iam.create_policy_version(PolicyArn=arn, PolicyDocument=allowing("sqs:*"), SetAsDefault=True)
    assert third["PolicyVersion"]["IsDefaultVersion"] is True
    for _ in range(2):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=allowing("sns:*"))
    listed = call(iam, "list_policy_versions", PolicyArn=arn)
    assert [(one["VersionId"], one["IsDefaultVersion"]) for one in listed["Versions"]] == [
        *(("v5", False), ("v4", False), ("v3", True), ("v2", False), ("v1", False)),
    ]
    assert all(set(one) == VERSION for one in listed["Versions"])
    told = (
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
        "version."
    )
    create = {"PolicyArn": arn, "PolicyDocument": allowing("s3:*")}
    assert refusal(iam.create_policy_version, **create) == (409, "LimitExceeded", told)
    holding = (409, "DeleteConflict", "Cannot delete the default version of a policy.")
    assert refusal(iam.delete_policy_version, PolicyArn=arn, VersionId="v3") == holding
    assert call(iam, "set_default_policy_version", PolicyArn=arn, VersionId="v1") == {}
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v1"
    assert call(iam, "delete_policy_version", PolicyArn=arn, VersionId="v3") == {}
    assert iam.create_policy_version(**create)["PolicyVersion"]["VersionId"] == "v6"
    absent = (404, "NoSuchEntity", f"Policy {arn} version v3 does not exist or is not attachable.")
    for operation in (iam.get_policy_version, iam.delete_policy_version, iam.set_default_policy_version):
        assert refusal(operation, PolicyArn=arn, VersionId="v3") == absent
        assert refused(operation, PolicyArn=arn, VersionId="3")[0] == "ValidationError"
    told = (
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
        "The default version is deleted with the policy."
    )
    assert refusal(iam.delete_policy, PolicyArn=arn) == (409, "DeleteConflict", told)


def test_what_is_no_policy_is_not_made(iam: Any, made: Made) -> None:
    arn = made.policy()
    for text, message in {
        "policy.json": "Syntax errors in policy.",
        document(statement("s3:*", Principal="*")): "Policy document should not specify a principal.",
        allowing("lambda"): "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    }.items():
        told = (400, "MalformedPolicyDocument", message)
        assert refusal(iam.create_policy, PolicyName=made.name(), PolicyDocument=text) == told
        assert refusal(iam.create_policy_version, PolicyArn=arn, PolicyDocument=text) == told
    large = allowing("s3:*", resource="arn:aws:s3:::" + "x" * 6144)
    told = (409, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144")
    assert refusal(iam.create_policy, PolicyName=made.name(), PolicyDocument=large) == told
    assert refusal(iam.create_policy_version, PolicyArn=arn, PolicyDocument=large) == told
    assert [one["Arn"] for one in iam.list_policies(Scope="Local")["Policies"]] == [arn]
    assert len(iam.list_policy_versions(PolicyArn=arn)["Versions"]) == 1


def test_a_policy_is_not_deleted_while_it_is_attached(iam: Any, made: Made) -> None:
    arn, user = made.policy(), made.user()
    iam.attach_user_policy(UserName=user, PolicyArn=arn)
    told = (409, "DeleteConflict", "Cannot delete a policy attached to entities.")
    assert refusal(iam.delete_policy, PolicyArn=arn) == told


def test_who_has_a_policy(iam: Any, made: Made) -> None:
    arn = made.policy()
    names = {kind: made.identity(kind, Path=f"/{kind.lower()}/") for kind in ("User", "Group", "Role")}
    for kind, name in names.items():
        getattr(iam, f"attach_{kind.lower()}_policy")(**{f"{kind}Name": name}, PolicyArn=arn)
    found = call(iam, "list_entities_for_policy", PolicyArn=arn)
    assert found.pop("IsTruncated") is False
    assert {member: [set(one) for one in those] for member, those in found.items()} == {
        f"Policy{kind}s": [{f"{kind}Name", f"{kind}Id"}] for kind in names
    }
    for kind, name in names.items():
        for asked in ({"EntityFilter": kind}, {"PathPrefix": f"/{kind.lower()}/"}):
            found = iam.list_entities_for_policy(PolicyArn=arn, **asked)
            all_names = [one.get(f"{of}Name") for of in names for one in found[f"Policy{of}s"]]
            assert all_names == [name], asked
    for asked in ({"EntityFilter": "AWSManagedPolicy"}, {"PathPrefix": "/none/"}):
        found = iam.list_entities_for_policy(PolicyArn=arn, **asked)
        assert [found[f"Policy{kind}s"] for kind in names] == [[], [], []]


def test_the_policies_of_aws_are_read_and_attached_and_changed_by_nobody(iam: Any, made: Made) -> None:
    shown = iam.get_policy(PolicyArn=AWSS)["Policy"]
    assert set(shown) == MEMBERS | {"Description"}
    assert (shown["PolicyName"], shown["Path"]) == ("AWSLambdaBasicExecutionRole", "/service-role/")
    version = iam.get_policy_version(PolicyArn=AWSS, VersionId=shown["DefaultVersionId"])["PolicyVersion"]
    actions = version["Document"]["Statement"][0]["Action"]
    assert sorted(actions) == ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    assert [one["IsDefaultVersion"] for one in iam.list_policy_versions(PolicyArn=AWSS)["Versions"]] == [True]
    for operation, more in (
        ("delete_policy", {}),
        ("create_policy_version", {"PolicyDocument": allowing("s3:*")}),
        ("delete_policy_version", {"VersionId": shown["DefaultVersionId"]}),
        ("set_default_policy_version", {"VersionId": shown["DefaultVersionId"]}),
        ("tag_policy", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("untag_policy", {"TagKeys": ["a"]}),
    ):
        status, code, _ = refusal(getattr(iam, operation), PolicyArn=AWSS, **more)
        assert (status, code) == (400, "UnmodifiableEntity"), operation
    user = made.user()
    iam.attach_user_policy(UserName=user, PolicyArn=AWSS)
    assert iam.list_entities_for_policy(PolicyArn=AWSS)["PolicyUsers"][0]["UserName"] == user


def test_which_policies_are_listed(iam: Any, made: Made) -> None:
    attached, bounding, idle = made.policy(), made.policy(), made.policy()
    user = made.user()
    iam.attach_user_policy(UserName=user, PolicyArn=attached)
    iam.attach_user_policy(UserName=user, PolicyArn=AWSS)
    iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=bounding)

    def arns(**asked: Any) -> set[str]:
        return {one["Arn"] for one in iam.list_policies(**asked)["Policies"]}

    awss = arns(Scope="AWS")
    assert all(arn.startswith("arn:aws:iam::aws:policy/") for arn in awss)
    assert len(awss) > 50
    assert arns(Scope="Local") == {attached, bounding, idle}
    assert arns() == arns(Scope="All") == awss | {attached, bounding, idle}
    assert arns(OnlyAttached=True) == {attached, AWSS}
    assert arns(Scope="Local", PolicyUsageFilter="PermissionsPolicy") == {attached}
    assert arns(Scope="Local", PolicyUsageFilter="PermissionsBoundary") == {bounding}
    assert AWSS in arns(PathPrefix="/service-role/")
    assert attached not in arns(PathPrefix="/service-role/")


@pytest.mark.parametrize("scope", ["Local", "AWS", "All"])
def test_both_kinds_have_the_members_of_the_model(iam: Any, made: Made, scope: str) -> None:
    made.policy()
    assert all(set(one) == MEMBERS for one in iam.list_policies(Scope=scope)["Policies"])
