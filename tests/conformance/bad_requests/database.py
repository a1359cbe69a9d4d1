"""The rows of a server's database, read beside it, and which thing on the server each is part of."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from lampion.domain.event_source_mapping import Transition
from lampion.store.event_source_mappings import EVENT_SOURCE_MAPPINGS
from lampion.store.kms import ALIASES, CHECKS, KEYS

_FUNCTIONS = "functions"
_RESOURCES = "resources"
_UNSEEN = frozenset(("access_keys",))
"""Secrets, and nothing that a request of the API could change."""
_OF_LAMBDAS_KEY = frozenset(one.name for one in (KEYS, ALIASES, CHECKS))
"""Made when the first function of all has variables; no request of Lambda's API takes it away."""


class Subject(NamedTuple):
    """What on the server has a row: a function or layer with all that it owns, or a resource that nothing owns."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `key` are its table's name and its primary key."""

    table: str
    key: tuple[str, ...]
    values: Mapping[str, Any]

    @property
    def subject(self) -> Subject:
        if self.table == _FUNCTIONS:
            return Subject("function", self.values["name"])
        if self.table != _RESOURCES:
            return Subject(self.table, "/".join(self.key))
        owner, _, name = self.values["owner"].partition(":")
        return Subject(owner, name) if name else Subject(self.values["kind"], self.values["id"])

    @property
    def document(self) -> dict[str, Any]:
        """The value that the row keeps; empty in a table that keeps none."""
        document: dict[str, Any] = json.loads(self.values.get("document", b"{}"))
        return document


Rows = Mapping[tuple[str, ...], Row]


class Database:
    """Read-only; it costs next to nothing to see that nobody has written."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._seen: tuple[int, Rows] | None = None

    def rows(self) -> Rows:
        """All rows by their keys, but of secrets, of Lambda's own key, which stays, and of mappings being deleted:
        those go by themselves.
        """
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, {row.key: row for row in self._read() if not (_is_going(row) or _stays(row))})
        return self._seen[1]

    def close(self) -> None:
        self._connection.close()

    def _read(self) -> Iterator[Row]:
        self._connection.execute("BEGIN")  # all tables as of one moment
        names = self._connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
        for (table,) in names:
            if table in _UNSEEN or table.startswith("sqlite_"):
                continue
            columns = self._connection.execute(f"PRAGMA table_info({table})").fetchall()
            parts = [column["name"] for column in sorted(columns, key=lambda one: one["pk"]) if column["pk"]]
            assert parts, f"{table} has no primary key to tell its rows by"
            for found in self._connection.execute(f"SELECT * FROM {table}"):
                values = dict(found)
                yield Row(table, (table, *(str(values[part]) for part in parts)), values)
        self._connection.execute("COMMIT")


def _is_going(row: Row) -> bool:
    is_mapping = row.table == _RESOURCES and row.values["kind"] == EVENT_SOURCE_MAPPINGS.name
    return is_mapping and row.document["transition"] == Transition.DELETING.value


def _stays(row: Row) -> bool:
    return row.table == _RESOURCES and row.values["kind"] in _OF_LAMBDAS_KEY
