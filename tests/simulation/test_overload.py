"""More requests than can be served, for long: what the line for environments makes of that, over a virtual clock."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from lampion.domain.errors import TooManyRequestsException
from tests.simulation.world import Limits, World, world

PLACES = 4
MEMORY_MIB = 128


@dataclass
class Caller:
    """Sends requests of one function, and knows how each ended and how long that took."""

    on: World
    ends: list[tuple[str, float, float]] = field(default_factory=list)  # how, since when, until when
    calls: set[asyncio.Task[None]] = field(default_factory=set)
    sent: int = 0

    def send(self) -> None:
        self.sent += 1
        call = asyncio.get_running_loop().create_task(self.call())
        self.calls.add(call)
        call.add_done_callback(self.calls.discard)

    async def call(self) -> None:
        since = self.on.clock.monotonic()
        try:
            await self.on.invoke("busy")
        except TooManyRequestsException as error:
            end = error.members["Reason"]
        else:
            end = "ran"
        self.ends.append((end, since, self.on.clock.monotonic()))

    async def call_again_and_again(self, until: float) -> None:
        while self.on.clock.monotonic() < until:
            await self.call()

    def counted(self) -> Counter[str]:
        return Counter(end for end, _, _ in self.ends)


@asynccontextmanager
async def caller_of(seed: int, invocation_seconds: float) -> AsyncIterator[Caller]:
    """Of a function whose invocations take up to so long, on a server with few places."""
    limits = Limits(concurrency=1000, environments=PLACES, memory_mib=PLACES * MEMORY_MIB)
    async with world(seed, limits) as on:
        on.environments.faults.invocation_seconds = invocation_seconds
        await on.create("busy", memory_mib=MEMORY_MIB, versions=0)
        yield Caller(on)


async def end_all(caller: Caller) -> None:
    while caller.calls:
        await caller.on.clock.advance(0.05)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("invocation_seconds", [0.02, 0.1])
async def test_three_times_too_much_is_refused_at_once_and_the_rest_is_done(
    seed: int, invocation_seconds: float
) -> None:
    """Nothing is lost; as much is done as ever; nobody waits for long, and nobody does afterwards."""
    rate = PLACES / (invocation_seconds / 2)
    async with caller_of(seed, invocation_seconds) as caller:
        step, seconds = 0.01, 20.0
        began, due = caller.on.clock.monotonic(), 0.0
        while caller.on.clock.monotonic() - began < seconds:
            due += 3 * rate * step
            while caller.sent < due:
                caller.send()
            await caller.on.clock.advance(step)
        stopped = caller.on.clock.monotonic()
        await end_all(caller)
        assert len(caller.ends) == caller.sent
        assert set(caller.counted()) == {"ran", "ConcurrentInvocationLimitExceeded"}
        in_time = [until for end, _, until in caller.ends if end == "ran" and until <= stopped]
        assert len(in_time) >= 0.9 * rate * seconds
        later = [(end, since, until) for end, since, until in caller.ends if since > began + seconds / 2]
        assert all(until - since < 0.001 for end, since, until in later if end != "ran"), "refused only after a wait"
        longest = max(until - since for end, since, until in later if end == "ran")
        assert longest <= max(1.0, 1.5 * 50 / rate)
        assert max(until for _, _, until in caller.ends) - stopped <= longest


@pytest.mark.parametrize("seed", range(3))
async def test_a_burst_is_served_as_long_as_that_is_done_in_time(seed: int) -> None:
    async with caller_of(seed, 0.02) as caller:
        for _ in range(900):
            caller.send()
        await end_all(caller)
        assert caller.counted() == {"ran": 900}


@pytest.mark.parametrize(("callers", "invocation_seconds"), [(16, 1.0), (40, 0.5), (50, 0.02)])
async def test_callers_who_wait_for_answers_are_all_served(callers: int, invocation_seconds: float) -> None:
    """More of them than environments, for half a minute."""
    async with caller_of(1, invocation_seconds) as caller:
        calls = [asyncio.create_task(caller.call_again_and_again(30.0)) for _ in range(callers)]
        while not all(call.done() for call in calls):
            await caller.on.clock.advance(0.05)
        assert set(caller.counted()) == {"ran"}
        assert caller.counted()["ran"] > callers
