"""Functions that do what the seed says, admitted by the real rules of concurrency."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from lampion.domain.arn import FunctionKey
from lampion.domain.errors import ResourceNotFoundException, ServiceException
from lampion.domain.function import Function
from lampion.domain.invocation import Invocation, Outcome
from lampion.invoke.concurrency import Concurrency
from lampion.invoke.qualifier import Target
from tests.unit.environments.pool_stage import function

DEAD_LETTERS = "arn:aws:sqs:us-east-1:123456789012:dead-letters"


@dataclass(slots=True, kw_only=True)
class Plan:
    """What a function does: how long it runs at most, and how probable each end is."""

    seconds: float
    fails: float
    system_errors: float
    is_gone: bool
    has_dead_letters: bool


@dataclass(slots=True)
class Started:
    """A run that began, at a steady time."""

    name: str
    request_id: str
    epoch_ms: int
    creation_id: str


class Functions:
    """What has run, over all lives of the server."""

    def __init__(self, plans: dict[str, Plan], chance: random.Random) -> None:
        self.plans = plans
        self.chance = chance
        self.started: list[Started] = []
        self.creations: Counter[str] = Counter()

    def make_again(self, name: str) -> None:
        """It is deleted, and another one made under its name."""
        self.creations[name] += 1

    async def get(self, key: FunctionKey) -> Function | None:
        plan = self.plans[key.name]
        if plan.is_gone:
            return None
        made = function(key.name)
        config = {"TargetArn": DEAD_LETTERS} if plan.has_dead_letters else None
        return replace(
            made,
            key=key,
            configuration=replace(made.configuration, dead_letter_config=config),
            creation_id=str(self.creations[key.name]),
        )


class Runs:
    """invoke.event_invoker.Runs of one life of the server."""

    def __init__(self, functions: Functions, concurrency: Concurrency, now_epoch_ms: Callable[[], int]) -> None:
        self._functions = functions
        self._concurrency = concurrency
        self._now_epoch_ms = now_epoch_ms
        self._running: Counter[str] = Counter()
        self.most_running: Counter[str] = Counter()

    async def find(self, target: Target) -> Function:
        found = await self._functions.get(target.key)
        if found is None:
            raise ResourceNotFoundException(f"Function not found: {target.key.arn}")
        return found

    async def invoke(self, target: Target, function: Function, invocation: Invocation, *, is_event: bool) -> Outcome:
        plan, chance = self._functions.plans[target.key.name], self._functions.chance
        async with self._concurrency.admit(function, is_event=is_event):
            if chance.random() < plan.system_errors:
                raise ServiceException("no sandbox")
            await self._run(function, plan, invocation)
        failed = chance.random() < plan.fails
        return Outcome(
            payload=b'{"errorMessage":"no"}' if failed else b'"yes"',
            executed_version="$LATEST",
            function_error="Unhandled" if failed else None,
        )

    async def _run(self, function: Function, plan: Plan, invocation: Invocation) -> None:
        name = function.key.name
        self._running[name] += 1
        self.most_running[name] = max(self.most_running[name], self._running[name])
        self._functions.started.append(Started(name, invocation.request_id, self._now_epoch_ms(), function.creation_id))
        try:
            await asyncio.sleep(plan.seconds * self._functions.chance.random())
        finally:
            self._running[name] -= 1
