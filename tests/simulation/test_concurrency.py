"""Concurrency, the pool and provisioned concurrency together, under changes and faults drawn from seeds.

LAMPION_TEST_SEEDS says how many seeds are run, LAMPION_TEST_SEED which one alone.
"""

import asyncio
import os
from collections import Counter
from typing import Final

import pytest

from lampion.domain.errors import ApiError, ResourceNotFoundException, ServiceException, TooManyRequestsException
from lampion.domain.provisioned_concurrency import Status
from tests.simulation.invariants import Invariants
from tests.simulation.world import Limits, World, world

SEEDS: Final = int(os.environ.get("LAMPION_TEST_SEEDS", "60"))
ONLY: Final = os.environ.get("LAMPION_TEST_SEED")
STEPS: Final = 120
NAMES: Final = ("a", "b", "c")
VERSIONS: Final = 3
TENANTS: Final = ("blue", "green", "red")
LONGEST_WAIT_SECONDS: Final = 200.0


class Run:
    """One simulation: chooses what happens next, and checks what must hold after each step."""

    def __init__(self, on: World) -> None:
        self.on = on
        self.rng = on.rng
        self.invariants = Invariants(on)
        self.reserved: dict[str, int] = {}
        self.provisioned: dict[tuple[str, str], int] = {}
        self.aliases: dict[str, str] = {}
        self.calls: dict[asyncio.Task[str], None] = {}
        self.outcomes: Counter[str] = Counter()

    async def prepare(self) -> None:
        for name in NAMES:
            await self.on.create(name, memory_mib=self.rng.choice([128, 300, 1024]), versions=VERSIONS)
            await self.point(name, "1")
        await self.on.create("tenants", memory_mib=128, versions=1, tenants=True)

    async def step(self) -> None:
        actions = [self.invoke] * 12 + [self.burst, self.give_up, self.exit_idle, self.update, self.recreate]
        actions += [self.reserve] * 2 + [self.provision] * 2 + [self.move] * 2 + [self.new_faults]
        await self.rng.choice(actions)()
        await self.pass_time(self.rng.choice([0.0, 0.01, 0.1, 0.5, 2.0]))

    async def pass_time(self, seconds: float) -> None:
        """In pieces, and looking after each."""
        for _ in range(4):
            await self.on.clock.advance(seconds / 4)
            self.invariants.check()
        await self.invariants.check_allocations()

    # -- what happens --

    async def invoke(self) -> None:
        if self.rng.random() < 0.25:
            self._call("tenants", None, self.rng.choice(TENANTS))
        else:
            self._call(self.rng.choice(NAMES), self.rng.choice([None, "live", "1", "2"]), None)

    async def burst(self) -> None:
        name, qualifier = self.rng.choice(NAMES), self.rng.choice([None, "live"])
        for _ in range(self.rng.randint(2, 25)):
            self._call(name, qualifier, None)

    async def give_up(self) -> None:
        for call in list(self.calls):
            if self.rng.random() < 0.3:
                call.cancel()

    async def exit_idle(self) -> None:
        idle = [one for one in self.on.environments.live if one.is_idle]
        if idle:
            self.rng.choice(idle).exit_idle()

    async def update(self) -> None:
        await self.on.update(self.rng.choice(NAMES))

    async def recreate(self) -> None:
        name = self.rng.choice(NAMES)
        await self.on.delete(name)
        self.reserved.pop(name, None)
        self.provisioned = {place: n for place, n in self.provisioned.items() if place[0] != name}
        self._configured()
        await self.on.create(name, memory_mib=self.rng.choice([128, 512]), versions=VERSIONS)
        await self.point(name, "1")

    async def reserve(self) -> None:
        name = self.rng.choice(NAMES)
        least = sum(n for place, n in self.provisioned.items() if place[0] == name)
        most = self.on.limits.concurrency - self._held(name) - 1
        if self.rng.random() < 0.3 or least > most:
            self.reserved.pop(name, None)
            await self.on.reserve(name, None)
        else:
            self.reserved[name] = self.rng.choice([least, self.rng.randint(least, most)])
            await self.on.reserve(name, self.reserved[name])
        self._configured()

    async def provision(self) -> None:
        name, qualifier = self.rng.choice(NAMES), self.rng.choice(["live", "3"])
        if self.rng.random() < 0.3:
            self.provisioned.pop((name, qualifier), None)
            await self.on.provision(name, qualifier, None)
        else:
            others = sum(n for place, n in self.provisioned.items() if place[0] == name and place[1] != qualifier)
            left = self.reserved.get(name, self.on.limits.concurrency - self._held(name) - 1) - others
            if left < 1 or (qualifier == "3" and self.aliases[name] == "3"):
                return
            self.provisioned[name, qualifier] = self.rng.randint(1, min(left, 6))
            await self.on.provision(name, qualifier, self.provisioned[name, qualifier])
        self._configured()

    async def move(self) -> None:
        name = self.rng.choice(NAMES)
        await self.point(name, self.rng.choice(["1", "2"]))
        self._configured()

    async def new_faults(self) -> None:
        faults = self.on.environments.faults
        faults.no_sandbox = self.rng.choice([0.0, 0.0, 0.3])
        faults.init_fails = self.rng.choice([0.0, 0.0, 0.4])
        faults.dies_of_an_invocation = self.rng.choice([0.0, 0.1, 0.6])
        faults.invocation_seconds = self.rng.choice([0.01, 0.5, 4.0, 15.0])
        faults.stop_seconds = self.rng.choice([0.01, 1.0])

    async def point(self, name: str, version: str) -> None:
        self.aliases[name] = version
        await self.on.point(name, "live", version)

    # -- the end --

    async def calm_down(self) -> None:
        """No more faults, no more changes: whoever waits is served or refused, and what is wanted is there."""
        faults = self.on.environments.faults
        faults.no_sandbox = faults.init_fails = faults.dies_of_an_invocation = 0.0
        for _ in range(int(LONGEST_WAIT_SECONDS)):
            if not self.calls:
                break
            await self.pass_time(1.0)
        assert not self.calls, f"after {LONGEST_WAIT_SECONDS:g} s somebody still waits: {self.on.pool!r}"
        await self.pass_time(310.0)  # the longest pause after failures
        await self.pass_time(10.0)
        self.invariants.check_rest()
        await self._check_provisioned()

    async def _check_provisioned(self) -> None:
        found = await self.on.allocations()
        assert set(found) == set(self.provisioned)
        for place, (said, version, wanted) in found.items():
            assert wanted == self.provisioned[place]
            if said.status is Status.READY:
                assert (said.allocated, said.available) == (wanted, wanted), place
                assert self.on.ready_ahead(place[0], version) == wanted, place
            else:
                assert said.reason is not None, f"{place} {said} {self.on.pool}"
                assert "no room" in said.reason

    def _call(self, name: str, qualifier: str | None, tenant_id: str | None) -> None:
        call = asyncio.get_running_loop().create_task(self._invoke(name, qualifier, tenant_id))
        self.calls[call] = None
        call.add_done_callback(self._done)

    async def _invoke(self, name: str, qualifier: str | None, tenant_id: str | None) -> str:
        may_run = {self.aliases.get(name)}
        try:
            outcome = await self.on.invoke(name, qualifier, tenant_id)
        except (TooManyRequestsException, ServiceException, ResourceNotFoundException) as error:
            return error.members.get("Reason", error.code)
        may_run = may_run | {self.aliases.get(name)} if qualifier == "live" else {qualifier or "$LATEST"}
        assert outcome.executed_version in may_run
        return "ran"

    def _done(self, call: "asyncio.Task[str]") -> None:
        del self.calls[call]
        if not call.cancelled():
            error = call.exception()
            assert error is None or isinstance(error, ApiError), error
            self.outcomes[call.result()] += 1

    def _held(self, but: str) -> int:
        """What functions but one hold of the limit."""
        names = {*self.reserved, *(place[0] for place in self.provisioned)} - {but}
        return sum(
            self.reserved.get(name, sum(n for place, n in self.provisioned.items() if place[0] == name))
            for name in names
        )

    def _configured(self) -> None:
        versions = Counter[tuple[str, str]]()
        for (name, qualifier), executions in self.provisioned.items():
            versions[name, self.aliases[name] if qualifier == "live" else qualifier] += executions
        self.invariants.configured(dict(self.reserved), dict(versions))


async def simulate(seed: int) -> Counter[str]:
    small = seed % 3
    limits = Limits(
        concurrency=[12, 30, 60][small],
        environments=[4, 12, 100][small],
        memory_mib=[1500, 4000, 12_000][(seed // 3) % 3],
    )
    async with world(seed, limits) as on:
        run = Run(on)
        await run.prepare()
        for _ in range(STEPS):
            await run.step()
        await run.calm_down()
        return run.outcomes


@pytest.mark.parametrize("seed", [int(ONLY)] if ONLY else range(SEEDS))
async def test_limits_hold_and_nobody_waits_for_ever(seed: int) -> None:
    try:
        outcomes = await simulate(seed)
    except BaseException as error:
        error.add_note(f"again: LAMPION_TEST_SEED={seed} python -m pytest tests/simulation/test_concurrency.py")
        raise
    assert outcomes["ran"] > 0


async def test_a_seed_is_the_whole_story() -> None:
    assert await simulate(7) == await simulate(7)
