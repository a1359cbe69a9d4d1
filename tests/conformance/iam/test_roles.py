"""What only roles have: whom they trust, a description, how long their sessions last."""

import json
from typing import Any

import pytest

from tests.conformance.iam.making import TRUST, Made, call
from tests.conformance.refusals import refusal, refused


def trusting(**members: Any) -> str:
    return json.dumps({**TRUST, "Statement": [{**TRUST["Statement"][0], **members}]})  # type: ignore[dict-item]


def test_a_role_with_all_that_it_may_be_given(iam: Any, made: Made) -> None:
    boundary, name = made.policy(), made.name()
    made.names.append(("Role", name))
    created = call(
        iam,
        "create_role",
        RoleName=name,
        Path="/service-role/",
        AssumeRolePolicyDocument=json.dumps(TRUST, indent=2),
        Description="runs \u00e9 & <b>",
        MaxSessionDuration=7200,
        PermissionsBoundary=boundary,
        Tags=[{"Key": "Team", "Value": "blue"}],
    )["Role"]
    assert (created["Description"], created["MaxSessionDuration"]) == ("runs \u00e9 & <b>", 7200)
    assert created["AssumeRolePolicyDocument"] == TRUST
    assert created["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": boundary,
    }
    assert created["Tags"] == [{"Key": "Team", "Value": "blue"}]
    assert iam.get_role(RoleName=name)["Role"] == {**created, "RoleLastUsed": {}}
    listed = next(one for one in iam.list_roles()["Roles"] if one["RoleName"] == name)
    assert listed == {key: value for key, value in created.items() if key not in ("Tags", "PermissionsBoundary")}


def test_a_roles_description_duration_and_trust_are_changed(iam: Any, made: Made) -> None:
    name = made.identity("Role", Description="before")
    assert call(iam, "update_role", RoleName=name, MaxSessionDuration=43_200) == {}
    role = iam.get_role(RoleName=name)["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("before", 43_200)
    assert call(iam, "update_role_description", RoleName=name, Description="after")["Role"]["Description"] == "after"
    iam.update_role(RoleName=name, Description="")
    assert "Description" not in iam.get_role(RoleName=name)["Role"]
    other = trusting(Principal={"AWS": "arn:aws:iam::123456789012:root"})
    assert call(iam, "update_assume_role_policy", RoleName=name, PolicyDocument=other) == {}
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == json.loads(other)


def test_documents_that_are_no_trust_are_refused(iam: Any, made: Made) -> None:
    name = made.identity("Role")
    told = {
        "trust.json": "This policy contains invalid Json",
        "{}": "Syntax errors in policy.",
        trusting(Resource="*"): "Has prohibited field Resource",
        trusting(Action="lambda:*"): "AssumeRole policy may only specify STS AssumeRole actions.",
        trusting(Principal={"Service": "lambda"}): 'Invalid principal in policy: "SERVICE":"lambda"',
    }
    for text, message in told.items():
        expected = (400, "MalformedPolicyDocument", message)
        assert refusal(iam.create_role, RoleName=made.name(), AssumeRolePolicyDocument=text) == expected
        assert refusal(iam.update_assume_role_policy, RoleName=name, PolicyDocument=text) == expected
    large = trusting(Condition={"StringEquals": {"aws:SourceArn": "x" * 2048}})
    quota = (409, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")
    assert refusal(iam.create_role, RoleName=made.name(), AssumeRolePolicyDocument=large) == quota
    assert refusal(iam.update_assume_role_policy, RoleName=name, PolicyDocument=large) == quota
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == TRUST
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == [name]


def test_what_roles_may_not_be_given(iam: Any, made: Made) -> None:
    arn = "arn:aws:iam::123456789012:policy/absent"
    required = {"RoleName": made.name(), "AssumeRolePolicyDocument": json.dumps(TRUST)}
    assert refused(iam.create_role, **required, MaxSessionDuration=43_201)[0] == "ValidationError"
    assert refusal(iam.create_role, **required, PermissionsBoundary=arn) == (
        404,
        "NoSuchEntity",
        f"Policy {arn} does not exist or is not attachable.",
    )


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("update_role", {"Description": "x"}),
        ("update_role_description", {"Description": "x"}),
        ("update_assume_role_policy", {"PolicyDocument": json.dumps(TRUST)}),
    ],
)
def test_roles_that_are_not_there(iam: Any, operation: str, members: dict[str, Any]) -> None:
    told = (404, "NoSuchEntity", "The role with name absent cannot be found.")
    assert refusal(getattr(iam, operation), RoleName="absent", **members) == told
