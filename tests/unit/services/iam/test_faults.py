"""What IAM says of parameters that its model refuses."""

from typing import Any

import pytest

from lampion.aws.model import load_service
from lampion.aws.validator import faults
from lampion.services.iam.faults import invalid

ARN = "arn:aws:iam::784247513179:role/service-role/AmazonSageMaker-ExecutionRole-20500823T191735"
ALLOWED = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
POLICY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryFullAccess"


@pytest.mark.parametrize(
    ("operation", "members", "message"),
    [
        (
            "AttachRolePolicy",
            {"RoleName": ARN, "PolicyArn": POLICY},
            f"The specified value for roleName is invalid. {ALLOWED}",
        ),
        ("CreateUser", {"UserName": "an n"}, f"The specified value for userName is invalid. {ALLOWED}"),
        (
            "CreateUser",
            {"UserName": "n" * 65},
            f"1 validation error detected: Value '{'n' * 65}' at 'userName' failed to satisfy constraint: "
            "Member must have length less than or equal to 64",
        ),
    ],
)
def test_a_name_that_is_none_is_told_by_what_names_may_hold(
    operation: str, members: dict[str, Any], message: str
) -> None:
    assert invalid(faults(load_service("iam").operations[operation], members)).message == message
