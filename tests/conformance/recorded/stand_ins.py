"""Answers of other services, in recorded cases that want nothing of them but a name to give to Lambda."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.conformance.recorded.placeholders import Place

Params = Mapping[str, Any]


def _create_queue(params: Params, place: Place) -> dict[str, Any]:
    return {"QueueUrl": f"https://sqs.{place.region}.amazonaws.com/{place.account_id}/{params['QueueName']}"}


def _queue_attributes(params: Params, place: Place) -> dict[str, Any]:
    name = params["QueueUrl"].rpartition("/")[2]
    return {"Attributes": {"QueueArn": f"arn:{place.partition}:sqs:{place.region}:{place.account_id}:{name}"}}


STAND_INS: Final[Mapping[tuple[str, str], Callable[[Params, Place], dict[str, Any]]]] = {
    ("sqs", "CreateQueue"): _create_queue,
    ("sqs", "GetQueueAttributes"): _queue_attributes,
}
"""By service and operation. Lambda, as it is here, doesn't ask these services itself."""
