"""Which kinds of resources have tags beside functions: one row each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lampion.domain.errors import ResourceNotFoundException, resource_missing
from lampion.store.event_source_mappings import EVENT_SOURCE_MAPPINGS, mapping_place
from lampion.store.resources import Kind, Place


@dataclass(frozen=True, slots=True)
class TaggedKind:
    """A kind whose values have a field `tags: dict[str, str]`.

    `arn_kind` is what its ARNs have before the id; `place` takes account, region and id; `missing` gives AWS's answer
    for an ARN of which there is none.
    """

    arn_kind: str
    kind: Kind[Any]
    place: Callable[[str, str, str], Place]
    missing: Callable[[str], ResourceNotFoundException] = lambda arn: resource_missing()


TAGGED: Final = (TaggedKind("event-source-mapping", EVENT_SOURCE_MAPPINGS, mapping_place),)
