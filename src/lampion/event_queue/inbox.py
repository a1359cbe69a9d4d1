"""Entries on their way to the disk: what comes while some are being written is written together next."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from lampion.clock.clock import Clock
from lampion.store.entries import Change, Entries, NewEntry
from lampion.store.errors import StoreError

_WRITE_SECONDS: Final = 10.0
_PENDING_BYTES: Final = 256 * 1024 * 1024
_AT_ONCE: Final = 256

_log = logging.getLogger(__name__)

_Waiting = tuple[NewEntry, "asyncio.Future[None]", int]
"""An entry, who waits for it, and its bytes."""


class NotAccepted(Exception):
    """An entry that isn't on disk, as far as is known: whoever sent it must send it again."""


class Inbox:
    """Tells `written` of what got to the disk, and `doubtful` of what may have."""

    def __init__(
        self,
        entries: Entries,
        clock: Clock,
        *,
        written: Callable[[Sequence[NewEntry], Sequence[int]], object],
        doubtful: Callable[[Sequence[NewEntry]], object],
    ) -> None:
        self._entries = entries
        self._clock = clock
        self._written = written
        self._doubtful = doubtful
        self._waiting: list[_Waiting] = []
        self._pending_bytes = 0
        self._is_stuck = False
        self._writing: asyncio.Task[None] | None = None

    async def put(self, entry: NewEntry) -> None:
        """Returns when `entry` is on disk. Raises NotAccepted when the disk refuses it or takes too long.

        One that took too long may be on disk all the same.
        """
        if self._is_stuck:
            raise _too_slow()
        size = len(entry.payload) + len(entry.document)
        if self._pending_bytes + size > _PENDING_BYTES:
            raise NotAccepted("too much waits to be written")
        self._pending_bytes += size
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((entry, done, size))
        if self._writing is None:
            self._writing = loop.create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            timer = self._clock.call_later(_WRITE_SECONDS, lambda batch=batch: self._give_up(batch))  # type: ignore[misc]
            try:
                await self._write_batch(batch)
            except Exception:  # whatever it is, nobody may wait for ever
                _log.exception("entries can't be written")
                _fail(batch, NotAccepted("an internal error"))
            finally:
                timer.cancel()
                self._is_stuck = False
                self._pending_bytes -= sum(size for _, _, size in batch)
        self._writing = None

    async def _write_batch(self, batch: Sequence[_Waiting]) -> None:
        new = [entry for entry, _, _ in batch]
        try:
            sequences = await self._entries.apply(Change(put=new))
        except StoreError as error:
            self._doubtful(new)
            _fail(batch, NotAccepted(str(error)))
            return
        self._written(new, sequences or ())
        for _, done, _ in batch:
            if not done.done():
                done.set_result(None)

    def _give_up(self, batch: Sequence[_Waiting]) -> None:
        """The disk takes too long: who waits behind it won't be served in time either."""
        self._is_stuck = True
        behind, self._waiting = self._waiting, []
        self._pending_bytes -= sum(size for _, _, size in behind)
        _fail([*batch, *behind], _too_slow())


def _fail(waiting: Sequence[_Waiting], error: NotAccepted) -> None:
    for _, done, _ in waiting:
        if not done.done():
            done.set_exception(error)


def _too_slow() -> NotAccepted:
    return NotAccepted(f"it wasn't on disk after {_WRITE_SECONDS:.0f} s")
