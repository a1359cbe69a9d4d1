"""The policies of functions, versions and aliases as they are stored now, read once for each of their revisions."""

from collections.abc import Sequence

from lampion.domain.arn import LATEST, FunctionKey
from lampion.identity.resource_policies import ResourcePolicies
from lampion.identity.statements import Policy
from lampion.store.cached_resources import CachedResources
from lampion.store.policies import POLICIES, policy_place


class FunctionPolicies:
    """Asks the store, which mostly has them at hand."""

    def __init__(self, resources: CachedResources) -> None:
        self._resources = resources
        self._policies = ResourcePolicies()

    async def of(self, key: FunctionKey, qualifier: str | None) -> Sequence[Policy]:
        """One or none. $LATEST has none of its own: that of the function speaks for it as far as its Resource does."""
        place = policy_place(key, None if qualifier == LATEST else qualifier)
        stored = await self._resources.get(POLICIES, place)
        return () if stored is None else (self._policies.read(stored),)
