"""The commands with which people make a role for a function, typed into a shell as they are written down."""

import json
from typing import Any

from tests.conformance.aws_commands import ATTACH_ROLE_POLICY, CREATE_ROLE, PUT_ROLE_POLICY, ROLE, typed
from tests.conformance.iam.making import ACCOUNT, TRUST, Made
from tests.deployment import creation, unique_name
from tests.live_server import LiveServer


def test_a_role_for_a_function_is_made_in_three_commands(
    live_server: LiveServer, iam: Any, made: Made, lambda_client: Any
) -> None:
    made.names.append(("Role", ROLE))
    done = typed(live_server, CREATE_ROLE, ATTACH_ROLE_POLICY, PUT_ROLE_POLICY)
    assert (done.returncode, done.stderr) == (0, "")
    role = json.loads(done.stdout)["Role"]
    assert (role["Arn"], role["AssumeRolePolicyDocument"]) == (f"arn:aws:iam::{ACCOUNT}:role/{ROLE}", TRUST)
    attached = iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["AWSLambdaBasicExecutionRole"]
    policy = iam.get_role_policy(RoleName=ROLE, PolicyName="DynamoDBAccess")["PolicyDocument"]
    assert policy["Statement"][0]["Resource"] == "arn:aws:dynamodb:region:account-id:table/MyTable"
    function = unique_name("of-the-role")
    lambda_client.create_function(**creation(function, "def handler(event, context):\n    pass\n", Role=role["Arn"]))
    lambda_client.delete_function(FunctionName=function)
    again = typed(live_server, CREATE_ROLE)
    assert again.returncode != 0
    assert "(EntityAlreadyExists) when calling the CreateRole operation" in again.stderr
    assert f"Role with name {ROLE} already exists." in again.stderr
