"""What the store knows of its master key, read beside a running server or without one."""

import sqlite3
from contextlib import closing
from pathlib import Path

from lampion.store.errors import StoreError
from lampion.store.kms import CHECK_PLACE, CHECKS, MasterKeyCheck
from lampion.store.sqlite.database import connect
from lampion.store.sqlite.resources import SqliteStored


def read_master_key_check(database: Path) -> MasterKeyCheck | None:
    """None where nothing was ever wrapped. Raises StoreError."""
    if not database.exists():
        return None
    try:
        with closing(connect(database, read_only=True)) as connection:
            return SqliteStored(connection).get(CHECKS, CHECK_PLACE)
    except sqlite3.Error as error:
        raise StoreError(f"{database}: {error}.") from error
