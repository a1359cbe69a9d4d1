"""Environments without sandboxes: their times and faults are drawn from a seed, and they notice when misused."""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, cast

from lampion.clock.clock import Clock
from lampion.domain.function import Function
from lampion.domain.invocation import Invocation, Outcome
from lampion.environments.environment import Environment
from lampion.environments.renewals import RENEWED_BEFORE_SECONDS
from lampion.sandbox.driver import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Faults:
    """How probable each is; a simulation changes them as it runs. Seconds are the longest that something takes."""

    no_sandbox: float = 0.0
    init_fails: float = 0.0
    dies_of_an_invocation: float = 0.0
    launch_seconds: float = 0.05
    init_seconds: float = 0.5
    invocation_seconds: float = 2.0
    stop_seconds: float = 0.1
    key_seconds: float = 40.0


@dataclass
class Keys:
    """As environments.lent_keys.LentKeys, for a pool; it replaces who has them some time before their end."""

    end_epoch_seconds: float

    async def count(self) -> bool:
        return True


class FakeEnvironment:
    """As lampion.environments.environment.Environment, for a pool."""

    def __init__(self, function: Function, clock: Clock, rng: Random, faults: Faults, *, ahead: bool) -> None:
        self.function = function
        self.memory_mib = function.configuration.memory_mib
        self.used_bytes = 0
        self.idle_since = 0.0
        self.courtesy = None
        self.finishing = None
        self.is_well = False
        self.is_ahead = ahead
        self.tenants: set[str | None] = set()
        self.invocation: Invocation | None = None
        self.is_initialised = False
        self.is_stopping = False
        self.is_gone = False
        self.is_frozen = False
        self.keys: Keys | None = None
        self.is_spent = False
        self.on_idle_exit: Callable[[Any], object] = lambda _: None
        self.on_launched: Callable[[Any], object] = lambda _: None
        self._clock = clock
        self._rng = rng
        self._faults = faults

    @property
    def is_reusable(self) -> bool:
        return self.is_well and not self.is_spent

    @property
    def is_idle(self) -> bool:
        return self.is_reusable and self.invocation is None

    @property
    def claims_mib(self) -> int:
        """Memory that it may be using now."""
        if self.is_gone:
            return 0
        return -(-self.used_bytes // 2**20) if self.is_frozen and self.used_bytes else self.memory_mib

    async def start(self) -> None:
        assert not self.is_initialised
        await self._clock.sleep(self._rng.uniform(0.001, self._faults.launch_seconds))
        if self._rng.random() < self._faults.no_sandbox:
            raise SandboxError("no sandbox today")
        self.keys = Keys(self._clock.now() + RENEWED_BEFORE_SECONDS + self._faults.key_seconds)
        self.on_launched(self)
        await self._clock.sleep(self._rng.uniform(0.001, self._faults.init_seconds))
        self.is_initialised = True
        self.used_bytes = self._rng.randint(1, self.memory_mib) * 2**20
        self.idle_since = self._clock.monotonic()
        self.is_well = self._rng.random() >= self._faults.init_fails

    async def invoke(self, invocation: Invocation, stream: object = None) -> Outcome:
        """One that failed its Init fails the invocation, and isn't reusable afterwards."""
        assert self.invocation is None, "two invocations at once"
        assert not self.is_stopping, "an environment that ends is used"
        assert not self.is_spent, "one is used whose keys are about to end"
        self.tenants.add(invocation.tenant_id)
        assert len(self.tenants) == 1, "shared by tenants"
        self.invocation, self.is_frozen = invocation, False
        try:
            await self._clock.sleep(self._rng.uniform(0.001, self._faults.invocation_seconds))
        finally:
            self.invocation = None
            self.idle_since = self._clock.monotonic()
            self.used_bytes = self._rng.randint(self.used_bytes // 2**20, self.memory_mib) * 2**20
            if self._rng.random() < self._faults.dies_of_an_invocation:
                self.is_well = False
        return Outcome(payload=b"null", executed_version=self.function.version)

    def freeze(self) -> None:
        assert self.invocation is None, "frozen at work"
        self.is_frozen = True

    def exit_idle(self) -> None:
        """Its process ends while it has no work."""
        self.is_well = False
        self.on_idle_exit(self)

    async def stop(self) -> None:
        assert not self.is_gone
        self.is_stopping, self.is_well = True, False
        await self._clock.sleep(self._rng.uniform(0.001, self._faults.stop_seconds))
        self.is_gone = True


class FakeEnvironments:
    """Makes them (environments.pool.EnvironmentFactory), and knows all that were made."""

    def __init__(self, clock: Clock, rng: Random, faults: Faults) -> None:
        self.made: list[FakeEnvironment] = []
        self.faults = faults
        self._clock = clock
        self._rng = rng

    def __call__(self, function: Function, *, ahead: bool = False) -> Environment:
        one = FakeEnvironment(function, self._clock, self._rng, self.faults, ahead=ahead)
        self.made.append(one)
        return cast("Environment", one)

    @property
    def live(self) -> list[FakeEnvironment]:
        self.made = [one for one in self.made if not one.is_gone]
        return self.made


async def settle() -> None:
    """Let everything run that can without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)
