"""The path of one synchronous invocation: resolve -> admit -> acquire -> run. Read it top to bottom."""

from typing import Protocol

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import ResourceNotFoundException, ServiceException, TooManyRequestsException
from lampion.domain.function import Function
from lampion.domain.function_rules import check_invocable
from lampion.domain.invocation import Invocation, Outcome
from lampion.domain.recursion import is_loop
from lampion.environments.pool import EnvironmentPool
from lampion.invoke.concurrency import Concurrency
from lampion.invoke.lookup import FunctionLookup
from lampion.invoke.measuring import Metrics, Series
from lampion.invoke.qualifier import Target, function_not_found
from lampion.invoke.recursion import RecursionGuard, recursive_invocation
from lampion.sandbox.driver import SandboxError


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
        metrics: Metrics,
    ) -> None:
        self._lookup = lookup
        self._updates = updates
        self._recursion = recursion
        self._concurrency = concurrency
        self._pool = pool
        self._metrics = metrics

    async def check(self, target: Target) -> Function:
        """The function that an invocation of `target` would run. Raises the API's error when it can't run."""
        try:
            function = await self._lookup.choose(target)
        except ResourceNotFoundException:
            raise function_not_found(target.key.qualified_arn(target.qualifier or "$LATEST")) from None
        check_invocable(function)
        return function

    async def invoke(self, target: Target, function: Function, invocation: Invocation) -> Outcome:
        """One run of `function`, which is what `check` said of `target`, to its end.

        Function errors are outcomes; raised is only what kept the function from running.
        """
        measured = self._metrics.of(target.key, target.qualifier, function.version)
        if is_loop(invocation.times_in_chain) and await self._recursion.stops(target.key, invocation.times_in_chain):
            measured.count("RecursiveInvocationsDropped")
            raise recursive_invocation()
        if not function.is_settled:
            await self._updates.until_settled(function.key)
            function = await self.check(target)
        try:
            outcome = await self._run(target, function, invocation, measured)
        except TooManyRequestsException:
            measured.count("Throttles")
            raise
        except SandboxError as error:
            raise ServiceException(f"The execution environment could not be started: {error}") from error
        measured.count("Invocations")
        measured.observe("Duration", outcome.duration_ms)
        if outcome.function_error is not None:
            measured.count("Errors")
        return outcome

    async def _run(self, target: Target, function: Function, invocation: Invocation, measured: Series) -> Outcome:
        async with self._concurrency.admit(target.key), self._pool.acquire(function) as environment:
            measured.begin()
            try:
                return await environment.invoke(invocation)
            finally:
                measured.end()
