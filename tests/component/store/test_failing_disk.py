"""A disk that is full, broken or slow: nothing is told to be stored that isn't; health tells; it passes by itself."""

import asyncio
import os
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lampion.clock.clock import SystemClock
from lampion.store.errors import StoreError
from lampion.store.sqlite.database import Database, connect, open_database
from lampion.store.sqlite.watch import watched
from lampion.store.sqlite.writer import GroupCommitWriter
from lampion.telemetry.health import Health

INSERT = "INSERT INTO access_keys VALUES (?, ?, 'a', 0)"
WAIT_SECONDS = 6.0


class Faulty:
    """A connection whose statements fail or wait as told: `faults` maps a statement to an error, or to an event."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.faults: dict[str, int | threading.Event] = {}

    def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
        fault = self.faults.get(statement)
        if isinstance(fault, threading.Event):
            assert fault.wait(20)
        elif fault is not None:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = fault
            raise error
        return self._connection.execute(statement, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class Stage:
    """A database on a faulty connection, watched."""

    def __init__(self, database: Database, connection: Faulty) -> None:
        self.database = database
        self.connection = connection
        self.health = Health(SystemClock())

    @property
    def problems(self) -> list[str]:
        return [problem.name for problem in self.health.problems]

    async def put(self, name: str) -> None:
        await self.database.write(lambda connection: connection.execute(INSERT, (name, "s")))

    async def names(self) -> list[str]:
        query = "SELECT access_key_id FROM access_keys ORDER BY 1"
        rows = await self.database.read(lambda connection: connection.execute(query).fetchall())
        return [row[0] for row in rows]

    async def until(self, *problems: str) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while self.problems != list(problems):
                await asyncio.sleep(0.02)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    path = tmp_path / "lampion.db"
    await (await open_database(path)).close()
    faulty = Faulty(connect(path, read_only=False))
    writer = GroupCommitWriter(faulty, reconnect=lambda: connect(path, read_only=False))  # type: ignore[arg-type]
    database = Database(path, writer, [connect(path, read_only=True)])
    stage = Stage(database, faulty)
    async with watched(database, "store", stage.health, SystemClock()):
        yield stage
    await database.close()


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "COMMIT"])
async def test_a_failed_commit_is_refused_reported_and_got_over_without_another_write(
    stage: Stage, statement: str
) -> None:
    await stage.put("before")
    stage.connection.faults[statement] = sqlite3.SQLITE_IOERR_FSYNC
    outcomes = await asyncio.gather(*(stage.put(f"f{number}") for number in range(50)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreError}
    assert stage.problems == ["store"], "health is red before anyone is told"
    assert stage.health.problems[0].reason == "disk I/O error"
    assert await stage.names() == ["before"]
    await asyncio.sleep(1.5)
    assert stage.problems == ["store"], "trying doesn't make it well"
    stage.connection.faults.clear()
    await stage.until()
    await stage.put("after")
    assert await stage.names() == ["after", "before"]


async def test_a_successful_write_ends_a_failure_at_once(stage: Stage) -> None:
    stage.connection.faults["COMMIT"] = sqlite3.SQLITE_FULL
    with pytest.raises(StoreError):
        await stage.put("a")
    stage.connection.faults.clear()
    await stage.put("b")
    assert stage.problems == []
    assert await stage.names() == ["b"]


async def test_one_transaction_that_the_disk_refuses_is_reported_and_its_neighbours_are_stored(stage: Stage) -> None:
    def refused(connection: sqlite3.Connection) -> None:
        connection.execute(INSERT, ("half", "s"))
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    blocked = stage.connection.faults["BEGIN IMMEDIATE"] = threading.Event()
    writes = [asyncio.create_task(stage.put("first"))]
    await asyncio.sleep(0.05)  # the writer waits with it; the others come together
    writes += [asyncio.create_task(work) for work in (stage.put("a"), stage.database.write(refused), stage.put("b"))]
    await asyncio.sleep(0.05)
    blocked.set()
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), type(None), StoreError, type(None)]
    assert stage.problems == ["store"]
    assert await stage.names() == ["a", "b", "first"]


async def test_a_transactions_own_fault_is_nobody_elses_problem(stage: Stage) -> None:
    await stage.put("taken")
    with pytest.raises(StoreError, match="UNIQUE"):
        await stage.put("taken")
    with pytest.raises(ZeroDivisionError):
        await stage.database.write(lambda connection: connection.execute(INSERT, ("x", 1 / 0)))
    assert stage.problems == []


async def test_what_only_reads_does_not_end_a_failure(stage: Stage) -> None:
    stage.connection.faults["COMMIT"] = sqlite3.SQLITE_IOERR
    with pytest.raises(StoreError):
        await stage.put("a")
    stage.connection.faults.clear()
    await stage.database.write(lambda connection: connection.execute("SELECT 1").fetchone())
    assert stage.problems == ["store"]


async def test_a_connection_that_cannot_even_roll_back_is_made_anew(stage: Stage) -> None:
    stage.connection.faults |= {"COMMIT": sqlite3.SQLITE_IOERR, "ROLLBACK": sqlite3.SQLITE_IOERR}
    with pytest.raises(StoreError):
        await stage.put("a")
    await stage.put("b")  # by the new connection: this one is as broken as before
    assert await stage.names() == ["b"]
    assert stage.problems == []


async def test_a_slow_commit_is_reported_while_it_lasts(stage: Stage) -> None:
    await stage.put("before")
    blocked = stage.connection.faults["COMMIT"] = threading.Event()
    write = asyncio.create_task(stage.put("slow"))
    await asyncio.sleep(0.7)
    assert stage.problems == [], "less than a second isn't slow"
    await stage.until("store-slow")
    assert not write.done(), "told while it lasts, and not answered before it is on disk"
    blocked.set()
    await write
    await stage.until()
    assert await stage.names() == ["before", "slow"]


FULL_DISK = """
import asyncio, sys
from pathlib import Path
from lampion.clock.clock import SystemClock
from lampion.store.errors import StoreError
from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.watch import watched
from lampion.telemetry.health import Health

