"""A database that is written anew holds nothing of what was deleted from it, and all that wasn't."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lampion.store.errors import NotScrubbed
from lampion.store.sqlite.database import connect, scrub

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


def test_a_file_that_cannot_be_written_anew_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(NotScrubbed, match=r"file\.db"):
        scrub(path)
