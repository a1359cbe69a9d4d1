"""`lampion iam explain` against a live server: who may what, why, and what is wrong to ask."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lampion.cli.failure import ExitCode
from tests.deployment import Functions, unique_name
from tests.live_server import LiveServer

Explain = Callable[..., tuple[int, list[str], str]]
QUEUE = "arn:aws:sqs:us-east-1:123456789012:orders"
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
HERE = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


@pytest.fixture
def explain(live_server: LiveServer) -> Explain:
    def run(*arguments: str) -> tuple[int, list[str], str]:
        command = [sys.executable, "-m", "lampion", "iam", "explain", "--data", str(live_server.data), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines(), done.stderr

    return run


@pytest.fixture
def role(live_server: LiveServer) -> Iterator[str]:
    """A role of functions that may send to one queue, from one network."""
    server, name = live_server.server, unique_name("explained")
    iam = boto3.session.Session().client(
        "iam",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=server.access_key_id,
        aws_secret_access_key=server.secret_access_key,
    )
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(TRUST))
    sending = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE, "Condition": HERE}
    iam.put_role_policy(RoleName=name, PolicyName="sending", PolicyDocument=document(sending))
    yield name
    iam.delete_role_policy(RoleName=name, PolicyName="sending")
    iam.delete_role(RoleName=name)
    iam.close()


def test_a_function_is_explained_by_its_role(explain: Explain, role: str, make_idle: Callable[..., Any]) -> None:
    arn = f"arn:aws:iam::123456789012:role/{role}"
    function = make_idle(Role=arn)["FunctionName"]
    assert explain(function, "sqs:SendMessage", QUEUE, "--context", "aws:SourceIp=192.0.2.1") == (
        ExitCode.OK,
        [f"{arn} may sqs:SendMessage on {QUEUE}", f"  allowed by role_{role}_sending (role)"],
        "",
    )
    session = f"arn:aws:sts::123456789012:assumed-role/{role}/{function}"
    assert explain(f"role/{role}", "sqs:SendMessage", QUEUE) == explain(session, "sqs:SendMessage", QUEUE)
    assert explain(f"role/{role}", "sqs:SendMessage", QUEUE) == (
        ExitCode.ACCESS_DENIED,
        [
            f"{arn} may not sqs:SendMessage on {QUEUE}",
            "  no policy allows it",
            "  policies look at what wasn't given: --context aws:sourceip=...",
        ],
        "",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["user/nobody", "s3:GetObject"], ExitCode.NOT_FOUND, "A user that isn't in IAM here may nothing"),
        (["role/nobody", "s3:GetObject"], ExitCode.NOT_FOUND, "A role that isn't in IAM here may nothing"),
        (["no-such-function", "s3:GetObject"], ExitCode.NOT_FOUND, "Function not found"),
        (["user/nobody", "s3:GetObject", "--context", "x"], ExitCode.USAGE, "--context 'x' is not KEY=VALUE"),
        (["user/nobody", "GetObject"], ExitCode.USAGE, "'GetObject' is no action: say SERVICE:NAME"),
        (["user/nobody", "s3:GetObject", "bucket"], ExitCode.USAGE, "'bucket' is no resource: say its ARN"),
        (["arn:aws:s3:::a-long-bucket", "s3:GetObject"], ExitCode.USAGE, "does not clearly define"),
    ],
)
def test_what_cant_be_asked_is_told(explain: Explain, arguments: list[str], code: int, words: str) -> None:
    exit_code, lines, error = explain(*arguments)
    assert (exit_code, lines) == (code, [])
    assert words in error


CALLS = """
import os

def handler(event, context):
    return [os.environ[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
"""


def test_the_least_policy_is_made_of_what_a_function_called(
    live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    role = f"arn:aws:iam::123456789012:role/{unique_name('least')}"
    name = make_function(CALLS, Role=role)

    def suggested() -> tuple[int, str, str]:
        command = [sys.executable, "-m", "lampion", "iam", "suggest", "--data", str(live_server.data), name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    code, _, error = suggested()
    assert (code, f"{role} has called nothing" in error) == (ExitCode.NOT_FOUND, True)
    key_id, secret, token = json.loads(lambda_client.invoke(FunctionName=name)["Payload"].read())
    session = boto3.session.Session(key_id, secret, token, "us-east-1")
    inside, kms, sts = (session.client(one, endpoint_url=live_server.url) for one in ("lambda", "kms", "sts"))
    missing = f"arn:aws:kms:us-east-1:123456789012:key/{uuid.uuid4()}"
    for call in (
        inside.list_functions,
        lambda: inside.get_function(FunctionName=name),
        kms.list_keys,
        lambda: kms.encrypt(KeyId=missing, Plaintext=b"x"),
        lambda: sts.assume_role(RoleArn=role, RoleSessionName="itself"),
    ):
        with pytest.raises(ClientError):
            call()
    for client in (inside, kms, sts):
        client.close()
    code, printed, _ = suggested()
    assert code == ExitCode.OK
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    assert json.loads(printed)["Statement"] == [
        {"Effect": "Allow", "Action": ["kms:ListKeys", "lambda:ListFunctions"], "Resource": "*"},
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role},
        {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": missing},
        {"Effect": "Allow", "Action": "lambda:GetFunction", "Resource": arn},
    ]
