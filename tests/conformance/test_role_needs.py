"""What a function is connected to must be within what its role may: else it is refused as AWS does."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conformance.event_sources import settled, wait_gone
from tests.conformance.iam.making import ACCOUNT, Made, allowing, making
from tests.conformance.refusals import refusal
from tests.deployment import Functions, creation, functions, unique_name, wait_active
from tests.live_server import LiveServer

DOES_NOTHING = "def handler(event, context):\n    pass\n"
HERE = f"us-east-1:{ACCOUNT}"
QUEUE, TOPIC, BUS = f"arn:aws:sqs:{HERE}:q", f"arn:aws:sns:{HERE}:t", f"arn:aws:events:{HERE}:event-bus/b"
STREAM = f"arn:aws:kinesis:{HERE}:stream/s"
TABLE_STREAM = f"arn:aws:dynamodb:{HERE}:table/T/stream/2026-01-01T00:00:00.000"
BROKER, SECRET = f"arn:aws:mq:{HERE}:broker:b:b-1", f"arn:aws:secretsmanager:{HERE}:secret:s"
VPC = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}


class Role:
    """A role that is in IAM, with the policy that a test gives it."""

    def __init__(self, made: Made) -> None:
        self._iam = made.iam
        self.name = made.identity("Role")
        self.arn = f"arn:aws:iam::{ACCOUNT}:role/{self.name}"

    def may(self, *actions: str, **more: Any) -> None:
        """This from now on, and nothing else."""
        document = allowing(*actions, **more)
        self._iam.put_role_policy(RoleName=self.name, PolicyName="p", PolicyDocument=document)


@pytest.fixture
def made(live_server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Made]:
    client = live_server.client("iam")
    with making(client, live_server, request.node.name) as those:
        yield those
    client.close()


@pytest.fixture
def role(made: Made) -> Role:
    return Role(made)


@pytest.fixture
def make(lambda_client: Any) -> Iterator[Functions]:
    with functions(lambda_client, "needs") as make:
        yield make


def refused(call: Callable[..., Any], **members: Any) -> str:
    status, code, message = refusal(call, **members)
    assert (status, code) == (400, "InvalidParameterValueException")
    return message


def cant(what: str, whose: str = "The provided execution role") -> str:
    return f"{whose} does not have permissions to call {what}"


def test_a_vpc_and_a_dead_letter_target_of_a_new_function(role: Role, make: Functions, lambda_client: Any) -> None:
    members = creation(unique_name("in-vpc"), DOES_NOTHING, Role=role.arn, VpcConfig=VPC)
    assert refused(lambda_client.create_function, **members) == cant("CreateNetworkInterface on EC2")
    role.may("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces")
    assert refused(lambda_client.create_function, **members) == cant("DeleteNetworkInterface on EC2")
    role.may("ec2:*NetworkInterface*")
    make(DOES_NOTHING, Role=role.arn, VpcConfig=VPC)
    for arn, action, what in (
        (QUEUE, "sqs:SendMessage", "SendMessage on SQS"),
        (TOPIC, "sns:Publish", "Publish on SNS"),
    ):
        target = {"TargetArn": arn}
        members = creation(unique_name("dead"), DOES_NOTHING, Role=role.arn, DeadLetterConfig=target)
        assert refused(lambda_client.create_function, **members) == cant(what)
        role.may(action, resource=f"{arn}-2")
        assert refused(lambda_client.create_function, **members) == cant(what)
        role.may(action, resource=arn)
        make(DOES_NOTHING, Role=role.arn, DeadLetterConfig=target)


def test_an_update_needs_only_what_it_changes(role: Role, made: Made, make: Functions, lambda_client: Any) -> None:
    name, update = make(DOES_NOTHING, Role=role.arn), lambda_client.update_function_configuration

    def updated(**members: Any) -> Any:
        update(FunctionName=name, **members)
        lambda_client.get_waiter("function_updated_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}
        )

    target = {"TargetArn": QUEUE}
    assert refused(update, FunctionName=name, DeadLetterConfig=target) == cant("SendMessage on SQS")
    assert lambda_client.get_function_configuration(FunctionName=name).get("DeadLetterConfig") is None
    assert refused(update, FunctionName=name, VpcConfig=VPC) == cant("CreateNetworkInterface on EC2")
    role.may("sqs:SendMessage")
    updated(DeadLetterConfig=target)
    role.may("sqs:ListQueues")
    updated(MemorySize=256)
    other = Role(made)
    assert refused(update, FunctionName=name, Role=other.arn) == cant("SendMessage on SQS")
    updated(Role=other.arn, DeadLetterConfig={})


@pytest.mark.parametrize("arn", [QUEUE, TOPIC, BUS, "function"])
def test_destinations_of_events(role: Role, make: Functions, lambda_client: Any, arn: str) -> None:
    name, to = make(DOES_NOTHING, Role=role.arn), make(DOES_NOTHING)
    arn = f"arn:aws:lambda:{HERE}:function:{to}" if arn == "function" else arn
    actions = {"sqs": "SendMessage", "sns": "Publish", "events": "PutEvents", "lambda": "InvokeFunction"}
    service = arn.split(":")[2]
    told = cant(f"{actions[service]} on {arn}", "The function's execution role")
    put, update = lambda_client.put_function_event_invoke_config, lambda_client.update_function_event_invoke_config
    members = {"FunctionName": name, "DestinationConfig": {"OnFailure": {"Destination": arn}}}
    assert refused(put, **members) == told
    put(FunctionName=name, MaximumRetryAttempts=1)
    assert refused(update, **members) == told
    role.may(f"{service}:{actions[service]}", resource=arn)
    update(**members)
    role.may("sqs:ListQueues")
    update(FunctionName=name, MaximumRetryAttempts=2)
    assert lambda_client.get_function_event_invoke_config(FunctionName=name)["DestinationConfig"]["OnFailure"] != {}


SOURCES: list[Any] = [
    (
        {"EventSourceArn": QUEUE},
        ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        cant("ReceiveMessage on SQS", "The function execution role"),
    ),
    (
        {"EventSourceArn": STREAM, "StartingPosition": "LATEST"},
        ("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStreamSummary"),
        f"Cannot access stream {STREAM}. Please ensure the role can perform the GetRecords, GetShardIterator, "
        "DescribeStream, ListShards, and ListStreams Actions on your stream in IAM.",
    ),
    (
        {"EventSourceArn": TABLE_STREAM, "StartingPosition": "LATEST"},
        ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"),
        f"Cannot access stream {TABLE_STREAM}. Please ensure the role can perform the GetRecords, GetShardIterator, "
        "DescribeStream, and ListStreams Actions on your stream in IAM.",
    ),
    (
        {
            "EventSourceArn": BROKER,
            "Queues": ["q"],
            "SourceAccessConfigurations": [{"Type": "BASIC_AUTH", "URI": SECRET}],
        },
        ("secretsmanager:GetSecretValue",),
        f"Cannot access secret manager value {SECRET}. Please ensure the role can perform the "
        "'secretsmanager:GetSecretValue' action on your broker in IAM.",
    ),
]


@pytest.mark.parametrize(("members", "actions", "told"), SOURCES)
def test_sources_of_mappings(
    role: Role, make: Functions, lambda_client: Any, members: dict[str, Any], actions: tuple[str, ...], told: str
) -> None:
    create, update = lambda_client.create_event_source_mapping, lambda_client.update_event_source_mapping
    name = make(DOES_NOTHING, Role=role.arn)
    assert refused(create, FunctionName=name, **members) == told
    for left_out in range(len(actions)):
        others = actions[:left_out] + actions[left_out + 1 :]
        role.may(*others or ("sqs:ListQueues",))
        assert "role" in refused(create, FunctionName=name, **members)
    role.may(*actions)
    uuid = create(FunctionName=name, **members)["UUID"]
    role.may("sqs:ListQueues")
    settled(lambda_client, uuid)
    update(UUID=uuid, BatchSize=5)
    settled(lambda_client, uuid)
    without = make(DOES_NOTHING)
    update(UUID=uuid, FunctionName=without)  # its role isn't in IAM
    settled(lambda_client, uuid)
    assert refused(update, UUID=uuid, FunctionName=name) == told
    lambda_client.delete_event_source_mapping(UUID=uuid)
    wait_gone(lambda_client, uuid)


def test_where_failed_batches_go(role: Role, make: Functions, lambda_client: Any) -> None:
    name, reading = make(DOES_NOTHING, Role=role.arn), SOURCES[1]
    members = {"FunctionName": name, **reading[0]}
    failures = {"OnFailure": {"Destination": QUEUE}}
    role.may(*reading[1])
    told = cant("SendMessage on SQS", "The function execution role")
    assert refused(lambda_client.create_event_source_mapping, **members, DestinationConfig=failures) == told
    uuid = lambda_client.create_event_source_mapping(**members)["UUID"]
    settled(lambda_client, uuid)
    update = lambda_client.update_event_source_mapping
    assert refused(update, UUID=uuid, DestinationConfig=failures) == told
    role.may("sqs:SendMessage", resource=QUEUE)
    update(UUID=uuid, DestinationConfig=failures)
    settled(lambda_client, uuid)
    lambda_client.delete_event_source_mapping(UUID=uuid)
    wait_gone(lambda_client, uuid)


def test_where_functions_may_all_nothing_is_asked_of_roles(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("--function-access", "all")
    iam, client = server.client("iam"), server.client()
    with making(iam, server, "all") as made:
        role = Role(made)
        members = creation("may-all", DOES_NOTHING, Role=role.arn, VpcConfig=VPC, DeadLetterConfig={"TargetArn": QUEUE})
        client.create_function(**members)
        wait_active(client, "may-all")
        client.create_event_source_mapping(FunctionName="may-all", **SOURCES[0][0])
    for one in (iam, client):
        one.close()
