"""Brings a database to the schema this version knows: numbered SQL files, each in a transaction with its number."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from lampion.store.errors import DatabaseCorrupt, SchemaTooNew

APPLICATION_ID: Final = 0x4C414D50
"""Marks the file as ours ("LAMP"); the schema's number is in SQLite's `user_version`."""


@dataclass(frozen=True, slots=True)
class Migration:
    """Step `number` (1, 2, ...) of the schema's history."""

    number: int
    name: str
    statements: tuple[str, ...]


def known_migrations(directory: str = "migrations") -> tuple[Migration, ...]:
    """All steps of one database in order; the files are named 0001_what_it_does.sql without a gap."""
    files = resources.files("lampion.store").joinpath(directory).iterdir()
    migrations = tuple(
        Migration(int(file.name[:4]), file.name, split_statements(file.read_text(encoding="utf-8")))
        for file in sorted(files, key=lambda file: file.name)
        if file.name.endswith(".sql")
    )
    assert [migration.number for migration in migrations] == list(range(1, len(migrations) + 1))
    return migrations


def split_statements(script: str) -> tuple[str, ...]:
    """The statements of `script`, one by one: SQLite's own executescript would commit in between."""
    statements: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending.strip())
            pending = ""
    if any(line.strip() and not line.lstrip().startswith("--") for line in pending.splitlines()):
        raise ValueError(f"unfinished statement: {pending.strip()[:80]}")
    return tuple(statements)


def migrate(connection: sqlite3.Connection, path: str, migrations: Sequence[Migration]) -> None:
    """Apply what is missing. Raises SchemaTooNew, and DatabaseCorrupt for a database of something else."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        _apply_missing(connection, path, migrations)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _apply_missing(connection: sqlite3.Connection, path: str, migrations: Sequence[Migration]) -> None:
    application_id, version = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("application_id", "user_version")
    )
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application_id != APPLICATION_ID and (tables or version):
        raise DatabaseCorrupt(f"{path} is a database of another program. Choose another data directory.")
    if version > len(migrations):
        raise SchemaTooNew(
            f"{path} was written by a later version of Lampion (its schema is {version}, this version knows "
            f"{len(migrations)}). Start the later version, or choose another data directory."
        )
    if version == 0:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for migration in migrations[version:]:
        for statement in migration.statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {migration.number}")
