"""Watches whether a database's disk takes what is written: reports that it doesn't, or takes long, and the end of it.

Knows no table. Without anybody writing it finds out by itself that a failure is over.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

from lampion.clock.clock import Clock
from lampion.store.errors import StoreError
from lampion.store.sqlite.database import Database

SLOW_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.5
_RETRY_SECONDS: Final = 1.0


class Health(Protocol):
    """Where problems are reported, from any thread."""

    def failing(self, name: str, reason: str) -> None: ...

    def well(self, name: str) -> None: ...


@asynccontextmanager
async def watched(database: Database, name: str, health: Health, clock: Clock) -> AsyncIterator[None]:
    """Problems of `database` are reported as `name`, and as `<name>-slow` while a commit takes SLOW_SECONDS or more."""
    watch = _Watch(database, name, health, clock)
    database.writer.disk = watch
    tasks = [asyncio.create_task(watch.recover()), asyncio.create_task(watch.look())]
    try:
        yield
    finally:
        database.writer.disk = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Watch:
    """Of one database; see store.sqlite.writer.Disk."""

    def __init__(self, database: Database, name: str, health: Health, clock: Clock) -> None:
        self._database = database
        self._name = name
        self._health = health
        self._clock = clock
        self._is_failing = False
        self._failures = 0

    def failed(self, reason: str) -> None:
        self._is_failing = True
        self._failures += 1
        self._health.failing(self._name, reason)

    def wrote(self) -> None:
        if self._is_failing:
            self._is_failing = False
            self._health.well(self._name)

    async def recover(self) -> None:
        """As long as writes fail, try whether they still do."""
        while True:
            await self._clock.sleep(_RETRY_SECONDS)
            if self._is_failing:
                failures = self._failures
                with contextlib.suppress(StoreError):
                    await self._database.try_to_write()
                    if self._failures == failures:  # else another write has failed since
                        self.wrote()

    async def look(self) -> None:
        """Tell of a commit that takes long while it does: the writer itself waits for the disk meanwhile."""
        writer, seen, since = self._database.writer, -1, 0.0
        while True:
            await self._clock.sleep(_LOOK_SECONDS)
            begun = writer.batches_begun
            if begun == writer.batches_ended or begun != seen:
                seen, since = begun, self._clock.monotonic()
                self._health.well(f"{self._name}-slow")
            elif self._clock.monotonic() - since >= SLOW_SECONDS:
                self._health.failing(f"{self._name}-slow", "the disk takes long to write")
