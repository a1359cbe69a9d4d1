"""A server's event side with callers, functions, a disk and destinations around it: one seed is one history.

Safety first, with faults and crashes; then liveness: the faults end, and all that was accepted must end too.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from lampion.clock.rng import SeededRng
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.concurrency import ReservedConcurrency
from lampion.domain.errors import ServiceException
from lampion.domain.event_invoke_config import Destinations, EventInvokeConfig
from lampion.domain.invocation import Invocation
from lampion.event_queue.queues import Queues
from lampion.invoke.concurrency import Concurrency
from lampion.invoke.deliverer import Deliverer
from lampion.invoke.event_acceptance import EventAcceptance
from lampion.invoke.event_endings import EventEndings
from lampion.invoke.event_entries import event_queue_of
from lampion.invoke.event_invoker import EventInvoker
from lampion.invoke.purging import Purging
from lampion.invoke.qualifier import Target
from lampion.invoke.tracing import Tracing
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.concurrency import RESERVED
from lampion.store.errors import StoreError
from lampion.store.event_invoke_configs import EVENT_INVOKE_CONFIGS
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_entries import MemoryEntries
from lampion.store.memory_resources import MemoryResources, MemoryTables
from lampion.store.resources import Stored
from lampion.telemetry.metrics import Metrics
from tests.simulation.faults import Faults, FaultyEntries, FaultyTargets
from tests.simulation.functions import Functions, Plan, Runs
from tests.simulation.loop import SimulatedClock, SimulatedLoop

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
NAMES: Final = ("one", "two", "three")
SUCCEEDED: Final = f"arn:aws:sqs:{REGION}:{ACCOUNT}:succeeded"
FAILED: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:failed"
AFTERWARDS: Final = "afterwards"
_ACCOUNT_LIMIT: Final = 8
_CALM_HOURS: Final = 24


def key(name: str) -> FunctionKey:
    return FunctionKey(ACCOUNT, REGION, name)


@dataclass(slots=True)
class Life:
    """One life of the server, from its start to its death."""

    entries: FaultyEntries
    queues: Queues
    acceptance: EventAcceptance
    runs: Runs
    tasks: list["asyncio.Task[None]"]


@dataclass(slots=True)
class History:
    """What happened, for the judgement."""

    disk: MemoryEntries
    functions: Functions
    targets: FaultyTargets
    configs: dict[str, EventInvokeConfig]
    reserved: dict[str, int]
    metrics: Metrics = field(default_factory=Metrics)
    offered: dict[str, str] = field(default_factory=dict)  # function by request id
    accepted: dict[str, int] = field(default_factory=dict)  # when, by request id
    meant_for: dict[str, str] = field(default_factory=dict)  # creation of the function, by request id
    deaths: int = 0
    clock_jumped: bool = False
    most_running: dict[str, int] = field(default_factory=dict)


class World:
    """The machine and its users."""

    def __init__(self, seed: int, loop: SimulatedLoop) -> None:
        self._chance = random.Random(seed)
        self._clock = SimulatedClock(loop)
        self._rng = SeededRng(seed)
        self._life: Life | None = None
        self._remakes = self._chance.choice((0.0, 0.0, 0.1))
        self._purges = self._chance.choice((0.0, 0.0, 0.1))
        self.faults = Faults(self._chance)
        plans = {name: self._plan() for name in NAMES} | {AFTERWARDS: self._plan(is_gone=False)}
        self.history = History(
            disk=MemoryEntries(),
            functions=Functions(plans, self._chance),
            targets=FaultyTargets(self.faults),
            configs={name: self._config(name) for name in NAMES if self._chance.random() < 0.7},
            reserved={name: self._chance.choice((0, 1, 2)) for name in NAMES if self._chance.random() < 0.3},
        )

    async def play(self) -> History:
        """A history to its end."""
        callers = asyncio.create_task(self._call())
        while self.faults.crashes > 0:
            async with self._server():
                await asyncio.sleep(self._chance.choice((0.01, 0.5, 90.0, 200.0)) * self._chance.random())
            self.faults.crashes -= 1
            self._jump()
        async with self._server() as life:  # the last one lives on when the faults end
            await callers
            self._jump()
            self.faults.calm()
            await self._until_quiet(life)
        return self.history

    # -- the server --

    @asynccontextmanager
    async def _server(self) -> AsyncIterator[Life]:
        life = await self._start()
        self._life = life
        try:
            yield life
        finally:
            self._life = None
            self.history.deaths += 1
            life.entries.die()
            for task in life.tasks:
                task.cancel()
            await life.queues.close()
            await asyncio.gather(*life.tasks, return_exceptions=True)
            for name, most in life.runs.most_running.items():
                self.history.most_running[name] = max(most, self.history.most_running.get(name, 0))

    async def _start(self) -> Life:
        history, clock = self.history, self._clock
        entries = FaultyEntries(history.disk, self.faults)
        queues = Queues(entries, clock, clock, most_events=_ACCOUNT_LIMIT)
        resources = await self._resources()
        runs = Runs(history.functions, Concurrency(_ACCOUNT_LIMIT, resources, clock), queues.time.epoch_ms)
        invoker = EventInvoker(
            queues=queues,
            invoker=runs,
            resources=resources,
            endings=EventEndings(
                functions=history.functions,
                clock=clock,
                time=queues.time,
                rng=self._rng,
                tracing=Tracing(clock=clock, rng=self._rng),
            ),
            metrics=history.metrics,
        )
        deliverer = Deliverer(queues=queues, targets=history.targets, metrics=history.metrics)
        await queues.open()
        tasks = [asyncio.create_task(invoker.run()), asyncio.create_task(deliverer.run())]
        acceptance = EventAcceptance(queues=queues, metrics=history.metrics)
        return Life(entries, queues, acceptance, runs, tasks)

    async def _resources(self) -> CachedResources:
        tables = MemoryTables()
        resources = CachedResources(MemoryResources(tables), CachedFunctions(MemoryFunctions(tables)))

        def fill(stored: Stored) -> None:
            for config in self.history.configs.values():
                stored.put(EVENT_INVOKE_CONFIGS, config)
            for name, executions in self.history.reserved.items():
                stored.put(RESERVED, ReservedConcurrency(key=key(name), executions=executions))

        await resources.change(fill)
        return resources

    def _jump(self) -> None:
        if self.faults.clock_jumps > 0:
            self.faults.clock_jumps -= 1
            self.history.clock_jumped = True
            self._clock.jump(self._chance.choice((-3600.0, 3600.0)))

    async def _until_quiet(self, life: Life) -> None:
        for _ in range(_CALM_HOURS * 6):
            await asyncio.sleep(600)
            dues = [*await life.entries.first_due("event"), *await life.entries.first_due("delivery")]
            if all(due is None for _, due in dues):
                return
        raise AssertionError(f"after {_CALM_HOURS} quiet hours there is still something to do: {dues}")

    # -- its users --

    async def _call(self) -> None:
        async with asyncio.TaskGroup() as callers:
            for _ in range(self._chance.randint(1, 25)):
                callers.create_task(self._send(self._chance.choice(NAMES)))
                if self._chance.random() < self._remakes:
                    self.history.functions.make_again(self._chance.choice(NAMES))
                if self._chance.random() < self._purges:
                    callers.create_task(self._purge(self._chance.choice(NAMES)))
                await asyncio.sleep(self._chance.choice((0.0, 0.0, 0.01, 1.0, 50.0)))

    async def _send(self, name: str) -> None:
        """As a client does: an event that isn't accepted is forgotten, and may run all the same."""
        life, request_id = self._life, self._rng.uuid4()
        function = await self.history.functions.get(key(name)) or await self.history.functions.get(key(AFTERWARDS))
        if life is None or function is None:
            return
        self.history.offered[request_id] = name
        invocation = Invocation(request_id=request_id, invoked_arn=key(name).arn, payload=b"{}", trace_id="Root=1-0")
        with contextlib.suppress(ServiceException):
            self.history.meant_for[request_id] = function.creation_id
            await life.acceptance.accept(Target(key(name), None), function, invocation)
            self.history.accepted[request_id] = life.queues.time.epoch_ms()

    async def _purge(self, name: str) -> None:
        """As whoever cleans up does, without waiting for the queue to be still."""
        life = self._life
        if life is None:
            return
        purging = Purging(queues=life.queues, contents=self.history.disk, metrics=self.history.metrics)
        latest = await self.history.disk.latest()
        with contextlib.suppress(StoreError):
            await purging.step(event_queue_of(key(name)), after=None, up_to=latest.sequence)

    # -- what the seed draws --

    def _plan(self, *, is_gone: bool | None = None) -> Plan:
        chance = self._chance
        return Plan(
            seconds=chance.choice((0.001, 1.0, 30.0)),
            fails=chance.choice((0.0, 0.3, 1.0)),
            system_errors=chance.choice((0.0, 0.0, 0.5, 1.0)) if is_gone is None else 0.0,
            is_gone=chance.random() < 0.05 if is_gone is None else is_gone,
            has_dead_letters=chance.random() < 0.5,
        )

    def _config(self, name: str) -> EventInvokeConfig:
        chance = self._chance
        afterwards = key(AFTERWARDS).arn
        return EventInvokeConfig(
            key=key(name),
            qualifier=LATEST,
            last_modified_epoch_ms=0,
            maximum_retry_attempts=chance.choice((None, 0, 1, 2)),
            maximum_event_age_seconds=chance.choice((None, 60, 150, 3600)),
            destinations=Destinations(
                on_success=chance.choice((None, SUCCEEDED, afterwards)),
                on_failure=chance.choice((None, FAILED, afterwards)),
            ),
        )
