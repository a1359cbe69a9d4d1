"""A disk that is slow, full or lost with the power, and destinations that are down: as often as the seed says."""

import asyncio
import random
from collections.abc import Collection, Mapping, Sequence

from lampion.domain.delivery import Delivery
from lampion.invoke.targets.target import TargetRefused, TargetUnavailable
from lampion.store.entries import Change, Due, QueueKey
from lampion.store.errors import StoreClosed, StoreError
from lampion.store.memory_entries import MemoryEntries


class Faults:
    """Which faults this seed has; `calm` ends them all."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.slow_write = chance.choice((0.0, 0.0, 0.05))
        self.failed_write = chance.choice((0.0, 0.0, 0.05))
        self.failed_read = chance.choice((0.0, 0.0, 0.05))
        self.target_down = chance.choice((0.0, 0.2, 0.6))
        self.target_refuses = chance.choice((0.0, 0.0, 0.1))
        self.crashes = chance.choice((0, 0, 1, 2, 4))
        self.clock_jumps = chance.choice((0, 0, 2))

    def calm(self) -> None:
        self.slow_write = self.failed_write = self.failed_read = self.target_down = self.target_refuses = 0.0
        self.crashes = self.clock_jumps = 0

    def happens(self, probability: float) -> bool:
        return probability > 0 and self.chance.random() < probability


class FaultyEntries:
    """store.entries.Entries of one life of the server: after its death nothing that it still does reaches the disk."""

    def __init__(self, disk: MemoryEntries, faults: Faults) -> None:
        self._disk = disk
        self._faults = faults
        self._dead = False

    def die(self) -> None:
        self._dead = True

    async def apply(self, change: Change) -> Sequence[int] | None:
        await self._wait()
        if self._faults.happens(self._faults.failed_write):
            if self._faults.happens(0.3):
                await self._disk.apply(change)  # it is done, and nobody is told
            raise StoreError("the disk is full")
        done = await self._disk.apply(change)
        await self._wait()  # dying here: it is on disk, and nobody was told
        return done

    async def due(self, queue: QueueKey, now_epoch_ms: int, *, limit: int, without: Collection[int]) -> Due:
        await self._wait()
        if self._faults.happens(self._faults.failed_read):
            raise StoreError("input/output error")
        found = await self._disk.due(queue, now_epoch_ms, limit=limit, without=without)
        await self._wait()  # what was read may be old by now
        return found

    async def first_due(self, kind: str) -> Sequence[tuple[QueueKey, int | None]]:
        return await self._disk.first_due(kind)

    async def redrive(self, documents: Mapping[int, bytes], *, due_epoch_ms: int) -> Sequence[QueueKey]:
        await self._wait()
        return await self._disk.redrive(documents, due_epoch_ms=due_epoch_ms)

    async def prune(self, *, keep_done: int, failed_before_epoch_ms: int, limit: int) -> int:
        return await self._disk.prune(keep_done=keep_done, failed_before_epoch_ms=failed_before_epoch_ms, limit=limit)

    async def discard_kept(self, queue: QueueKey, *, up_to: int, limit: int) -> int:
        await self._wait()
        return await self._disk.discard_kept(queue, up_to=up_to, limit=limit)

    async def _wait(self) -> None:
        slow = self._faults.happens(self._faults.slow_write)
        await asyncio.sleep(self._faults.chance.choice((2.0, 12.0)) if slow else self._faults.chance.random() * 0.004)
        if self._dead:
            raise StoreClosed("the server is dead")


class FaultyTargets:
    """Destinations that note what they took, and take nothing when they are down."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.taken: list[Delivery] = []
        self.refused: list[Delivery] = []

    async def deliver(self, delivery: Delivery) -> None:
        await asyncio.sleep(self._faults.chance.random() * 0.1)
        if self._faults.happens(self._faults.target_down):
            raise TargetUnavailable("down")
        if self._faults.happens(self._faults.target_refuses):
            self.refused.append(delivery)
            raise TargetRefused("no such queue")
        self.taken.append(delivery)
        await asyncio.sleep(self._faults.chance.random() * 0.1)  # dying here: it has it, and nobody was told
