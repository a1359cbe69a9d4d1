"""What every operation on functions works with, and the shape in which each answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lampion.api.function_shape import configuration_members
from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.code.deployments import Deployments
from lampion.code.runtimes import Runtimes
from lampion.domain.function import Function
from lampion.domain.function_rules import update_in_progress
from lampion.invoke.lookup import FunctionLookup
from lampion.store.functions import Changed, Functions


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRooms:
    """The rooms behind the operations on functions."""

    functions: Functions
    lookup: FunctionLookup
    deployments: Deployments
    runtimes: Runtimes
    clock: Clock
    rng: Rng

    def now_epoch_ms(self) -> int:
        return int(self.clock.now() * 1000)

    async def commit_update(self, before: Function, changed: Function) -> None:
        """Store `changed` in place of `before` and have it settled.

        Raises ResourceConflictException when somebody else changed the function meanwhile.
        """
        try:
            await self.functions.replace(changed, expected_revision_id=before.revision_id)
        except Changed:
            raise update_in_progress(before) from None
        self.deployments.settle(before.key)

    def shape(self, function: Function, *, qualified: bool = False) -> Mapping[str, Any]:
        """The shape FunctionConfiguration."""
        arn = self.runtimes.version_arn(function)
        return configuration_members(function, runtime_version_arn=arn, qualified=qualified)