async def main(directory):
    health = Health(SystemClock())
    filler = directory / "filler"
    filler.write_bytes(bytes(300_000))
    database = await open_database(directory / "lampion.db")
    kept = []
    async with watched(database, "store", health, SystemClock()):
        put = lambda name: database.write(
            lambda connection: connection.execute("INSERT INTO access_keys VALUES (?, ?, 'a', 0)", (name, "s" * 3000))
        )
        for _ in range(2):
            try:
                for number in range(10_000):
                    await put(f"{len(kept)}")
                    kept.append(str(len(kept)))
            except StoreError as error:
                assert "full" in str(error), error
            assert 0 < len(kept) < 1000, len(kept)
            assert [problem.reason for problem in health.problems] == ["database or disk is full"], health.problems
            await asyncio.sleep(1.5)
            assert health.problems, "still full"
            filler.write_bytes(filler.read_bytes()[:len(filler.read_bytes()) // 3])
            async with asyncio.timeout(5):
                while health.problems:
                    await asyncio.sleep(0.05)
            await put(str(len(kept)))
            kept.append(str(len(kept)))
    query = "SELECT access_key_id FROM access_keys"
    stored = await database.read(lambda connection: connection.execute(query).fetchall())
    assert sorted(row[0] for row in stored) == sorted(kept)
    await database.close()
    again = await open_database(directory / "lampion.db")
    (finding,) = await again.read(lambda connection: connection.execute("PRAGMA integrity_check").fetchone())
    (count,) = await again.read(lambda connection: connection.execute("SELECT count(*) FROM access_keys").fetchone())
    assert (finding, count) == ("ok", len(kept))
    await again.close()

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of one's own takes root")
async def test_a_full_disk_refuses_and_is_got_over_when_there_is_room_again(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=1m lampion-test-disk "$1" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", str(tmp_path), sys.executable, FULL_DISK]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, output.decode()
