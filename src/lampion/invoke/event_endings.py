"""What follows from the end of an event: entries of the outbox for its destination and its dead-letter queue."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.clock.steady import SteadyTime
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.delivery import Delivery, dead_letter_delivery, record_delivery
from lampion.domain.event import Event
from lampion.domain.event_invoke_config import EventInvokeConfig, function_destination
from lampion.domain.function import Function
from lampion.domain.invocation_record import Condition, Ending, FunctionResponse
from lampion.domain.limits import EVENT_PAYLOAD_BYTES
from lampion.event_queue.queues import DELIVERIES
from lampion.invoke.event_entries import entry_of
from lampion.invoke.tracing import Tracing
from lampion.store.documents import decode, encode
from lampion.store.entries import Entry, NewEntry, QueueKey

if TYPE_CHECKING:
    from lampion.domain.invocation import Outcome


class Run:
    """One attempt at one event: what was known before it, and what has become of it.

    `function` is the version that was to run, `outcome` how it ran; each None as long as it didn't come to that.
    """

    __slots__ = ("config", "entry", "event", "function", "outcome")

    def __init__(self, entry: Entry, event: Event, config: EventInvokeConfig | None) -> None:
        self.entry = entry
        self.event = event
        self.config = config
        self.function: Function | None = None
        self.outcome: Outcome | None = None


class Functions(Protocol):
    """Knows functions."""

    async def get(self, key: FunctionKey) -> Function | None: ...


class EventEndings:
    """Makes the deliveries; another room sends them."""

    def __init__(self, *, functions: Functions, clock: Clock, time: SteadyTime, rng: Rng, tracing: Tracing) -> None:
        self._functions = functions
        self._clock = clock
        self._time = time
        self._rng = rng
        self._tracing = tracing

    async def deliveries(self, run: Run, condition: Condition) -> Sequence[NewEntry]:
        """To the destination for this kind of end; of a failure also to the dead-letter queue."""
        destination_arn = _destination(run.config, condition)
        target_arn = None if condition is Condition.SUCCESS else _dead_letter_target(run.function)
        if destination_arn is None and target_arn is None:
            return ()
        ending = self._ending(run, condition)
        found: list[Delivery] = []
        if destination_arn is not None:
            found.append(record_delivery(self._rng.uuid4(), destination_arn, ending, run.event.trace_id))
        if target_arn is not None:
            found.append(dead_letter_delivery(self._rng.uuid4(), target_arn, ending, run.event.trace_id))
        return [await self._entry(delivery, run.event) for delivery in found]

    async def _entry(self, delivery: Delivery, event: Event) -> NewEntry:
        """What goes to a function needs no outbox: it is the function's event in the same step that ends this one."""
        function = function_destination(delivery.destination_arn)
        if function is None or _home(function.key) != _home(event.key) or len(delivery.body) > EVENT_PAYLOAD_BYTES:
            return delivery_entry(delivery, event, due_epoch_ms=self._time.epoch_ms())
        receiver = await self._functions.get(function.key)
        trace = self._tracing.trace(delivery.trace_header, function.key, receiver)
        following = Event(
            key=function.key,
            qualifier=function.qualifier,
            request_id=delivery.id,
            trace_id=trace.header,
            times_in_chain=trace.times_in_chain,
            accepted_epoch_ms=self._time.epoch_ms(),
            creation_id="" if receiver is None else receiver.creation_id,
        )
        return entry_of(following, delivery.body)

    def _ending(self, run: Run, condition: Condition) -> Ending:
        event, outcome = run.event, run.outcome
        return Ending(
            request_id=event.request_id,
            function_arn=event.key.qualified_arn(event.qualifier or LATEST),
            condition=condition,
            invoke_count=event.attempts + (outcome is not None),
            event=run.entry.payload,
            ended_epoch_ms=int(self._clock.now() * 1000),
            response=None
            if outcome is None
            else FunctionResponse(outcome.payload, outcome.executed_version, outcome.function_error),
        )


def delivery_entry(delivery: Delivery, event: Event, *, due_epoch_ms: int) -> NewEntry:
    """Each destination has a queue of its own, so that none waits for another that is down."""
    queue = QueueKey(DELIVERIES, event.key.account_id, event.key.region, delivery.destination_arn)
    return NewEntry(queue, due_epoch_ms, encode(msgspec.structs.replace(delivery, body=b"")), delivery.body)


def decode_delivery(entry: Entry) -> Delivery:
    return msgspec.structs.replace(decode(entry.document, Delivery), body=entry.payload)


def _home(key: FunctionKey) -> tuple[str, str]:
    return key.account_id, key.region


def _destination(config: EventInvokeConfig | None, condition: Condition) -> str | None:
    if config is None:
        return None
    return config.destinations.on_success if condition is Condition.SUCCESS else config.destinations.on_failure


def _dead_letter_target(function: Function | None) -> str | None:
    config = None if function is None else function.configuration.dead_letter_config
    return (config or {}).get("TargetArn") or None
