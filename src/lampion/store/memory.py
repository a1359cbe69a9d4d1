"""The store's twin in memory: same contract, nothing survives. For tests and simulation."""

from collections.abc import Sequence

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import Function
from lampion.domain.snap_start import is_snap_started
from lampion.domain.version import LATEST_NUMBER, number_of, version_number
from lampion.store.access_keys import AccessKey
from lampion.store.documents import decode_function, encode_function
from lampion.store.functions import AlreadyExists, Changed


class MemoryFunctions:
    """Keeps documents, not the values given, so that nobody changes what is stored by changing what they hold."""

    def __init__(self) -> None:
        self._documents: dict[tuple[FunctionKey, int], bytes] = {}

    async def get(self, key: FunctionKey, version: str = LATEST) -> Function | None:
        number = version_number(version)
        return None if number is None else self._stored(key, number)

    async def insert(self, function: Function, *, published: Function | None = None) -> None:
        if (function.key, number_of(function)) in self._documents:
            raise AlreadyExists(function.key.arn)
        self._put(function, published)

    async def replace(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        stored = self._stored(function.key, number_of(function))
        if stored is None or stored.revision_id != expected_revision_id:
            raise Changed(function.key.arn)
        self._put(function, published)

    async def delete(self, key: FunctionKey) -> bool:
        found = [one for one in self._documents if one[0] == key]
        for one in found:
            del self._documents[one]
        return bool(found)

    async def delete_version(self, key: FunctionKey, version: str) -> bool:
        number = version_number(version)
        if number is None or number == LATEST_NUMBER:
            return False
        return self._documents.pop((key, number), None) is not None

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

    async def packages_in_use(self) -> frozenset[str]:
        return frozenset(function.package.sha256 for function in self._all())

    def _put(self, *functions: Function | None) -> None:
        documents = {(one.key, number_of(one)): encode_function(one) for one in functions if one is not None}
        self._documents.update(documents)

    def _stored(self, key: FunctionKey, number: int) -> Function | None:
        document = self._documents.get((key, number))
        return None if document is None else decode_function(document)

    def _sorted(self, account_id: str, region: str) -> list[Function]:
        return [one for one in self._all() if (one.key.account_id, one.key.region) == (account_id, region)]

    def _all(self) -> list[Function]:
        return sorted(map(decode_function, self._documents.values()), key=_place)


def _place(function: Function) -> tuple[str, str, str, int]:
    key = function.key
    return key.account_id, key.region, key.name, number_of(function)


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
