"""The states of an event source mapping, and which mappings can't be beside one another."""

from dataclasses import replace
from typing import Any

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import ResourceConflictException, ResourceInUseException
from lampion.domain.event_source_mapping import (
    TRANSITION_MS,
    EventSourceMapping,
    Transition,
    Update,
    check_single,
    deleted,
    updated,
)
from lampion.event_sources import SPECS

BEGAN = 1_700_000_000_000
SETTLED = BEGAN + TRANSITION_MS
KEY = FunctionKey("123456789012", "us-east-1", "f")
QUEUE = "arn:aws:sqs:us-east-1:123456789012:queue"


def mapping(**changes: Any) -> EventSourceMapping:
    fresh = EventSourceMapping(
        account_id="123456789012",
        region="us-east-1",
        uuid="u1",
        spec_name="sqs",
        source=QUEUE,
        function=KEY,
        qualifier=None,
        settings={"BatchSize": 10},
        is_enabled=True,
        transition=Transition.CREATING,
        changed_at_ms=BEGAN,
    )
    return replace(fresh, **changes)


@pytest.mark.parametrize("is_enabled", [True, False])
@pytest.mark.parametrize("transition", [one for one in Transition if one is not Transition.DELETING])
def test_a_change_is_shown_for_a_while_and_then_what_came_of_it(transition: Transition, is_enabled: bool) -> None:
    changing = mapping(transition=transition, is_enabled=is_enabled)
    after = "Enabled" if is_enabled else "Disabled"
    states = [changing.state(now) for now in (BEGAN, SETTLED - 1, SETTLED, SETTLED + 10**9)]
    assert states == [transition.value, transition.value, after, after]
    assert not any(changing.is_gone(now) for now in (BEGAN, SETTLED, SETTLED + 10**9))


def test_a_deletion_is_shown_for_a_while_and_then_it_is_gone() -> None:
    going = deleted(mapping(), SETTLED)
    assert (going.state(SETTLED), going.is_gone(SETTLED)) == ("Deleting", False)
    assert going.is_gone(SETTLED + TRANSITION_MS)


def test_a_clock_that_was_set_back_ends_a_change() -> None:
    assert mapping().state(BEGAN - 10**6) == "Enabled"
    assert deleted(mapping(), SETTLED).is_gone(BEGAN - 10**6)


def test_a_clock_that_was_read_just_before_a_change_does_not_end_it() -> None:
    assert mapping().state(BEGAN - 1) == "Creating"
    going = deleted(mapping(), SETTLED)
    assert (going.state(SETTLED - 1), going.is_gone(SETTLED - 1)) == ("Deleting", False)


def test_it_was_last_modified_when_its_state_changed() -> None:
    assert [mapping().last_modified_ms(now) for now in (BEGAN, BEGAN + 5, SETTLED, SETTLED + 10**6)] == [
        BEGAN,
        BEGAN,
        SETTLED,
        SETTLED,
    ]
    assert mapping().last_modified_ms(BEGAN - 10**6) == BEGAN - 10**6  # never later than now


@pytest.mark.parametrize(
    ("was", "wanted", "transition"),
    [
        (True, None, Transition.UPDATING),
        (True, True, Transition.UPDATING),
        (True, False, Transition.DISABLING),
        (False, True, Transition.ENABLING),
        (False, None, Transition.UPDATING),
    ],
)
def test_an_update_says_what_it_changes(was: bool, wanted: bool | None, transition: Transition) -> None:
    changed = updated(mapping(is_enabled=was), Update({"BatchSize": 5}, None, wanted), SETTLED)
    assert (changed.transition, changed.changed_at_ms) == (transition, SETTLED)
    assert changed.is_enabled is (was if wanted is None else wanted)
    assert changed.settings == {"BatchSize": 5}
    assert (changed.function, changed.qualifier) == (KEY, None)


def test_an_update_may_name_another_function() -> None:
    other = FunctionKey("123456789012", "us-east-1", "g")
    changed = updated(mapping(), Update({}, (other, "live")), SETTLED)
    assert changed.function_arn == "arn:aws:lambda:us-east-1:123456789012:function:g:live"


def test_what_is_changing_is_not_changed() -> None:
    with pytest.raises(ResourceInUseException) as caught:
        updated(mapping(), Update({}), SETTLED - 1)
    assert caught.value.message == "Cannot update the event source mapping because it is in use."
    with pytest.raises(ResourceInUseException) as caught:
        deleted(mapping(), SETTLED - 1)
    assert caught.value.message == "Cannot delete the event source mapping because it is in use."
    going = deleted(mapping(), SETTLED)
    with pytest.raises(ResourceInUseException):
        deleted(going, SETTLED)


TOPIC = {"Topics": ["t"]}
CLUSTER = "arn:aws:kafka:us-east-1:123456789012:cluster/c/1"
A = "An event source mapping with"
SAME = " already exists. Please update or delete the existing mapping with UUID u1"


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (mapping(), f'{A} SQS arn (" {QUEUE} ") and function (" f "){SAME}'),
        (
            mapping(qualifier="live"),
            f'{A} SQS arn (" {QUEUE} ") and function (" f:live "){SAME}',
        ),
        (
            mapping(spec_name="kinesis", source="arn:k"),
            f'The event source arn (" arn:k ") and function (" f ") provided mapping{SAME}',
        ),
        (
            mapping(spec_name="dynamodb", source="arn:d"),
            f'The event source arn (" arn:d ") and function (" f ") provided mapping{SAME}',
        ),
        (
            mapping(spec_name="msk", source=CLUSTER, settings=TOPIC),
            f'{A} event source arn ("{CLUSTER}"), function ("{KEY.arn}") and topics ("t"){SAME}',
        ),
        (
            mapping(spec_name="self-managed-kafka", source="a:1,b:2", settings=TOPIC),
            f'{A} event source ("a:1,b:2"), function ("{KEY.arn}") and topics ("t"){SAME}',
        ),
        (
            mapping(spec_name="mq", source="arn:m", settings={"Queues": ["q"]}),
            f'{A} event source arn ("arn:m"), function ("{KEY.arn}") and queues ("q"){SAME}',
        ),
        (
            mapping(spec_name="documentdb", source="arn:r"),
            f'{A} event source arn ("arn:r") and function ("{KEY.arn}"){SAME}',
        ),
    ],
    ids=lambda value: value.spec_name if isinstance(value, EventSourceMapping) else "",
)
def test_a_source_is_mapped_to_a_function_once(one: EventSourceMapping, message: str) -> None:
    with pytest.raises(ResourceConflictException) as caught:
        check_single(replace(one, uuid="u2"), [one], SPECS[one.spec_name])
    assert caught.value.message == message
    check_single(one, [one], SPECS[one.spec_name])  # not its own rival
    other = FunctionKey("123456789012", "us-east-1", "g")
    check_single(replace(one, uuid="u2", function=other), [one], SPECS[one.spec_name])
    check_single(replace(one, uuid="u2", qualifier="7"), [one], SPECS[one.spec_name])


def test_other_topics_of_a_cluster_may_be_mapped_to_the_same_function() -> None:
    one = mapping(spec_name="msk", source=CLUSTER, settings=TOPIC)
    check_single(replace(one, uuid="u2", settings={"Topics": ["other"]}), [one], SPECS["msk"])
