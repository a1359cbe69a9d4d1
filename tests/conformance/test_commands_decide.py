"""What people type to give functions roles and to let services call them, and what it decides.

AWS's own CLI makes roles and permissions; then functions, users and services do what these allow, and are refused the
neighbour.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.aws_commands import (
    ATTACH_ROLE_POLICY,
    CREATE_ROLE,
    LET_EVENTS_INVOKE,
    LET_S3_INVOKE,
    PUT_ROLE_POLICY,
    ROLE,
    filled_in,
    typed,
)
from tests.conformance.iam.making import ACCOUNT, allowing, making
from tests.conformance.refusals import refusal
from tests.conformance.sdk_package import boto3_files
from tests.conformance.service_caller import ServiceCaller, denied
from tests.deployment import Functions, arn_of, creation, functions, unique_name, wait_active
from tests.live_server import LiveServer
from tests.stub_service import KEY_ID, SECRET, Stub, answer, stub_service

ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/MyTable"
BUCKET, RULE = "arn:aws:s3:::my-bucket", f"arn:aws:events:us-east-1:{ACCOUNT}:rule/daily-cleanup"
ECHO = "def handler(event, context):\n    return event\n"
CALLS = """
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

def handler(event, context):
    service, operation, arguments = event
    client = boto3.client(service, config=Config(retries={"total_max_attempts": 1}))
    try:
        getattr(client, operation)(**arguments)
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["Error"]["Message"]]
    return "done"
"""
CONFIG = """
[services.{name}]
endpoint = "http://127.0.0.1:{port}"
access_key_id = "{key}"
secret_access_key = "{secret}"
"""
ITEM = {"TableName": "MyTable", "Key": {"id": {"S": "1"}}}
QUERY = {
    "TableName": "MyTable",
    "KeyConditionExpression": "id = :id",
    "ExpressionAttributeValues": {":id": {"S": "1"}},
}
ALLOWED = [
    ("dynamodb", "get_item", ITEM),
    ("dynamodb", "put_item", {"TableName": "MyTable", "Item": {"id": {"S": "1"}}}),
    ("dynamodb", "update_item", ITEM),
    ("dynamodb", "query", QUERY),
    ("dynamodb", "transact_get_items", {"TransactItems": [{"Get": ITEM}]}),
]
NEIGHBOURS = [
    (("dynamodb", "delete_item", ITEM), "dynamodb:DeleteItem", TABLE),
    (("dynamodb", "scan", {"TableName": "MyTable"}), "dynamodb:Scan", TABLE),
    (("dynamodb", "get_item", {**ITEM, "TableName": "MyTable2"}), "dynamodb:GetItem", f"{TABLE}2"),
    (
        ("dynamodb", "get_item", {**ITEM, "TableName": TABLE.replace(ACCOUNT, "210987654321")}),
        "dynamodb:GetItem",
        TABLE.replace(ACCOUNT, "210987654321"),
    ),
    (("dynamodb", "query", {**QUERY, "IndexName": "day"}), "dynamodb:Query", f"{TABLE}/index/day"),
    (
        ("dynamodb", "batch_get_item", {"RequestItems": {"MyTable": {"Keys": [ITEM["Key"]]}}}),
        "dynamodb:BatchGetItem",
        TABLE,
    ),
    (
        ("dynamodb", "transact_write_items", {"TransactItems": [{"Put": ALLOWED[1][2]}, {"Delete": ITEM}]}),
        "dynamodb:DeleteItem",
        TABLE,
    ),
    (("dynamodb", "execute_statement", {"Statement": 'SELECT * FROM "MyTable"'}), "dynamodb:PartiQLSelect", "*"),
    (("dynamodb", "list_tables", {}), "dynamodb:ListTables", "*"),
    (
        ("sqs", "send_message", {"QueueUrl": f"http://127.0.0.1:9/{ACCOUNT}/queue", "MessageBody": "hello"}),
        "sqs:SendMessage",
        f"arn:aws:sqs:us-east-1:{ACCOUNT}:queue",
    ),
    (("lambda", "list_functions", {}), "lambda:ListFunctions", "*"),
]


@pytest.fixture
async def table() -> AsyncIterator[Stub]:
    """It stands for DynamoDB, and for SQS."""
    async with stub_service() as service:
        service.answers = [answer(200, b"{}", "content-type: application/x-amz-json-1.0")]
        yield service


@pytest.fixture
def server(start_server: Callable[..., LiveServer], table: Stub, tmp_path: Path) -> LiveServer:
    config = tmp_path / "lampion.toml"
    tables = (CONFIG.format(name=name, port=table.port, key=KEY_ID, secret=SECRET) for name in ("dynamodb", "sqs"))
    config.write_text("".join(tables))
    return start_server("--config", str(config))


def run(server: LiveServer, *commands: str) -> str:
    done = typed(server, *commands)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


class Caller:
    """A function in the role."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.name = unique_name("asks-tables")
        code: dict[str, str | bytes] = {"index.py": CALLS, **boto3_files()}
        client.create_function(**creation(self.name, code, Role=ROLE_ARN, MemorySize=1024, Timeout=60))
        wait_active(client, self.name)

    def told(self, call: Any) -> Any:
        return json.load(self.client.invoke(FunctionName=self.name, Payload=json.dumps(call))["Payload"])

    def denied(self, action: str, resource: str) -> list[str]:
        told = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{self.name} is not authorized to perform: {action}"
        reason = f"because no identity-based policy allows the {action} action"
        return ["AccessDeniedException", f"{told} on resource: {resource} {reason}"]


