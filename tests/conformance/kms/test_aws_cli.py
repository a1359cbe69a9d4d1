"""The AWS CLI, as a shell uses it: a variable that is encrypted as by the console's helper, and its function."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.kms.clients import ACCOUNT, allow, policy
from tests.conformance.kms.test_functions import HELPED, TRUST
from tests.conformance.sdk_package import boto3_files
from tests.deployment import RUNTIME, unique_name, zipped
from tests.live_server import LiveServer

AWS = Path(sys.executable).with_name("aws")
Aws = Callable[..., Any]


@pytest.fixture
def aws(live_server: LiveServer) -> Aws:
    """`aws("kms", "list-keys")`: its JSON output parsed."""

    def call(*arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, str(AWS), "--output", "json", *arguments],
            env=live_server.aws_environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return call


@pytest.fixture
def role(aws: Aws) -> Iterator[Callable[[str], str]]:
    """`role(key_arn)` makes a role that may decrypt with that key, `role("")` one that may nothing; its ARN."""
    names: list[str] = []

    def make(key_arn: str) -> str:
        name = unique_name("cli-helped")
        made = aws("iam", "create-role", "--role-name", name, "--assume-role-policy-document", policy(TRUST))
        names.append(name)
        if key_arn:
            document = policy(allow("Decrypt", resource=key_arn))
            aws("iam", "put-role-policy", "--role-name", name, "--policy-name", "p", "--policy-document", document)
        return str(made["Role"]["Arn"])

    yield make
    for name in names:
        for one in aws("iam", "list-role-policies", "--role-name", name)["PolicyNames"]:
            aws("iam", "delete-role-policy", "--role-name", name, "--policy-name", one)
        aws("iam", "delete-role", "--role-name", name)


@pytest.fixture
def deploy(aws: Aws, tmp_path: Path) -> Iterator[Callable[..., None]]:
    names: list[str] = []
    package = tmp_path / "package.zip"
    package.write_bytes(zipped({"index.py": HELPED, **boto3_files()}))

    def create(name: str, role_arn: str, *arguments: str) -> None:
        names.append(name)
        required = ["--function-name", name, "--role", role_arn, "--runtime", RUNTIME, "--handler", "index.handler"]
        sizes = ["--memory-size", "1024", "--timeout", "60", "--zip-file", f"fileb://{package}"]
        aws("lambda", "create-function", *required, *sizes, *arguments)
        aws("lambda", "wait", "function-active-v2", "--function-name", name)

    yield create
    for name in names:
        aws("lambda", "delete-function", "--function-name", name)


def test_a_variable_of_the_consoles_helper_is_opened_by_its_function_in_its_role_alone(
    aws: Aws, role: Callable[[str], str], deploy: Callable[..., None], tmp_path: Path
) -> None:
    key = aws("kms", "create-key", "--description", "of helpers")["KeyMetadata"]["Arn"]
    name, other = (unique_name(f"cli-{one}") for one in ("helped", "other"))
    plaintext = tmp_path / "plaintext"
    plaintext.write_text("s3cret", encoding="ascii")
    about = ["--encryption-context", f"LambdaFunctionName={name}"]
    blob = aws("kms", "encrypt", "--key-id", key, "--plaintext", f"fileb://{plaintext}", *about)["CiphertextBlob"]
    at_rest = ["--environment", json.dumps({"Variables": {"PASSWORD": blob}}), "--kms-key-arn", key]
    helped = role(key)
    deploy(name, helped, *at_rest)
    deploy(other, helped, *at_rest)

    def call(function: str) -> Any:
        out = tmp_path / "answer.json"
        assert "FunctionError" not in aws("lambda", "invoke", "--function-name", function, str(out))
        return json.loads(out.read_bytes())

    assert call(name) == "s3cret"
    assert call(other) == ["InvalidCiphertextException", ""]
    shown = aws("lambda", "get-function-configuration", "--function-name", name)
    assert (shown["KMSKeyArn"], shown["Environment"]) == (key, {"Variables": {"PASSWORD": blob}})

    without = role("")
    aws("lambda", "update-function-configuration", "--function-name", name, "--role", without)
    aws("lambda", "wait", "function-updated-v2", "--function-name", name)
    assert call(name) == [
        "AccessDeniedException",
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{without.rpartition('/')[2]}/{name} is not authorized to perform: "
        f"kms:Decrypt on resource: {key} because no identity-based policy allows the kms:Decrypt action",
    ]
