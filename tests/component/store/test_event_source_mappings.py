"""Event source mappings in every store: found by source, in order, and removed when their deletion is over."""

from dataclasses import replace

from lampion.domain.arn import FunctionKey
from lampion.domain.event_source_mapping import TRANSITION_MS, EventSourceMapping, Transition
from lampion.store.event_source_mappings import (
    EVENT_SOURCE_MAPPINGS,
    mappings_after,
    mappings_of_source,
    remove_gone,
    stored_mapping,
)
from lampion.store.resources import Place, Resources, Stored
from tests.component.store.samples import ACCOUNT, REGION

NOW = 1_700_000_000_000
LATER = NOW + TRANSITION_MS


def mapping(uuid: str, source: str = "queue", transition: Transition = Transition.CREATING) -> EventSourceMapping:
    return EventSourceMapping(
        account_id=ACCOUNT,
        region=REGION,
        uuid=uuid,
        spec_name="sqs",
        source=source,
        function=FunctionKey(ACCOUNT, REGION, "f"),
        qualifier="live",
        settings={"BatchSize": 10, "FunctionResponseTypes": [], "FilterCriteria": {"Filters": [{"Pattern": "{}"}]}},
        is_enabled=True,
        transition=transition,
        changed_at_ms=NOW,
        tags={"a": "b"},
    )


async def put(resources: Resources, *mappings: EventSourceMapping) -> None:
    def work(stored: Stored) -> None:
        for one in mappings:
            stored.put(EVENT_SOURCE_MAPPINGS, one)

    await resources.change(work)


async def kept(resources: Resources, after: str = "", source: str | None = None) -> list[str]:
    return await resources.read(
        lambda stored: [one.uuid for one in mappings_after(stored, ACCOUNT, REGION, after, source=source)]
    )


async def test_a_mapping_comes_back_as_it_was(resources: Resources) -> None:
    await put(resources, mapping("u1"))
    place = Place.of_account(ACCOUNT, REGION, "u1")
    assert await resources.read(lambda stored: stored_mapping(stored, place, NOW)) == mapping("u1")
    other = Place.of_account("210987654321", REGION, "u1")
    assert await resources.read(lambda stored: stored_mapping(stored, other, NOW)) is None


async def test_all_are_found_in_order_however_many(resources: Resources) -> None:
    names = [f"u{number:04}" for number in range(450)]
    await put(resources, *(mapping(name, "even" if int(name[1:]) % 2 == 0 else "odd") for name in names))
    assert await kept(resources) == names
    assert await kept(resources, after="u0200") == names[201:]
    assert await kept(resources, source="odd") == names[1::2]
    assert await kept(resources, after="u0200", source="odd") == names[201::2]
    assert await kept(resources, source="none") == []


async def test_what_is_gone_is_not_there_and_is_removed(resources: Resources) -> None:
    await put(resources, mapping("u1"), mapping("u2", transition=Transition.DELETING))
    place = Place.of_account(ACCOUNT, REGION, "u2")
    assert await resources.read(lambda stored: stored_mapping(stored, place, NOW)) is not None
    assert await resources.read(lambda stored: stored_mapping(stored, place, LATER)) is None

    def found(stored: Stored) -> list[str]:
        return [one.uuid for one in mappings_of_source(stored, ACCOUNT, REGION, "queue", LATER)]

    assert await resources.change(found) == ["u1"]
    assert await kept(resources) == ["u1"]


async def test_what_is_being_deleted_is_kept(resources: Resources) -> None:
    going = mapping("u1", transition=Transition.DELETING)
    await put(resources, going, replace(going, uuid="u2", changed_at_ms=NOW - TRANSITION_MS))
    everything = [going, replace(going, uuid="u2", changed_at_ms=NOW - TRANSITION_MS)]
    await resources.change(lambda stored: remove_gone(stored, everything, NOW))
    assert await kept(resources) == ["u1"]
