"""Access keys in SQLite."""

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lampion.store.access_keys import AccessKey
from lampion.store.functions import AlreadyExists
from lampion.store.queries import queries
from lampion.store.sqlite.database import Database


class SqliteAccessKeys:
    """See store.access_keys.AccessKeys."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = queries("access_keys")

    async def get(self, access_key_id: str) -> AccessKey | None:
        return await self._select_one("get", {"access_key_id": access_key_id})

    async def root(self, account_id: str) -> AccessKey | None:
        return await self._select_one("root", {"account_id": account_id})

    async def insert(self, key: AccessKey) -> None:
        row = asdict(key)

        def work(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(self._queries["insert"], row)
            except sqlite3.IntegrityError as error:
                raise AlreadyExists(key.access_key_id) from error

        await self._database.write(work)

    async def _select_one(self, query: str, parameters: Mapping[str, Any]) -> AccessKey | None:
        row = await self._database.read(
            lambda connection: connection.execute(self._queries[query], parameters).fetchone()
        )
        return None if row is None else AccessKey(row[0], row[1], row[2], bool(row[3]))
