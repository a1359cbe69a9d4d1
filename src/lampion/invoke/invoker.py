"""The path of one synchronous invocation: resolve -> admit -> acquire -> run. Read it top to bottom."""

import asyncio
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import ResourceNotFoundException, ServiceException, TooManyRequestsException
from lampion.domain.file_system import io_error
from lampion.domain.function import Function
from lampion.domain.function_rules import check_invocable
from lampion.domain.invocation import Invocation, Outcome
from lampion.domain.recursion import is_loop
from lampion.environments.asking import RuntimeGone
from lampion.environments.pool import EnvironmentPool
from lampion.environments.response_stream import ResponseStream
from lampion.invoke.concurrency import Admission, Concurrency
from lampion.invoke.lookup import FunctionLookup
from lampion.invoke.measuring import Metrics, Series
from lampion.invoke.qualifier import Target, function_not_found
from lampion.invoke.recursion import RecursionGuard, recursive_invocation
from lampion.invoke.streaming import StreamedInvocation
from lampion.sandbox.driver import SandboxError, Unstoppable

if TYPE_CHECKING:
    from lampion.environments.endings import Finished


class Updates(Protocol):
    """Knows of functions whose update is under way."""

    async def until_settled(self, key: FunctionKey) -> None: ...


class Invoker:
    """Runs functions."""

    def __init__(
        self,
        *,
        lookup: FunctionLookup,
        updates: Updates,
        recursion: RecursionGuard,
        concurrency: Concurrency,
        pool: EnvironmentPool,
        busy_poll: AbstractContextManager[None],
        metrics: Metrics,
    ) -> None:
        """`busy_poll` is open while a function runs, once for each that does."""
        self._lookup = lookup
        self._updates = updates
        self._recursion = recursion
        self._concurrency = concurrency
        self._pool = pool
        self._busy_poll = busy_poll
        self._metrics = metrics
        self._streamed: set[asyncio.Task[Outcome]] = set()

    async def check(self, target: Target) -> Function:
        """The function that an invocation of `target` would run. Raises the API's error when it can't run."""
        function = self._lookup.at_hand(target) or await self.find(target)
        check_invocable(function)
        return function

    async def find(self, target: Target) -> Function:
        """As `check`, whether it can run or not. Raises ResourceNotFoundException."""
        try:
            return await self._lookup.choose(target)
        except ResourceNotFoundException:
            raise function_not_found(target.key.qualified_arn(target.qualifier or "$LATEST")) from None

    async def invoke(
        self,
        target: Target,
        function: Function,
        invocation: Invocation,
        stream: ResponseStream | None = None,
        *,
        is_event: bool = False,
    ) -> Outcome:
        """One run of `function`, which is what `check` said of `target`, to its end.

        With `stream`, what the function streams goes there, and the outcome has no payload. `is_event`: it was accepted
        before, and isn't limited by requests in a second.

        Function errors are outcomes; raised is only what kept the function from running.
        """
        measured = self._metrics.of(target.key, target.qualifier, function.version)
        if is_loop(invocation.times_in_chain) and await self._recursion.stops(target.key, invocation.times_in_chain):
            measured.count("RecursiveInvocationsDropped")
            raise recursive_invocation()
        if not function.is_settled:
            function = await self._settled(target, function)
        try:
            async with self._concurrency.admit(function, is_event=is_event) as admission:
                outcome = await self._run(function, invocation, stream, measured, admission)
        except TooManyRequestsException:
            measured.count("Throttles")
            raise
        except SandboxError as error:
            if isinstance(error, Unstoppable) and function.configuration.file_system_configs:
                raise io_error() from error
            raise ServiceException(f"The execution environment could not be started: {error}") from error
        measured.count("Invocations")
        if outcome.function_error is not None:
            measured.count("Errors")
        return outcome

    async def invoke_streamed(self, target: Target, function: Function, invocation: Invocation) -> StreamedInvocation:
        """As `invoke`, but returns as soon as the function begins to answer, or has ended: see StreamedInvocation.

        The run goes on to its end whether or not anybody takes the answer.
        """
        if not function.is_settled:
            function = await self._settled(target, function)
        stream = ResponseStream()
        running = asyncio.get_running_loop().create_task(self._run_streamed(target, function, invocation, stream))
        self._streamed.add(running)
        running.add_done_callback(self._streamed.discard)
        if not await stream.begun():
            await asyncio.shield(running)  # it has ended, maybe with an error that kept the function from running
        return StreamedInvocation(stream, function.version, running)

    async def _settled(self, target: Target, function: Function) -> Function:
        """What the target means when the update that is under way has ended; never another function of its name."""
        await self._updates.until_settled(function.key)
        settled = await self.check(target)
        if settled.creation_id != function.creation_id:
            raise function_not_found(target.key.qualified_arn(target.qualifier or "$LATEST"))
        return settled

    async def _run(
        self,
        function: Function,
        invocation: Invocation,
        stream: ResponseStream | None,
        measured: Series,
        admission: Admission,
    ) -> Outcome:
        while True:  # until one whose runtime is still there
            async with self._pool.acquire(function, invocation.tenant_id) as environment:
                measured.begin()
                try:
                    with self._busy_poll:
                        outcome = await environment.invoke(invocation, stream)
                except RuntimeGone:
                    continue
                finally:
                    measured.end()
                if environment.finishing is None:
                    measured.observe("Duration", outcome.duration_ms)
                else:  # the answer is there, but its extensions go on
                    admission.outlasted_by = environment.finishing
                    environment.finishing.add_done_callback(partial(_measure, measured))
                return outcome

    async def _run_streamed(
        self, target: Target, function: Function, invocation: Invocation, stream: ResponseStream
    ) -> Outcome:
        try:
            return await self.invoke(target, function, invocation, stream)
        finally:
            stream.finish()


def _measure(measured: Series, finishing: "asyncio.Future[Finished]") -> None:
    """What extensions did counts, too: developer guide, "Types of metrics for Lambda functions"."""
    if not finishing.cancelled() and finishing.exception() is None:
        finished = finishing.result()
        measured.observe("Duration", finished.duration_ms)
        measured.observe("PostRuntimeExtensionsDuration", finished.extensions_ms)
