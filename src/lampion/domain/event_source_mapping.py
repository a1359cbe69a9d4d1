"""Event source mappings: what is kept of one, and the state that it shows. Pure.

What was asked for is in force at once; the states on the way there follow from when it was asked, so that a restart
changes nothing about them. Shape: EventSourceMappingConfiguration (botocore `lambda` 2015-03-31).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import ResourceConflictException, ResourceInUseException
from lampion.domain.event_source import SourceSpec

TRANSITION_MS: Final = 1000
"""How long a mapping shows that it is changing, and refuses further changes. On AWS seconds to a minute."""

_READ_BEFORE_MS: Final = 60_000
"""How long before a change its beholder may have read the clock, and still sees the change under way."""


class Transition(Enum):
    """The last thing that was asked of a mapping; AWS's name of the state until it is done."""

    CREATING = "Creating"
    UPDATING = "Updating"
    ENABLING = "Enabling"
    DISABLING = "Disabling"
    DELETING = "Deleting"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSourceMapping:
    """`spec_name` tells which SourceSpec it follows; `source` is the ARN, or the bootstrap servers joined by commas.

    `settings` are those of the source, by the names of their members, defaults included.
    """

    account_id: str
    region: str
    uuid: str
    spec_name: str
    source: str
    function: FunctionKey
    qualifier: str | None
    settings: dict[str, Any]
    is_enabled: bool
    transition: Transition
    changed_at_ms: int
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account_id}:event-source-mapping:{self.uuid}"

    @property
    def function_arn(self) -> str:
        """As the function was named: with the version or alias, if there was one."""
        return self.function.arn if self.qualifier is None else self.function.qualified_arn(self.qualifier)

    def is_changing(self, now_ms: int) -> bool:
        """A clock that was set back doesn't lengthen a change much."""
        return -_READ_BEFORE_MS <= now_ms - self.changed_at_ms < TRANSITION_MS

    def is_gone(self, now_ms: int) -> bool:
        """Whether the deletion that was asked for is over: to callers it doesn't exist any more."""
        return self.transition is Transition.DELETING and not self.is_changing(now_ms)

    def state(self, now_ms: int) -> str:
        """Of one that isn't gone."""
        if self.is_changing(now_ms):
            return self.transition.value
        return "Enabled" if self.is_enabled else "Disabled"

    def last_modified_ms(self, now_ms: int) -> int:
        """When it was last updated or its state changed."""
        return self.changed_at_ms if self.is_changing(now_ms) else min(self.changed_at_ms + TRANSITION_MS, now_ms)


@dataclass(frozen=True, slots=True)
class Update:
    """All settings from now on; and function and version or alias, and whether it is enabled, if they are to change."""

    settings: Mapping[str, Any]
    function: tuple[FunctionKey, str | None] | None = None
    is_enabled: bool | None = None


def updated(mapping: EventSourceMapping, update: Update, now_ms: int) -> EventSourceMapping:
    """Raises ResourceInUseException while the mapping is changing."""
    if mapping.is_changing(now_ms):
        raise ResourceInUseException("Cannot update the event source mapping because it is in use.")
    is_enabled = mapping.is_enabled if update.is_enabled is None else update.is_enabled
    transition = Transition.UPDATING
    if is_enabled != mapping.is_enabled:
        transition = Transition.ENABLING if is_enabled else Transition.DISABLING
    function, qualifier = update.function or (mapping.function, mapping.qualifier)
    return replace(
        mapping,
        settings=dict(update.settings),
        function=function,
        qualifier=qualifier,
        is_enabled=is_enabled,
        transition=transition,
        changed_at_ms=now_ms,
    )


def deleted(mapping: EventSourceMapping, now_ms: int) -> EventSourceMapping:
    """Raises ResourceInUseException while the mapping is changing."""
    if mapping.is_changing(now_ms):
        raise ResourceInUseException("Cannot delete the event source mapping because it is in use.")
    return replace(mapping, transition=Transition.DELETING, changed_at_ms=now_ms)


def check_single(mapping: EventSourceMapping, others: Iterable[EventSourceMapping], spec: SourceSpec) -> None:
    """Raises ResourceConflictException when one of `others`, all of the same source, has the same function.

    Mappings of Kafka and MQ may have both when they read other topics or queues.
    """
    for other in others:
        same_function = (other.function, other.qualifier) == (mapping.function, mapping.qualifier)
        if other.uuid != mapping.uuid and same_function and _told_apart(other, spec) == _told_apart(mapping, spec):
            raise ResourceConflictException(_conflict(other, spec))


def _told_apart(mapping: EventSourceMapping, spec: SourceSpec) -> Any:
    return None if spec.told_apart_by is None else mapping.settings.get(spec.told_apart_by)


def _conflict(other: EventSourceMapping, spec: SourceSpec) -> str:
    name = other.function.name if other.qualifier is None else f"{other.function.name}:{other.qualifier}"
    words = {"source": other.source, "function": name, "function_arn": other.function_arn, "uuid": other.uuid}
    if spec.told_apart_by is not None:
        words[spec.told_apart_by] = ",".join(_told_apart(other, spec) or ())
    return spec.conflict.format_map(words)
