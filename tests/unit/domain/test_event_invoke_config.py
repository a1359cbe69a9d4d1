"""What can be a destination of event invocations, and AWS's words about what can't."""

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.event_invoke_config import (
    Destinations,
    FunctionDestination,
    check_destinations,
    check_says_something,
)

ACCOUNT, REGION = "123456789012", "us-east-1"
KEY = FunctionKey(ACCOUNT, REGION, "f")


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


OTHER = arn("lambda", "function:g")
QUEUE = arn("sqs", "queue-1_x")
BUCKET = "arn:aws:s3:::my-bucket.example"


@pytest.mark.parametrize(
    "destination", [QUEUE, arn("sns", "topic_1"), arn("events", "event-bus/default"), "arn:aws-cn:s3:::bucket"]
)
def test_queues_topics_buses_and_buckets_hear_of_failures(destination: str) -> None:
    assert check_destinations(KEY, Destinations(on_failure=destination)) == ()


@pytest.mark.parametrize("destination", [QUEUE, arn("sns", "topic_1"), arn("events", "event-bus/my.bus-1")])
def test_queues_topics_and_buses_hear_of_successes(destination: str) -> None:
    assert check_destinations(KEY, Destinations(on_success=destination)) == ()


@pytest.mark.parametrize(
    ("destination", "qualifier"), [(OTHER, None), (f"{OTHER}:1", "1"), (f"{OTHER}:$LATEST", "$LATEST")]
)
def test_functions_are_told_so_that_they_can_be_looked_for(destination: str, qualifier: str | None) -> None:
    expected = FunctionDestination(destination, FunctionKey(ACCOUNT, REGION, "g"), qualifier)
    assert check_destinations(KEY, Destinations(on_success=destination, on_failure=QUEUE)) == (expected,)
    assert check_destinations(KEY, Destinations(QUEUE, destination)) == (expected,)


@pytest.mark.parametrize("qualifier", ["", ":$LATEST", ":1", ":live"])
@pytest.mark.parametrize("member", ["on_success", "on_failure"])
def test_a_function_is_no_destination_of_itself(qualifier: str, member: str) -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        check_destinations(KEY, Destinations(**{member: KEY.arn + qualifier}))
    assert caught.value.message == "You can't specify the function as a destination for itself."


@pytest.mark.parametrize(
    "destination",
    [
        arn("sqs", "queue.fifo"),
        arn("sns", "topic.fifo"),
        "arn:aws:sqs::123456789012:queue",
        arn("events", "rule/r"),
        arn("events", "event-bus/aws.partner/example.com/1/2"),  # AWS's words for one: serverless/serverless#7507
        arn("lambda", "layer:l:1"),
        "arn:aws:lambda:us-east-1::function:g",
        arn("s3", "bucket"),
    ],
)
def test_what_is_named_wrongly_is_invalid(destination: str) -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        check_destinations(KEY, Destinations(on_failure=destination))
    assert caught.value.message == f"The destination ARN {destination} is invalid."


@pytest.mark.parametrize(
    ("destinations", "printed"),
    [
        (Destinations(on_success=BUCKET), f"onSuccess=OnSuccess(destination={BUCKET}), onFailure=null"),
        (
            Destinations(on_failure=arn("iam", "role/r")),
            f"onSuccess=null, onFailure=OnFailure(destination={arn('iam', 'role/r')})",
        ),
        (
            Destinations(QUEUE, "kafka://topic"),
            f"onSuccess=OnSuccess(destination={QUEUE}), onFailure=OnFailure(destination=kafka://topic)",
        ),
    ],
)
def test_what_no_service_takes_is_refused_as_it_was_sent(destinations: Destinations, printed: str) -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        check_destinations(KEY, destinations)
    assert caught.value.message == f"The provided destination config DestinationConfig({printed}) is invalid."


def test_a_configuration_says_something() -> None:
    check_says_something(0)
    for settings in ((), (None, None)):
        with pytest.raises(InvalidParameterValueException) as caught:
            check_says_something(*settings)
        assert caught.value.message == "You must specify at least one of error handling or destination setting."
