"""The commands with which people make a role for a function and let services call it, and a shell to type them into."""

import os
import subprocess
import sys
from pathlib import Path

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
LET_S3_INVOKE = r"""
aws lambda add-permission \
    --function-name my-function \
    --statement-id s3-invoke \
    --action lambda:InvokeFunction \
    --principal s3.amazonaws.com \
    --source-arn arn:aws:s3:::my-bucket
"""
LET_EVENTS_INVOKE = r"""
aws lambda add-permission \
    --function-name my-function \
    --statement-id eventbridge-invoke \
    --action lambda:InvokeFunction \
    --principal events.amazonaws.com \
    --source-arn arn:aws:events:region:account-id:rule/daily-cleanup
"""


def filled_in(command: str) -> str:
    """With the region and account that the placeholders stand for."""
    return command.replace(":region:account-id:", ":us-east-1:123456789012:")


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
