"""Takes event invocations in: what is accepted is on disk before the caller learns it."""

from lampion.domain.errors import ServiceException
from lampion.domain.event import Event
from lampion.domain.function import Function
from lampion.domain.invocation import Invocation
from lampion.event_queue.inbox import NotAccepted
from lampion.event_queue.queues import Queues
from lampion.invoke.event_entries import entry_of
from lampion.invoke.measuring import Metrics
from lampion.invoke.qualifier import Target


class EventAcceptance:
    """The way into the queue of events."""

    def __init__(self, *, queues: Queues, metrics: Metrics) -> None:
        self._queues = queues
        self._metrics = metrics

    async def accept(self, target: Target, function: Function, invocation: Invocation) -> None:
        """Returns when the event is durable; `function` is what would run now.

        Raises ServiceException when it isn't: the caller must send it again.
        """
        event = Event(
            key=target.key,
            qualifier=target.qualifier,
            request_id=invocation.request_id,
            trace_id=invocation.trace_id,
            times_in_chain=invocation.times_in_chain,
            accepted_epoch_ms=self._queues.time.epoch_ms(),
            creation_id=function.creation_id,
            tenant_id=invocation.tenant_id,
        )
        try:
            await self._queues.accept(entry_of(event, invocation.payload))
        except NotAccepted as error:
            raise ServiceException(f"The event was not accepted: {error}.") from error
        self._metrics.of(target.key, target.qualifier, function.version).count("AsyncEventsReceived")
