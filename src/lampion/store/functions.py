"""Functions and their published versions, by account, region, name and version. Deleting them: store.resources."""

from collections.abc import Sequence
from typing import Protocol

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import Function


class AlreadyExists(Exception):
    """An insert met a row of the same key."""


class Changed(Exception):
    """A replace expected another revision than the stored one, or the row is gone."""


def check_sealed(function: Function) -> None:
    """Whatever else goes wrong, no variable is stored in plain text. Raises ValueError."""
    before = function.before_update
    if function.configuration.environment or (before is not None and before.configuration.environment):
        raise ValueError(f"the variables of {function.key.arn} are to be encrypted before they are stored")


class Functions(Protocol):
    """Every write returns only after it is durable."""

    async def get(self, key: FunctionKey, version: str = LATEST) -> Function | None:
        """$LATEST or a version; None for what isn't there, and for a text that can't be a version."""

    async def insert(self, function: Function, *, published: Function | None = None) -> None:
        """A new function, and at once its first version. Raises AlreadyExists."""

    async def replace(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        """Put `function` in place of the row of its key and version, and add the version taken of it with that.

        Raises Changed; then neither is stored.
        """

    async def page(self, account_id: str, region: str, *, after: str | None, limit: int) -> Sequence[Function]:
        """Up to `limit` functions whose names sort after `after` (bytewise order)."""

    async def page_with_versions(
        self, account_id: str, region: str, *, after: tuple[str, int] | None, limit: int
    ) -> Sequence[Function]:
        """As `page`, with each function followed by its versions; `after` is a name and a number, 0 for $LATEST."""

    async def versions(self, key: FunctionKey, *, after: int | None, limit: int) -> Sequence[Function]:
        """Up to `limit` of $LATEST (number 0) and the function's versions whose numbers are above `after`."""

    async def unsettled(self) -> Sequence[Function]:
        """Functions and versions with work outstanding (`not is_settled`): what a restart has to continue."""

    async def unsettled_of(self, key: FunctionKey) -> Sequence[Function]:
        """The same of one function, $LATEST first."""

    async def snap_started(self) -> Sequence[Function]:
        """Versions of which a snapshot is wanted: a restart has to make it anew."""

    async def with_plain_environment(self) -> Sequence[Function]:
        """Functions and versions whose variables an older version stored in plain text."""

    async def packages_in_use(self) -> frozenset[str]:
        """Names all stored code that a function, a version or a layer refers to: blobs, and merged layers.

        Those too to which a function goes back when its update fails: see Function.code_in_use.
        """
