"""What is stored, in memory, as one transaction sees it: the twin of store.sqlite.resources."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import DeploymentPackage, Function
from lampion.domain.version import LATEST_NUMBER, number_of, version_number
from lampion.store.documents import decode, encode
from lampion.store.functions import AlreadyExists, Changed, check_sealed
from lampion.store.resources import CodeUse, Kind, Place, Stored, function_owner

T = TypeVar("T")


class Row(NamedTuple):
    """A stored resource: its document, and what it is looked for by."""

    document: bytes
    found_by: str | None
    package: DeploymentPackage | None


@dataclass(slots=True)
class MemoryTables:
    """Keeps documents, not the values given, so that nobody changes what is stored by changing what they hold."""

    functions: dict[tuple[FunctionKey, int], bytes] = field(default_factory=dict)
    resources: dict[tuple[str, Place], Row] = field(default_factory=dict)

    def copy(self) -> "MemoryTables":
        return MemoryTables(dict(self.functions), dict(self.resources))


class MemoryResources:
    """See store.resources.Resources."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    async def read(self, work: Callable[[Stored], T]) -> T:
        return work(MemoryStored(self._tables.copy()))

    async def change(self, work: Callable[[Stored], T]) -> T:
        changed = self._tables.copy()
        result = work(MemoryStored(changed))
        self._tables.functions, self._tables.resources = changed.functions, changed.resources
        return result


class MemoryStored:
    """See store.resources.Stored."""

    def __init__(self, tables: MemoryTables) -> None:
        self._functions = tables.functions
        self._resources = tables.resources

    def get(self, kind: Kind[T], place: Place) -> T | None:
        row = self._resources.get((kind.name, place))
        return None if row is None else decode(row.document, kind.type)

    def put(self, kind: Kind[T], value: T) -> None:
        self._resources[kind.name, kind.place(value)] = Row(encode(value), kind.found_by(value), kind.package(value))

    def delete(self, kind: Kind[Any], place: Place) -> bool:
        return self._resources.pop((kind.name, place), None) is not None

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
        places = [one for one in self._places(kind, account_id, region) if owner is None or one.owner == owner]
        if descending:
            places.reverse()
        if after is not None:
            places = [one for one in places if _follows((one.owner, one.id), after, descending=descending)]
        return self._values(kind, places[:limit])

    def found(
        self, kind: Kind[T], account_id: str, region: str, *, by: str, after: tuple[str, str] | None = None, limit: int
    ) -> Sequence[T]:
        places = [
            one
            for one in self._places(kind, account_id, region)
            if self._resources[kind.name, one].found_by == by and (after is None or (one.owner, one.id) > after)
        ]
        return self._values(kind, places[:limit])

    def function(self, key: FunctionKey, version: str = LATEST) -> Function | None:
        number = version_number(version)
        document = None if number is None else self._functions.get((key, number))
        return None if document is None else decode(document, Function)

    def insert_function(self, function: Function, *, published: Function | None = None) -> None:
        if (function.key, number_of(function)) in self._functions:
            raise AlreadyExists(function.key.arn)
        self._put_functions(function, published)

    def replace_function(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        stored = self.function(function.key, function.version)
        if stored is None or stored.revision_id != expected_revision_id:
            raise Changed(function.key.arn)
        self._put_functions(function, published)

    def delete_function(self, key: FunctionKey) -> bool:
        self._forget_owned(key, None)
        found = [one for one in self._functions if one[0] == key]
        for one in found:
            del self._functions[one]
        return bool(found)

    def delete_version(self, key: FunctionKey, version: str) -> bool:
        number = version_number(version)
        if number is None or number == LATEST_NUMBER or self._functions.pop((key, number), None) is None:
            return False
        self.delete_owned(key, version)
        return True

    def delete_owned(self, key: FunctionKey, own_id: str) -> None:
        self._forget_owned(key, own_id)

    def code_use(self, account_id: str, region: str) -> CodeUse:
        functions = [decode(one, Function) for one in self._functions.values()]
        here = [one for one in functions if (one.key.account_id, one.key.region) == (account_id, region)]
        code_bytes = sum(one.package.size_bytes for one in here)
        for (_, place), row in self._resources.items():
            if (place.account_id, place.region) == (account_id, region) and row.package is not None:
                code_bytes += row.package.size_bytes
        return CodeUse(sum(one.version == LATEST for one in here), code_bytes)

    def accounts_with(self, kind: Kind[Any]) -> Sequence[tuple[str, str]]:
        return sorted({(place.account_id, place.region) for name, place in self._resources if name == kind.name})

    def _put_functions(self, *functions: Function | None) -> None:
        those = [one for one in functions if one is not None]
        for one in those:
            check_sealed(one)
        self._functions.update({(one.key, number_of(one)): encode(one) for one in those})

    def _forget_owned(self, key: FunctionKey, own_id: str | None) -> None:
        whose = (key.account_id, key.region, function_owner(key.name))
        for kind, place in list(self._resources):
            if (place.account_id, place.region, place.owner) == whose and own_id in (None, place.id):
                del self._resources[kind, place]

    def _places(self, kind: Kind[Any], account_id: str, region: str) -> list[Place]:
        here = [place for name, place in self._resources if name == kind.name]
        return sorted(
            (one for one in here if (one.account_id, one.region) == (account_id, region)),
            key=lambda place: (place.owner, place.id),
        )

    def _values(self, kind: Kind[T], places: Sequence[Place]) -> list[T]:
        return [decode(self._resources[kind.name, place].document, kind.type) for place in places]


def _follows(place: tuple[str, str], after: tuple[str, str], *, descending: bool) -> bool:
    return place < after if descending else place > after
