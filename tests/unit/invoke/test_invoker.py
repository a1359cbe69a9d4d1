"""Whatever becomes of an invocation, what it held is given back."""

import asyncio
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Any, cast

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.domain.errors import EFSIOException, ServiceException, TooManyRequestsException
from lampion.domain.function import Function
from lampion.domain.invocation import Invocation, Outcome
from lampion.environments.endings import Finished
from lampion.invoke.concurrency import Concurrency
from lampion.invoke.invoker import Invoker
from lampion.invoke.qualifier import Target
from lampion.sandbox.driver import SandboxError, Unstoppable
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources, MemoryTables
from lampion.telemetry.metrics import Metrics
from tests.unit.environments.pool_stage import function, settle

FUNCTION = function()
KEY = FUNCTION.key


class OneEnvironment:
    """A pool with one environment that is free, or comes, or can't be had; `events` tells what happened to it."""

    def __init__(self, *, is_free: bool, failure: Exception | None = None) -> None:
        self.events: list[str] = []
        self.is_free = is_free
        self.failure = failure
        self.comes = asyncio.Event()
        self.ends = asyncio.Event()
        self.error: Exception | None = None
        self.finishing: asyncio.Future[object] | None = None

    def acquire(self, function: object, tenant_id: str | None) -> "OneEnvironment":
        return self

    async def __aenter__(self) -> "OneEnvironment":
        if self.is_free:
            self.events.append("taken")
            return self
        if self.failure is not None:
            raise self.failure
        await self.comes.wait()
        self.events.append("came")
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.events.append("given back")

    async def invoke(self, invocation: Invocation, stream: object) -> Outcome:
        self.events.append("invoked")
        await self.ends.wait()
        if self.error is not None:
            raise self.error
        return Outcome(payload=b"1", executed_version="$LATEST")


class Stage:
    """An invoker with a concurrency of 1 over such a pool."""

    def __init__(self, pool: OneEnvironment) -> None:
        self.pool = pool
        self.metrics = Metrics()
        resources = CachedResources(MemoryResources(MemoryTables()), CachedFunctions(MemoryFunctions()))
        self.concurrency = Concurrency(1, resources, VirtualClock())
        nothing = cast("Any", None)
        self.invoker = Invoker(
            lookup=nothing,
            updates=nothing,
            recursion=nothing,
            concurrency=self.concurrency,
            pool=cast("Any", pool),
            busy_poll=nullcontext(),
            metrics=self.metrics,
        )

    def begin(self, runs: Function = FUNCTION) -> "asyncio.Task[Outcome]":
        invocation = Invocation(request_id="r", invoked_arn=KEY.arn, payload=b"{}", trace_id="Root=1-0")
        return asyncio.create_task(self.invoker.invoke(Target(KEY, None), runs, invocation))

    @property
    def running(self) -> tuple[int, int]:
        """By the limit, and by the metrics."""
        return self.concurrency.running(KEY.account_id, KEY.region), self.metrics.executions(KEY).running


@pytest.mark.parametrize("is_free", [True, False])
async def test_an_invocation_holds_what_it_needs_until_it_has_ended(*, is_free: bool) -> None:
    on = Stage(OneEnvironment(is_free=is_free))
    running = on.begin()
    await settle()
    assert on.running == (1, 1 if is_free else 0), "who waits counts, but doesn't run"
    on.pool.comes.set()
    await settle()
    assert on.running == (1, 1)
    with pytest.raises(TooManyRequestsException):
        await on.begin()
    on.pool.ends.set()
    assert (await running).payload == b"1"
    assert on.running == (0, 0)
    assert on.pool.events == ["taken" if is_free else "came", "invoked", "given back"]
    assert (await on.begin()).payload == b"1"


@pytest.mark.parametrize("failure", [SandboxError("no sandbox"), TooManyRequestsException("Rate Exceeded.")])
async def test_who_gets_no_environment_gives_none_back(failure: Exception) -> None:
    on = Stage(OneEnvironment(is_free=False, failure=failure))
    with pytest.raises((ServiceException, TooManyRequestsException)):
        await on.begin()
    assert (on.running, on.pool.events) == ((0, 0), [])


async def test_an_environment_whose_invocation_fails_is_given_back() -> None:
    on = Stage(OneEnvironment(is_free=True))
    on.pool.error = SandboxError("gone")
    on.pool.ends.set()
    with pytest.raises(ServiceException, match="gone"):
        await on.begin()
    assert (on.running, on.pool.events) == ((0, 0), ["taken", "invoked", "given back"])


@pytest.mark.parametrize(("is_free", "events"), [(True, ["taken", "invoked", "given back"]), (False, [])])
async def test_who_is_called_off_holds_nothing_any_more(*, is_free: bool, events: list[str]) -> None:
    on = Stage(OneEnvironment(is_free=is_free))
    running = on.begin()
    await settle()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert running.cancelled()
    assert (on.running, on.pool.events) == ((0, 0), events)


async def test_concurrency_is_held_while_extensions_work_on_and_what_they_took_is_measured() -> None:
    on = Stage(OneEnvironment(is_free=True))
    finishing: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    on.pool.finishing = finishing
    on.pool.ends.set()
    assert (await on.begin()).payload == b"1"
    assert on.pool.events[-1] == "given back"
    assert on.concurrency.running(KEY.account_id, KEY.region) == 1
    with pytest.raises(TooManyRequestsException):
        await on.begin()
    finishing.set_result(Finished(250.0, 200.0))
    await settle()
    assert on.concurrency.running(KEY.account_id, KEY.region) == 0
    measures = on.metrics.of(KEY, None, "$LATEST").totals.measures
    assert (measures["Duration"].total, measures["PostRuntimeExtensionsDuration"].total) == (250.0, 200.0)


WITH_FILES = replace(
    FUNCTION,
    configuration=replace(FUNCTION.configuration, file_system_configs=({"Arn": "a", "LocalMountPath": "/mnt/x"},)),
)


@pytest.mark.parametrize(
    ("runs", "failure", "answer"),
    [
        (WITH_FILES, Unstoppable("doesn't end"), EFSIOException),
        (WITH_FILES, SandboxError("no room"), ServiceException),
        (FUNCTION, Unstoppable("doesn't end"), ServiceException),
    ],
)
async def test_a_function_that_no_kill_ends_hangs_on_its_file_system(
    runs: Function, failure: Exception, answer: type[Exception]
) -> None:
    on = Stage(OneEnvironment(is_free=True))
    on.pool.error = failure
    on.pool.ends.set()
    with pytest.raises(answer):
        await on.begin(runs)
    assert on.running == (0, 0)
