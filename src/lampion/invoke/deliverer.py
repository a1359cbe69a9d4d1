"""Sends what the outbox holds to destinations and dead-letter queues, until each has it or refuses it for good."""

import asyncio
import logging
from typing import Final, Protocol

from lampion.domain.arn import LATEST, FunctionKey, parse_function_reference
from lampion.domain.delivery import Delivery, Purpose
from lampion.event_queue.queues import Queues
from lampion.invoke.event_endings import decode_delivery
from lampion.invoke.measuring import Metrics
from lampion.invoke.targets.target import TargetRefused, TargetUnavailable
from lampion.store.entries import Change, Ending, Entry
from lampion.store.errors import StoreClosed

DELIVERED_WITHIN_SECONDS: Final = 6 * 3600
"""As long as Lambda tries an event."""
UNDELIVERED: Final = "Undelivered"

_log = logging.getLogger(__name__)


class Targets(Protocol):
    """Knows how to reach what an ARN names."""

    async def deliver(self, delivery: Delivery) -> None:
        """Raises TargetUnavailable or TargetRefused. The same delivery may come again after a crash."""


class Deliverer:
    """Drains the outbox; each destination has its own queue and back-off."""

    def __init__(self, *, queues: Queues, targets: Targets, metrics: Metrics) -> None:
        self._queues = queues
        self._targets = targets
        self._metrics = metrics

    async def run(self) -> None:
        """Until cancelled; what is being sent then is sent again when the server runs again."""
        async with asyncio.TaskGroup() as sendings:
            while True:
                entry = await self._queues.deliveries.next()
                sendings.create_task(self._send(entry))

    async def _send(self, entry: Entry) -> None:
        try:
            delivery = decode_delivery(entry)
            try:
                await self._targets.deliver(delivery)
            except TargetUnavailable as problem:
                if not self._is_too_old(entry):
                    self._try_again_later(entry, problem)
                    return
                await self._give_up(entry, delivery, problem)
            except TargetRefused as problem:
                await self._give_up(entry, delivery, problem)
            else:
                await self._queues.settle(Change(of=entry.sequence))
            self._queues.deliveries.done(entry)
        except StoreClosed:
            return  # the server stops: the delivery is on disk as before
        except Exception:  # whatever it is, the delivery must not be lost
            _log.exception("a delivery to %s can't be made", entry.queue.name)
            self._queues.deliveries.failed(entry)

    def _try_again_later(self, entry: Entry, problem: TargetUnavailable) -> None:
        if seconds := self._queues.deliveries.failed(entry):
            _log.warning("%s takes no results now: %s; next try in %.0f s", entry.queue.name, problem, seconds)

    def _is_too_old(self, entry: Entry) -> bool:
        return self._queues.time.epoch_ms() - entry.due_epoch_ms > DELIVERED_WITHIN_SECONDS * 1000

    async def _give_up(self, entry: Entry, delivery: Delivery, problem: Exception) -> None:
        """Kept among what failed, from where it can be sent again."""
        _log.error("%s doesn't take the result of %s: %s", delivery.destination_arn, delivery.request_id, problem)
        ending = Ending(
            sequence=entry.sequence,
            queue=entry.queue,
            request_id=delivery.request_id,
            ended_epoch_ms=self._queues.time.epoch_ms(),
            ending=UNDELIVERED,
            document=entry.document,
            payload=entry.payload,
        )
        await self._queues.settle(Change(of=entry.sequence, ending=ending))
        count_undelivered(self._metrics, entry, delivery)


def count_undelivered(metrics: Metrics, entry: Entry, delivery: Delivery) -> None:
    """In the metrics of the function whose result it is."""
    dead_letter = delivery.purpose is Purpose.DEAD_LETTER
    function = parse_function_reference(delivery.function_arn)
    key = FunctionKey(entry.queue.account_id, entry.queue.region, function.name)
    series = metrics.of(key, function.qualifier, function.qualifier or LATEST)
    series.count("DeadLetterErrors" if dead_letter else "DestinationDeliveryFailures")
