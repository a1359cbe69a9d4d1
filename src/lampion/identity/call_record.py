"""What functions called, by the role they had: since the server started, whether it was allowed or not."""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_ROLES_MAX: Final = 1000
_CALLS_MAX: Final = 1000
_CHARACTERS_MAX: Final = 2048
"""Of action and resource: what is longer was written by hostile code, to fill the memory."""


_ACTION: Final = re.compile(r"[a-z0-9-]+:[A-Za-z0-9_]+")
_WILD: Final = re.compile(r"[*?]|\$\{")
_OF_NEW_ONES: Final = re.compile(r"arn:aws:lambda:[a-z0-9-]+:[0-9]{12}:(event-source-mapping|code-signing-config):\*")
"""What is asked for where the id isn't known before it is made."""


@dataclass(frozen=True, slots=True, order=True)
class RecordedCall:
    """`action` as IAM names it, and the ARN of what it was for, or "*"."""

    resource: str
    action: str


class CallRecord:
    """Of the newest roles, and of each its first calls that differ: who calls ever new things fills nothing."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, dict[RecordedCall, None]] = OrderedDict()

    def note(self, role_arn: str | None, action: str, resource: str) -> None:
        """Without a role it was no function's call, and nothing is kept."""
        if role_arn is None or len(action) + len(resource) > _CHARACTERS_MAX or _would_widen(action, resource):
            return
        calls = self._calls.get(role_arn)
        if calls is None:
            calls = self._calls[role_arn] = {}
            if len(self._calls) > _ROLES_MAX:
                self._calls.popitem(last=False)
        if len(calls) < _CALLS_MAX:
            calls[RecordedCall(resource, action)] = None

    def of(self, role_arn: str) -> Sequence[RecordedCall]:
        """In the order of resources and actions."""
        return sorted(self._calls.get(role_arn, ()))


def _would_widen(action: str, resource: str) -> bool:
    """Whether hostile code wrote it, so that the policy that is made of its calls allows more than these."""
    if not _ACTION.fullmatch(action):
        return True
    return resource != "*" and _WILD.search(resource) is not None and not _OF_NEW_ONES.fullmatch(resource)


def least_policy(calls: Sequence[RecordedCall]) -> Mapping[str, Any]:
    """The policy that allows these calls and nothing else: resources with the same actions are one statement."""
    actions_of: dict[str, list[str]] = {}
    for call in calls:
        actions_of.setdefault(call.resource, []).append(call.action)
    resources_of: dict[tuple[str, ...], list[str]] = {}
    for resource, actions in actions_of.items():
        resources_of.setdefault(tuple(actions), []).append(resource)
    statements = [
        {"Effect": "Allow", "Action": _one_or_all(actions), "Resource": _one_or_all(resources)}
        for actions, resources in resources_of.items()
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _one_or_all(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
