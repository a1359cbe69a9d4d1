"""What was accepted and isn't done yet: entries of durable queues, and what became of those that are done.

A queue is a function's events or a destination's deliveries. What an entry means is its owner's business: a document
and a payload. All that follows from one step is one `Change`, which is on disk as a whole or not at all.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec


class QueueKey(NamedTuple):
    """`kind` tells events from deliveries; `name` is the function's, or the destination's ARN."""

    kind: str
    account_id: str
    region: str
    name: str


class NewEntry(msgspec.Struct, frozen=True):
    """What is to be kept; it isn't handed out before it is due."""

    queue: QueueKey
    due_epoch_ms: int
    document: bytes
    payload: bytes


class Entry(msgspec.Struct, frozen=True):
    """What is kept; `sequence` is its own for ever, and grows in the order of acceptance."""

    sequence: int
    queue: QueueKey
    due_epoch_ms: int
    document: bytes
    payload: bytes


class Postponed(msgspec.Struct, frozen=True):
    """An entry that is due again later, and what its document is by then."""

    sequence: int
    due_epoch_ms: int
    document: bytes


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The one terminal record of an entry. One that failed keeps its document and payload, to be done again."""

    sequence: int
    queue: QueueKey
    request_id: str
    ended_epoch_ms: int
    ending: str
    document: bytes | None = None
    payload: bytes | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One step of one entry (`of`, None for the first): it is gone or later, and what that brings about."""

    of: int | None = None
    postponed: Postponed | None = None
    put: Sequence[NewEntry] = ()
    ending: Ending | None = None


class Due(NamedTuple):
    """Entries that are due; when the next one will be, if these are all: None for never."""

    entries: Sequence[Entry]
    are_all: bool
    next_due_epoch_ms: int | None


class Entries(Protocol):
    """Durable queues. What a call has returned survives whatever comes."""

    async def apply(self, change: Change) -> Sequence[int] | None:
        """Do all of it at once; the sequence numbers of what was put. None, and nothing done, when the entry is gone.

        Raises StoreError; then nothing is done either, or, rarely, it is done though it couldn't be told.
        """

    async def due(self, queue: QueueKey, now_epoch_ms: int, *, limit: int, without: Collection[int]) -> Due:
        """The longest due entries that aren't among `without`, up to `limit` and some megabytes of payload."""

    async def first_due(self, kind: str) -> Sequence[tuple[QueueKey, int | None]]:
        """All queues that ever had an entry, with the time at which their first one is due."""

    async def redrive(self, documents: Mapping[int, bytes], *, due_epoch_ms: int) -> Sequence[QueueKey]:
        """Make entries again of kept endings, by their numbers, with these documents; the queue of each that was.

        One that isn't kept any more is left out.
        """

    async def discard_kept(self, queue: QueueKey, *, up_to: int, limit: int) -> int:
        """Keep no longer what failed in `queue`, up to an ending's number; how many it were, `limit` at most.

        Their endings stay.
        """

    async def prune(self, *, keep_done: int, failed_before_epoch_ms: int, limit: int) -> int:
        """Forget endings: of what succeeded all but the latest, of what failed those from before a time.

        How many were forgotten; `limit` of each at most.
        """
