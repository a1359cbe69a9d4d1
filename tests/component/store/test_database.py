"""SQLite only: grouping, durability order, isolation of failures, and files that are not ours."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import pytest

from lampion.domain.version import counted, published
from lampion.store.errors import DatabaseCorrupt, SchemaTooNew, StoreClosed, StoreError
from lampion.store.functions import AlreadyExists
from lampion.store.sqlite.database import Database, open_database
from lampion.store.sqlite.functions import SqliteFunctions
from lampion.store.sqlite.migrations import Migration, known_migrations
from tests.component.store.samples import ACCOUNT, REGION, function, key, layered


async def test_writes_submitted_together_share_commits(database: Database):
    functions = SqliteFunctions(database)
    await asyncio.gather(*(functions.insert(function(f"f{number}")) for number in range(200)))
    assert database.writer.transactions == 200
    assert database.writer.commits < 50
    assert len(await functions.page(ACCOUNT, REGION, after=None, limit=1000)) == 200


async def test_one_failing_transaction_leaves_its_neighbours_in_the_group(database: Database):
    functions = SqliteFunctions(database)
    await functions.insert(function("taken"))
    names = ["a", "taken", "b", "taken", "c"]
    outcomes = await asyncio.gather(*(functions.insert(function(name)) for name in names), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), AlreadyExists] * 2 + [type(None)]
    stored = [found.key.name for found in await functions.page(ACCOUNT, REGION, after=None, limit=10)]
    assert stored == ["a", "b", "c", "taken"]


async def test_a_failing_transaction_is_undone_as_a_whole(database: Database):
    def half_done(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO access_keys VALUES ('half', 's', 'a', 0)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(half_done)
    rows = await database.read(lambda connection: connection.execute("SELECT * FROM access_keys").fetchall())
    assert rows == []


@pytest.mark.parametrize("failing", [0, 1, 2])
async def test_of_repeatable_transactions_written_as_one_only_the_failing_one_is_undone(
    database: Database, failing: int
):
    def insert(number: int, connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO access_keys VALUES (?, 's', 'a', 0)", (f"key-{number}",))
        if number == failing:
            raise ZeroDivisionError
        return number

    hold = threading.Event()
    held = asyncio.create_task(database.write(lambda _: hold.wait()))
    await asyncio.sleep(0.05)
    writes = [asyncio.create_task(database.write(partial(insert, number), repeatable=True)) for number in range(3)]
    await asyncio.sleep(0)
    hold.set()
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    await held
    assert [repr(outcome) for outcome in outcomes] == [
        "ZeroDivisionError()" if number == failing else str(number) for number in range(3)
    ]
    rows = await database.read(
        lambda connection: connection.execute("SELECT access_key_id FROM access_keys").fetchall()
    )
    assert rows == [(f"key-{number}",) for number in range(3) if number != failing]


async def test_what_is_not_repeatable_is_run_once_whatever_its_neighbours_do(database: Database):
    runs: list[str] = []

    def fail(connection: sqlite3.Connection) -> None:
        raise ZeroDivisionError

    hold = threading.Event()
    held = asyncio.create_task(database.write(lambda _: hold.wait()))
    await asyncio.sleep(0.05)
    writes = [
        asyncio.create_task(database.write(lambda _: runs.append("once"))),
        asyncio.create_task(database.write(fail, repeatable=True)),
    ]
    await asyncio.sleep(0)
    hold.set()
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    await held
    assert [repr(outcome) for outcome in outcomes] == ["None", "ZeroDivisionError()"]
    assert runs == ["once"]


async def test_a_write_is_answered_only_when_another_process_could_read_it(database: Database):
    functions = SqliteFunctions(database)
    for number in range(20):
        await functions.insert(function(f"f{number}"))
        with sqlite3.connect(database.path) as other:
            (count,) = other.execute("SELECT count(*) FROM functions").fetchone()
        other.close()
        assert count == number + 1


async def test_commits_wait_for_the_disk(database: Database):
    assert await database.write(lambda connection: connection.execute("PRAGMA synchronous").fetchone()) == (2,)
    assert await database.write(lambda connection: connection.execute("PRAGMA journal_mode").fetchone()) == ("wal",)


async def test_a_commit_that_fails_is_reported_to_everyone_in_it_and_the_writer_goes_on(database: Database):
    def end_the_transaction(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    functions = SqliteFunctions(database)
    outcomes = await asyncio.gather(
        functions.insert(function("a")), database.write(end_the_transaction), return_exceptions=True
    )
    assert isinstance(outcomes[1], StoreError)
    assert "full" in str(outcomes[1])
    stored = [found.key.name for found in await functions.page(ACCOUNT, REGION, after=None, limit=10)]
    assert stored == (["a"] if outcomes[0] is None else [])
    await functions.insert(function("b"))


async def test_readers_cannot_write(database: Database):
    with pytest.raises(StoreError, match=r"readonly|read-only|attempt to write"):
        await database.read(lambda connection: connection.execute("DELETE FROM functions"))


async def test_everything_is_there_after_reopening(tmp_path: Path):
    first = await open_database(tmp_path / "lampion.db")
    await SqliteFunctions(first).insert(function())
    await first.close()
    again = await open_database(tmp_path / "lampion.db")
    assert await SqliteFunctions(again).get(key()) == function()
    await again.close()


async def test_closing_finishes_what_was_submitted_and_refuses_the_rest(tmp_path: Path):
    database = await open_database(tmp_path / "lampion.db")
    functions = SqliteFunctions(database)
    writing = [asyncio.create_task(functions.insert(function(f"f{number}"))) for number in range(600)]
    await asyncio.sleep(0)
    await asyncio.gather(database.close(), *writing)
    for refused in (functions.insert(function("late")), functions.get(key())):
        with pytest.raises(StoreClosed):
            await refused
    await database.close()
    again = await open_database(tmp_path / "lampion.db")
    assert len(await SqliteFunctions(again).page(ACCOUNT, REGION, after=None, limit=1000)) == 600
    await again.close()


async def test_the_file_is_readable_by_its_owner_only(database: Database):
    assert database.path.stat().st_mode & 0o777 == 0o600
    assert all(path.stat().st_mode & 0o077 == 0 for path in database.path.parent.glob("lampion.db*"))


async def test_data_of_the_previous_schema_opens_and_is_brought_up_to_date(tmp_path: Path):
    path = tmp_path / "lampion.db"
    old = await open_database(path)
    await SqliteFunctions(old).insert(function())
    await old.close()
    known = known_migrations()
    step = Migration(len(known) + 1, "next.sql", ("ALTER TABLE functions ADD COLUMN colour TEXT DEFAULT 'red'",))
    new = await open_database(path, migrations=(*known, step))
    assert await SqliteFunctions(new).get(key()) == function()
    colours = await new.read(lambda connection: connection.execute("SELECT colour FROM functions").fetchall())
    assert colours == [("red",)]
    await new.close()
    with pytest.raises(SchemaTooNew, match="later version of Lampion"):
        await open_database(path)


async def test_functions_stored_before_there_were_versions_are_read_and_can_be_published(tmp_path: Path):
    path = tmp_path / "lampion.db"
    await (await open_database(path, migrations=known_migrations()[:1])).close()
    with closing(sqlite3.connect(path)) as old:
        for name, is_settled in (("done", 1), ("pending", 0)):
            stored = function(name, settled=bool(is_settled))
            document = msgspec.to_builtins(stored)
            for member in ("last_version", "published_from"):
                del document[member]
            row = (ACCOUNT, REGION, name, "r1", stored.package.sha256, is_settled, msgspec.json.encode(document))
            old.execute("INSERT INTO functions VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        old.commit()
    database = await open_database(path)
    functions = SqliteFunctions(database)
    assert await functions.page(ACCOUNT, REGION, after=None, limit=9) == [
        function("done", settled=True),
        function("pending"),
    ]
    assert [one.key.name for one in await functions.unsettled()] == ["pending"]
    latest = counted(function("done", settled=True), revision_id="r2")
    version = published(latest, description=None, revision_id="v1")
    await functions.replace(latest, expected_revision_id="r1", published=version)
    assert await functions.versions(latest.key, after=None, limit=9) == [latest, version]
    await database.close()


async def test_functions_stored_before_there_were_layers_are_read_and_can_have_some(tmp_path: Path):
    path = tmp_path / "lampion.db"
    await (await open_database(path, migrations=known_migrations()[:3])).close()
    stored = function(settled=True)
    document = msgspec.to_builtins(stored)
    del document["package"]["unzipped_bytes"]
    with closing(sqlite3.connect(path)) as old:
        row = (ACCOUNT, REGION, "hello", 0, "r1", stored.package.sha256, 1, 0, msgspec.json.encode(document), 4)
        old.execute("INSERT INTO functions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        old.commit()
    database = await open_database(path)
    functions = SqliteFunctions(database)
    assert await functions.get(stored.key) == stored
    assert await functions.packages_in_use() == {stored.package.sha256}
    changed = replace(layered("hello", "a"), revision_id="r2")
    await functions.replace(changed, expected_revision_id="r1")
    assert await functions.packages_in_use() == changed.code_in_use
    await database.close()


async def test_a_migration_that_fails_leaves_the_schema_as_it_was(tmp_path: Path):
    path = tmp_path / "lampion.db"
    await (await open_database(path)).close()
    known = known_migrations()
    broken = Migration(len(known) + 1, "broken.sql", ("CREATE TABLE more (x)", "CREATE TABLE more (x)"))
    with pytest.raises(StoreError, match="more"):
        await open_database(path, migrations=(*known, broken))
    again = await open_database(path)
    tables = await again.read(
        lambda connection: connection.execute("SELECT name FROM sqlite_master WHERE name = 'more'").fetchall()
    )
    assert tables == []
    await again.close()


async def test_a_member_added_later_has_its_default_and_an_unknown_one_is_ignored(database: Database):
    functions = SqliteFunctions(database)
    await functions.insert(function())
    change = "UPDATE functions SET document = json_set(json_remove(document, '$.tags', '$.version'), '$.future', 1)"
    await database.write(lambda connection: connection.execute(change))
    assert await functions.get(key()) == function()


async def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path):
    path = tmp_path / "lampion.db"
    path.write_bytes(b"these are not the bytes you are looking for " * 100)
    before = path.read_bytes()
    with pytest.raises(DatabaseCorrupt, match="is damaged"):
        await open_database(path)
    assert path.read_bytes() == before


async def test_a_damaged_database_is_refused(tmp_path: Path):
    path = tmp_path / "lampion.db"
    database = await open_database(path)
    functions = SqliteFunctions(database)
    await asyncio.gather(*(functions.insert(function(f"f{number}")) for number in range(300)))
    await database.close()
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 9] = b"\xff" * (4096 * 6)
    path.write_bytes(data)
    with pytest.raises(DatabaseCorrupt, match=r"lampion.db is damaged"):
        await open_database(path)


async def test_another_programs_database_is_refused(tmp_path: Path):
    with sqlite3.connect(tmp_path / "lampion.db") as other:
        other.execute("CREATE TABLE bookmarks (url)")
    other.close()
    with pytest.raises(DatabaseCorrupt, match="another program"):
        await open_database(tmp_path / "lampion.db")


async def test_a_path_that_cannot_be_opened_is_named(tmp_path: Path):
    (tmp_path / "lampion.db").mkdir()
    with pytest.raises(StoreError, match=r"lampion.db can't be opened"):
        await open_database(tmp_path / "lampion.db")


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("page", "functions_latest (account_id=? AND region=? AND name>?)"),
        ("page_with_versions", "sqlite_autoindex_functions_1 (account_id=? AND region=? AND (name,number)>(?,?))"),
        ("versions", "sqlite_autoindex_functions_1 (account_id=? AND region=? AND name=? AND number>?)"),
        ("unsettled", "functions_unsettled"),
        ("unsettled_of", "functions_unsettled (account_id=? AND region=? AND name=?)"),
        ("snap_started", "functions_snap_started"),
        ("packages_in_use", "COVERING INDEX functions_package"),
        ("layer_code_in_use", "COVERING INDEX functions_layer_code"),
    ],
)
async def test_no_query_reads_more_than_it_answers(database: Database, query: str, index: str):
    from lampion.store.queries import queries

    parameters = {"account_id": ACCOUNT, "region": REGION, "name": "f", "after": "", "limit": 50}
    parameters |= {"after_name": "", "after_number": 0}
    plan = await database.read(
        lambda connection: connection.execute(
            f"EXPLAIN QUERY PLAN {queries('functions')[query]}", parameters
        ).fetchall()
    )
    told = " ".join(row[3] for row in plan)
    assert index in told
    assert "TEMP B-TREE" not in told
