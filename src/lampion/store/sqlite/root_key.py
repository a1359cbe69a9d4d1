"""Reads an account's root key from the database beside a running server: for client commands, without an event loop."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from lampion.store.access_keys import AccessKey
from lampion.store.queries import queries

_BUSY_SECONDS: Final = 5.0


def read_root_key(database: Path, account_id: str) -> AccessKey | None:
    """The key, or None when there is none or the file can't be read."""
    try:
        with closing(
            sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        ) as file:
            row = file.execute(queries("access_keys")["root"], {"account_id": account_id}).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else AccessKey(row[0], row[1], row[2], bool(row[3]))
