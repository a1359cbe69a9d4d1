"""The SQL files keep the form that the loader and the migrations rely on."""

import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from lampion.store.queries import parse_queries, queries
from lampion.store.sqlite.database import Database, open_database
from lampion.store.sqlite.migrations import known_migrations, split_statements


def test_every_concept_loads():
    files = [file.name.removesuffix(".sql") for file in resources.files("lampion.store").joinpath("sql").iterdir()]
    assert sorted(files) == ["access_keys", "entries", "functions", "queue_contents", "resources"]
    assert all(queries(concept) for concept in files)


WHOLE_INDEX = {"unsettled", "snap_started", "packages_in_use", "accounts_with"}
"""What a restart asks for, from partial or covering indexes."""
WHOLE_ACCOUNT = {"code_use"}
WHOLE_TABLE = {"runtimes", "with_plain_environment"}
"""What `lampion doctor` asks for, in a process of its own; and what an upgrade asks for, once in a store's life."""


HARMLESS = ("SCAN CONSTANT ROW", "SCAN (subquery")
"""No table: the row that a SELECT without FROM makes, and what a subquery with its own index and limit has found."""


MIGRATIONS = {"entries": "queue_migrations", "queue_contents": "queue_migrations"}
"""Of concepts that have a database of their own."""


@pytest.mark.parametrize("concept", ["access_keys", "entries", "functions", "queue_contents", "resources"])
async def test_no_statement_walks_through_a_table(tmp_path: Path, concept: str):
    steps = known_migrations(MIGRATIONS.get(concept, "migrations"))
    database = await open_database(tmp_path / "database", migrations=steps)
    try:
        await check_statements(database, concept)
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("query", "step"),
    [
        ("page_at", "entries_due (queue=? AND due_epoch_ms=? AND rowid>?)"),
        ("page_after", "entries_due (queue=? AND due_epoch_ms>?)"),
        ("depth", "entries_due (queue=? AND due_epoch_ms<?)"),
        ("kept", "endings_kept (queue=? AND id<?)"),
        ("kept_from", "endings_kept (queue=? AND id>?)"),
        ("kept_of", "endings_kept_of (request_id=?)"),
        ("holding", "(kind=? AND account_id=? AND region=? AND name>?)"),
    ],
)
async def test_what_is_shown_of_a_queue_is_found_without_walking_through_it(tmp_path: Path, query: str, step: str):
    database = await open_database(tmp_path / "database", migrations=known_migrations("queue_migrations"))
    try:
        plan = await plan_of(database, queries("queue_contents")[query])
    finally:
        await database.close()
    assert any(one.endswith(step) for one in plan), plan
    assert not any("ORDER BY" in one for one in plan), plan


async def plan_of(database: Database, statement: str) -> list[str]:
    parameters: Any = dict.fromkeys(re.findall(r":(\w+)", statement), "1") or ("1",) * statement.count("?")
    return await database.read(
        lambda connection: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    )


async def check_statements(database: Database, concept: str) -> None:
    for name, statement in queries(concept).items():
        plan = await plan_of(database, statement)
        for step in plan:
            if name in WHOLE_INDEX:
                assert "USING INDEX" in step or "COVERING INDEX" in step or "TEMP B-TREE" in step, (name, step)
            elif name in WHOLE_ACCOUNT:
                assert not step.startswith("SCAN") or step == "SCAN CONSTANT ROW", (name, step)
            elif name not in WHOLE_TABLE:
                assert not step.startswith("SCAN") or step.startswith(HARMLESS), (name, step)
                assert not step.endswith("(account_id=? AND region=?)"), (name, step)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT 1;",
        "-- name: a\nSELECT 1;",
        "-- name: a\n-- says what\n",
        "-- name: a\n-- says what\nSELECT 1;\n-- name: a\n-- again\nSELECT 2;",
        "SELECT 0;\n-- name: a\n-- says what\nSELECT 1;",
        "-- name: a\n-- says what\nSELECT 1;\n-- name: b\nSELECT 2;",
    ],
)
def test_a_file_that_breaks_the_form_is_refused(text: str):
    with pytest.raises(ValueError, match=r"quer|statements"):
        parse_queries(text)


def test_statements_are_split_as_sqlite_does():
    script = "-- note; with semicolon\nCREATE TABLE a (x TEXT DEFAULT ';');\n\nCREATE TABLE b (\n  y\n);\n-- end\n"
    statements = split_statements(script)
    assert len(statements) == 2
    assert statements[1].startswith("CREATE TABLE b")
    with pytest.raises(ValueError, match="unfinished"):
        split_statements("CREATE TABLE a (x);\nCREATE TABLE b (y")


def test_migrations_are_numbered_without_a_gap():
    assert [migration.number for migration in known_migrations()] == list(range(1, len(known_migrations()) + 1))
