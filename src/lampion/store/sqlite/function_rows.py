"""Functions in SQLite within one transaction: a row per function and version, with what is looked for beside it."""

import sqlite3
from typing import Any

from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.function import Function, layer_code
from lampion.domain.snap_start import is_snap_started
from lampion.domain.version import LATEST_NUMBER, number_of, version_number
from lampion.store.documents import decode, encode
from lampion.store.functions import AlreadyExists, Changed, check_sealed
from lampion.store.queries import queries


class FunctionRows:
    """Reads and writes one connection's functions."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._queries = queries("functions")

    def select(self, query: str, parameters: dict[str, Any]) -> list[Function]:
        return [decode(row[0], Function) for row in self._connection.execute(self._queries[query], parameters)]

    def get(self, key: FunctionKey, version: str = LATEST) -> Function | None:
        number = version_number(version)
        if number is None:
            return None
        found = self.select("get", {**key_columns(key), "number": number})
        return found[0] if found else None

    def insert(self, function: Function, published: Function | None) -> None:
        """Raises AlreadyExists."""
        rows = [_row(one) for one in (function, published) if one is not None]
        try:
            self._connection.executemany(self._queries["insert"], rows)
        except sqlite3.IntegrityError as error:
            raise AlreadyExists(function.key.arn) from error

    def replace(self, function: Function, expected_revision_id: str, published: Function | None) -> None:
        """Raises Changed."""
        row = {**_row(function), "expected_revision_id": expected_revision_id}
        if self._connection.execute(self._queries["replace"], row).rowcount != 1:
            raise Changed(function.key.arn)
        if published is not None:
            self._connection.execute(self._queries["put_version"], _row(published))

    def delete(self, key: FunctionKey) -> bool:
        return self._connection.execute(self._queries["delete"], key_columns(key)).rowcount > 0

    def delete_version(self, key: FunctionKey, version: str) -> bool:
        number = version_number(version)
        if number is None or number == LATEST_NUMBER:
            return False
        parameters = {**key_columns(key), "number": number}
        return self._connection.execute(self._queries["delete_version"], parameters).rowcount > 0


def key_columns(key: FunctionKey) -> dict[str, Any]:
    return {"account_id": key.account_id, "region": key.region, "name": key.name}


def _row(function: Function) -> dict[str, Any]:
    check_sealed(function)
    return {
        **key_columns(function.key),
        "number": number_of(function),
        "revision_id": function.revision_id,
        "package_sha256": function.package.sha256,
        "package_bytes": function.package.size_bytes,
        "layer_code": " ".join(layer_code(function.configuration.layers)) or None,
        "is_settled": int(function.is_settled),
        "is_snap_started": int(is_snap_started(function)),
        "document": encode(function),
    }
