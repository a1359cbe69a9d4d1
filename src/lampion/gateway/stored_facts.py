"""Condition keys about what a request of Lambda's API is for that only the store knows: tags, and the function of an
event source mapping. Looked up where a policy asks for them, at every call.
"""

from collections.abc import Sequence
from typing import Any, Final

from lampion.domain.arn import FunctionKey
from lampion.identity.request_facts import Facts
from lampion.identity.tag_facts import OF_RESOURCE, tag_facts
from lampion.store.cached_resources import CachedResources
from lampion.store.event_source_mappings import EVENT_SOURCE_MAPPINGS
from lampion.store.resources import Place, Stored
from lampion.store.tagged import TAGGED

_SEGMENTS: Final = 7
"""Of an ARN of Lambda, up to the name or id of the resource."""


class StoredFacts:
    """Of what is there now."""

    def __init__(self, resources: CachedResources) -> None:
        self._resources = resources

    async def tags(self, arn: str) -> Facts:
        """aws:ResourceTag/...: of a function also where one of its versions or aliases is meant."""
        segments = arn.split(":")[:_SEGMENTS]
        if len(segments) < _SEGMENTS:
            return {}
        region, account_id, kind, name = segments[3:]
        tags = await self._resources.read(lambda stored: _tags(stored, account_id, region, kind, name))
        return tag_facts(OF_RESOURCE, tags.items())

    async def functions_of_mapping(self, account_id: str, region: str, uuid: str) -> Sequence[str]:
        """The ARN of the function that a mapping invokes; none where there is no mapping."""
        mapping = await self._resources.get(
            EVENT_SOURCE_MAPPINGS, Place.of_account(account_id, region, uuid), keeps_absent=False
        )
        return () if mapping is None else (mapping.function_arn,)


def _tags(stored: Stored, account_id: str, region: str, kind: str, name: str) -> dict[str, str]:
    if kind == "function":
        function = stored.function(FunctionKey(account_id, region, name))
        return {} if function is None else function.tags
    for row in TAGGED:
        if row.arn_kind == kind:
            found: Any = stored.get(row.kind, Place.of_account(account_id, region, name))
            return {} if found is None else found.tags
    return {}
