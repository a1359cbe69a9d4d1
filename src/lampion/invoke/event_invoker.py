"""Runs the events of the queue: each until it has succeeded, or has failed for good. Exactly one end is stored of each.

How it failed decides what follows: the function's own errors are counted and tried again after minutes; what kept the
function from running (throttles, faults of the platform) is tried until the event is too old.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from lampion.domain.arn import LATEST
from lampion.domain.errors import (
    ApiError,
    RecursiveInvocationException,
    ResourceNotFoundException,
    TooManyRequestsException,
)
from lampion.domain.event import Event, Retry, policy_of
from lampion.domain.function import Function
from lampion.domain.function_rules import check_invocable
from lampion.domain.invocation import Invocation, Outcome
from lampion.domain.invocation_record import Condition
from lampion.event_queue.queues import Queues
from lampion.invoke.event_endings import Run
from lampion.invoke.event_entries import decode_event, encode_event, ending_of
from lampion.invoke.measuring import Metrics, Series
from lampion.invoke.qualifier import Target
from lampion.store.cached_resources import CachedResources
from lampion.store.concurrency import COMMITMENTS
from lampion.store.entries import Change, Entry, NewEntry, Postponed
from lampion.store.errors import StoreClosed
from lampion.store.event_invoke_configs import EVENT_INVOKE_CONFIGS, event_invoke_config_place

_log = logging.getLogger(__name__)


class Endings(Protocol):
    """What follows from an event's end, as entries of the outbox."""

    async def deliveries(self, run: Run, condition: Condition) -> Sequence[NewEntry]: ...


class Runs(Protocol):
    """Runs functions; raises ApiError for what keeps one from running (invoke.invoker)."""

    async def find(self, target: Target) -> Function: ...

    async def invoke(
        self, target: Target, function: Function, invocation: Invocation, *, is_event: bool
    ) -> Outcome: ...


class EventInvoker:
    """Drains the queue of events."""

    def __init__(
        self,
        *,
        queues: Queues,
        invoker: Runs,
        resources: CachedResources,
        endings: Endings,
        metrics: Metrics,
    ) -> None:
        self._queues = queues
        self._invoker = invoker
        self._resources = resources
        self._endings = endings
        self._metrics = metrics

    async def run(self) -> None:
        """Until cancelled; what is running then is on disk as before, and runs again when the server does."""
        async with asyncio.TaskGroup() as attempts:
            while True:
                entry = await self._queues.events.next()
                attempts.create_task(self._attempt(entry))

    async def _attempt(self, entry: Entry) -> None:
        try:
            event = decode_event(entry)
            place = event_invoke_config_place(event.key, event.qualifier or LATEST)
            config = await self._resources.get(EVENT_INVOKE_CONFIGS, place)
            run = Run(entry, event, config)
            try:
                decision = await self._try(run)
            except ApiError as error:
                end = await self._after_refusal(run, error)
                if end is None:
                    self._try_again_later(run, error)
                    return
                decision = end
            await self._follow(run, decision)
        except StoreClosed:
            return  # the server stops: the event is on disk as before
        except Exception:  # whatever it is, the event must not be lost
            _log.exception("an event of %s can't be run", entry.queue.name)
            self._queues.events.failed(entry)

    async def _try(self, run: Run) -> "Decision":
        """Run it once. Raises what kept it from running."""
        event, policy = run.event, policy_of(run.config)
        target = Target(event.key, event.qualifier)
        function = await self._invoker.find(target)
        if not event.is_for(function):
            run.config = None  # the new function's, which is none of the event's business
            return Condition.FUNCTION_NOT_FOUND
        run.function = function
        now = self._queues.time.epoch_ms()
        if policy.is_too_old(event, now):
            return Condition.EVENT_AGE_EXCEEDED
        check_invocable(function)
        invocation = _invocation(event, run.entry.payload)
        run.outcome = await self._invoker.invoke(target, function, invocation, is_event=True)
        self._series(run).observe("AsyncEventAge", now - event.accepted_epoch_ms)
        if run.outcome.function_error is None:
            return Condition.SUCCESS
        return policy.after_function_error(event, self._queues.time.epoch_ms())

    async def _after_refusal(self, run: Run, error: ApiError) -> Condition | None:
        """How the event ends; None when better times may come for it."""
        match error:
            case ResourceNotFoundException():
                return Condition.FUNCTION_NOT_FOUND
            case RecursiveInvocationException():
                return Condition.RECURSIVE_INVOCATION
            case TooManyRequestsException() if await self._reserves_nothing(run.event):
                return Condition.ZERO_RESERVED_CONCURRENCY
        return None

    async def _reserves_nothing(self, event: Event) -> bool:
        """Whether the function may not run at all: then no event of it waits for better times."""
        key = event.key
        commitments = await self._resources.see(COMMITMENTS, key.account_id, key.region)
        return commitments.reserved.get(key.name) == 0

    def _try_again_later(self, run: Run, error: ApiError) -> None:
        if isinstance(error, TooManyRequestsException):
            self._queues.events.refused(run.entry)
        elif seconds := self._queues.events.failed(run.entry):
            _log.warning("events of %s can't be run now: %s; next try in %.0f s", run.event.key.arn, error, seconds)

    async def _follow(self, run: Run, decision: "Decision") -> None:
        entry, event = run.entry, run.event
        if isinstance(decision, Retry):
            again = Postponed(entry.sequence, decision.due_epoch_ms, encode_event(event, attempts=event.attempts + 1))
            await self._queues.settle(Change(of=entry.sequence, postponed=again))
            self._queues.events.postponed(entry, decision.due_epoch_ms)
            return
        change = Change(
            of=entry.sequence,
            put=await self._endings.deliveries(run, decision),
            ending=ending_of(entry, event, decision, self._queues.time.epoch_ms()),
        )
        if await self._queues.settle(change) and decision is not Condition.SUCCESS:
            self._series(run).count("AsyncEventsDropped")
        self._queues.events.done(entry)

    def _series(self, run: Run) -> Series:
        version = LATEST if run.function is None else run.function.version
        return self._metrics.of(run.event.key, run.event.qualifier, version)


Decision = Condition | Retry
"""What follows from a run: the event's end, or another run."""


def _invocation(event: Event, payload: bytes) -> Invocation:
    """The request id is the event's in every attempt. A client context is for synchronous invocations only."""
    return Invocation(
        request_id=event.request_id,
        invoked_arn=event.arn,
        payload=payload,
        trace_id=event.trace_id,
        times_in_chain=event.times_in_chain,
        tenant_id=event.tenant_id,
    )
