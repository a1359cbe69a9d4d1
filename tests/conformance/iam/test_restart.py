"""What IAM was told, it knows after kill -9."""

from typing import Any

from tests.conformance.iam.making import allowing, call, making
from tests.live_server import LiveServer

TAGS = [{"Key": "Team", "Value": "blue"}]


def everything(iam: Any, user: str, group: str, role: str, arn: str) -> list[dict[str, Any]]:
    """All that IAM tells of them."""
    return [
        call(iam, "get_user", UserName=user),
        call(iam, "get_role", RoleName=role),
        call(iam, "get_group", GroupName=group),
        call(iam, "list_groups_for_user", UserName=user),
        call(iam, "get_user_policy", UserName=user, PolicyName="p0"),
        call(iam, "list_attached_group_policies", GroupName=group),
        call(iam, "get_policy", PolicyArn=arn),
        call(iam, "list_policy_versions", PolicyArn=arn),
        call(iam, "get_policy_version", PolicyArn=arn, VersionId="v2"),
        call(iam, "list_entities_for_policy", PolicyArn=arn),
        call(iam, "list_access_keys", UserName=user),
        call(iam, "list_policies", Scope="Local"),
    ]


def test_everything_survives_kill_9(private_server: LiveServer) -> None:
    iam = private_server.client("iam")
    with making(iam, private_server, "restart") as made:
        arn = made.policy(allowing("s3:*"), Tags=TAGS, Description="some")
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=allowing("iam:Get*"), SetAsDefault=True)
        user = made.user(allowing("lambda:ListFunctions"), Path="/a/", Tags=TAGS)
        group, role = made.identity("Group"), made.identity("Role", PermissionsBoundary=arn, Tags=TAGS)
        iam.add_user_to_group(GroupName=group, UserName=user)
        iam.attach_group_policy(GroupName=group, PolicyArn=arn)
        active, inactive = made.key(user), made.key(user)
        iam.update_access_key(UserName=user, AccessKeyId=inactive["AccessKeyId"], Status="Inactive")
        before = everything(iam, user, group, role, arn)
        iam.close()
        private_server.restart()
        made.iam = iam = private_server.client("iam")
        assert everything(iam, user, group, role, arn) == before
        own = made.client("iam", active)
        assert own.get_user()["User"] == before[0]["User"]
        assert made.client("lambda", active).list_functions()["Functions"] == []
    iam.close()
