"""A pool over scripted environments: the stage on which its tests play."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from lampion.clock.virtual import VirtualClock
from lampion.domain.arn import FunctionKey
from lampion.domain.function import DeploymentPackage, Function, FunctionConfiguration, LoggingConfig, State
from lampion.environments.environment import Environment
from lampion.environments.pool import EnvironmentPool, PoolSettings


class ScriptedEnvironment:
    """An environment whose start and health the test decides."""

    def __init__(self, function: Function, clock: VirtualClock, *, ahead: bool = False) -> None:
        self.function = function
        self.memory_mib = function.configuration.memory_mib
        self.used_bytes = 0
        self.is_ahead = ahead
        self.is_reusable = False
        self.idle_since = 0.0
        self.stopped = False
        self.ended: asyncio.Event | None = None
        self.finishing: asyncio.Future[object] | None = None
        self.times_frozen = 0
        self.is_frozen = False
        self.keys: Any = None
        self.is_spent = False
        self.can_freeze = True
        self.on_idle_exit: Callable[[Any], object] = lambda _: None
        self.on_launched: Callable[[Any], object] = lambda _: None
        self._clock = clock
        self._launch: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def launched(self) -> None:
        self._launch.set_result(None)

    def ready(self) -> None:
        if not self._launch.done():
            self.launched()
        self.is_reusable = True
        self.idle_since = self._clock.monotonic()
        self._gate.set_result(None)

    def break_launch(self, error: Exception) -> None:
        self._launch.set_exception(error)

    def freeze(self) -> None:
        self.times_frozen += 1
        self.is_frozen = self.can_freeze

    async def start(self) -> None:
        await self._launch
        self.on_launched(self)
        await self._gate

    async def stop(self) -> None:
        self.stopped = True
        self.is_reusable = False
        if self.ended is not None:
            await self.ended.wait()


class Stage:
    """A pool over scripted environments; `made` lists them in order of creation."""

    def __init__(self, capacity: int, *, ready: bool, memory_mib: int) -> None:
        self.clock = VirtualClock()
        self.made: list[ScriptedEnvironment] = []
        self.new_keys: Callable[[], Any] = lambda: None
        self._ready = ready
        settings = PoolSettings(capacity=capacity, memory_mib=memory_mib, idle_seconds=100, capacity_wait_seconds=10)
        self.pool = EnvironmentPool(self._make, self.clock, settings)

    def _make(self, function: Function, *, ahead: bool = False) -> Environment:
        environment = ScriptedEnvironment(function, self.clock, ahead=ahead)
        environment.keys = self.new_keys()
        self.made.append(environment)
        if self._ready:
            environment.ready()
        return cast("Environment", environment)


@asynccontextmanager
async def stage(capacity: int = 10, *, ready: bool = True, memory_mib: int = 1_000_000) -> AsyncIterator[Stage]:
    made = Stage(capacity, ready=ready, memory_mib=memory_mib)
    yield made
    await made.pool.close()
    assert all(environment.stopped for environment in made.made)


def function(name: str = "one", **changes: Any) -> Function:
    made = Function(
        key=FunctionKey("123456789012", "us-east-1", name),
        configuration=FunctionConfiguration(role="r", logging=LoggingConfig(log_group="g")),
        package=DeploymentPackage("ab", "cd", 1),
        revision_id="1",
        last_modified_epoch_ms=0,
        state=State.ACTIVE,
    )
    return replace(made, **changes)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
