"""The Java runtime's JSON mapper does what AWS's Jackson does; a JVM runs all cases at once."""

import functools
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.java_functions import JAR, classes, tool

HERE = Path(__file__).parent
MAPPER = HERE / "mapper"
CASES = (MAPPER / "cases.txt").read_text(encoding="utf-8").split("\n")[:-1]
OUTCOMES = (MAPPER / "outcomes.txt").read_text(encoding="ascii").split("\n")[:-1]
"""What Jackson 2.17.2 made of the cases, see JacksonMapping.java."""

EVENTS: dict[str, dict[str, Any]] = {
    "SQSEvent": {
        "Records": [
            {"messageId": "m", "body": "b", "md5OfBody": "5", "eventSourceARN": "arn:q", "attributes": {"SentAt": "1"}}
        ]
    },
    "SNSEvent": {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventSubscriptionArn": "arn:s",
                "Sns": {
                    "Message": "m",
                    "TopicArn": "arn:t",
                    "SigningCertUrl": "u",
                    "MessageAttributes": {"a": {"Type": "String", "Value": "v"}},
                },
            }
        ]
    },
    "DynamodbEvent": {
        "Records": [
            {
                "eventName": "INSERT",
                "eventSourceARN": "arn:d",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1428537600.0,
                    "Keys": {"Id": {"N": "101"}},
                    "NewImage": {
                        "S": {"S": "text"},
                        "B": {"B": "aGk="},
                        "SS": {"SS": ["a", "b"]},
                        "M": {"M": {"inner": {"BOOL": True}}},
                        "L": {"L": [{"NULL": True}]},
                    },
                    "SequenceNumber": "1",
                    "SizeBytes": 26,
                    "StreamViewType": "NEW_IMAGE",
                },
            }
        ]
    },
    "KinesisEvent": {
        "Records": [
            {
                "eventSourceARN": "arn:k",
                "kinesis": {"data": "aGk=", "approximateArrivalTimestamp": 1545084650.987, "partitionKey": "1"},
            }
        ]
    },
    "S3Event": {
        "Records": [
            {
                "awsRegion": "eu-west-1",
                "eventName": "ObjectCreated:Put",
                "eventSource": "aws:s3",
                "eventTime": "1970-01-01T00:00:00.000Z",
                "eventVersion": "2.0",
                "requestParameters": {"sourceIPAddress": "127.0.0.1"},
                "responseElements": {"x-amz-id-2": "a", "x-amz-request-id": "b"},
                "s3": {
                    "configurationId": "c",
                    "bucket": {"name": "n", "ownerIdentity": {"principalId": "p"}, "arn": "arn:b"},
                    "object": {"key": "k", "size": 1024, "eTag": "e", "versionId": "v", "sequencer": "s"},
                    "s3SchemaVersion": "1.0",
                },
                "userIdentity": {"principalId": "p"},
            }
        ]
    },
    "ScheduledEvent": {
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "detail": {"a": [1]},
        "resources": ["arn:r"],
    },
    "CloudFormationCustomResourceEvent": {
        "RequestType": "Create",
        "ResponseURL": "http://x",
        "ResourceProperties": {"a": {"b": 1}},
    },
    "APIGatewayProxyRequestEvent": {
        "path": "/x",
        "httpMethod": "GET",
        "headers": {"Accept": "*/*"},
        "multiValueHeaders": {"Accept": ["*/*"]},
        "isBase64Encoded": False,
    },
}
"""Events with members that aren't spelt as their classes' properties."""


def run(sources: Sequence[Path], main: str, lines: Sequence[str], *arguments: str) -> list[str]:
    """What a program that answers each line with a line says."""
    with TemporaryDirectory(prefix="lampion-test-") as directory:
        for path, content in classes(*sources).items():
            target = Path(directory) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        command = [tool("java"), "-Duser.timezone=UTC", "-cp", f"{directory}:{JAR}", main, *arguments]
        done = subprocess.run(command, input="\n".join(lines).encode(), capture_output=True, check=True, timeout=60)
    return done.stdout.decode().split("\n")[:-1]


@functools.cache
def mapped() -> list[str]:
    return run([MAPPER / "Check.java", MAPPER / "Shapes.java"], "Check", CASES, "own")


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.partition("\t")[0] for case in CASES])
def test_a_value_is_read_and_written_as_by_jackson(number: int) -> None:
    assert len(CASES) == len(OUTCOMES) == len(mapped())
    assert mapped()[number] == OUTCOMES[number], CASES[number]


@functools.cache
def round_trips() -> list[str]:
    lines = [f"{name}\t{json.dumps(event)}" for name, event in EVENTS.items()]
    return run(sorted((HERE / "events").rglob("*.java")), "RoundTrip", lines)


@pytest.mark.parametrize("name", EVENTS)
def test_aws_events_keep_their_names(name: str) -> None:
    """Whatever an event's class doesn't know would be gone."""
    assert json.loads(round_trips()[list(EVENTS).index(name)]) == EVENTS[name]


@functools.cache
def sparse_events() -> list[Any]:
    lines = [
        'S3Event\t{"Records": [{}]}',
        'KinesisEvent\t{"Records": [{"kinesis": {"approximateArrivalTimestamp": 0, "partitionKey": "1"}}]}',
    ]
    return [json.loads(line) for line in run(sorted((HERE / "events").rglob("*.java")), "RoundTrip", lines)]


def test_what_an_event_of_s3_lacks_is_empty_as_on_aws() -> None:
    (record,) = sparse_events()[0]["Records"]
    assert (record["awsRegion"], record["userIdentity"]) == ("", {"principalId": ""})
    assert (record["s3"]["object"]["size"], record["s3"]["bucket"]["name"]) == (0, "")


def test_a_time_of_zero_in_an_event_is_none() -> None:
    assert sparse_events()[1] == {"Records": [{"kinesis": {"partitionKey": "1"}}]}
