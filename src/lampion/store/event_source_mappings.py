"""Where event source mappings are kept: with the account, by UUID; they outlive their function, as on AWS.

A deletion takes its time: until it is over the mapping is kept, and whoever comes across it afterwards removes it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from lampion.domain.event_source_mapping import EventSourceMapping
from lampion.store.resources import Kind, Place, Stored

_BATCH: Final = 200


EVENT_SOURCE_MAPPINGS: Final = Kind(
    "event source mapping",
    EventSourceMapping,
    place=lambda mapping: Place.of_account(mapping.account_id, mapping.region, mapping.uuid),
    found_by=lambda mapping: mapping.source,
)


def stored_mapping(stored: Stored, place: Place, now_ms: int) -> EventSourceMapping | None:
    """The mapping, or None when there is none or its deletion is over."""
    mapping = stored.get(EVENT_SOURCE_MAPPINGS, place)
    return None if mapping is None or mapping.is_gone(now_ms) else mapping


def mappings_of_source(
    stored: Stored, account_id: str, region: str, source: str, now_ms: int
) -> Sequence[EventSourceMapping]:
    """All that read this source, those being deleted included. Only in a change: removes those that are gone."""
    found = list(mappings_after(stored, account_id, region, "", source=source))
    remove_gone(stored, found, now_ms)
    return [mapping for mapping in found if not mapping.is_gone(now_ms)]


def remove_gone(stored: Stored, mappings: Iterable[EventSourceMapping], now_ms: int) -> None:
    """Remove those whose deletion is over. A UUID is never given again, so nothing else can be at their places."""
    for mapping in mappings:
        if mapping.is_gone(now_ms):
            stored.delete(EVENT_SOURCE_MAPPINGS, EVENT_SOURCE_MAPPINGS.place(mapping))


def mappings_after(
    stored: Stored, account_id: str, region: str, uuid: str, *, source: str | None
) -> Iterator[EventSourceMapping]:
    """By UUID, those after `uuid`, of one source or of all; read in batches, as far as the caller goes."""
    after = ("", uuid)
    while True:
        if source is None:
            page = stored.page(EVENT_SOURCE_MAPPINGS, account_id, region, owner="", after=after, limit=_BATCH)
        else:
            page = stored.found(EVENT_SOURCE_MAPPINGS, account_id, region, by=source, after=after, limit=_BATCH)
        yield from page
        if len(page) < _BATCH:
            return
        after = ("", page[-1].uuid)
