"""The way to the disk goes on whatever happens to one batch on it."""

import asyncio

import pytest

from lampion.event_queue.inbox import Inbox, NotAccepted
from lampion.store.entries import NewEntry, QueueKey
from lampion.store.memory_entries import MemoryEntries
from tests.simulation.loop import SimulatedClock, SimulatedLoop, simulate

ENTRY = NewEntry(QueueKey("event", "111122223333", "us-east-1", "orders"), 0, b"{}", b"{}")


def test_a_fault_of_ours_with_one_batch_keeps_nobody_waiting():
    async def play(loop: SimulatedLoop) -> None:
        told: list[int] = []

        def written(new: object, sequences: object) -> None:
            told.append(len(told))
            if len(told) == 1:
                raise RuntimeError("a bug")

        inbox = Inbox(MemoryEntries(), SimulatedClock(loop), written=written, doubtful=lambda _: None)
        with pytest.raises(NotAccepted, match="internal error"):
            await inbox.put(ENTRY)
        async with asyncio.timeout(1):
            await inbox.put(ENTRY)
        assert told == [0, 1]

    simulate(1, play)
