"""Forgets what became of entries, in time: endings are for looking back, not for ever."""

import logging
from typing import Final

from lampion.clock.clock import Clock
from lampion.store.entries import Entries
from lampion.store.errors import StoreClosed, StoreError

FAILED_KEPT_SECONDS: Final = 14 * 86_400
"""As long as the longest retention of an SQS queue."""
_DONE_KEPT: Final = 100_000
_PAUSE_SECONDS: Final = 30.0
_AT_ONCE: Final = 2_000

_log = logging.getLogger(__name__)


class Forgetting:
    """Works in small steps, so that it never keeps the store's writer for long."""

    def __init__(self, entries: Entries, clock: Clock) -> None:
        self._entries = entries
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            forgotten = 0
            try:
                forgotten = await self._entries.prune(
                    keep_done=_DONE_KEPT,
                    failed_before_epoch_ms=int((self._clock.now() - FAILED_KEPT_SECONDS) * 1000),
                    limit=_AT_ONCE,
                )
            except StoreClosed:
                return
            except StoreError as error:
                _log.warning("old endings of events can't be forgotten: %s", error)
            await self._clock.sleep(1.0 if forgotten >= _AT_ONCE else _PAUSE_SECONDS)
