"""How events are written down: whole when they failed, so that they can be run again as if they were new."""

from lampion.domain.arn import FunctionKey
from lampion.domain.event import Event
from lampion.domain.invocation_record import Condition
from lampion.invoke.event_entries import decode_event, encode_event, ending_of, entry_of
from lampion.store.documents import decode
from lampion.store.entries import Entry

EVENT = Event(
    key=FunctionKey("111122223333", "us-east-1", "orders"),
    qualifier="live",
    request_id="8e2a",
    trace_id="Root=1-0",
    times_in_chain=3,
    accepted_epoch_ms=17,
    tenant_id="t",
    attempts=2,
)


def kept() -> Entry:
    new = entry_of(EVENT, b'{"n": 1}')
    return Entry(5, new.queue, new.due_epoch_ms, new.document, new.payload)


def test_an_event_comes_back_as_it_was_and_is_due_at_once():
    assert decode_event(kept()) == EVENT
    assert kept().due_epoch_ms == 17
    assert kept().payload == b'{"n": 1}'


def test_each_function_has_a_queue_of_its_own_whatever_the_qualifier():
    assert kept().queue == ("event", "111122223333", "us-east-1", "orders")


def test_attempts_are_counted():
    assert decode(encode_event(EVENT, attempts=7), Event).attempts == 7


def test_what_failed_is_kept_whole_and_as_if_it_were_new():
    ending = ending_of(kept(), EVENT, Condition.RETRIES_EXHAUSTED, 99)
    assert (ending.sequence, ending.request_id, ending.ended_epoch_ms) == (5, "8e2a", 99)
    assert ending.payload == b'{"n": 1}'
    assert ending.document is not None
    assert decode(ending.document, Event).attempts == 0


def test_of_what_succeeded_only_its_end_is_kept():
    ending = ending_of(kept(), EVENT, Condition.SUCCESS, 99)
    assert (ending.document, ending.payload) == (None, None)
