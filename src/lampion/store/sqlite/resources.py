"""Resources in SQLite: one table for all kinds, a row's document as JSON, beside it what is looked for."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import Function
from lampion.store.documents import decode, encode
from lampion.store.queries import queries
from lampion.store.resources import CodeUse, Kind, Place, Stored, function_owner
from lampion.store.sqlite.database import Database
from lampion.store.sqlite.function_rows import FunctionRows

T = TypeVar("T")

_NEXT = "\x01"
"""Appended to an id gives the least one after it: ids hold no control characters."""
_ABOVE_ALL = "\U0010ffff"


class SqliteResources:
    """See store.resources.Resources."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, work: Callable[[Stored], T]) -> T:
        return await self._database.read(lambda connection: work(SqliteStored(connection)))

    async def change(self, work: Callable[[Stored], T]) -> T:
        return await self._database.write(lambda connection: work(SqliteStored(connection)))


class SqliteStored:
    """See store.resources.Stored."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._functions = FunctionRows(connection)
        self._queries = queries("resources")

    def get(self, kind: Kind[T], place: Place) -> T | None:
        found = self._select("get", kind, _place_columns(kind, place))
        return found[0] if found else None

    def put(self, kind: Kind[T], value: T) -> None:
        package = kind.package(value)
        row = {
            **_place_columns(kind, kind.place(value)),
            "found_by": kind.found_by(value),
            "package_sha256": package and package.sha256,
            "package_bytes": package.size_bytes if package else 0,
            "document": encode(value),
        }
        self._connection.execute(self._queries["put"], row)

    def delete(self, kind: Kind[Any], place: Place) -> bool:
        return self._connection.execute(self._queries["delete"], _place_columns(kind, place)).rowcount > 0

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
        where = {"account_id": account_id, "region": region, "kind": kind.name, "limit": limit, **_from(after)}
        if owner is None:
            return self._select("page", kind, where)
        if descending:
            before = _ABOVE_ALL if after is None else after[1]
            return self._select("page_of_owner_descending", kind, {**where, "owner": owner, "before_id": before})
        return self._select("page_of_owner", kind, {**where, "owner": owner})

    def found(
        self, kind: Kind[T], account_id: str, region: str, *, by: str, after: tuple[str, str] | None = None, limit: int
    ) -> Sequence[T]:
        where = {"account_id": account_id, "region": region, "kind": kind.name, "limit": limit, **_from(after)}
        return self._select("found", kind, {**where, "found_by": by})

    def function(self, key: FunctionKey, version: str = LATEST) -> Function | None:
        return self._functions.get(key, version)

    def insert_function(self, function: Function, *, published: Function | None = None) -> None:
        self._functions.insert(function, published)

    def replace_function(
        self, function: Function, *, expected_revision_id: str, published: Function | None = None
    ) -> None:
        self._functions.replace(function, expected_revision_id, published)

    def delete_function(self, key: FunctionKey) -> bool:
        self._connection.execute(self._queries["delete_owned"], _owner_columns(key))
        return self._functions.delete(key)

    def delete_version(self, key: FunctionKey, version: str) -> bool:
        found = self._functions.delete_version(key, version)
        if found:
            self.delete_owned(key, version)
        return found

    def delete_owned(self, key: FunctionKey, own_id: str) -> None:
        self._connection.execute(self._queries["delete_owned_under"], {**_owner_columns(key), "id": own_id})

    def code_use(self, account_id: str, region: str) -> CodeUse:
        where = {"account_id": account_id, "region": region}
        return CodeUse(*self._connection.execute(self._queries["code_use"], where).fetchone())

    def accounts_with(self, kind: Kind[Any]) -> Sequence[tuple[str, str]]:
        return self._connection.execute(self._queries["accounts_with"], {"kind": kind.name}).fetchall()

    def _select(self, query: str, kind: Kind[T], parameters: dict[str, Any]) -> list[T]:
        rows = self._connection.execute(self._queries[query], parameters)
        return [decode(row[0], kind.type) for row in rows]


def _place_columns(kind: Kind[Any], place: Place) -> dict[str, Any]:
    return {
        "account_id": place.account_id,
        "region": place.region,
        "kind": kind.name,
        "owner": place.owner,
        "id": place.id,
    }


def _owner_columns(key: FunctionKey) -> dict[str, str]:
    return {"account_id": key.account_id, "region": key.region, "owner": function_owner(key.name)}


def _from(after: tuple[str, str] | None) -> dict[str, str]:
    owner, least = ("", "") if after is None else (after[0], after[1] + _NEXT)
    return {"from_owner": owner, "from_id": least}
