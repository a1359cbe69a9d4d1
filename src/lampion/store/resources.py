"""What belongs to functions and accounts beside the functions themselves: aliases, layers, policies, mappings, ...

One transaction is one function of what is stored: it reads, decides by the domain's rules, and writes, or raises and
has changed nothing. It runs in another thread, so it must touch nothing but its arguments.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import DeploymentPackage, Function

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource is kept: `id` tells it from others of its kind with the same owner.

    Pages are in bytewise order of owner and id. An owner is `function:<name>`, `layer:<name>` or the account ("").
    """

    account_id: str
    region: str
    owner: str
    id: str

    @classmethod
    def of_function(cls, key: FunctionKey, own_id: str = "") -> "Place":
        """Of something that goes when the function is deleted."""
        return cls(key.account_id, key.region, function_owner(key.name), own_id)

    @classmethod
    def of_account(cls, account_id: str, region: str, own_id: str) -> "Place":
        """Of something that no other resource owns."""
        return cls(account_id, region, "", own_id)


def function_owner(name: str) -> str:
    return f"function:{name}"


def _nothing(_: Any) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind of resource: its value's type, where a value is kept, and by what else it is looked for.

    `package` is the code that a value keeps from being collected.
    """

    name: str
    type: type[T]
    place: Callable[[T], Place]
    found_by: Callable[[T], str | None] = _nothing
    package: Callable[[T], DeploymentPackage | None] = _nothing


@dataclass(frozen=True, slots=True)
class CodeUse:
    """What an account stores in a region: its functions, and the bytes of all packages of versions and layers."""

    functions: int
    code_bytes: int


class Stored(Protocol):
    """What is stored, as one transaction sees it. Functions' rules of place and order: see store.functions."""

    def get(self, kind: Kind[T], place: Place) -> T | None: ...

    def put(self, kind: Kind[T], value: T) -> None:
        """Keep `value`, instead of what was at its place."""

    def delete(self, kind: Kind[Any], place: Place) -> bool:
        """Whether there was something to delete."""

    def page(
        self,
        kind: Kind[T],
        account_id: str,
        region: str,
        *,
        owner: str | None = None,
        after: tuple[str, str] | None = None,
        limit: int,
        descending: bool = False,
    ) -> Sequence[T]:
        """Up to `limit` resources, of one owner or of all, that come after the owner and id of `after`.

        `descending` only with an owner: then from the greatest id down.
        """

    def found(
        self, kind: Kind[T], account_id: str, region: str, *, by: str, after: tuple[str, str] | None = None, limit: int
    ) -> Sequence[T]:
        """As `page`, of those that are looked for `by` (see Kind.found_by)."""

    def function(self, key: FunctionKey, version: str = LATEST) -> Function | None: ...

    def insert_function(self, function: Function, *, published: Function | None = None) -> None:
        """Raises AlreadyExists."""

    def replace_function(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        """Raises Changed."""

    def delete_function(self, key: FunctionKey) -> bool:
        """Delete a function with its versions and all that it owns; whether there was something to delete."""

    def delete_version(self, key: FunctionKey, version: str) -> bool:
        """Delete one version, not $LATEST, with all that is kept under it; whether there was something to delete."""

    def delete_owned(self, key: FunctionKey, own_id: str) -> None:
        """Delete what the function owns under this id, of whatever kind: an alias and what is configured on it."""

    def code_use(self, account_id: str, region: str) -> CodeUse: ...

    def accounts_with(self, kind: Kind[Any]) -> Sequence[tuple[str, str]]:
        """Accounts and regions that have a resource of this kind: for what a server that starts has to go on with."""


class Resources(Protocol):
    """Runs transactions."""

    async def read(self, work: Callable[[Stored], T]) -> T:
        """What `work` finds; it writes nothing."""

    async def change(self, work: Callable[[Stored], T]) -> T:
        """What `work` returns, once what it wrote is durable. Raises what `work` raises; then nothing is written."""


def every(stored: Stored, kind: Kind[T], account_id: str, region: str, *, owner: str | None = None) -> Sequence[T]:
    """All resources of a kind, for sums over an account or a function."""
    return stored.page(kind, account_id, region, owner=owner, limit=_ALL)


_ALL = 2**62
