"""The SQLite file: one writer with group commit, a few read-only connections for everything else.

WAL and synchronous=FULL: what a write's future answers for survives kill -9 and power loss.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lampion.store.errors import DatabaseCorrupt, NotScrubbed, StoreClosed, StoreError
from lampion.store.sqlite.migrations import Migration, known_migrations, migrate
from lampion.store.sqlite.writer import GroupCommitWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

_READERS: Final = 2
_BUSY_SECONDS: Final = 10.0
_ROOM_BYTES: Final = 64 * 1024
"""With less the next change of some size fails again, though a tiny one fits into what the log has already."""
_CHECKED_BYTES: Final = 16 * 1024 * 1024
"""Up to this size the whole file is checked at opening; a larger one would delay the start by seconds."""

T = TypeVar("T")


class Database:
    """An open database; made by `open_database`. `write` and `read` take functions of a connection."""

    def __init__(self, path: Path, writer: GroupCommitWriter, readers: Sequence[sqlite3.Connection]) -> None:
        self.path = path
        self.writer = writer
        self._readers = readers
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        for reader in readers:
            self._idle.put(reader)
        self._threads = ThreadPoolExecutor(len(readers), thread_name_prefix="lampion-store-reader")
        self._closed = False

    async def write(self, work: Callable[[sqlite3.Connection], T], *, repeatable: bool = False) -> T:
        """Run `work` as one transaction; returns when it is on disk. Raises what it raises, or StoreError.

        `repeatable`: it changes nothing but the database, so that it may be undone and run again.
        """
        try:  # written out, because every event comes this way twice
            result: T = await self.writer.write(work, repeatable=repeatable)
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error
        return result

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run `query` on a read-only connection; it sees every write that has returned."""
        if self._closed:
            raise StoreClosed("The store is closed.")
        with _clear_errors(self.path):
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, query)

    async def try_to_write(self) -> None:
        """Write a page as it is. Raises StoreError when the disk doesn't take it, or has hardly any room."""
        free = await asyncio.to_thread(os.statvfs, self.path.parent)
        if free.f_bavail * free.f_frsize < _ROOM_BYTES:
            raise StoreError(f"{self.path}: the disk is full.")
        await self.write(_write_nothing_new)

    async def write_anew(self) -> None:
        """All of the file and nothing of the log, so that what was deleted is in neither. While nobody writes.

        Raises StoreError.
        """
        with _clear_errors(self.path):
            await asyncio.to_thread(_write_anew, self.path)

    async def close(self) -> None:
        """Finish pending writes and close the file. Idempotent."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._close)

    def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._idle.get()
        try:
            return query(connection)
        finally:
            self._idle.put(connection)

    def _close(self) -> None:
        # Readers first: the last connection to close folds the log into the file, and must be able to write.
        self._threads.shutdown()
        for reader in self._readers:
            reader.close()
        self.writer.close()


async def open_database(path: Path, *, migrations: Sequence[Migration] | None = None) -> Database:
    """Open or create the database and bring its schema up to date.

    Raises DatabaseCorrupt, SchemaTooNew, or StoreError when the file can't be opened.
    """
    steps = known_migrations() if migrations is None else migrations
    return await asyncio.to_thread(_open, path, steps)


def _open(path: Path, migrations: Sequence[Migration]) -> Database:
    opened: list[sqlite3.Connection] = []
    try:
        with _clear_errors(path):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            opened.append(connect(path, read_only=False))
            _check_damage(opened[0], path)
            migrate(opened[0], str(path), migrations)
            opened.extend(connect(path, read_only=True) for _ in range(_READERS))
            _sync_directory(path.parent)
    except BaseException as error:
        for connection in opened:
            connection.close()
        if isinstance(error, OSError):
            raise StoreError(f"{path} can't be opened: {error.strerror}.") from error
        raise
    writer = GroupCommitWriter(opened[0], reconnect=lambda: connect(path, read_only=False))
    return Database(path, writer, opened[1:])


def scrub(path: Path) -> None:
    """Write a database that nobody has open anew, so that nothing of what was changed or deleted is left in it.

    Killed at any moment, it is whole. Raises NotScrubbed: it needs as much room again as the file takes.
    """
    try:
        connection = connect(path, read_only=False)
        try:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise NotScrubbed(f"{path}: {error}.") from error


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """One connection to a database that is there. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA query_only = {int(read_only)}")
    except BaseException:
        connection.close()
        raise
    return connection


def _write_anew(path: Path) -> None:
    connection = connect(path, read_only=False)
    try:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _write_nothing_new(connection: sqlite3.Connection) -> None:
    """SQLite writes the page with the schema's number even when that stays the same."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version = {int(version)}")


def _check_damage(connection: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size <= _CHECKED_BYTES:
        finding = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if finding != "ok":
            raise DatabaseCorrupt(_damage(path, finding))


def _sync_directory(directory: Path) -> None:
    """The new files' names must be as durable as their content."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damage(path: Path, finding: object) -> str:
    return (
        f"{path} is damaged ({finding}). Restore it from a backup together with its -wal file, "
        "or move it away to start empty."
    )


@contextmanager
def _clear_errors(path: Path) -> "Iterator[None]":
    """SQLite's errors in words that say which file and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error, path) from error


def _translated(error: sqlite3.Error, path: Path) -> StoreError:
    code: Any = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return DatabaseCorrupt(_damage(path, error))
    return StoreError(f"{path}: {error}.")
