"""A function's own SDK works with queues and topics that really keep what they are sent, through the server."""

import json
from collections.abc import Callable
from typing import Any

from tests.companion.companion import Companion
from tests.conformance.sdk_package import boto3_files
from tests.deployment import functions
from tests.live_server import LiveServer

SOURCE = """
import boto3, json

def handler(event, context):
    sqs, sns, events = boto3.client("sqs"), boto3.client("sns"), boto3.client("events")
    queue = sqs.create_queue(QueueName=event["name"])["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name=event["name"])["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sqs.send_message(QueueUrl=queue, MessageBody="by queue \\u00e9")
    sns.publish(TopicArn=topic, Message="by topic", Subject="a & b")
    put = events.put_events(Entries=[{"Source": "x", "DetailType": "y", "Detail": "{}"}])["FailedEntryCount"]
    bodies = []
    while len(bodies) < 2:
        for one in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", []):
            bodies.append(one["Body"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
    try:
        sqs.get_queue_url(QueueName="absent")
    except sqs.exceptions.QueueDoesNotExist as error:
        missing = type(error).__name__
    sqs.delete_queue(QueueUrl=queue)
    return [sorted(bodies), put, missing]
"""


def test_boto3_in_a_function_uses_queues_topics_and_buses(
    companion: Companion, start_server: Callable[..., LiveServer]
) -> None:
    client = start_server("--function-access", "all", **companion.variables).client()
    with functions(client, "calls") as make:
        name = make({"index.py": SOURCE, **boto3_files()}, MemorySize=1024, Timeout=60)
        answer = client.invoke(FunctionName=name, Payload=json.dumps({"name": "of-a-function"}))
        told: Any = json.load(answer["Payload"])
    client.close()
    assert "FunctionError" not in answer, told
    (by_queue, by_topic), failed, missing = told
    assert (by_queue, failed, missing) == ("by queue é", 0, "QueueDoesNotExist")
    notification = json.loads(by_topic)
    assert (notification["Message"], notification["Subject"]) == ("by topic", "a & b")
