"""A function decrypts what the console's encryption helper put in its environment: with its role, in its own name."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.kms.clients import ACCOUNT, Clients, allow, policy
from tests.conformance.sdk_package import boto3_files
from tests.deployment import Functions, unique_name, wait_updated

HELPED = """
import boto3, os
from base64 import b64decode
from botocore.exceptions import ClientError

def handler(event, context):
    try:
        return boto3.client("kms").decrypt(
            CiphertextBlob=b64decode(os.environ["PASSWORD"]),
            EncryptionContext={"LambdaFunctionName": os.environ["AWS_LAMBDA_FUNCTION_NAME"]},
        )["Plaintext"].decode("utf-8")
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["Error"].get("Message", "")]
"""
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.fixture
def role(clients: Clients, key: Any) -> Iterator[str]:
    """A role that may decrypt with the key."""
    iam, name = clients.of("iam"), unique_name("helped")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(TRUST))
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(allow("Decrypt", resource=key["Arn"])))
    yield name
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    iam.delete_role(RoleName=name)


def call(client: Any, name: str) -> Any:
    answer = client.invoke(FunctionName=name)
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


def test_the_consoles_encryption_helper_works_in_a_function(
    kms: Any, key: Any, clients: Clients, role: str, lambda_client: Any, make_function: Functions
) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    name = make_function({"index.py": HELPED, **boto3_files()}, MemorySize=1024, Timeout=60, Role=arn)
    other = {"LambdaFunctionName": "another"}
    for about, expected in (({"LambdaFunctionName": name}, "s3cret"), (other, ["InvalidCiphertextException", ""])):
        blob = kms.encrypt(KeyId=key["Arn"], Plaintext=b"s3cret", EncryptionContext=about)["CiphertextBlob"]
        variables = {"PASSWORD": base64.b64encode(blob).decode()}
        lambda_client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        wait_updated(lambda_client, name)
        assert call(lambda_client, name) == expected
    clients.of("iam").put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy(allow("Encrypt")))
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"
    assert call(lambda_client, name) == [
        "AccessDeniedException",
        f"User: {session} is not authorized to perform: kms:Decrypt on resource: {key['Arn']} "
        "because no identity-based policy allows the kms:Decrypt action",
    ]
    kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=arn, Operations=["Decrypt"])
    assert call(lambda_client, name) == ["InvalidCiphertextException", ""]
    kms.disable_key(KeyId=key["KeyId"])
    assert call(lambda_client, name) == ["DisabledException", f"{key['Arn']} is disabled."]
