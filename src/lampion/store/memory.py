"""The store's twin in memory: same contract, nothing survives. For tests and simulation."""

from collections.abc import Sequence

from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function
from lampion.store.access_keys import AccessKey
from lampion.store.documents import decode_function, encode_function
from lampion.store.functions import AlreadyExists, Changed


class MemoryFunctions:
    """Keeps documents, not the values given, so that nobody changes what is stored by changing what they hold."""

    def __init__(self) -> None:
        self._documents: dict[FunctionKey, bytes] = {}

    async def get(self, key: FunctionKey) -> Function | None:
        return self._stored(key)

    async def insert(self, function: Function) -> None:
        if function.key in self._documents:
            raise AlreadyExists(function.key.arn)
        self._documents[function.key] = encode_function(function)

    async def replace(self, function: Function, *, expected_revision_id: str) -> None:
        stored = self._stored(function.key)
        if stored is None or stored.revision_id != expected_revision_id:
            raise Changed(function.key.arn)
        self._documents[function.key] = encode_function(function)

    async def delete(self, key: FunctionKey) -> bool:
        return self._documents.pop(key, None) is not None

    async def page(self, account_id: str, region: str, *, after: str | None, limit: int) -> Sequence[Function]:
        names = sorted(
            key.name
            for key in self._documents
            if key.account_id == account_id and key.region == region and (after is None or key.name > after)
        )
        return [decode_function(self._documents[FunctionKey(account_id, region, name)]) for name in names[:limit]]

    async def unsettled(self) -> Sequence[Function]:
        return [function for function in self._all() if not function.is_settled]

    async def packages_in_use(self) -> frozenset[str]:
        return frozenset(function.package.sha256 for function in self._all())

    def _stored(self, key: FunctionKey) -> Function | None:
        document = self._documents.get(key)
        return None if document is None else decode_function(document)

    def _all(self) -> list[Function]:
        functions = [decode_function(document) for document in self._documents.values()]
        return sorted(functions, key=lambda function: (function.key.account_id, function.key.region, function.key.name))


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
