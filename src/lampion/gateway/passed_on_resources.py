"""What a request that is passed on to another service is about, to IAM: actions, ARNs, condition keys. Pure.

Docs: service authorization reference, for Amazon SQS, Amazon SNS and Amazon EventBridge; DynamoDB's is beside this.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from lampion.aws.errors import SerializationException
from lampion.endpoints.services import Service
from lampion.gateway.passed_on_tables import AskedFor, Where, of_tables

_NO_RESOURCE: Final = ("*",)
_FIELDS_MAX: Final = 10_000


def asked_for(service: Service, target: str, body: bytes, where: Where) -> AskedFor:
    """All that must be allowed. `target` is X-Amz-Target, or empty.

    What can't be read is asked for as everything: only who may all gets through with it. To DynamoDB it doesn't at all:
    raises SerializationException, and AccessDeniedException for what asks for too much at once.
    """
    members = _members(target, body)
    if service is Service.DYNAMODB:
        return _of_tables(target.rpartition(".")[2], members, where)
    members = members or {}
    name = target.rpartition(".")[2] or str(members.get("Action", "*"))
    try:
        resources = _RESOURCES[service](name, members, where)
    except (AttributeError, KeyError, TypeError, ValueError):
        resources = _NO_RESOURCE
    return AskedFor([(f"{service.signing_name}:{name}", one) for one in resources])


def _of_tables(name: str, members: Mapping[str, Any] | None, where: Where) -> AskedFor:
    """Policies deny single tables, items and attributes there: whoever asks must say which."""
    if name and members is not None:
        with suppress(AttributeError, KeyError, TypeError, ValueError):
            return of_tables(name, members, where)
    raise SerializationException("The request can't be read.")


def _members(target: str, body: bytes) -> Mapping[str, Any] | None:
    try:
        if target:
            members = json.loads(body, object_pairs_hook=_once)
        else:
            members = _once(parse_qsl(body.decode("ascii"), max_num_fields=_FIELDS_MAX))
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError for a name that is there twice: who is asked next might take the other value."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name is there twice")
    return members


def _queues(name: str, members: Mapping[str, Any], where: Where) -> Iterable[str]:
    region, account_id = where
    if "QueueUrl" in members:
        owner, queue = urlsplit(members["QueueUrl"]).path.strip("/").split("/")[-2:]
        return (f"arn:aws:sqs:{region}:{owner}:{queue}",)
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
