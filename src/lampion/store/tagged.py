"""Which kinds of resources have tags beside functions: one row each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lampion.domain.capacity_provider import provider_not_found
from lampion.domain.code_signing import config_not_found
from lampion.domain.errors import ResourceNotFoundException, resource_missing
from lampion.store.capacity_providers import CAPACITY_PROVIDERS
from lampion.store.code_signing import CODE_SIGNING_CONFIGS
from lampion.store.event_source_mappings import EVENT_SOURCE_MAPPINGS
from lampion.store.resources import Kind


@dataclass(frozen=True, slots=True)
class TaggedKind:
    """A kind whose values have a field `tags: dict[str, str]`.

    `arn_kind` is what its ARNs have before the id, under which the account keeps it.
    `missing` gives AWS's answer for an ARN of which there is none.
    """

    arn_kind: str
    kind: Kind[Any]
    missing: Callable[[str], ResourceNotFoundException] = lambda arn: resource_missing()


TAGGED: Final = (
    TaggedKind("event-source-mapping", EVENT_SOURCE_MAPPINGS),
    TaggedKind("code-signing-config", CODE_SIGNING_CONFIGS, config_not_found),
    TaggedKind("capacity-provider", CAPACITY_PROVIDERS, provider_not_found),
)
