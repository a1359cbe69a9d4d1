"""Functions reach queues, topics and buses through the server, with boto3 and the server's keys."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.sdk_package import boto3_files
from tests.deployment import functions
from tests.live_server import LiveServer
from tests.stub_service import KEY_ID, SECRET, Stub, answer, stub_service

SOURCE = """
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

def handler(event, context):
    region = event.get("region", "us-east-1")
    client = boto3.client(event["service"], region_name=region, config=Config(retries={"total_max_attempts": 1}))
    try:
        answer = getattr(client, event["operation"])(**event["arguments"])
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["Error"]["Message"]]
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
"""
CONFIG = """
[services.{name}]
endpoint = "http://127.0.0.1:{port}"
access_key_id = "{key}"
secret_access_key = "{secret}"
"""
SENT = {"MessageId": "1", "MD5OfMessageBody": "5d41402abc4b2a76b9719d911017c592"}
SEND = {
    "service": "sqs",
    "operation": "send_message",
    "arguments": {"QueueUrl": "http://127.0.0.1:9/123456789012/queue", "MessageBody": "hello"},
}
PUBLISHED = b"""<PublishResponse><PublishResult><MessageId>7</MessageId></PublishResult>
<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishResponse>"""
PUBLISH = {
    "service": "sns",
    "operation": "publish",
    "arguments": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:topic", "Message": "hello"},
}
PUT = {"service": "events", "operation": "put_events", "arguments": {"Entries": [{"Source": "a"}]}}


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with stub_service() as service:
        yield service


@pytest.fixture
def start(start_server: Callable[..., LiveServer], stub: Stub, tmp_path: Path) -> Callable[..., LiveServer]:
    """A server to which the stub is queues and topics; buses aren't configured."""

    def started(*options: str) -> LiveServer:
        config = tmp_path / "lampion.toml"
        tables = (CONFIG.format(name=name, port=stub.port, key=KEY_ID, secret=SECRET) for name in ("sqs", "sns"))
        config.write_text("".join(tables))
        return start_server("--config", str(config), *options)

    return started


async def asked(server: LiveServer, *events: Any) -> list[Any]:
    """What a function with boto3 tells of each."""

    def ask() -> list[Any]:
        client = server.client()
        with functions(client, "asks") as make:
            name = make({"index.py": SOURCE, **boto3_files()}, MemorySize=1024, Timeout=60)
            told = [json.load(client.invoke(FunctionName=name, Payload=json.dumps(one))["Payload"]) for one in events]
        client.close()
        return told

    return await asyncio.to_thread(ask)


async def test_a_function_sends_with_the_servers_keys_for_the_service(start: Any, stub: Stub) -> None:
    stub.answers = [
        answer(200, json.dumps(SENT).encode(), "content-type: application/x-amz-json-1.0", "x-amzn-requestid: r"),
        answer(200, PUBLISHED, "content-type: text/xml"),
        answer(400, b'{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "none"}'),
    ]
    server = start("--function-access", "all")
    sent, published, refused, unknown = await asked(server, SEND, PUBLISH, {**SEND, "region": "eu-west-1"}, PUT)
    assert sent == SENT
    assert published == {"MessageId": "7"}
    assert refused[1] == "none"
    assert unknown[0] == "UnknownOperationException"  # of a service that the server isn't configured with
    first, second, third = stub.received
    assert (first.service, first.region, first.headers["x-amz-target"]) == ("sqs", "us-east-1", "AmazonSQS.SendMessage")
    assert json.loads(first.body)["MessageBody"] == "hello"
    assert (second.service, second.body.startswith(b"Action=Publish&")) == ("sns", True)
    assert third.region == "eu-west-1"
    assert not any("security-token" in name for name in first.headers)


async def test_without_access_a_function_is_refused_and_nothing_is_sent(start: Any, stub: Stub) -> None:
    sent, published = await asked(start(), SEND, PUBLISH)
    assert sent[0] == published[0] == "AccessDeniedException"
    assert sent[1].endswith("because no identity-based policy allows the sqs:SendMessage action")
    assert "is not authorized to perform: sns:Publish" in published[1]
    assert stub.received == []


async def test_a_service_that_is_down_is_told_so_and_clients_outside_are_not_served(start: Any, stub: Stub) -> None:
    stub.answers = [b""]
    server = start("--function-access", "all")
    [told] = await asked(server, SEND)
    assert told == ["ServiceUnavailable", "sqs can't be reached from Lampion; the server's log says why."]
    assert f"sqs at http://127.0.0.1:{stub.port}" in server.output
    client = server.client("sqs")
    with pytest.raises(client.exceptions.ClientError) as caught:
        await asyncio.to_thread(client.list_queues)
    assert caught.value.response["Error"]["Code"] == "UnrecognizedClientException"
    client.close()
