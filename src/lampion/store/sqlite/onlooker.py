"""A look into a database from outside its server, for client commands: read-only, nothing is mended or migrated."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from lampion.store.errors import StoreError
from lampion.store.queries import queries
from lampion.store.sqlite.database import connect


def functions_by_runtime(database: Path) -> Mapping[str, tuple[str, ...]]:
    """For each runtime, the names of the functions of which `$LATEST` or a version has it, in order.

    Empty when there is no database. Raises StoreError when it can't be read.
    """
    if not database.exists():
        return {}
    try:
        connection = connect(database, read_only=True)
        try:
            rows = connection.execute(queries("functions")["runtimes"]).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"{database} can't be read: {error}.") from error
    found: dict[str, tuple[str, ...]] = {}
    for runtime, name in rows:
        found[runtime] = (*found.get(runtime, ()), name)
    return found
