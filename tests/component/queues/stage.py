"""Queues in memory with what looks into them, brings back and drops; functions are names with a creation."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from lampion.clock.clock import Clock
from lampion.console.queue_orders import QueueOrders
from lampion.console.queues import QueuesView
from lampion.console.view import Asked
from lampion.domain.arn import FunctionKey
from lampion.domain.delivery import Delivery, Purpose
from lampion.domain.event import Event
from lampion.domain.function import Function
from lampion.event_queue.queues import DELIVERIES, EVENTS, Queues
from lampion.invoke.event_endings import delivery_entry
from lampion.invoke.event_entries import entry_of
from lampion.invoke.purging import Purging
from lampion.invoke.redriving import Redriving
from lampion.store.entries import Change, Ending, NewEntry, QueueKey
from lampion.store.memory_entries import MemoryEntries
from lampion.store.queue_contents import SeenEntry
from lampion.telemetry.metrics import Metrics
from tests.unit.environments.pool_stage import function

ACCOUNT: Final = "111122223333"
REGION: Final = "us-east-1"
RESULTS: Final = f"arn:aws:sqs:{REGION}:{ACCOUNT}:results"


class FunctionsByName:
    """Those that there are, with their creation ids."""

    def __init__(self) -> None:
        self.creations: dict[str, str] = {}

    async def get(self, key: FunctionKey) -> Function | None:
        creation_id = self.creations.get(key.name) if key.account_id == ACCOUNT else None
        return None if creation_id is None else replace(function(key.name), key=key, creation_id=creation_id)


def event(name: str, number: int, *, creation_id: str = "first", accepted_epoch_ms: int = 1000) -> Event:
    return Event(
        key=FunctionKey(ACCOUNT, REGION, name),
        qualifier="live",
        request_id=f"request-{number}",
        trace_id="Root=1-0",
        accepted_epoch_ms=accepted_epoch_ms,
        creation_id=creation_id,
    )


class Stage:
    """See the module."""

    def __init__(self, clock: Clock) -> None:
        self.entries = MemoryEntries()
        self.functions = FunctionsByName()
        self.metrics = Metrics()
        self.queues = Queues(self.entries, clock, clock, most_events=100)
        self.redriving = Redriving(queues=self.queues, contents=self.entries, functions=self.functions)
        self.purging = Purging(queues=self.queues, contents=self.entries, metrics=self.metrics)
        orders = QueueOrders(redriving=self.redriving, purging=self.purging, contents=self.entries)
        self.view = QueuesView(queues=self.queues, contents=self.entries, functions=self.functions, orders=orders)

    async def put(self, new: NewEntry) -> int:
        sequences = await self.entries.apply(Change(put=[new]))
        assert sequences is not None
        return sequences[0]

    async def put_event(self, name: str, number: int, payload: bytes = b"{}") -> int:
        return await self.put(entry_of(event(name, number), payload))

    async def put_delivery(self, number: int) -> int:
        delivery = Delivery(
            id=f"delivery-{number}",
            purpose=Purpose.ON_FAILURE,
            destination_arn=RESULTS,
            body=b'{"version":"1.0"}',
            request_id=f"request-{number}",
            function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:hello:$LATEST",
            ended_epoch_ms=1000,
        )
        return await self.put(delivery_entry(delivery, event("hello", number), due_epoch_ms=delivery.ended_epoch_ms))

    async def fail(self, sequence: int) -> None:
        """The entry ends badly, and is kept."""
        (entry,) = [one.entry for one in await self.every_entry() if one.entry.sequence == sequence]
        request_id = msgspec.json.decode(entry.document)["request_id"]
        ending = Ending(
            sequence=sequence,
            queue=entry.queue,
            request_id=request_id,
            ended_epoch_ms=5000,
            ending="RetriesExhausted",
            document=entry.document,
            payload=entry.payload,
        )
        await self.entries.apply(Change(of=sequence, ending=ending))

    async def every_entry(self) -> list[SeenEntry]:
        queues = [*await self.entries.first_due(EVENTS), *await self.entries.first_due(DELIVERIES)]
        pages = [await self.entries.page(queue, after=None, limit=9999, payload_bytes=2**30) for queue, _ in queues]
        return [one for page in pages for one in page]

    async def get(
        self, name: str = "", query: Mapping[str, object] | None = None, *, account: str = ACCOUNT
    ) -> dict[str, Any]:
        about = quote(name, safe="")
        return await self._answer(Asked(account, REGION, "GET", about, urlencode(query or {})))

    async def post(self, name: str, order: Mapping[str, object], *, account: str = ACCOUNT) -> dict[str, Any]:
        about = quote(name, safe="")
        return await self._answer(Asked(account, REGION, "POST", about, "", msgspec.json.encode(order)))

    async def _answer(self, asked: Asked) -> dict[str, Any]:
        answer: dict[str, Any] = msgspec.json.decode(await self.view.answer(asked))
        return answer


def queue_of(name: str) -> QueueKey:
    kind = DELIVERIES if name.startswith("arn:") else EVENTS
    return QueueKey(kind, ACCOUNT, REGION, name)
