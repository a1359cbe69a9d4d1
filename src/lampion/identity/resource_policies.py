"""Policies of resources, read once for each of their revisions."""

from collections import OrderedDict
from typing import Final

from lampion.domain.policy import Policy as StoredPolicy
from lampion.identity.statements import Policy, Source, read_policy

_CAPACITY: Final = 1024
_SOURCE: Final = Source("ResourcePolicy", "resource")


class ResourcePolicies:
    """Remembers those that were asked for last."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._read: OrderedDict[tuple[str, str], Policy] = OrderedDict()

    def read(self, stored: StoredPolicy) -> Policy:
        """`stored`, ready to be asked."""
        key = (stored.arn, stored.revision_id)
        policy = self._read.get(key)
        if policy is None:
            policy = self._read[key] = read_policy(stored.document, _SOURCE)
            if len(self._read) > self._capacity:
                self._read.popitem(last=False)
        return policy
