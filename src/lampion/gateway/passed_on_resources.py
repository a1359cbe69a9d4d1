"""What a request that is passed on to another service is about, to IAM: actions, ARNs, condition keys. Pure.

Docs: service authorization reference, for Amazon SQS, Amazon SNS and Amazon EventBridge; DynamoDB's is beside this.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl

from lampion.aws.errors import SerializationException
from lampion.endpoints.services import Service
from lampion.gateway.passed_on_tables import AskedFor, Where, of_tables, text_of

_NO_RESOURCE: Final = ("*",)
_FIELDS_MAX: Final = 10_000
_NAME: Final = re.compile(r"\w+", re.ASCII)
_FORM: Final = "application/x-www-form-urlencoded"
_TARGETS: Final = {
    Service.SQS: "AmazonSQS",
    Service.EVENTBRIDGE: "AWSEvents",
    Service.DYNAMODB: "DynamoDB_20120810",
}
_VERSIONS: Final = {Service.SQS: "2012-11-05", Service.SNS: "2010-03-31"}
"""Of the APIs that name their operation in a form. Whoever is asked next may offer other services at the same address,
and tell them apart by target or version.
"""
_QUEUE_URL: Final = re.compile(
    r"(?:(?:https?://[a-z0-9.:\[\]-]+)?(?P<before>(?:/[a-z0-9-]+)*)/)?(?P<name>[a-z0-9_-]+(?:\.fifo)?)/?",
    re.ASCII | re.IGNORECASE,
)
"""Nothing in it that who is asked next could read otherwise."""
_RESOURCES_MAX: Final = 100
_ARN_CHARACTERS_MAX: Final = 2048
"""More than any of these services takes in one request, and would take long to ask about."""
_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)


def check_protocol(service: Service, target: str, content_type: str) -> None:
    """That the service will read what is read here. Raises SerializationException.

    A body can be JSON and a form at once, and name different operations.
    """
    kind = "application/x-amz-json-" if target else _FORM
    is_its_own = target.partition(".")[0] == _TARGETS.get(service) if target else service in _VERSIONS
    if not is_its_own or "," in content_type or not content_type.lower().startswith(kind):
        raise SerializationException("The request can't be read.")


def asked_for(service: Service, target: str, body: bytes, where: Where) -> AskedFor:
    """All that must be allowed. `target` is X-Amz-Target, or empty.

    Raises SerializationException for what can't be read, or could be read otherwise by who is asked next: a policy may
    deny what it is about. AccessDeniedException for what asks for too much at once.
    """
    with suppress(AttributeError, KeyError, TypeError, ValueError, RecursionError):
        members = _members(target, body)
        name = _operation(service, target, members)
        if service is Service.DYNAMODB:
            return of_tables(name, members, where)
        resources = _RESOURCES[service](name, members, where) or _NO_RESOURCE
        if len(resources) > _RESOURCES_MAX or max(map(len, resources)) > _ARN_CHARACTERS_MAX:
            raise ValueError("more than is taken")
        return AskedFor([(f"{service.signing_name}:{name}", text_of(one)) for one in resources])
    raise SerializationException("The request can't be read.")


def _operation(service: Service, target: str, members: Mapping[str, Any]) -> str:
    if not target and members.get("Version", _VERSIONS.get(service)) != _VERSIONS.get(service):
        raise ValueError("the operation of another service")
    named = _NAME.fullmatch(target.partition(".")[2] if target else members["Action"])
    if named is None:
        raise ValueError("no operation is named")
    return named[0]


def _members(target: str, body: bytes) -> Mapping[str, Any]:
    if target:
        members = json.loads(body, object_pairs_hook=_once)
    else:
        members = _once(parse_qsl(body.decode("ascii"), max_num_fields=_FIELDS_MAX))
    if not isinstance(members, dict):
        raise TypeError("no members")
    return members


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError for a name that is there twice: who is asked next might take the other value."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name is there twice")
    return members


def _queues(name: str, members: Mapping[str, Any], where: Where) -> Sequence[str]:
    """What stands for SQS may have queues at addresses without an account."""
    region, account_id = where
    if "QueueUrl" in members:
        named = _QUEUE_URL.fullmatch(text_of(members["QueueUrl"]))
        if named is None:
            raise ValueError("no address of a queue")
        before = (named["before"] or "").rpartition("/")[2]
        return (f"arn:aws:sqs:{region}:{before if _ACCOUNT.fullmatch(before) else account_id}:{named['name']}",)
    if "QueueName" in members:
        owner = text_of(members.get("QueueOwnerAWSAccountId", account_id))
        return (f"arn:aws:sqs:{region}:{owner}:{text_of(members['QueueName'])}",)
    return ()


def _topics(name: str, members: Mapping[str, Any], where: Where) -> Sequence[str]:
    named = [members[one] for one in ("TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn") if one in members]
    if named:
        return named
    region, account_id = where
    return (f"arn:aws:sns:{region}:{account_id}:{text_of(members['Name'])}",) if "Name" in members else ()


def _buses(name: str, members: Mapping[str, Any], where: Where) -> Sequence[str]:
    region, account_id = where

    def arn(bus: str) -> str:
        return bus if bus.startswith("arn:") else f"arn:aws:events:{region}:{account_id}:event-bus/{bus}"

    if name == "PutEvents":
        return sorted({arn(entry.get("EventBusName") or "default") for entry in members["Entries"]})
    return (arn(members["EventBusName"]),) if "EventBusName" in members else ()


_RESOURCES: Final[Mapping[Service, Callable[[str, Mapping[str, Any], Where], Sequence[str]]]] = {
    Service.SQS: _queues,
    Service.SNS: _topics,
    Service.EVENTBRIDGE: _buses,
}
