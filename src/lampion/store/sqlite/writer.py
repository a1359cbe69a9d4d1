"""The one thread that writes the database: what was submitted meanwhile shares one commit, and so one fsync.

Whether the disk takes what is written is known here first: `disk` is told, before who waits for a write is.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol

from lampion.store.errors import StoreClosed, StoreError

Work = Callable[[sqlite3.Connection], Any]
"""One transaction: runs in the writer's thread, and is undone as a whole when it raises."""

_BATCH: Final = 256
_OF_THE_DISK: Final = frozenset(
    (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    )
)
"""Failures that aren't the fault of who wrote."""


class Disk(Protocol):
    """Hears from the writer's thread what becomes of commits."""

    def failed(self, reason: str) -> None: ...

    def wrote(self) -> None: ...


@dataclass(slots=True)
class _Submitted:
    work: Work
    answer: "asyncio.Future[Any]"
    repeatable: bool
    wrote: bool = False
    result: Any = None
    error: BaseException | None = None


class GroupCommitWriter:
    """Runs submitted transactions in order. `commits` and `transactions` count what was done, for tests and metrics.

    `batches_begun` and `batches_ended` differ while one is on its way to the disk. `reconnect` makes the connection
    anew when the one there is can't even undo what it began.
    """

    def __init__(self, connection: sqlite3.Connection, reconnect: Callable[[], sqlite3.Connection]) -> None:
        self.commits = 0
        self.transactions = 0
        self.batches_begun = 0
        self.batches_ended = 0
        self.disk: Disk | None = None
        self._connection = connection
        self._reconnect = reconnect
        self._queue: SimpleQueue[_Submitted | None] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="lampion-store-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Work, *, repeatable: bool = False) -> Any:
        """What `work` returned, once it is on disk. Raises what `work` raised, or StoreError.

        One that is `repeatable` leaves nothing behind but rows when it is undone, and may be run a second time.
        """
        if self._closed:
            raise StoreClosed("The store is closed.")
        answer = asyncio.get_running_loop().create_future()
        self._queue.put(_Submitted(work, answer, repeatable))
        return await answer

    def close(self) -> None:
        """Finish what was submitted, then end. Blocks until that is on disk. Idempotent."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, is_last = self._gather(first)
            self.batches_begun += 1
            try:
                self._commit_together(batch)
            except Exception as error:  # whatever it is, nobody may wait for ever
                _fail(batch, error)
                self._mend()
                self._tell_disk(str(error))
            self.batches_ended += 1
            _deliver(batch)
            if is_last:
                break
        self._connection.close()

    def _gather(self, first: _Submitted) -> tuple[list[_Submitted], bool]:
        """`first` and what waits behind it; and whether the end was among it."""
        batch = [first]
        while len(batch) < _BATCH:
            try:
                submitted = self._queue.get_nowait()
            except Empty:
                return batch, False
            if submitted is None:
                return batch, True
            batch.append(submitted)
        return batch, False

    def _commit_together(self, batch: list[_Submitted]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        if not self._attempt_as_one(batch):
            for submitted in batch:
                self._attempt(submitted)
        connection.execute("COMMIT")
        self.commits += 1
        self.transactions += len(batch)
        refusal = next((one.error for one in batch if _is_of_the_disk(one.error)), None)
        if refusal is not None:
            self._tell_disk(str(refusal))
        elif any(one.wrote for one in batch):
            self._tell_disk(None)

    def _mend(self) -> None:
        """After a failed commit: no transaction may stay open, for in it nothing that follows would be committed."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            with contextlib.suppress(Exception):  # tried again when the next commit fails
                broken, self._connection = self._connection, self._reconnect()
                broken.close()

    def _tell_disk(self, refusal: str | None) -> None:
        if self.disk is None:
            return
        if refusal is None:
            self.disk.wrote()
        else:
            self.disk.failed(refusal)

    def _attempt_as_one(self, batch: list[_Submitted]) -> bool:
        """Run all without savepoints: two statements less for each. When one fails nothing is done, and False."""
        if not all(submitted.repeatable for submitted in batch):
            return False
        connection = self._connection
        rows_before = connection.total_changes
        try:
            for submitted in batch:
                submitted.result = submitted.work(connection)
        except Exception:  # told to whoever submitted it when each has run by itself
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.execute("BEGIN IMMEDIATE")
            return False
        batch[0].wrote = connection.total_changes > rows_before
        return True

    def _attempt(self, submitted: _Submitted) -> None:
        """Run one transaction in a savepoint of its own: when it fails, its neighbours stay."""
        connection = self._connection
        connection.execute("SAVEPOINT work")
        rows_before = connection.total_changes
        try:
            submitted.result = submitted.work(connection)
            submitted.wrote = connection.total_changes > rows_before
        except Exception as error:  # belongs to whoever submitted it
            if not connection.in_transaction:
                raise  # a full disk and the like make SQLite undo the whole batch
            connection.execute("ROLLBACK TO work")
            submitted.error = error
        connection.execute("RELEASE work")


def _is_of_the_disk(error: BaseException | None) -> bool:
    """Whether what went wrong is the file's or the disk's, not the transaction's own."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _OF_THE_DISK


def _fail(batch: list[_Submitted], error: Exception) -> None:
    for submitted in batch:
        failure = StoreError(f"The change was not stored: {error}")
        failure.__cause__ = error
        submitted.error = failure


def _deliver(batch: list[_Submitted]) -> None:
    """Wake the waiting tasks; those of one event loop by one call."""
    loops = {submitted.answer.get_loop() for submitted in batch}
    for loop in loops:
        own = [submitted for submitted in batch if submitted.answer.get_loop() is loop]
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, own)


def _resolve(batch: list[_Submitted]) -> None:
    for submitted in batch:
        if submitted.answer.done():
            continue
        if submitted.error is not None:
            submitted.answer.set_exception(submitted.error)
        else:
            submitted.answer.set_result(submitted.result)
