"""The event side of a server: the queues' way out, running as long as the block that starts it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lampion.app.rooms import Ports, Stores, Work
from lampion.app.targets import targets_outside
from lampion.config import Settings
from lampion.event_queue.forgetting import Forgetting
from lampion.identity.role_permissions import RolePermissions
from lampion.invoke.deliverer import Deliverer
from lampion.invoke.event_endings import EventEndings
from lampion.invoke.event_invoker import EventInvoker
from lampion.invoke.targets.function import FunctionTarget
from lampion.invoke.targets.permitted import PermittedTargets
from lampion.invoke.targets.target import Targets


@asynccontextmanager
async def running_events(settings: Settings, ports: Ports, stores: Stores, work: Work) -> AsyncIterator[None]:
    """Events run from now on, those of before first. On leaving, what runs is given up: it is on disk as before."""
    invoker = EventInvoker(
        queues=work.queues,
        invoker=work.invoker,
        resources=stores.resources,
        endings=EventEndings(
            functions=stores.functions,
            clock=ports.clock,
            time=work.queues.time,
            rng=ports.rng,
            tracing=work.tracing,
            permissions=RolePermissions(work.keys.directory, ports.clock),
        ),
        metrics=ports.metrics,
    )
    async with targets_outside(settings, ports.clock) as targets:
        permitted = PermittedTargets(
            Targets({**targets, "lambda": FunctionTarget()}),
            functions=stores.functions,
            permissions=RolePermissions(work.keys.directory, ports.clock),
        )
        deliverer = Deliverer(queues=work.queues, targets=permitted, metrics=ports.metrics)
        forgetting = Forgetting(stores.entries, ports.agenda)
        await work.queues.open()
        tasks = [asyncio.create_task(one.run()) for one in (invoker, deliverer, forgetting)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await work.queues.close()
