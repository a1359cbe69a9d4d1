"""What a configuration needs of the function's role, and AWS's words where the role can't. Pure.

Docs: Lambda developer guide, "Execution role permissions" of each event source, "Adding a destination", "Required IAM
permissions" of VPCs. Texts are those that AWS answered to others, unless a comment says otherwise. Of what one or the
other of two permissions does for, AWS asks no more than one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lampion.domain.arn import FunctionKey
from lampion.domain.connections import is_in_vpc
from lampion.domain.event_invoke_config import Destinations
from lampion.domain.function import FunctionConfiguration
from lampion.domain.resource_arn import service_of


@dataclass(frozen=True, slots=True)
class RoleNeed:
    """To be allowed one of `actions` with `resource`; `refusal` says that the role isn't."""

    actions: tuple[str, ...]
    resource: str
    refusal: str


_SENDING: Final = {
    "sqs": ("SendMessage", "SQS"),
    "sns": ("Publish", "SNS"),
    "events": ("PutEvents", "EventBridge"),
    "s3": ("PutObject", "S3"),
    "lambda": ("InvokeFunction", "Lambda"),
}
"""By the service of what something is sent to: the action, and what AWS calls the service. Texts with PutEvents and
PutObject are the likeness of the others."""
_QUEUE_ACTIONS: Final = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_STREAM_ACTIONS: Final[Mapping[str, Sequence[tuple[str, ...]]]] = {
    "kinesis": (
        ("kinesis:GetRecords",),
        ("kinesis:GetShardIterator",),
        ("kinesis:DescribeStream", "kinesis:DescribeStreamSummary"),
    ),
    "dynamodb": (("dynamodb:GetRecords",), ("dynamodb:GetShardIterator",), ("dynamodb:DescribeStream",)),
}
"""What has to be allowed for the stream. AWS names more where it refuses, and takes roles that have only this."""
_STREAM_WORDS: Final = {
    "kinesis": "GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams",
    "dynamodb": "GetRecords, GetShardIterator, DescribeStream, and ListStreams",
}
_CONSUMER: Final = "/consumer/"
_KEYS_OF_LAMBDA: Final = "aws/lambda/*"
"""Of the objects that Lambda puts into buckets."""


def needs_of_configuration(
    key: FunctionKey, before: FunctionConfiguration | None, after: FunctionConfiguration
) -> Sequence[RoleNeed]:
    """Of what a creation (`before` None) or an update makes new: a VPC, a dead-letter target, or the role itself."""
    has_new_role = before is None or before.role != after.role
    needs: list[RoleNeed] = []
    if is_in_vpc(after) and (has_new_role or before is None or before.vpc_config != after.vpc_config):
        needs += _of_vpc(key)
    target = after.dead_letter_config
    if target is not None and (has_new_role or before is None or before.dead_letter_config != target):
        needs += _of_sending(target["TargetArn"], "The provided execution role")
    return needs


def needs_of_destinations(destinations: Destinations) -> Sequence[RoleNeed]:
    """Of a FunctionEventInvokeConfig: each one is named in the refusal."""
    needs = []
    for arn in (destinations.on_success, destinations.on_failure):
        sending = None if arn is None else _SENDING.get(service_of(arn))
        if arn is not None and sending is not None:
            refusal = f"The function's execution role does not have permissions to call {sending[0]} on {arn}"
            needs.append(RoleNeed((_action(arn, sending[0]),), _sent_to(arn), refusal))
    return needs


def needs_of_source(source: str, settings: Mapping[str, Any]) -> Sequence[RoleNeed]:
    """Of a mapping from a source: to read it, and the secrets by which it is read. `source` may be no ARN."""
    service = service_of(source)
    if service == "sqs":
        refusal = "The function execution role does not have permissions to call {} on SQS"
        return [RoleNeed((f"sqs:{one}",), source, refusal.format(one)) for one in _QUEUE_ACTIONS]
    if service in _STREAM_ACTIONS:
        return list(_of_stream(service, source))
    return [_of_secret(one["URI"]) for one in settings.get("SourceAccessConfigurations", ()) if _is_secret(one)]


def needs_of_failures(settings: Mapping[str, Any]) -> Sequence[RoleNeed]:
    """Of a mapping's destination for batches that fail."""
    arn = settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    return [] if arn is None else list(_of_sending(arn, "The function execution role"))


def _of_vpc(key: FunctionKey) -> Iterable[RoleNeed]:
    """An interface is made with a subnet and groups: AWS looks for what is allowed with everything of EC2."""
    everything = f"arn:aws:ec2:{key.region}:{key.account_id}:*"
    resources = {
        "CreateNetworkInterface": everything,
        "DescribeNetworkInterfaces": "*",
        "DeleteNetworkInterface": everything,
    }
    for action, resource in resources.items():
        refusal = f"The provided execution role does not have permissions to call {action} on EC2"
        yield RoleNeed((f"ec2:{action}",), resource, refusal)


def _of_sending(arn: str, whose: str) -> Iterable[RoleNeed]:
    sending = _SENDING.get(service_of(arn))
    if sending is not None:
        action, service = sending
        refusal = f"{whose} does not have permissions to call {action} on {service}"
        yield RoleNeed((_action(arn, action),), _sent_to(arn), refusal)


def _of_stream(service: str, source: str) -> Iterable[RoleNeed]:
    """A consumer with enhanced fan-out is subscribed, its stream only described."""
    stream, consumer, _ = source.partition(_CONSUMER)
    refusal = (
        f"Cannot access stream {source}. Please ensure the role can perform the {_STREAM_WORDS[service]} Actions on "
        "your stream in IAM."
    )
    if consumer:
        yield RoleNeed(("kinesis:SubscribeToShard",), source, refusal)
        yield RoleNeed(("kinesis:DescribeStream", "kinesis:DescribeStreamSummary"), stream, refusal)
    else:
        yield from (RoleNeed(actions, stream, refusal) for actions in _STREAM_ACTIONS[service])


def _is_secret(access: Mapping[str, Any]) -> bool:
    return service_of(access.get("URI", "")) == "secretsmanager"


def _of_secret(arn: str) -> RoleNeed:
    """As AWS answered it of Amazon MSK; for others it is the likeness."""
    refusal = (
        f"Cannot access secret manager value {arn}. Please ensure the role can perform the "
        "'secretsmanager:GetSecretValue' action on your broker in IAM."
    )
    return RoleNeed(("secretsmanager:GetSecretValue",), arn, refusal)


def _action(arn: str, name: str) -> str:
    return f"{service_of(arn)}:{name}"


def _sent_to(arn: str) -> str:
    return f"{arn}/{_KEYS_OF_LAMBDA}" if service_of(arn) == "s3" else arn
