"""Functions in SQLite: each operation a transaction of its own."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import Function
from lampion.store.queries import queries
from lampion.store.sqlite.database import Database
from lampion.store.sqlite.function_rows import FunctionRows, key_columns

# Layers before the functions that have them: a layer that is deleted meanwhile is found in one of the two.
_IN_USE: Final = (
    queries("resources")["packages_in_use"],
    queries("functions")["packages_in_use"],
    queries("functions")["layer_code_in_use"],
)


class SqliteFunctions:
    """See store.functions.Functions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: FunctionKey, version: str = LATEST) -> Function | None:
        return await self._database.read(lambda connection: FunctionRows(connection).get(key, version))

    async def insert(self, function: Function, *, published: Function | None = None) -> None:
        await self._database.write(lambda connection: FunctionRows(connection).insert(function, published))

    async def replace(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        await self._database.write(
            lambda connection: FunctionRows(connection).replace(function, expected_revision_id, published)
        )

    async def page(self, account_id: str, region: str, *, after: str | None, limit: int) -> Sequence[Function]:
        return await self._select(
            "page", {"account_id": account_id, "region": region, "after": after or "", "limit": limit}
        )

    async def page_with_versions(
        self, account_id: str, region: str, *, after: tuple[str, int] | None, limit: int
    ) -> Sequence[Function]:
        name, number = after or ("", 0)
        where = {"account_id": account_id, "region": region, "after_name": name, "after_number": number}
        return await self._select("page_with_versions", {**where, "limit": limit})

    async def versions(self, key: FunctionKey, *, after: int | None, limit: int) -> Sequence[Function]:
        where = {**key_columns(key), "after": -1 if after is None else after}
        return await self._select("versions", {**where, "limit": limit})

    async def unsettled(self) -> Sequence[Function]:
        return await self._select("unsettled", {})

    async def unsettled_of(self, key: FunctionKey) -> Sequence[Function]:
        return await self._select("unsettled_of", key_columns(key))

    async def snap_started(self) -> Sequence[Function]:
        return await self._select("snap_started", {})

    async def with_plain_environment(self) -> Sequence[Function]:
        return await self._select("with_plain_environment", {})

    async def packages_in_use(self) -> frozenset[str]:
        def read(connection: sqlite3.Connection) -> frozenset[str]:
            rows = [row for statement in _IN_USE for row in connection.execute(statement)]
            under_way = FunctionRows(connection).select(
                "unsettled", {}
            )  # beside what is new, they have what was before
            names = (name for row in rows for name in row[0].split())
            return frozenset(names).union(*(function.code_in_use for function in under_way))

        return await self._database.read(read)

    async def _select(self, query: str, parameters: dict[str, Any]) -> list[Function]:
        return await self._database.read(lambda connection: FunctionRows(connection).select(query, parameters))
