"""Queues, topics, buses and buckets in the companion, and what has arrived there."""

import itertools
import json
import time
from dataclasses import dataclass
from typing import Any, Final

from tests.companion.companion import ACCOUNT, REGION, Companion

ARRIVAL_SECONDS: Final = 10.0
_numbers = itertools.count(1)


def unique(prefix: str) -> str:
    return f"{prefix}-{next(_numbers)}"


@dataclass(frozen=True)
class Inbox:
    """A queue, and the ARN of what leads to it: itself, a topic, a bus."""

    companion: Companion
    queue_url: str
    arn: str

    def receive(self, count: int = 1, seconds: float = ARRIVAL_SECONDS) -> list[dict[str, Any]]:
        """The next messages, deleted from the queue; as many as `count`, or fewer when no more come in time."""
        sqs, found = self.companion.client("sqs"), list[dict[str, Any]]()
        give_up_at = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < give_up_at:
            answer = sqs.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=min(10, count - len(found)),
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )
            for message in answer.get("Messages", []):
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
                found.append(message)
        return found

    def is_empty(self) -> bool:
        return self.receive(seconds=0.5) == []


def queue(companion: Companion) -> Inbox:
    name = unique("queue")
    url = companion.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return Inbox(companion, url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")


def topic(companion: Companion) -> Inbox:
    """A topic to which a queue is subscribed."""
    inbox, sns = queue(companion), companion.client("sns")
    arn = sns.create_topic(Name=unique("topic"))["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=inbox.arn)
    return Inbox(companion, inbox.queue_url, arn)


def bus(companion: Companion, pattern: dict[str, Any]) -> Inbox:
    """A bus with a rule that sends what matches `pattern` to a queue."""
    inbox, events, name = queue(companion), companion.client("events"), unique("bus")
    arn = events.create_event_bus(Name=name)["EventBusArn"]
    events.put_rule(Name="matching", EventBusName=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule="matching", EventBusName=name, Targets=[{"Id": "queue", "Arn": inbox.arn}])
    return Inbox(companion, inbox.queue_url, arn)


def bucket(companion: Companion) -> str:
    """The ARN of a new bucket."""
    name = unique("bucket")
    companion.client("s3").create_bucket(Bucket=name)
    return f"arn:aws:s3:::{name}"


def objects(companion: Companion, bucket_arn: str) -> dict[str, bytes]:
    """What is in a bucket, by key."""
    s3, name = companion.client("s3"), bucket_arn.rpartition(":")[2]
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=name).get("Contents", [])]
    return {key: s3.get_object(Bucket=name, Key=key)["Body"].read() for key in keys}
