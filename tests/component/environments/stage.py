"""An environment over a fake driver: the stage on which the tests of this room play."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from lampion.clock.clock import Clock, SystemClock
from lampion.clock.rng import SystemRng
from lampion.domain.arn import FunctionKey
from lampion.domain.function import DeploymentPackage, Function, FunctionConfiguration, LoggingConfig, State
from lampion.domain.invocation import Invocation
from lampion.environments.environment import Environment
from lampion.environments.narrator import Narrator
from lampion.environments.teller import Teller
from lampion.function_logs.platform_facts import Instance
from lampion.function_telemetry.subscribers import Subscribers
from lampion.runtime_api.door import RuntimeApiServer
from lampion.sandbox.driver import Sandbox
from lampion.sandbox.drivers.fake import FakeDriver, FakeProcess
from lampion.sandbox.spec import Companions, Limits, SandboxSpec
from tests.component.environments.scripted_runtime import Script, echo, play

SPEC = SandboxSpec(
    sandbox_id="one",
    argv=("x",),
    environ={},
    working_directory="/",
    mounts=(),
    limits=Limits(memory_mib=128, cpu_cores=1),
)
FUNCTION = Function(
    key=FunctionKey("123456789012", "us-east-1", "fn"),
    configuration=FunctionConfiguration(role="r", timeout_seconds=3, logging=LoggingConfig("/aws/lambda/fn")),
    package=DeploymentPackage("ab", "cd", 1),
    revision_id="1",
    last_modified_epoch_ms=0,
    state=State.ACTIVE,
)


INSTANCE = Instance(
    function_name="fn",
    function_version="$LATEST",
    function_arn=FUNCTION.key.arn,
    instance_id="2027/01/15/fn[$LATEST]ab",
    memory_mib=128,
    runtime_version="python:3.12.v1",
    runtime_version_arn="arn",
)


class Lines:
    """A log stream that keeps what it gets."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.times_ms: list[int] = []
        self.closed = False

    def append(self, timestamp_ms: int, message: bytes) -> None:
        self.lines.append(message.decode())
        self.times_ms.append(timestamp_ms)

    def close(self) -> None:
        self.closed = True

    def first_words(self) -> list[str]:
        return [line.split(" ")[0] for line in self.lines]


class Stage:
    """An environment over a fake driver, and its log."""

    def __init__(
        self,
        program: Callable[[FakeProcess], Any],
        clock: Clock,
        function: Function,
        companion: Callable[[FakeProcess], Any] | None = None,
        companions: Sequence[str] = (),
    ) -> None:
        self.log = Lines()
        self.driver = FakeDriver(program, clock, companion=companion)
        programs = tuple(f"/opt/extensions/{name}" for name in companions)
        self.spec = replace(SPEC, companions=Companions(programs, {}) if companions else None)
        logging = function.configuration.logging
        self.narrator = Narrator(
            function,
            stream=self.log,
            instance=INSTANCE,
            clock=clock,
            teller=Teller(INSTANCE, Subscribers(clock), clock, is_json=logging.log_format == "JSON"),
        )
        self.environment = Environment(
            function,
            launch=lambda: self.driver.start(self.spec),
            release=release,
            runtime_server=RuntimeApiServer(clock),
            narrator=self.narrator,
            clock=clock,
            rng=SystemRng(),
        )


async def release(sandbox: Sandbox) -> None:
    """Nobody serves a gateway here."""
    if sandbox.gateway is not None:
        sandbox.gateway.close()


@asynccontextmanager
async def stage(
    script: Script | None,
    *,
    clock: Clock | None = None,
    program: Any = None,
    companion: Any = None,
    companions: Sequence[str] = (),
    **configuration: Any,
) -> AsyncIterator[Stage]:
    """`companion` plays each of the external extensions `companions`."""
    function = replace(FUNCTION, configuration=replace(FUNCTION.configuration, **configuration))
    on = Stage(program or play(script or echo), clock or SystemClock(), function, companion, companions)
    try:
        yield on
    finally:
        await on.environment.stop()
        await on.driver.close()


def invocation(
    payload: Any = None, request_id: str = "11111111-1111-4111-8111-111111111111", **more: Any
) -> Invocation:
    return Invocation(
        request_id=request_id,
        invoked_arn="arn:aws:lambda:us-east-1:123456789012:function:fn",
        payload=json.dumps(payload).encode(),
        trace_id="Root=1-0-0",
        **more,
    )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)
