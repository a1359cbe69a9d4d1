"""The commands with which people make a role for a function, typed into a shell as they are written down."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conformance.iam.making import ACCOUNT, TRUST, Made
from tests.deployment import creation, unique_name
from tests.live_server import LiveServer

ROLE = "lambda-execution-role"
CREATE_ROLE = r"""
aws iam create-role \
    --role-name lambda-execution-role \
    --assume-role-policy-document '{
      "Version": "2012-10-17",
      "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole"
      }]
    }'
"""
ATTACH_ROLE_POLICY = r"""
aws iam attach-role-policy \
    --role-name lambda-execution-role \
    --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
"""
PUT_ROLE_POLICY = r"""
aws iam put-role-policy \
    --role-name lambda-execution-role \
    --policy-name DynamoDBAccess \
    --policy-document '{
      "Version": "2012-10-17",
      "Statement": [{
        "Effect": "Allow",
        "Action": [
          "dynamodb:GetItem",
          "dynamodb:PutItem",
          "dynamodb:UpdateItem",
          "dynamodb:Query"
        ],
        "Resource": "arn:aws:dynamodb:region:account-id:table/MyTable"
      }]
    }'
"""


def typed(server: LiveServer, *commands: str) -> subprocess.CompletedProcess[str]:
    """Into one shell, where `aws` is the CLI of this environment, one command after the other while they succeed."""
    aws = f'aws() {{ "{sys.executable}" "{Path(sys.executable).with_name("aws")}" "$@"; }}\n'
    script = aws + "set -e\n" + "\n".join(commands)
    environ = {**server.aws_environ(), "AWS_DEFAULT_OUTPUT": "json", "PATH": os.environ["PATH"]}
    return subprocess.run(
        ["bash", "-c", script],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


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
