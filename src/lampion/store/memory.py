"""The store's twin in memory: same contract, nothing survives. For tests and simulation."""

from collections.abc import Sequence

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import Function
from lampion.domain.snap_start import is_snap_started
from lampion.domain.version import number_of
from lampion.store.access_keys import AccessKey
from lampion.store.documents import decode
from lampion.store.functions import AlreadyExists
from lampion.store.memory_resources import MemoryStored, MemoryTables


class MemoryFunctions:
    """See store.functions.Functions; `tables` are those that MemoryResources may share."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self.tables = tables or MemoryTables()

    async def get(self, key: FunctionKey, version: str = LATEST) -> Function | None:
        return MemoryStored(self.tables).function(key, version)

    async def insert(self, function: Function, *, published: Function | None = None) -> None:
        MemoryStored(self.tables).insert_function(function, published=published)

    async def replace(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        stored = MemoryStored(self.tables)
        stored.replace_function(function, expected_revision_id=expected_revision_id, published=published)

    async def page(self, account_id: str, region: str, *, after: str | None, limit: int) -> Sequence[Function]:
        found = self._sorted(account_id, region)
        return [one for one in found if one.version == LATEST and (after is None or one.key.name > after)][:limit]

    async def page_with_versions(
        self, account_id: str, region: str, *, after: tuple[str, int] | None, limit: int
    ) -> Sequence[Function]:
        found = self._sorted(account_id, region)
        return [one for one in found if after is None or (one.key.name, number_of(one)) > after][:limit]

    async def versions(self, key: FunctionKey, *, after: int | None, limit: int) -> Sequence[Function]:
        found = [one for one in self._sorted(key.account_id, key.region) if one.key == key]
        return [one for one in found if after is None or number_of(one) > after][:limit]

    async def unsettled(self) -> Sequence[Function]:
        return [function for function in self._all() if not function.is_settled]

    async def unsettled_of(self, key: FunctionKey) -> Sequence[Function]:
        return [function for function in self._all() if function.key == key and not function.is_settled]

    async def snap_started(self) -> Sequence[Function]:
        return [function for function in self._all() if is_snap_started(function)]

    async def with_plain_environment(self) -> Sequence[Function]:
        return [function for function in self._all() if _is_plain(function)]

    async def packages_in_use(self) -> frozenset[str]:
        layers = (row.package.sha256 for row in self.tables.resources.values() if row.package is not None)
        return frozenset(layers).union(*(function.code_in_use for function in self._all()))

    def _sorted(self, account_id: str, region: str) -> list[Function]:
        return [one for one in self._all() if (one.key.account_id, one.key.region) == (account_id, region)]

    def _all(self) -> list[Function]:
        return sorted((decode(one, Function) for one in self.tables.functions.values()), key=_place)


def _place(function: Function) -> tuple[str, str, str, int]:
    key = function.key
    return key.account_id, key.region, key.name, number_of(function)


def _is_plain(function: Function) -> bool:
    before = function.before_update
    return bool(function.configuration.environment or (before and before.configuration.environment))


class MemoryAccessKeys:
    """Access keys in a dictionary."""

    def __init__(self) -> None:
        self._keys: dict[str, AccessKey] = {}

    async def get(self, access_key_id: str) -> AccessKey | None:
        return self._keys.get(access_key_id)

    async def root(self, account_id: str) -> AccessKey | None:
        roots = (key for key in self._keys.values() if key.is_root and key.account_id == account_id)
        return next(roots, None)

    async def insert(self, key: AccessKey) -> None:
        has_root = key.is_root and await self.root(key.account_id) is not None
        if key.access_key_id in self._keys or has_root:
            raise AlreadyExists(key.access_key_id)
        self._keys[key.access_key_id] = key
