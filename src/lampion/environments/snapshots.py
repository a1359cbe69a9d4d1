"""Snapshots of initialized environments, for versions with SnapStart."""

from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function, Reason
from lampion.domain.snap_start import OptimizationStatus


class NoSnapshots:
    """For drivers that can't take one: every environment does a full Init, and SnapStart's status says so."""

    async def prepare(self, function: Function) -> Reason | None:
        return None

    def discard(self, key: FunctionKey, version: str | None) -> None:
        pass

    def optimization_status(self, function: Function) -> OptimizationStatus:
        return OptimizationStatus.OFF
