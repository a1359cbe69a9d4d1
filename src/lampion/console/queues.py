"""/_lampion/queues and /_lampion/queues/<name>: what the durable queues hold, and bringing back or dropping it."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, unquote

import msgspec

from lampion.console.queue_orders import QueueOrders, read_order, read_spot
from lampion.console.queue_shapes import KIND_WORDS, entry_members, kept_members, seen_members
from lampion.console.view import Asked
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import ResourceNotFoundException
from lampion.domain.function import Function
from lampion.event_queue.queues import DELIVERIES, EVENTS, Queues
from lampion.store.entries import QueueKey
from lampion.store.queue_contents import QueueContents

COUNTED_TO: Final = 10_000
"""Counts are exact up to this; one more means more."""
_QUEUES_PER_PAGE: Final = 100
_ENTRIES_PER_PAGE: Final = 100
_WHOLE_PER_PAGE: Final = 4
"""Of entries with their whole payload, which may be some megabytes."""
_START_BYTES: Final = 256
_WHOLE_BYTES: Final = 2**30
_DIGITS_MOST: Final = 18


class Functions(Protocol):
    """Knows functions."""

    async def get(self, key: FunctionKey) -> Function | None: ...


class QueuesView:
    """What `lampion queue` shows and orders. A name that is an ARN is a destination's queue, others are functions'."""

    path = re.compile(r"/_lampion/queues(?:/([^/]{1,3000}))?")
    methods: Mapping[str, int] = MappingProxyType({"GET": 0, "POST": 4096})

    def __init__(self, *, queues: Queues, contents: QueueContents, functions: Functions, orders: QueueOrders) -> None:
        self._queues = queues
        self._contents = contents
        self._functions = functions
        self._orders = orders

    async def answer(self, asked: Asked) -> bytes:
        """Raises ValueError for what can't be meant, ResourceNotFoundException for a name that nothing has."""
        query = dict(parse_qsl(asked.query))
        if not asked.about:
            if asked.method != "GET":
                raise ValueError("Name the queue.")
            return msgspec.json.encode(await self._list(asked, query.get("after")))
        queue = await self._queue(asked)
        if asked.method == "GET":
            return msgspec.json.encode(await self._look_into(queue, query))
        return msgspec.json.encode(await self._orders.obey(queue, read_order(asked.body)))

    async def _list(self, asked: Asked, after: str | None) -> dict[str, Any]:
        """Queues that hold something: those of events, then those of deliveries."""
        kind, _, name = (after or f"{EVENTS}:").partition(":")
        if kind not in KIND_WORDS:
            raise ValueError("Go on with what the answer before gave as next.")
        found = await self._contents.holding(
            kind, asked.account_id, asked.region, after=name or None, limit=_QUEUES_PER_PAGE
        )
        following = None
        if len(found) == _QUEUES_PER_PAGE:
            following = f"{kind}:{found[-1].name}"
        elif kind == EVENTS:
            following = f"{DELIVERIES}:"
        now = self._queues.time.epoch_ms()
        told = [await self._summary(queue, now) for queue in found]
        return {"queues": told, "counted_to": COUNTED_TO, "now_epoch_ms": now, "next": following}

    async def _summary(self, queue: QueueKey, now_epoch_ms: int) -> dict[str, Any]:
        """An entry that runs is on disk, too; it doesn't count as due."""
        depth = await self._contents.depth(queue, now_epoch_ms, most=COUNTED_TO + 1)
        running = self._queues.of_kind(queue.kind).running(queue)
        first = await self._contents.page(queue, after=None, limit=1, payload_bytes=0)
        return {
            "kind": KIND_WORDS[queue.kind],
            "name": queue.name,
            "running": running,
            "due": depth.due if depth.due > COUNTED_TO else max(0, depth.due - running),
            "later": depth.later,
            "failed": depth.kept,
            "first": entry_members(first[0].entry) if first else None,
        }

    async def _look_into(self, queue: QueueKey, query: Mapping[str, str]) -> dict[str, Any]:
        is_whole = query.get("payload") == "whole"
        most = _WHOLE_PER_PAGE if is_whole else _ENTRIES_PER_PAGE
        limit = min(_number(query, "limit", most), most)
        payload_bytes = _WHOLE_BYTES if is_whole else _START_BYTES
        now = self._queues.time.epoch_ms()
        if query.get("show", "waiting") == "failed":
            before = _number(query, "after", 0) or None
            kept = await self._contents.kept(queue, before=before, limit=limit, payload_bytes=payload_bytes)
            number = str(kept[-1].number) if len(kept) == limit else None
            return {"failed": [kept_members(one) for one in kept], "now_epoch_ms": now, "next": number}
        spot = read_spot(query["after"]) if "after" in query else None
        found = await self._contents.page(queue, after=spot, limit=limit, payload_bytes=payload_bytes)
        last = found[-1].entry if len(found) == limit else None
        following = last and f"{last.due_epoch_ms}.{last.sequence}"
        return {"waiting": [seen_members(one) for one in found], "now_epoch_ms": now, "next": following}

    async def _queue(self, asked: Asked) -> QueueKey:
        name = unquote(asked.about)
        if name.startswith("arn:"):
            queue = QueueKey(DELIVERIES, asked.account_id, asked.region, name)
            if not await self._contents.is_known(queue):
                raise ResourceNotFoundException(
                    f"Nothing was ever to be delivered to {name}. (Events are found by their function's name.)"
                )
            return queue
        queue = QueueKey(EVENTS, asked.account_id, asked.region, name)
        key = FunctionKey(asked.account_id, asked.region, name)
        if not await self._contents.is_known(queue) and await self._functions.get(key) is None:
            raise ResourceNotFoundException(f"Function not found: {key.arn}")
        return queue


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    """A whole number above 0. Raises ValueError."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and int(text[:_DIGITS_MOST]) and len(text) <= _DIGITS_MOST):
        raise ValueError(f"{name} is a number above 0")
    return int(text)
