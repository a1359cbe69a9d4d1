"""Functions in SQLite: a row per function, its document as JSON, beside it what is searched for."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function
from lampion.store.documents import decode_function, encode_function
from lampion.store.functions import AlreadyExists, Changed
from lampion.store.queries import queries
from lampion.store.sqlite.database import Database


class SqliteFunctions:
    """See store.functions.Functions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = queries("functions")

    async def get(self, key: FunctionKey) -> Function | None:
        found = await self._select("get", _key_columns(key))
        return found[0] if found else None

    async def insert(self, function: Function) -> None:
        row = _row(function)

        def work(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(self._queries["insert"], row)
            except sqlite3.IntegrityError as error:
                raise AlreadyExists(function.key.arn) from error

        await self._database.write(work)

    async def replace(self, function: Function, *, expected_revision_id: str) -> None:
        row = {**_row(function), "expected_revision_id": expected_revision_id}

        def work(connection: sqlite3.Connection) -> None:
            if connection.execute(self._queries["replace"], row).rowcount != 1:
                raise Changed(function.key.arn)

        await self._database.write(work)

    async def delete(self, key: FunctionKey) -> bool:
        columns = _key_columns(key)
        return await self._database.write(
            lambda connection: connection.execute(self._queries["delete"], columns).rowcount == 1
        )

    async def page(self, account_id: str, region: str, *, after: str | None, limit: int) -> Sequence[Function]:
        return await self._select(
            "page", {"account_id": account_id, "region": region, "after": after or "", "limit": limit}
        )

    async def unsettled(self) -> Sequence[Function]:
        return await self._select("unsettled", {})

    async def packages_in_use(self) -> frozenset[str]:
        rows = await self._database.read(
            lambda connection: connection.execute(self._queries["packages_in_use"]).fetchall()
        )
        return frozenset(row[0] for row in rows)

    async def _select(self, query: str, parameters: Mapping[str, Any]) -> list[Function]:
        rows = await self._database.read(
            lambda connection: connection.execute(self._queries[query], parameters).fetchall()
        )
        return [decode_function(row[0]) for row in rows]


def _key_columns(key: FunctionKey) -> dict[str, Any]:
    return {"account_id": key.account_id, "region": key.region, "name": key.name}


def _row(function: Function) -> dict[str, Any]:
    return {
        **_key_columns(function.key),
        "revision_id": function.revision_id,
        "package_sha256": function.package.sha256,
        "is_settled": int(function.is_settled),
        "document": encode_function(function),
    }
