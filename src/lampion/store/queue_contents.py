"""What durable queues hold, for those who look: in pages, and never counted further than they ask."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from lampion.store.entries import Ending, Entry, QueueKey


class Spot(NamedTuple):
    """Where an entry stands: queues are worked off in this order."""

    due_epoch_ms: int
    sequence: int


class SeenEntry(msgspec.Struct, frozen=True):
    """An entry with the start of its payload, and how long that is as a whole."""

    entry: Entry
    payload_bytes: int


class KeptEnding(msgspec.Struct, frozen=True):
    """An ending that was kept whole, with its number, the start of its payload, and how long that is as a whole."""

    number: int
    ending: Ending
    payload_bytes: int


class Depth(NamedTuple):
    """How much of each a queue holds, as far as was counted."""

    due: int
    later: int
    kept: int


class Latest(NamedTuple):
    """The highest numbers that have been given: of entries that are there, and of endings."""

    sequence: int
    number: int


class QueueContents(Protocol):
    """Reads only. Raises StoreError."""

    async def holding(
        self, kind: str, account_id: str, region: str, *, after: str | None, limit: int
    ) -> Sequence[QueueKey]:
        """Queues with entries or kept endings, by name, from after a name."""

    async def is_known(self, queue: QueueKey) -> bool:
        """Whether it ever had an entry."""

    async def depth(self, queue: QueueKey, now_epoch_ms: int, *, most: int) -> Depth:
        """Each count stops at `most`, so that this takes no longer for a queue of millions."""

    async def page(self, queue: QueueKey, *, after: Spot | None, limit: int, payload_bytes: int) -> Sequence[SeenEntry]:
        """Entries in the order in which they are due, each with this much of its payload."""

    async def kept(
        self, queue: QueueKey, *, before: int | None, limit: int, payload_bytes: int
    ) -> Sequence[KeptEnding]:
        """What failed and was kept, the latest first."""

    async def kept_from(self, queue: QueueKey, *, after: int, limit: int) -> Sequence[KeptEnding]:
        """As `kept` without payloads, the earliest first."""

    async def kept_of(self, queue: QueueKey, request_id: str, *, limit: int) -> Sequence[KeptEnding]:
        """As `kept` without payloads, of one invocation."""

    async def latest(self) -> Latest: ...
