"""What a user's key may do with Lambda's API, by all the ways in which policies come to a user."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conformance.iam.making import ACCOUNT, Made, allowing, document, statement
from tests.conformance.refusals import refusal
from tests.deployment import arn_of, creation, unique_name

FULL = "arn:aws:iam::aws:policy/AWSLambda_FullAccess"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
SOURCE = "def handler(event, context):\n    return 'ran'\n"


@pytest.fixture(scope="module")
def functions(lambda_client: Any) -> Iterator[tuple[str, str]]:
    """Two, of which policies mean the first."""
    names = (unique_name("mine"), unique_name("neighbour"))
    for name in names:
        lambda_client.create_function(**creation(name, SOURCE, Tags={"Team": "blue"}))
    yield names
    for name in names:
        lambda_client.delete_function(FunctionName=name)


def denied(user: str, action: str, resource: str, why: str) -> tuple[int, str, str]:
    told = f"User: arn:aws:iam::{ACCOUNT}:user/{user} is not authorized to perform: {action} on resource: {resource}"
    return 403, "AccessDeniedException", f"{told} {why}"


def no_policy(user: str, action: str, resource: str, kind: str = "identity-based policy") -> tuple[int, str, str]:
    return denied(user, action, resource, f"because no {kind} allows the {action} action")


@pytest.fixture
def user(made: Made) -> tuple[str, Any]:
    """One that may nothing yet, and its client."""
    name = made.user()
    return name, made.client("lambda", made.key(name))


def test_without_policies_a_user_may_nothing_and_changes_nothing(
    user: tuple[str, Any], functions: tuple[str, str], lambda_client: Any
) -> None:
    name, own = user
    mine, _ = functions
    asked: list[tuple[str, Callable[..., Any], str, dict[str, Any]]] = [
        ("ListFunctions", own.list_functions, "*", {}),
        ("GetFunction", own.get_function, arn_of(mine), {"FunctionName": mine}),
        ("InvokeFunction", own.invoke, arn_of(mine), {"FunctionName": mine}),
        ("DeleteFunction", own.delete_function, arn_of(mine), {"FunctionName": mine}),
        ("DeleteFunction", own.delete_function, arn_of("absent"), {"FunctionName": "absent"}),
        ("CreateFunction", own.create_function, arn_of("new"), creation("new", SOURCE)),
        ("TagResource", own.tag_resource, arn_of(mine), {"Resource": arn_of(mine), "Tags": {"a": "b"}}),
    ]
    for action, call, resource, members in asked:
        assert refusal(call, **members) == no_policy(name, f"lambda:{action}", resource)
    assert lambda_client.list_tags(Resource=arn_of(mine))["Tags"] == {"Team": "blue"}
    assert refusal(lambda_client.get_function, FunctionName="new")[0] == 404


def inline(iam: Any, made: Made, user: str, text: str) -> Callable[[], object]:
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=text)
    return lambda: iam.delete_user_policy(UserName=user, PolicyName="p")


def managed(iam: Any, made: Made, user: str, text: str) -> Callable[[], object]:
    arn = made.policy(text)
    iam.attach_user_policy(UserName=user, PolicyArn=arn)
    return lambda: iam.detach_user_policy(UserName=user, PolicyArn=arn)


def of_group(iam: Any, made: Made, user: str, text: str) -> Callable[[], object]:
    group = made.identity("Group")
    iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=text)
    iam.add_user_to_group(GroupName=group, UserName=user)
    return lambda: iam.remove_user_from_group(GroupName=group, UserName=user)


def managed_of_group(iam: Any, made: Made, user: str, text: str) -> Callable[[], object]:
    arn, group = made.policy(text), made.identity("Group")
    iam.add_user_to_group(GroupName=group, UserName=user)
    iam.attach_group_policy(GroupName=group, PolicyArn=arn)
    return lambda: iam.detach_group_policy(GroupName=group, PolicyArn=arn)


def version(iam: Any, made: Made, user: str, text: str) -> Callable[[], object]:
    arn = made.policy(allowing("s3:*"))
    iam.attach_user_policy(UserName=user, PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
    return lambda: iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")


@pytest.mark.parametrize("give", [inline, managed, of_group, managed_of_group, version])
def test_a_policy_allows_what_it_says_from_the_next_call_on_until_it_is_taken_away(
    iam: Any, made: Made, user: tuple[str, Any], functions: tuple[str, str], give: Any
) -> None:
    name, own = user
    mine, neighbour = functions
    assert refusal(own.get_function, FunctionName=mine)[0] == 403
    take_away = give(iam, made, name, allowing("lambda:GetFunction", "lambda:ListTags", resource=arn_of(mine)))
    assert own.get_function(FunctionName=mine)["Configuration"]["FunctionName"] == mine
    assert own.list_tags(Resource=arn_of(mine))["Tags"] == {"Team": "blue"}
    elsewhere = no_policy(name, "lambda:GetFunction", arn_of(neighbour))
    assert refusal(own.get_function, FunctionName=neighbour) == elsewhere
    otherwise = no_policy(name, "lambda:DeleteFunction", arn_of(mine))
    assert refusal(own.delete_function, FunctionName=mine) == otherwise
    take_away()
    assert refusal(own.get_function, FunctionName=mine) == no_policy(name, "lambda:GetFunction", arn_of(mine))


def test_a_remembered_yes_ends_with_the_policy(
    iam: Any, made: Made, user: tuple[str, Any], functions: tuple[str, str]
) -> None:
    """Of Invoke, whose answers are remembered."""
    name, own = user
    mine, neighbour = functions
    take_away = inline(iam, made, name, allowing("lambda:InvokeFunction", resource=f"{arn_of(mine)}*"))
    for _ in range(3):
        assert own.invoke(FunctionName=mine, InvocationType="DryRun")["StatusCode"] == 204
        assert refusal(own.invoke, FunctionName=neighbour, InvocationType="DryRun")[0] == 403
    take_away()
    told = no_policy(name, "lambda:InvokeFunction", arn_of(mine))
    assert refusal(own.invoke, FunctionName=mine, InvocationType="DryRun") == told


def test_a_managed_policy_of_aws_allows_what_it_says(
    iam: Any, user: tuple[str, Any], functions: tuple[str, str]
) -> None:
    name, own = user
    iam.attach_user_policy(UserName=name, PolicyArn=FULL)
    assert own.get_function(FunctionName=functions[0])["Configuration"]["FunctionName"] == functions[0]
    assert {one["FunctionName"] for one in own.list_functions()["Functions"]} >= set(functions)


def test_a_boundary_bounds_what_policies_allow(
    iam: Any, made: Made, user: tuple[str, Any], functions: tuple[str, str]
) -> None:
    name, own = user
    mine, neighbour = functions
    boundary = made.policy(allowing("lambda:GetFunction", resource=arn_of(mine)))
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=boundary)
    assert refusal(own.get_function, FunctionName=mine) == no_policy(name, "lambda:GetFunction", arn_of(mine))
    iam.attach_user_policy(UserName=name, PolicyArn=ADMINISTRATOR)
    assert own.get_function(FunctionName=mine)["Configuration"]["FunctionName"] == mine
    for call, action, target in (
        (own.get_function, "lambda:GetFunction", neighbour),
        (own.delete_function, "lambda:DeleteFunction", mine),
    ):
        told = no_policy(name, action, arn_of(target), "permissions boundary")
        assert refusal(call, FunctionName=target) == told
    iam.delete_user_permissions_boundary(UserName=name)
    assert own.get_function(FunctionName=neighbour)["Configuration"]["FunctionName"] == neighbour


def test_a_denial_is_final(iam: Any, made: Made, user: tuple[str, Any], functions: tuple[str, str]) -> None:
    name, own = user
    mine, neighbour = functions
    iam.attach_user_policy(UserName=name, PolicyArn=ADMINISTRATOR)
    of_group(iam, made, name, allowing("lambda:*", resource=arn_of(mine), effect="Deny"))
    told = denied(name, "lambda:GetFunction", arn_of(mine), "with an explicit deny in an identity-based policy")
    assert refusal(own.get_function, FunctionName=mine) == told
    assert own.get_function(FunctionName=neighbour)["Configuration"]["FunctionName"] == neighbour
    boundary = made.policy(document(statement("*"), statement("lambda:Get*", effect="Deny")))
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=boundary)
    told = denied(name, "lambda:GetFunction", arn_of(neighbour), "with an explicit deny in a permissions boundary")
    assert refusal(own.get_function, FunctionName=neighbour) == told


def test_policies_know_the_users_name_and_tags(iam: Any, made: Made, functions: tuple[str, str]) -> None:
    mine, neighbour = functions
    name = made.user(Name=f"{mine}-reader", Tags=[{"Key": "Team", "Value": mine}])
    own = made.client("lambda", made.key(name))
    inline(iam, made, name, allowing("lambda:GetFunction", resource=arn_of("${aws:PrincipalTag/team}")))
    assert own.get_function(FunctionName=mine)["Configuration"]["FunctionName"] == mine
    iam.tag_user(UserName=name, Tags=[{"Key": "team", "Value": neighbour}])
    assert refusal(own.get_function, FunctionName=mine)[0] == 403
    assert own.get_function(FunctionName=neighbour)["Configuration"]["FunctionName"] == neighbour
    inline(iam, made, name, allowing("lambda:GetFunction", resource=arn_of("${aws:username}")))
    assert refusal(own.get_function, FunctionName=neighbour)[0] == 403
    iam.update_user(UserName=name, NewUserName=mine)
    made.renamed("User", name, mine)
    assert own.get_function(FunctionName=mine)["Configuration"]["FunctionName"] == mine


def test_a_role_is_passed_by_who_may_pass_it(iam: Any, made: Made, user: tuple[str, Any], lambda_client: Any) -> None:
    name, own = user
    function = unique_name("passed")
    arns = []
    for _ in range(2):
        arns.append(iam.get_role(RoleName=made.identity("Role", Path="/service-role/"))["Role"]["Arn"])
    role, other = arns
    asked = creation(function, SOURCE, Role=role)
    inline(iam, made, name, allowing("lambda:*"))
    told = no_policy(name, "iam:PassRole", role)
    assert refusal(own.create_function, **asked) == told
    to_ec2: dict[str, Any] = {"Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}}
    inline(iam, made, name, document(statement("lambda:*"), statement("iam:PassRole", **to_ec2)))
    assert refusal(own.create_function, **asked) == told
    to_lambda: dict[str, Any] = {"Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}}
    passing = statement("iam:PassRole", resource=role, **to_lambda)
    inline(iam, made, name, document(statement("lambda:*"), passing))
    assert refusal(lambda_client.get_function, FunctionName=function)[0] == 404
    assert own.create_function(**asked)["Role"] == role
    try:
        changed = {"FunctionName": function, "Role": other}
        told = no_policy(name, "iam:PassRole", other)
        assert refusal(own.update_function_configuration, **changed) == told
        assert own.get_function_configuration(FunctionName=function)["Role"] == role
    finally:
        own.delete_function(FunctionName=function)
