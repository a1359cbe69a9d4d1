"""Brings back what failed: kept events run again, kept deliveries are sent again. In steps, however much it is."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from lampion.domain.arn import FunctionKey
from lampion.domain.event import Event
from lampion.domain.function import Function
from lampion.event_queue.queues import EVENTS, Queues
from lampion.invoke.qualifier import function_not_found
from lampion.store.documents import decode, encode
from lampion.store.entries import QueueKey
from lampion.store.queue_contents import KeptEnding, QueueContents

_AT_ONCE: Final = 500
_BYTES_AT_ONCE: Final = 8 * 1024 * 1024
"""Payloads that one transaction copies, beyond the first."""


class RedriveStep(NamedTuple):
    """How many were brought back, and after which number to go on: None when all were."""

    redriven: int
    after: int | None


class Functions(Protocol):
    """Knows functions."""

    async def get(self, key: FunctionKey) -> Function | None: ...


class Redriving:
    """What is brought back is kept no longer: doing it twice brings back nothing more."""

    def __init__(self, *, queues: Queues, contents: QueueContents, functions: Functions) -> None:
        self._queues = queues
        self._contents = contents
        self._functions = functions

    async def of_request(self, queue: QueueKey, request_id: str) -> int:
        """What failed of one invocation; how many it were."""
        return await self._redrive(queue, await self._contents.kept_of(queue, request_id, limit=_AT_ONCE))

    async def of_number(self, queue: QueueKey, number: int) -> int:
        """The ending with that number; 0 when there is none."""
        found = await self._contents.kept(queue, before=number + 1, limit=1, payload_bytes=0)
        return await self._redrive(queue, [one for one in found if one.number == number])

    async def step(self, queue: QueueKey, *, after: int, up_to: int) -> RedriveStep:
        """The next ones of those that failed, from after one number up to another, the earliest first."""
        found = await self._contents.kept_from(queue, after=after, limit=_AT_ONCE)
        wanted = [one for one in found if one.number <= up_to]
        some = _beginning(wanted)
        redriven = await self._redrive(queue, some)
        is_all = len(some) == len(wanted) and (len(wanted) < len(found) or len(found) < _AT_ONCE)
        return RedriveStep(redriven, None if is_all else some[-1].number)

    async def _redrive(self, queue: QueueKey, kept: Sequence[KeptEnding]) -> int:
        """Raises ResourceNotFoundException for events of a function that isn't there."""
        return await self._queues.redrive(await self._documents(queue, kept)) if kept else 0

    async def _documents(self, queue: QueueKey, kept: Sequence[KeptEnding]) -> dict[int, bytes]:
        documents = {one.number: one.ending.document or b"" for one in kept}
        if queue.kind != EVENTS:
            return documents
        key = FunctionKey(queue.account_id, queue.region, queue.name)
        function = await self._functions.get(key)
        if function is None:
            raise function_not_found(key.arn)
        now = self._queues.time.epoch_ms()
        return {
            number: encode(decode(document, Event).renewed(accepted_epoch_ms=now, creation_id=function.creation_id))
            for number, document in documents.items()
        }


def _beginning(kept: Sequence[KeptEnding]) -> Sequence[KeptEnding]:
    room_bytes = _BYTES_AT_ONCE
    for index, one in enumerate(kept):
        room_bytes -= one.payload_bytes
        if room_bytes < 0 and index:
            return kept[:index]
    return kept
