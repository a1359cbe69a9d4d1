"""The event side of a server on its real databases, with functions that only leave a trace, and time that flies."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lampion.clock.clock import SystemClock, Timer
from lampion.clock.rng import SystemRng
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.errors import ResourceNotFoundException
from lampion.domain.function import Function
from lampion.domain.invocation import Invocation, Outcome
from lampion.event_queue.queues import Queues
from lampion.invoke.deliverer import Deliverer
from lampion.invoke.event_acceptance import EventAcceptance
from lampion.invoke.event_endings import EventEndings
from lampion.invoke.event_invoker import EventInvoker
from lampion.invoke.qualifier import Target
from lampion.invoke.redriving import Redriving
from lampion.invoke.tracing import Tracing
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.sqlite.database import Database, open_database
from lampion.store.sqlite.entries import SqliteEntries
from lampion.store.sqlite.functions import SqliteFunctions
from lampion.store.sqlite.migrations import known_migrations
from lampion.store.sqlite.queue_contents import SqliteQueueContents
from lampion.store.sqlite.resources import SqliteResources
from lampion.telemetry.metrics import Metrics

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
FAILS: Final = "fails"
Trace = Callable[[str, str], object]
"""Hears of a function's name and a request id."""
_CHECKPOINT_PAGES: Final = 12
"""After so many pages the log is folded into the file: often, so that it happens within a short scenario."""


def key(name: str) -> FunctionKey:
    return FunctionKey(ACCOUNT, REGION, name)


class FlyingClock(SystemClock):
    """Begins at `epoch`, and goes so many times as fast: a minute passes in hundredths of a second."""

    def __init__(self, epoch: float, *, times: float = 2000.0) -> None:
        self._times = times
        self._began = epoch - self.monotonic()

    def now(self) -> float:
        return self._began + self.monotonic()

    def monotonic(self) -> float:
        return super().monotonic() * self._times

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / self._times)

    def call_later(self, seconds: float, action: Callable[[], object]) -> Timer:
        return super().call_later(seconds / self._times, action)


class TracedRuns:
    """invoke.event_invoker.Runs: functions that exist run, and `trace` hears of it."""

    def __init__(self, functions: CachedFunctions, trace: Trace) -> None:
        self._functions = functions
        self._trace = trace

    async def find(self, target: Target) -> Function:
        function = await self._functions.get(target.key)
        if function is None:
            raise ResourceNotFoundException(f"Function not found: {target.key.arn}")
        return function

    async def invoke(self, target: Target, function: Function, invocation: Invocation, *, is_event: bool) -> Outcome:
        self._trace(target.key.name, invocation.request_id)
        await asyncio.sleep(0)
        if target.key.name == FAILS:
            return Outcome(payload=b'{"errorMessage":"no"}', executed_version=LATEST, function_error="Unhandled")
        return Outcome(payload=b'"yes"', executed_version=LATEST)


class NoTargets:
    """Destinations outside: the scenario has none."""

    async def deliver(self, delivery: object) -> None:
        raise AssertionError(f"nobody asked for {delivery}")


@dataclass(frozen=True, slots=True)
class EventSide:
    """A server's event side, at work."""

    functions: CachedFunctions
    resources: CachedResources
    queues: Queues
    acceptance: EventAcceptance
    redriving: Redriving
    contents: SqliteQueueContents
    queues_database: Database


@asynccontextmanager
async def running_event_side(directory: Path, agenda: FlyingClock, trace: Trace) -> AsyncIterator[EventSide]:
    """On the databases in `directory`, for the duration of the block, and closed as a server closes them."""
    async with AsyncExitStack() as stack:
        store = await open_database(directory / "lampion.db")
        stack.push_async_callback(store.close)
        kept = await open_database(directory / "queues.db", migrations=known_migrations("queue_migrations"))
        stack.push_async_callback(kept.close)
        for database in (store, kept):
            await database.write(lambda one: one.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}"))
        functions = CachedFunctions(SqliteFunctions(store))
        resources = CachedResources(SqliteResources(store), functions)
        queues, metrics = Queues(SqliteEntries(kept), SystemClock(), agenda, most_events=8), Metrics()
        invoker = EventInvoker(
            queues=queues,
            invoker=TracedRuns(functions, trace),
            resources=resources,
            endings=EventEndings(
                functions=functions,
                clock=SystemClock(),
                time=queues.time,
                rng=SystemRng(),
                tracing=Tracing(clock=SystemClock(), rng=SystemRng()),
            ),
            metrics=metrics,
        )
        await queues.open()
        deliverer = Deliverer(queues=queues, targets=NoTargets(), metrics=metrics)
        tasks = [asyncio.create_task(one.run()) for one in (invoker, deliverer)]
        try:
            acceptance = EventAcceptance(queues=queues, metrics=metrics)
            contents = SqliteQueueContents(kept)
            redriving = Redriving(queues=queues, contents=contents, functions=functions)
            yield EventSide(functions, resources, queues, acceptance, redriving, contents, kept)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await queues.close()


async def until_quiet(side: EventSide, *, seconds: float = 20.0) -> None:
    """Until no entry is left. Raises TimeoutError when some never end."""
    async with asyncio.timeout(seconds):
        while not await _is_quiet(side):
            await asyncio.sleep(0.002)


async def _is_quiet(side: EventSide) -> bool:
    dues = [*await side.queues.entries.first_due("event"), *await side.queues.entries.first_due("delivery")]
    return all(due is None for _, due in dues)
