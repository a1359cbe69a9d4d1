"""What one may order of a queue: to bring back what failed, to drop what waits or is kept. In steps, which repeat."""

from typing import Any, Final, Literal

import msgspec

from lampion.domain.errors import ResourceNotFoundException
from lampion.invoke.purging import Purging
from lampion.invoke.redriving import Redriving
from lampion.store.entries import QueueKey
from lampion.store.queue_contents import QueueContents, Spot

_DIGITS_MOST: Final = 18


class Redrive(msgspec.Struct, tag_field="action", tag="redrive", forbid_unknown_fields=True, frozen=True):
    """Of one invocation, of one ending by its number, or of all; `next` is from the answer to the step before."""

    request_id: str | None = None
    number: int | None = None
    all: bool = False
    next: str | None = None


class Purge(msgspec.Struct, tag_field="action", tag="purge", forbid_unknown_fields=True, frozen=True):
    """Of what waits, or of what failed and is kept; `next` is from the answer to the step before."""

    what: Literal["waiting", "failed"]
    next: str | None = None


Order = Redrive | Purge


def read_order(body: bytes) -> Order:
    """Raises ValueError."""
    order: Order = msgspec.json.decode(body, type=Redrive | Purge)
    if isinstance(order, Redrive) and (order.request_id is None) + (order.number is None) + (not order.all) != 2:
        raise ValueError("redrive names one of request_id, number and all")
    return order


class QueueOrders:
    """Does what is ordered, a step at a time; an order that is repeated does nothing more."""

    def __init__(self, *, redriving: Redriving, purging: Purging, contents: QueueContents) -> None:
        self._redriving = redriving
        self._purging = purging
        self._contents = contents

    async def obey(self, queue: QueueKey, order: Order) -> dict[str, Any]:
        """How many it were, and `next` as long as there may be more."""
        if isinstance(order, Purge):
            return await (self._purge_failed if order.what == "failed" else self._purge_waiting)(queue, order.next)
        return await (self._redrive_all(queue, order.next) if order.all else self._redrive_one(queue, order))

    async def _redrive_one(self, queue: QueueKey, order: Redrive) -> dict[str, Any]:
        if order.request_id is not None:
            redriven = await self._redriving.of_request(queue, order.request_id)
            named = f"request id {order.request_id}"
        else:
            redriven = await self._redriving.of_number(queue, order.number or 0)
            named = f"number {order.number}"
        if not redriven:
            raise ResourceNotFoundException(f"Nothing that failed and is kept in {queue.name} has the {named}.")
        return {"redriven": redriven, "next": None}

    async def _redrive_all(self, queue: QueueKey, following: str | None) -> dict[str, Any]:
        """What fails meanwhile isn't part of it: else it might never end."""
        after, up_to = (0, (await self._contents.latest()).number) if following is None else _numbers(following, 2)
        step = await self._redriving.step(queue, after=after, up_to=up_to)
        return {"redriven": step.redriven, "next": None if step.after is None else f"{step.after}.{up_to}"}

    async def _purge_waiting(self, queue: QueueKey, following: str | None) -> dict[str, Any]:
        """What comes meanwhile isn't part of it."""
        if following is None:
            spot, up_to = None, (await self._contents.latest()).sequence
        else:
            due_epoch_ms, sequence, up_to = _numbers(following, 3)
            spot = Spot(due_epoch_ms, sequence)
        step = await self._purging.step(queue, after=spot, up_to=up_to)
        after = step.after
        rest = None if after is None else f"{after.due_epoch_ms}.{after.sequence}.{up_to}"
        return {"purged": step.purged, "next": rest}

    async def _purge_failed(self, queue: QueueKey, following: str | None) -> dict[str, Any]:
        (up_to,) = ((await self._contents.latest()).number,) if following is None else _numbers(following, 1)
        purged = await self._purging.kept_step(queue, up_to=up_to)
        return {"purged": purged, "next": str(up_to) if purged else None}


def read_spot(text: str) -> Spot:
    """Where a page goes on. Raises ValueError."""
    return Spot(*_numbers(text, 2))


def _numbers(text: str, count: int) -> tuple[int, ...]:
    """Raises ValueError."""
    parts = text.split(".")
    if len(parts) != count or not all(
        part.isascii() and part.isdigit() and len(part) <= _DIGITS_MOST for part in parts
    ):
        raise ValueError("Go on with what the answer before gave as next.")
    return tuple(int(part) for part in parts)
