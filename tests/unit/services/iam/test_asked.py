"""What operations of IAM are about, to IAM: as it is stored at that moment."""

import dataclasses
from typing import Any

import pytest

from lampion.domain.iam.identity import IdentityKind
from lampion.identity.callers import Caller, CallerKind, root
from lampion.services.iam.asked import AskedOfIam
from lampion.store.iam import MANAGED_POLICIES
from tests.identities import ACCOUNT, identity, keep, managed, resources_in_memory

PREFIX = f"arn:aws:iam::{ACCOUNT}"
ANN = Caller(CallerKind.USER, ACCOUNT, f"{PREFIX}:user/team/Ann")
SESSION = Caller(CallerKind.ROLE_SESSION, ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s", f"{PREFIX}:role/r")
BOUNDARY = f"{PREFIX}:policy/boundary"
OTHER = f"{PREFIX}:policy/other"
FOREIGN = "arn:aws:iam::210987654321:policy/p"


@pytest.fixture
async def asked() -> AskedOfIam:
    """There are a user, a group, a role and a policy."""
    resources = resources_in_memory()
    await keep(
        resources,
        identity(IdentityKind.USER, "Ann", path="/team/", boundary=BOUNDARY, tags={"Team": "blue"}),
        identity(IdentityKind.GROUP, "staff", path="/g/"),
        identity(IdentityKind.ROLE, "r", path="/service/"),
    )
    policy = dataclasses.replace(managed("p", "{}"), path="/deep/", tags={"Cost": "1"})
    await resources.change(lambda stored: stored.put(MANAGED_POLICIES, policy))
    return AskedOfIam(resources)


@pytest.mark.parametrize(
    ("operation", "members", "arns"),
    [
        ("ListUsers", {}, ["*"]),
        ("GetUser", {"UserName": "ann"}, [f"{PREFIX}:user/team/Ann"]),
        ("GetUser", {"UserName": "bob"}, [f"{PREFIX}:user/bob"]),
        ("CreateUser", {"UserName": "bob", "Path": "/new/"}, [f"{PREFIX}:user/new/bob"]),
        ("GetRolePolicy", {"RoleName": "r", "PolicyName": "p"}, [f"{PREFIX}:role/service/r"]),
        ("AddUserToGroup", {"GroupName": "staff", "UserName": "Ann"}, [f"{PREFIX}:group/g/staff"]),
        ("AttachRolePolicy", {"RoleName": "r", "PolicyArn": OTHER}, [f"{PREFIX}:role/service/r"]),
        ("CreatePolicy", {"PolicyName": "q", "Path": "/x/"}, [f"{PREFIX}:policy/x/q"]),
        ("CreatePolicy", {"PolicyName": "q"}, [f"{PREFIX}:policy/q"]),
        ("GetPolicy", {"PolicyArn": FOREIGN}, [FOREIGN]),
        ("SimulatePrincipalPolicy", {"PolicySourceArn": f"{PREFIX}:user/ann"}, [f"{PREFIX}:user/team/Ann"]),
        ("GetContextKeysForPrincipalPolicy", {"PolicySourceArn": f"{PREFIX}:role/r"}, [f"{PREFIX}:role/service/r"]),
        ("SimulatePrincipalPolicy", {"PolicySourceArn": FOREIGN}, [FOREIGN]),
        ("UpdateUser", {"UserName": "Ann"}, [f"{PREFIX}:user/team/Ann"] * 2),
        ("UpdateUser", {"UserName": "Ann", "NewPath": "/"}, [f"{PREFIX}:user/team/Ann", f"{PREFIX}:user/Ann"]),
        ("UpdateUser", {"UserName": "Ann", "NewUserName": "Eve"}, [f"{PREFIX}:user/team/{n}" for n in ("Ann", "Eve")]),
        ("UpdateGroup", {"GroupName": "x", "NewGroupName": "y"}, [f"{PREFIX}:group/x", f"{PREFIX}:group/y"]),
    ],
    ids=repr,
)
async def test_the_resources_of_an_operation(
    asked: AskedOfIam, operation: str, members: dict[str, Any], arns: list[str]
) -> None:
    wanted = (await asked(operation, members, root(ACCOUNT)))[0]
    assert [one.resource for one in wanted] == arns
    assert {one.action for one in wanted} == {f"iam:{operation}"}


KAFKA = f"{PREFIX}:role/aws-service-role/kafka.amazonaws.com"


@pytest.mark.parametrize(
    ("operation", "members", "resource"),
    [
        ("CreateServiceLinkedRole", {"AWSServiceName": "kafka.amazonaws.com"}, f"{KAFKA}/AWSServiceRoleForKafka"),
        (
            "CreateServiceLinkedRole",
            {"AWSServiceName": "x.amazonaws.com"},
            f"{PREFIX}:role/aws-service-role/x.amazonaws.com/*",
        ),
        (
            "GetServiceLinkedRoleDeletionStatus",
            {"DeletionTaskId": "task/aws-service-role/kafka.amazonaws.com/AWSServiceRoleForKafka/1-2"},
            f"{KAFKA}/AWSServiceRoleForKafka",
        ),
        ("ListPoliciesGrantingServiceAccess", {"Arn": f"{PREFIX}:user/a/Ann"}, f"{PREFIX}:user/a/Ann"),
    ],
    ids=repr,
)
async def test_what_names_no_identity_by_its_name(
    asked: AskedOfIam, operation: str, members: dict[str, Any], resource: str
) -> None:
    wanted, facts = await asked(operation, members, root(ACCOUNT))
    assert [(one.action, one.resource) for one in wanted] == [(f"iam:{operation}", resource)]
    assert facts.get("iam:awsservicename") == ((members["AWSServiceName"],) if "AWSServiceName" in members else None)


@pytest.mark.parametrize(
    ("operation", "members", "told"),
    [
        ("GetUser", {"UserName": "ann"}, "user ann"),
        ("AttachRolePolicy", {"RoleName": "r", "PolicyArn": OTHER}, "role r"),
        ("AddUserToGroup", {"GroupName": "staff", "UserName": "Ann"}, "group staff"),
        ("UpdateUser", {"UserName": "Ann", "NewPath": "/"}, "user Ann"),
        ("CreateAccessKey", {"UserName": "Ann"}, "user Ann"),
        ("CreateRole", {"RoleName": "new"}, ""),
        ("CreatePolicy", {"PolicyName": "q", "Path": "/x/"}, "policy q"),
        ("GetPolicy", {"PolicyArn": FOREIGN}, f"policy {FOREIGN}"),
        ("ListRoles", {}, f"{PREFIX}:role/"),
        ("ListUsers", {"PathPrefix": "/a/"}, f"{PREFIX}:user/a/"),
        ("ListGroups", {}, f"{PREFIX}:group/"),
        ("ListPolicies", {}, "policy path /"),
        ("GetAccountSummary", {}, ""),
    ],
    ids=repr,
)
async def test_what_refusals_call_the_resource(
    asked: AskedOfIam, operation: str, members: dict[str, Any], told: str
) -> None:
    assert (await asked(operation, members, root(ACCOUNT)))[0][0].told == told


@pytest.mark.parametrize(
    ("operation", "members", "kind"),
    [
        ("CreateUser", {"UserName": "new"}, "user"),
        ("CreateRole", {"RoleName": "new"}, "role"),
        ("CreatePolicy", {"PolicyName": "new"}, "policy"),
    ],
)
async def test_who_makes_something_with_tags_must_be_allowed_to_tag_it(
    asked: AskedOfIam, operation: str, members: dict[str, Any], kind: str
) -> None:
    arn = f"{PREFIX}:{kind}/new"
    for tags, expected in (([], []), ([{"Key": "a", "Value": "b"}], [(f"iam:Tag{kind.capitalize()}", arn, "")])):
        _, *more = (await asked(operation, {**members, "Tags": tags}, root(ACCOUNT)))[0]
        assert more == expected


@pytest.mark.parametrize(
    "operation", ["GetUser", "CreateAccessKey", "ListAccessKeys", "UpdateAccessKey", "DeleteAccessKey"]
)
async def test_without_a_name_some_operations_are_about_the_user_who_asks(asked: AskedOfIam, operation: str) -> None:
    (wanted,), facts = await asked(operation, {}, ANN)
    assert (wanted.resource, wanted.told, facts["aws:resourcetag/team"]) == (ANN.arn, "user Ann", ("blue",))
    assert (await asked(operation, {"UserName": "bob"}, ANN))[0][0].resource == f"{PREFIX}:user/bob"
    for other in (root(ACCOUNT), SESSION):
        assert (await asked(operation, {}, other))[0][0].resource == "*"
    assert (await asked("ListUsers", {}, ANN))[0][0].resource == "*"


OF_ANN = {
    "iam:permissionsboundary": (BOUNDARY,),
    "aws:resourcetag/team": ("blue",),
    "iam:resourcetag/team": ("blue",),
}


@pytest.mark.parametrize(
    ("members", "facts"),
    [
        ({"UserName": "Ann"}, OF_ANN),
        ({"UserName": "Ann", "PolicyArn": OTHER}, {**OF_ANN, "iam:policyarn": (OTHER,)}),
        ({"UserName": "Ann", "PermissionsBoundary": OTHER}, {**OF_ANN, "iam:permissionsboundary": (OTHER,)}),
        ({"UserName": "bob"}, {}),
        ({"RoleName": "r"}, {}),
        (
            {"PolicyArn": f"{PREFIX}:policy/deep/p"},
            {
                "iam:policyarn": (f"{PREFIX}:policy/deep/p",),
                "aws:resourcetag/cost": ("1",),
                "iam:resourcetag/cost": ("1",),
            },
        ),
        ({"PolicyArn": f"{PREFIX}:policy/p"}, {"iam:policyarn": (f"{PREFIX}:policy/p",)}),
        ({"PolicyArn": FOREIGN}, {"iam:policyarn": (FOREIGN,)}),
    ],
    ids=repr,
)
async def test_the_condition_keys_of_an_operation(
    asked: AskedOfIam, members: dict[str, Any], facts: dict[str, Any]
) -> None:
    assert (await asked("Some", members, root(ACCOUNT)))[1] == facts


@pytest.mark.parametrize("members", [{"UserName": "x" * 129}, {"PolicyArn": f"{PREFIX}:policy/{'x' * 129}"}])
async def test_what_can_be_nothing_is_not_looked_for(members: dict[str, Any]) -> None:
    class NoStore:
        async def get(self, *_: Any) -> Any:
            raise AssertionError

    asked = AskedOfIam(NoStore())  # type: ignore[arg-type]
    assert len(await asked("Some", members, root(ACCOUNT))) == 2
