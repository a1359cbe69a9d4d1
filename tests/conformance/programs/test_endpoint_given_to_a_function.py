"""Functions call Lambda's API at the endpoint that their environment names, as the recorded cases' name says.

TestLambdaCallingLocalstack::test_manual_endpoint_injection has no recorded answer.
"""

import json
from typing import Any

import pytest

from tests.conformance.recorded.recordings import recorded_answers
from tests.conformance.test_nodejs import RUNTIME as NODE_RUNTIME
from tests.deployment import RUNTIME, Functions

CASE = "TestLambdaCallingLocalstack::test_manual_endpoint_injection["
RECORDED = sorted(
    name.removeprefix(CASE).removesuffix("]")
    for name in recorded_answers("test_lambda_common")
    if name.startswith((f"{CASE}python", f"{CASE}nodejs"))
)
GATEWAY, NOBODY = "http://127.0.0.1:9002", "http://127.0.0.1:9"
PYTHON = """
import os
import boto3
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

def handler(event, context):
    given = {"endpoint_url": os.environ["ENDPOINT"]} if "ENDPOINT" in os.environ else {}
    client = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}), **given)
    try:
        return [one["FunctionName"] for one in client.list_functions()["Functions"]]
    except EndpointConnectionError as error:
        return str(error)
"""
NODEJS = """
const { LambdaClient, ListFunctionsCommand } = require("@aws-sdk/client-lambda");

exports.handler = async () => {
  const given = process.env.ENDPOINT ? { endpoint: process.env.ENDPOINT } : {};
  const client = new LambdaClient({ maxAttempts: 1, ...given });
  try {
    return (await client.send(new ListFunctionsCommand({}))).Functions.map((one) => one.FunctionName);
  } catch (error) {
    return `Could not connect: ${error.code}`;
  }
};
"""


def listed(client: Any, make: Functions, runtime: str, variables: dict[str, str]) -> Any:
    files = {"index.js": NODEJS} if runtime.startswith("nodejs") else {"index.py": PYTHON}
    name = make(files, Runtime=runtime, Environment={"Variables": variables}, MemorySize=1024, Timeout=60)
    answer = client.invoke(FunctionName=name)
    payload = json.load(answer["Payload"])
    assert "FunctionError" not in answer, payload
    return payload if isinstance(payload, str) else name in payload


@pytest.mark.parametrize("runtime", sorted({*RECORDED, NODE_RUNTIME}))
def test_an_endpoint_that_the_functions_environment_names_is_called(
    client: Any, make: Functions, with_sdk: frozenset[str], runtime: str
) -> None:
    if runtime not in with_sdk:
        pytest.skip(f"no interpreter of {runtime} here that the SDK of these tests supports")
    assert listed(client, make, runtime, {"ENDPOINT": GATEWAY}) is True


@pytest.mark.parametrize("runtime", [RUNTIME, NODE_RUNTIME])
def test_it_is_this_server_unless_the_function_says_otherwise(client: Any, make: Functions, runtime: str) -> None:
    assert listed(client, make, runtime, {}) is True
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA"):
        assert str(listed(client, make, runtime, {name: NOBODY})).startswith("Could not connect"), name
