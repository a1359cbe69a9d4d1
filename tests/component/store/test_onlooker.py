"""Looking into a database that a server holds, or that isn't there."""

from dataclasses import replace
from pathlib import Path

import pytest

from lampion.domain.arn import LATEST
from lampion.domain.function import Function
from lampion.store.errors import StoreError
from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.functions import SqliteFunctions
from lampion.store.sqlite.onlooker import functions_by_runtime
from tests.component.store.samples import function


def of(name: str, runtime: str | None, version: str = LATEST) -> Function:
    made = function(name)
    return replace(made, configuration=replace(made.configuration, runtime=runtime), version=version)


async def test_functions_and_their_versions_are_told_by_runtime_while_the_server_runs(tmp_path: Path) -> None:
    path = tmp_path / "lampion.db"
    database = await open_database(path)
    try:
        functions = SqliteFunctions(database)
        await functions.insert(of("one", "python3.12"), published=of("one", "python3.8", version="1"))
        await functions.insert(of("two", "python3.12"))
        await functions.insert(of("image", None))
        assert functions_by_runtime(path) == {"python3.12": ("one", "two"), "python3.8": ("one",)}
    finally:
        await database.close()
    assert functions_by_runtime(path) == {"python3.12": ("one", "two"), "python3.8": ("one",)}


def test_no_database_is_no_function_and_none_is_made(tmp_path: Path) -> None:
    assert functions_by_runtime(tmp_path / "lampion.db") == {}
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_is_said_to_be_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "lampion.db"
    path.write_bytes(b"nothing that SQLite knows" * 400)
    with pytest.raises(StoreError, match=r"lampion\.db can't be read"):
        functions_by_runtime(path)
