"""A database that is written anew holds nothing of what was deleted from it, and all that wasn't."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lampion.store.errors import NotScrubbed
from lampion.store.sqlite.database import connect, open_database, scrub

SECRET = b"what was deleted " * 20


def test_what_was_deleted_is_gone_and_the_rest_is_there(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    path.touch()
    with closing(connect(path, read_only=False)) as file:
        file.execute("PRAGMA secure_delete = OFF")
        file.execute("CREATE TABLE things (id INTEGER, content BLOB)")
        file.executemany("INSERT INTO things VALUES (?, ?)", [(number, SECRET) for number in range(50)])
        file.execute("INSERT INTO things VALUES (50, 'kept')")
        file.execute("DELETE FROM things WHERE id < 50")
    assert SECRET in path.read_bytes()
    scrub(path)
    assert not any(SECRET in one.read_bytes() for one in tmp_path.iterdir())
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT * FROM things").fetchall() == [(50, "kept")]


async def test_an_open_database_is_written_anew_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    database = await open_database(path)
    try:
        with closing(connect(path, read_only=False)) as file:
            file.execute("PRAGMA secure_delete = OFF")
            file.execute("CREATE TABLE things (id INTEGER, content BLOB)")
            file.executemany("INSERT INTO things VALUES (?, ?)", [(number, SECRET) for number in range(50)])
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            file.execute("DELETE FROM things")
        assert any(SECRET in one.read_bytes() for one in tmp_path.iterdir())
        await database.write_anew()
        assert not any(SECRET in one.read_bytes() for one in tmp_path.iterdir())
    finally:
        await database.close()


def test_a_file_that_cannot_be_written_anew_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(NotScrubbed, match=r"file\.db"):
        scrub(path)
