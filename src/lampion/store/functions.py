"""Functions, by account, region and name."""

from collections.abc import Sequence
from typing import Protocol

from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function


class AlreadyExists(Exception):
    """An insert met a row of the same key."""


class Changed(Exception):
    """A replace expected another revision than the stored one, or the row is gone."""


class Functions(Protocol):
    """Every write returns only after it is durable."""

    async def get(self, key: FunctionKey) -> Function | None: ...

    async def insert(self, function: Function) -> None:
        """Raises AlreadyExists."""

    async def replace(self, function: Function, *, expected_revision_id: str) -> None:
        """Put `function` in place of the row of its key. Raises Changed."""

    async def delete(self, key: FunctionKey) -> bool:
        """Whether there was something to delete."""

    async def page(self, account_id: str, region: str, *, after: str | None, limit: int) -> Sequence[Function]:
        """Up to `limit` functions whose names sort after `after` (bytewise order)."""

    async def unsettled(self) -> Sequence[Function]:
        """Functions with work outstanding (`not is_settled`): what a restart has to continue."""

    async def packages_in_use(self) -> frozenset[str]:
        """`sha256` of every deployment package that some function refers to."""
