"""Service-linked roles: made, shown, protected and deleted as AWS does it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.iam.making import ACCOUNT, TRUST, Made, allowing
from tests.conformance.refusals import refusal

SERVICE = "replicator.lambda.amazonaws.com"
NAME = "AWSServiceRoleForLambdaReplicator"
ARN = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{SERVICE}/{NAME}"
POLICY = "arn:aws:iam::aws:policy/AWSLambda_FullAccess"


@pytest.fixture
def role(iam: Any) -> Iterator[dict[str, Any]]:
    """Gone at the end."""
    made: dict[str, Any] = iam.create_service_linked_role(AWSServiceName=SERVICE, Description="of Lambda@Edge")["Role"]
    yield made
    if ARN in {one["Arn"] for one in iam.list_roles()["Roles"]}:
        iam.delete_service_linked_role(RoleName=NAME)


def test_from_its_creation_to_its_end(iam: Any, role: dict[str, Any]) -> None:
    assert (role["Arn"], role["RoleName"], role["Path"]) == (ARN, NAME, f"/aws-service-role/{SERVICE}/")
    trusted = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    assert role["AssumeRolePolicyDocument"]["Statement"] == [trusted]
    shown = iam.get_role(RoleName=NAME)["Role"]
    assert (shown["RoleId"], shown["Description"]) == (role["RoleId"], "of Lambda@Edge")
    assert [one["Arn"] for one in iam.list_roles(PathPrefix="/aws-service-role/")["Roles"]] == [ARN]
    task = iam.delete_service_linked_role(RoleName=NAME)["DeletionTaskId"]
    assert task.startswith(f"task/aws-service-role/{SERVICE}/{NAME}/")
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    assert refusal(iam.get_role, RoleName=NAME)[:2] == (404, "NoSuchEntity")
    again = iam.create_service_linked_role(AWSServiceName=SERVICE)["Role"]
    assert again["RoleId"] != role["RoleId"]


def test_a_task_that_was_never_given_out_is_not_there(iam: Any, role: dict[str, Any]) -> None:
    task = iam.delete_service_linked_role(RoleName=NAME)["DeletionTaskId"]
    changed = task[:-1] + ("0" if task[-1] != "0" else "1")
    for other in (
        changed,
        task.replace("Replicator/", "Other/"),
        task.replace("lambda", "kafka"),
        "nonsense",
        f"{task}x",
    ):
        told = (404, "NoSuchEntity", f"The deletion task with id {other} was not found.")
        assert refusal(iam.get_service_linked_role_deletion_status, DeletionTaskId=other) == told


def test_only_aws_changes_it(iam: Any, role: dict[str, Any]) -> None:
    told = f"Cannot perform the operation on the protected role '{NAME}' - this role is only modifiable by AWS"
    named = {"RoleName": NAME}
    for call, members in (
        (iam.attach_role_policy, {"PolicyArn": POLICY}),
        (iam.detach_role_policy, {"PolicyArn": POLICY}),
        (iam.put_role_policy, {"PolicyName": "p", "PolicyDocument": allowing("*")}),
        (iam.delete_role_policy, {"PolicyName": "p"}),
        (iam.put_role_permissions_boundary, {"PermissionsBoundary": POLICY}),
        (iam.delete_role_permissions_boundary, {}),
        (iam.update_assume_role_policy, {"PolicyDocument": json.dumps(TRUST)}),
        (iam.update_role, {"MaxSessionDuration": 7200}),
        (iam.delete_role, {}),
    ):
        assert refusal(call, **named, **members) == (400, "UnmodifiableEntity", told)
    iam.update_role(**named, Description="new words")
    iam.tag_role(**named, Tags=[{"Key": "a", "Value": "b"}])
    shown = iam.get_role(**named)["Role"]
    assert (shown["Description"], shown["Tags"]) == ("new words", [{"Key": "a", "Value": "b"}])
    assert (shown["MaxSessionDuration"], iam.list_role_policies(**named)["PolicyNames"]) == (3600, [])


def test_what_cannot_be_made(iam: Any, role: dict[str, Any], made: Made) -> None:
    taken = f"Service role name {NAME} has been taken in this account, please try a different suffix."
    assert refusal(iam.create_service_linked_role, AWSServiceName=SERVICE) == (400, "InvalidInput", taken)
    no_suffix = f"Custom suffix is not allowed for {SERVICE}"
    assert refusal(iam.create_service_linked_role, AWSServiceName=SERVICE, CustomSuffix="x")[2] == no_suffix
    assert refusal(iam.create_service_linked_role, AWSServiceName="nothing.amazonaws.com")[:2] == (400, "InvalidInput")
    path = f"/aws-service-role/{SERVICE}/"
    mine = {"RoleName": "mine", "Path": path, "AssumeRolePolicyDocument": json.dumps(TRUST)}
    assert refusal(iam.create_role, **mine)[:2] == (400, "InvalidInput")
    ordinary = made.identity("Role")
    assert refusal(iam.delete_service_linked_role, RoleName=ordinary)[:2] == (400, "InvalidInput")
    assert iam.get_role(RoleName=ordinary)["Role"]["RoleName"] == ordinary


def test_some_services_have_several(iam: Any) -> None:
    service = {"AWSServiceName": "autoscaling.amazonaws.com"}
    names = [
        iam.create_service_linked_role(**service, **more)["Role"]["RoleName"] for more in ({}, {"CustomSuffix": "x"})
    ]
    assert names == ["AWSServiceRoleForAutoScaling", "AWSServiceRoleForAutoScaling_x"]
    for name in names:
        iam.delete_service_linked_role(RoleName=name)


def test_policies_say_for_which_service(iam: Any, made: Made) -> None:
    of_lambda = {"StringLike": {"iam:AWSServiceName": "*.lambda.amazonaws.com"}}
    user = made.user(allowing("iam:CreateServiceLinkedRole", Condition=of_lambda))
    own = made.client("iam", made.key(user))
    arn = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/kafka.amazonaws.com/AWSServiceRoleForKafka"
    told = f"is not authorized to perform: iam:CreateServiceLinkedRole on resource: {arn} because no identity-based"
    assert told in refusal(own.create_service_linked_role, AWSServiceName="kafka.amazonaws.com")[2]
    own.create_service_linked_role(AWSServiceName=SERVICE)
    assert refusal(own.delete_service_linked_role, RoleName=NAME)[:2] == (403, "AccessDenied")
    iam.delete_service_linked_role(RoleName=NAME)