async def test_the_roles_policies_decide_what_its_function_does(server: LiveServer, table: Stub) -> None:
    def play() -> None:
        run(server, CREATE_ROLE, ATTACH_ROLE_POLICY)
        client = server.client()
        function = Caller(client)
        assert function.told(ALLOWED[0]) == function.denied("dynamodb:GetItem", TABLE)
        run(server, PUT_ROLE_POLICY)  # as it is written: there is no region called "region"
        assert function.told(ALLOWED[0]) == function.denied("dynamodb:GetItem", TABLE)
        run(server, filled_in(PUT_ROLE_POLICY))
        assert [function.told(call) for call in ALLOWED] == ["done"] * len(ALLOWED)
        for call, action, resource in NEIGHBOURS:
            assert function.told(call) == function.denied(action, resource)
        client.close()

    await asyncio.to_thread(play)
    operations = [one.headers["x-amz-target"].partition(".")[2] for one in table.received]
    assert operations == ["GetItem", "PutItem", "UpdateItem", "Query", "TransactGetItems"]
    assert {one.service for one in table.received} == {"dynamodb"}


def test_the_attached_policy_allows_logs_and_nothing_else(server: LiveServer) -> None:
    run(server, CREATE_ROLE)

    def allowed() -> set[str]:
        simulate = f"aws iam simulate-principal-policy --policy-source-arn {ROLE_ARN} --action-names"
        told = json.loads(run(server, f"{simulate} logs:CreateLogStream logs:PutLogEvents logs:DeleteLogGroup"))
        return {one["EvalActionName"] for one in told["EvaluationResults"] if one["EvalDecision"] == "allowed"}

    assert allowed() == set()
    run(server, ATTACH_ROLE_POLICY)
    assert allowed() == {"logs:CreateLogStream", "logs:PutLogEvents"}


