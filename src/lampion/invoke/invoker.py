"""The path of one synchronous invocation: resolve -> admit -> acquire -> run. Read it top to bottom."""

from typing import Protocol

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import ResourceNotFoundException, ServiceException
from lampion.domain.function import Function
from lampion.domain.function_rules import check_invocable
from lampion.domain.invocation import Invocation, Outcome
from lampion.domain.recursion import is_loop
from lampion.environments.pool import EnvironmentPool
from lampion.invoke.concurrency import Concurrency
from lampion.invoke.lookup import FunctionLookup
from lampion.invoke.qualifier import Target, function_not_found
from lampion.invoke.recursion import RecursionGuard
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
    ) -> None:
        self._lookup = lookup
        self._updates = updates
        self._recursion = recursion
        self._concurrency = concurrency
        self._pool = pool

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
        if is_loop(invocation.times_in_chain):
            await self._recursion.check(target.key, invocation.times_in_chain)
        if not function.is_settled:
            await self._updates.until_settled(function.key)
            function = await self.check(target)
        async with self._concurrency.admit(target.key):
            try:
                async with self._pool.acquire(function) as environment:
                    return await environment.invoke(invocation)
            except SandboxError as error:
                raise ServiceException(f"The execution environment could not be started: {error}") from error
