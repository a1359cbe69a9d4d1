"""What a function may do with its own credentials: what the policies of its role allow, once the role is there."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.iam.making import ACCOUNT, Made, allowing, with_keys
from tests.conformance.refusals import refusal, refused
from tests.deployment import arn_of, functions
from tests.live_server import LiveServer

TELLS_ITS_KEYS = """
import os

def handler(event, context):
    return [os.environ[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
"""


class Running:
    """A function that runs, its role's name, and clients with the credentials that it was given."""

    def __init__(self, server: LiveServer, name: str, role: str, keys: list[str]) -> None:
        self.name, self.role = name, role
        self.arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"
        self.lambda_, self.iam, self.sts = (with_keys(server.url, one, *keys) for one in ("lambda", "iam", "sts"))

    def denied(self, action: str, resource: str, why: str = "") -> tuple[int, str, str]:
        told = f"User: {self.arn} is not authorized to perform: {action} on resource: {resource}"
        reason = why or f"because no identity-based policy allows the {action} action"
        return 403, "AccessDeniedException", f"{told} {reason}"


@pytest.fixture(scope="module")
def running(live_server: LiveServer, lambda_client: Any, iam: Any) -> Iterator[Running]:
    """Its role is made and deleted by the tests."""
    role = "function-role"
    with functions(lambda_client, "asks") as make:
        name = make(TELLS_ITS_KEYS, Role=f"arn:aws:iam::{ACCOUNT}:role/service-role/{role}")
        keys = json.loads(lambda_client.invoke(FunctionName=name)["Payload"].read())
        made = Running(live_server, name, role, keys)
        yield made
        for client in (made.lambda_, made.iam, made.sts):
            client.close()


def test_a_role_that_is_not_there_allows_nothing(running: Running) -> None:
    told = running.denied("lambda:GetFunction", arn_of(running.name))
    assert refusal(running.lambda_.get_function, FunctionName=running.name) == told


def test_a_function_may_exactly_what_its_role_may(iam: Any, made: Made, running: Running) -> None:
    made.identity("Role", Name=running.role, Path="/service-role/")
    own = arn_of(running.name)
    assert refusal(running.lambda_.get_function, FunctionName=running.name)[0] == 403
    policy = {"RoleName": running.role, "PolicyName": "p"}
    iam.put_role_policy(**policy, PolicyDocument=allowing("lambda:GetFunction", resource=own))
    assert running.lambda_.get_function(FunctionName=running.name)["Configuration"]["FunctionArn"] == own
    told = running.denied("lambda:GetFunction", arn_of("neighbour"))
    assert refusal(running.lambda_.get_function, FunctionName="neighbour") == told
    told = running.denied("lambda:DeleteFunction", own)
    assert refusal(running.lambda_.delete_function, FunctionName=running.name) == told
    assert refused(running.iam.list_users)[0] == "AccessDenied"
    arn = made.policy(allowing("iam:ListUsers", "lambda:ListFunctions"))
    iam.attach_role_policy(RoleName=running.role, PolicyArn=arn)
    assert running.iam.list_users()["Users"] == []
    assert running.name in [one["FunctionName"] for one in running.lambda_.list_functions()["Functions"]]
    iam.delete_role_policy(**policy)
    told = running.denied("lambda:GetFunction", own)
    assert refusal(running.lambda_.get_function, FunctionName=running.name) == told
    iam.detach_role_policy(RoleName=running.role, PolicyArn=arn)
    assert refusal(running.lambda_.list_functions)[0] == 403


def test_a_roles_boundary_and_denials_hold_for_the_function(iam: Any, made: Made, running: Running) -> None:
    boundary, own = made.policy(allowing("lambda:Get*")), arn_of(running.name)
    made.identity("Role", Name=running.role, Path="/service-role/", PermissionsBoundary=boundary)
    policy = {"RoleName": running.role, "PolicyName": "p"}
    iam.put_role_policy(**policy, PolicyDocument=allowing("lambda:*"))
    assert running.lambda_.get_function(FunctionName=running.name)["Configuration"]["FunctionArn"] == own
    bounded = running.denied(
        "lambda:ListFunctions", "*", "because no permissions boundary allows the lambda:ListFunctions action"
    )
    assert refusal(running.lambda_.list_functions) == bounded
    iam.delete_role_permissions_boundary(RoleName=running.role)
    assert running.lambda_.list_functions()["Functions"] != []
    iam.put_role_policy(**{**policy, "PolicyName": "q"}, PolicyDocument=allowing("lambda:List*", effect="Deny"))
    final = running.denied("lambda:ListFunctions", "*", "with an explicit deny in an identity-based policy")
    assert refusal(running.lambda_.list_functions) == final


def test_a_function_is_a_session_of_its_role(iam: Any, made: Made, running: Running) -> None:
    made.identity("Role", Name=running.role, Path="/service-role/")
    role = iam.get_role(RoleName=running.role)["Role"]
    identity = running.sts.get_caller_identity()
    assert (identity["Arn"], identity["UserId"]) == (running.arn, f"{role['RoleId']}:{running.name}")
    told = (400, "ValidationError", "Must specify userName when calling with non-User credentials")
    iam.put_role_policy(RoleName=running.role, PolicyName="p", PolicyDocument=allowing("iam:*"))
    for call in (running.iam.get_user, running.iam.list_access_keys, running.iam.create_access_key):
        assert refusal(call) == told


def test_a_role_of_that_name_with_another_path_is_not_the_functions(iam: Any, made: Made, running: Running) -> None:
    made.identity("Role", Name=running.role)
    iam.put_role_policy(RoleName=running.role, PolicyName="p", PolicyDocument=allowing("*"))
    assert refusal(running.lambda_.list_functions) == running.denied("lambda:ListFunctions", "*")


def test_policies_know_the_tags_of_the_role(iam: Any, made: Made, running: Running) -> None:
    made.identity("Role", Name=running.role, Path="/service-role/", Tags=[{"Key": "target", "Value": running.name}])
    by_tag = allowing("lambda:InvokeFunction", resource=arn_of("${aws:PrincipalTag/target}"))
    iam.put_role_policy(RoleName=running.role, PolicyName="p", PolicyDocument=by_tag)
    invoked = running.lambda_.invoke(FunctionName=running.name)
    assert json.loads(invoked["Payload"].read())[0].startswith("ASIA")
    iam.untag_role(RoleName=running.role, TagKeys=["target"])
    told = running.denied("lambda:InvokeFunction", arn_of(running.name))
    assert refusal(running.lambda_.invoke, FunctionName=running.name) == told
