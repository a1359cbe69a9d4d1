"""What a request that is passed on to another service is about, to IAM: action and ARNs. Pure.

Docs: service authorization reference, for Amazon SQS, Amazon SNS and Amazon EventBridge.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from lampion.endpoints.services import Service

_NO_RESOURCE: Final = ("*",)
_FIELDS_MAX: Final = 10_000
_RESOURCES_MAX: Final = 100
_ARN_CHARACTERS_MAX: Final = 2048

_TARGETS: Final = {Service.SQS: "AmazonSQS", Service.EVENTBRIDGE: "AWSEvents"}
_VERSIONS: Final = {Service.SQS: "2012-11-05", Service.SNS: "2010-03-31"}
"""Of the APIs that name their operation in a form. Where requests go to may offer other services at the same address,
and tell them apart by target or version.
"""
_QUEUE_URL: Final = re.compile(
    r"(?:https?://[A-Za-z0-9.:\[\]-]+)?(?:/[A-Za-z0-9-]+)*/(?P<owner>[0-9]{12})/(?P<name>[A-Za-z0-9_-]+(?:\.fifo)?)/?"
)
"""Nothing in it that who is asked next could read otherwise."""

Where = tuple[str, str]
"""Region and account."""


def asked_for(service: Service, target: str, body: bytes, where: Where) -> tuple[str, Iterable[str]]:
    """The action as IAM names it, and the ARNs that it must be allowed for. `target` is X-Amz-Target, or empty.

    What can't be read is asked for as everything: only who may all gets through with it. So is what is more than any
    of these services takes in one request, and would take long to ask about.
    """
    members = _members(target, body)
    name = target.rpartition(".")[2] or str(members.get("Action", "*"))
    try:
        resources = tuple(_RESOURCES[service](name, members, where))
        if len(resources) > _RESOURCES_MAX or max(map(len, resources), default=0) > _ARN_CHARACTERS_MAX:
            resources = _NO_RESOURCE
    except (AttributeError, TypeError, ValueError):
        resources = _NO_RESOURCE
    return f"{service.signing_name}:{name}", resources


def is_meant_for(service: Service, target: str, body: bytes) -> bool:
    """Whether who is asked next can't take the request for another service's, which nobody was asked about."""
    if target:
        return target.partition(".")[0] == _TARGETS.get(service)
    version: str | None = _VERSIONS.get(service)
    return version is not None and str(_members(target, body).get("Version", version)) == version


def _members(target: str, body: bytes) -> Mapping[str, Any]:
    try:
        if target:
            members = json.loads(body, object_pairs_hook=_once)
        else:
            members = _once(parse_qsl(body.decode("ascii"), max_num_fields=_FIELDS_MAX))
    except (ValueError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError for a name that is there twice: who is asked next might take the other value."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name is there twice")
    return members


def _queues(name: str, members: Mapping[str, Any], where: Where) -> Iterable[str]:
    region, account_id = where
    if "QueueUrl" in members:
        named = _QUEUE_URL.fullmatch(members["QueueUrl"])
        return _NO_RESOURCE if named is None else (f"arn:aws:sqs:{region}:{named['owner']}:{named['name']}",)
    if "QueueName" in members:
        return (f"arn:aws:sqs:{region}:{members.get('QueueOwnerAWSAccountId', account_id)}:{members['QueueName']}",)
    return _NO_RESOURCE


def _topics(name: str, members: Mapping[str, Any], where: Where) -> Iterable[str]:
    named = [members[one] for one in ("TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn") if one in members]
    if named:
        return named
    region, account_id = where
    return (f"arn:aws:sns:{region}:{account_id}:{members['Name']}",) if "Name" in members else _NO_RESOURCE


def _buses(name: str, members: Mapping[str, Any], where: Where) -> Iterable[str]:
    region, account_id = where

    def arn(bus: str) -> str:
        return bus if bus.startswith("arn:") else f"arn:aws:events:{region}:{account_id}:event-bus/{bus}"

    if name == "PutEvents":
        return sorted({arn(entry.get("EventBusName") or "default") for entry in members["Entries"]}) or _NO_RESOURCE
    return (arn(members["EventBusName"]),) if "EventBusName" in members else _NO_RESOURCE


_RESOURCES: Final[Mapping[Service, Callable[[str, Mapping[str, Any], Where], Iterable[str]]]] = {
    Service.SQS: _queues,
    Service.SNS: _topics,
    Service.EVENTBRIDGE: _buses,
}