def test_the_trust_policy_lets_lambda_assume_the_role_and_nobody_else(server: LiveServer) -> None:
    run(server, CREATE_ROLE, CREATE_ROLE.replace("lambda.amazonaws.com", "ec2.amazonaws.com").replace(ROLE, "of-ec2"))
    assume = typed(server, f"aws sts assume-role --role-arn {ROLE_ARN} --role-session-name me")
    assert "(AccessDenied) when calling the AssumeRole operation" in assume.stderr
    with making(server.client("iam"), server, "creates") as made:
        ann = made.client("lambda", made.key(made.user(allowing("lambda:*"))))
        passing = allowing("iam:PassRole", resource=[ROLE_ARN, ROLE_ARN.replace(ROLE, "of-ec2")])
        bob = made.client("lambda", made.key(made.user(allowing("lambda:*"), passing)))
        new = creation("with-role", ECHO, Role=ROLE_ARN)
        assert "is not authorized to perform: iam:PassRole on resource" in refusal(ann.create_function, **new)[2]
        told = (400, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
        assert refusal(bob.create_function, **{**new, "Role": ROLE_ARN.replace(ROLE, "of-ec2")}) == told
        bob.create_function(**new)
        wait_active(bob, "with-role")


@pytest.fixture
def my_function(live_server: LiveServer, lambda_client: Any) -> Iterator[Functions]:
    """The function that the commands name, on the shared server; and its neighbours."""
    with functions(lambda_client, "neighbour") as make:
        make(ECHO, FunctionName="my-function")
        yield make


@pytest.mark.parametrize(
    ("command", "service", "source", "neighbours", "other_service"),
    [
        (LET_S3_INVOKE, "s3.amazonaws.com", BUCKET, (f"{BUCKET}-2", f"{BUCKET}/key", BUCKET[:-1]), "sns.amazonaws.com"),
        (
            filled_in(LET_EVENTS_INVOKE),
            "events.amazonaws.com",
            RULE,
            (f"{RULE}-2", RULE.replace(ACCOUNT, "210987654321"), RULE.replace("us-east-1", "eu-west-1")),
            "scheduler.amazonaws.com",
        ),
    ],
)
def test_a_permission_lets_one_source_of_one_service_invoke_one_function(
    live_server: LiveServer,
    my_function: Functions,
    command: str,
    service: str,
    source: str,
    neighbours: tuple[str, ...],
    other_service: str,
) -> None:
    neighbour = my_function(ECHO)
    meant, other = ServiceCaller(live_server, service), ServiceCaller(live_server, other_service)
    refused = denied(service, "lambda:InvokeFunction", arn_of("my-function"))
    assert meant.invoke("my-function", source, ACCOUNT) == refused
    assert json.loads(json.loads(run(live_server, command))["Statement"])["Resource"] == arn_of("my-function")
    assert meant.invoke("my-function", source, ACCOUNT) == [7]
    for other_source in (*neighbours, ""):
        assert meant.invoke("my-function", other_source, ACCOUNT) == refused
    assert meant.invoke(neighbour, source, ACCOUNT) == denied(service, "lambda:InvokeFunction", arn_of(neighbour))
    of_other = denied(other_service, "lambda:InvokeFunction", arn_of("my-function"))
    assert other.invoke("my-function", source, ACCOUNT) == of_other
    run(
        live_server, f"{command.strip()[:-1]}{command.strip()[-1]} --source-account {ACCOUNT}".replace("-invoke", "-of")
    )
    statement = "s3-invoke" if service.startswith("s3") else "eventbridge-invoke"
    run(live_server, f"aws lambda remove-permission --function-name my-function --statement-id {statement}")
    assert meant.invoke("my-function", source, ACCOUNT) == [7]
    assert meant.invoke("my-function", source, "210987654321") == refused
    assert meant.invoke("my-function", source) == refused
    for one in (meant, other):
        one.remove()


def test_the_placeholders_of_the_rule_are_refused_as_they_are_written(
    live_server: LiveServer, my_function: Functions
) -> None:
    """By AWS's own pattern for the ARN of a source."""
    done = typed(live_server, LET_EVENTS_INVOKE)
    assert done.returncode != 0
    assert "failed to satisfy constraint" in done.stderr
