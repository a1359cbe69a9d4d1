"""How events are written as entries of the durable queue, and read from them. Pure."""

from functools import lru_cache

import msgspec

from lampion.domain.arn import FunctionKey
from lampion.domain.event import Event
from lampion.domain.invocation_record import Condition
from lampion.event_queue.queues import EVENTS
from lampion.store.documents import decode, encode
from lampion.store.entries import Ending, Entry, NewEntry, QueueKey


@lru_cache(maxsize=4096)
def event_queue_of(key: FunctionKey) -> QueueKey:
    """Each function has a queue of its own, so that none waits for another."""
    return QueueKey(EVENTS, key.account_id, key.region, key.name)


def entry_of(event: Event, payload: bytes) -> NewEntry:
    """A new event, due at once."""
    return NewEntry(event_queue_of(event.key), event.accepted_epoch_ms, encode(event), payload)


def decode_event(entry: Entry) -> Event:
    return decode(entry.document, Event)


def encode_event(event: Event, *, attempts: int) -> bytes:
    """The event with another count of attempts."""
    return encode(msgspec.structs.replace(event, attempts=attempts))


def ending_of(entry: Entry, event: Event, condition: Condition, now_epoch_ms: int) -> Ending:
    """The terminal record; an event that failed is kept whole and as if it were new, to be run again on request."""
    failed = condition is not Condition.SUCCESS
    return Ending(
        sequence=entry.sequence,
        queue=entry.queue,
        request_id=event.request_id,
        ended_epoch_ms=now_epoch_ms,
        ending=condition,
        document=encode_event(event, attempts=0) if failed else None,
        payload=entry.payload if failed else None,
    )
