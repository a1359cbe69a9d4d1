"""Functions in SQLite: a row per function and version, its document as JSON, beside it what is searched for."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import Function
from lampion.domain.snap_start import is_snap_started
from lampion.domain.version import LATEST_NUMBER, number_of, version_number
from lampion.store.documents import decode_function, encode_function
from lampion.store.functions import AlreadyExists, Changed
from lampion.store.queries import queries
from lampion.store.sqlite.database import Database


class SqliteFunctions:
    """See store.functions.Functions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = queries("functions")

    async def get(self, key: FunctionKey, version: str = LATEST) -> Function | None:
        number = version_number(version)
        if number is None:
            return None
        found = await self._select("get", {**_key_columns(key), "number": number})
        return found[0] if found else None

    async def insert(self, function: Function, *, published: Function | None = None) -> None:
        rows = [_row(one) for one in (function, published) if one is not None]

        def work(connection: sqlite3.Connection) -> None:
            try:
                connection.executemany(self._queries["insert"], rows)
            except sqlite3.IntegrityError as error:
                raise AlreadyExists(function.key.arn) from error

        await self._database.write(work)

    async def replace(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        row = {**_row(function), "expected_revision_id": expected_revision_id}
        version = None if published is None else _row(published)

        def work(connection: sqlite3.Connection) -> None:
            if connection.execute(self._queries["replace"], row).rowcount != 1:
                raise Changed(function.key.arn)
            if version is not None:
                connection.execute(self._queries["insert"], version)

        await self._database.write(work)

    async def delete(self, key: FunctionKey) -> bool:
        return await self._delete("delete", _key_columns(key))

    async def delete_version(self, key: FunctionKey, version: str) -> bool:
        number = version_number(version)
        if number is None or number == LATEST_NUMBER:
            return False
        return await self._delete("delete_version", {**_key_columns(key), "number": number})

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
        where = {**_key_columns(key), "after": -1 if after is None else after}
        return await self._select("versions", {**where, "limit": limit})

    async def unsettled(self) -> Sequence[Function]:
        return await self._select("unsettled", {})

    async def unsettled_of(self, key: FunctionKey) -> Sequence[Function]:
        return await self._select("unsettled_of", _key_columns(key))

    async def snap_started(self) -> Sequence[Function]:
        return await self._select("snap_started", {})

    async def packages_in_use(self) -> frozenset[str]:
        rows = await self._database.read(
            lambda connection: connection.execute(self._queries["packages_in_use"]).fetchall()
        )
        return frozenset(row[0] for row in rows)

    async def _delete(self, query: str, parameters: Mapping[str, Any]) -> bool:
        return await self._database.write(
            lambda connection: connection.execute(self._queries[query], parameters).rowcount > 0
        )

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
        "number": number_of(function),
        "revision_id": function.revision_id,
        "package_sha256": function.package.sha256,
        "is_settled": int(function.is_settled),
        "is_snap_started": int(is_snap_started(function)),
        "document": encode_function(function),
    }
