"""What waits to be sent to one subscriber: in order, in batches, and never more than so much. Pure."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from lampion.function_telemetry.subscription import Buffering

BATCHES: Final = 2
"""So many full ones are held at most, the one under way among them; AWS says to expect twice as much in one request."""


class Buffer:
    """Encoded events. What finds no room is counted, and told of where it is missing, as soon as there is room.

    `notice` makes the event that tells of so many dropped ones, of so many bytes. Times are a monotonic clock's.
    """

    def __init__(self, limits: Buffering, notice: Callable[[int, int], bytes]) -> None:
        self.limits = limits
        self._notice = notice
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._since = 0.0  # when the first of them came
        self._under_way: list[bytes] = []
        self._under_way_bytes = 0
        self._dropped_records = 0
        self._dropped_bytes = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send that isn't under way."""
        return not self._waiting and not self._dropped_records

    @property
    def held_bytes(self) -> int:
        return self._waiting_bytes + self._under_way_bytes

    @property
    def under_way(self) -> Sequence[bytes]:
        """The batch that was taken last, until it is delivered."""
        return self._under_way

    @property
    def has_room(self) -> bool:
        """Whether an event of no size would be taken."""
        return self._has_room_for(0)

    def add(self, event: bytes, now: float) -> None:
        """The newest event, or nothing but its number when there is no room for it."""
        if not self._has_room_for(len(event)):
            self.drop(len(event), now)
            return
        if self._dropped_records:
            self._tell_of_dropped(now)
        self._append(event, now)

    def drop(self, size_bytes: int, now: float) -> None:
        """An event that there is no room for, of about so many bytes."""
        if self.is_empty:
            self._since = now
        self._dropped_records += 1
        self._dropped_bytes += size_bytes

    def due_in(self, now: float) -> float | None:
        """The seconds until the next batch is to be sent, 0 when it is now; None when there is nothing to send."""
        if self.is_empty:
            return None
        if len(self._waiting) >= self.limits.max_items or self._waiting_bytes >= self.limits.max_bytes:
            return 0.0
        return max(0.0, self._since + self.limits.timeout_ms / 1000 - now)

    def take(self, now: float) -> Sequence[bytes]:
        """The next batch, which counts as held until `delivered`. Only when the one before has been."""
        assert not self._under_way
        if self._dropped_records and (not self._waiting or self.has_room):
            self._tell_of_dropped(now)
        while self._waiting and len(self._under_way) < self.limits.max_items:
            size_bytes = len(self._waiting[0])
            if self._under_way and self._under_way_bytes + size_bytes > self.limits.max_bytes:
                break
            self._under_way.append(self._waiting.popleft())
            self._waiting_bytes -= size_bytes
            self._under_way_bytes += size_bytes
        return self._under_way

    def delivered(self) -> None:
        """The batch that was taken last is the subscriber's now."""
        self._under_way = []
        self._under_way_bytes = 0

    def _has_room_for(self, size_bytes: int) -> bool:
        items = len(self._waiting) + len(self._under_way)
        if items == 0:
            return True  # or an event larger than all of it would never get through
        if items >= BATCHES * self.limits.max_items:
            return False
        return self.held_bytes + size_bytes <= BATCHES * self.limits.max_bytes

    def _tell_of_dropped(self, now: float) -> None:
        notice = self._notice(self._dropped_records, self._dropped_bytes)
        self._dropped_records = self._dropped_bytes = 0
        self._append(notice, now)

    def _append(self, event: bytes, now: float) -> None:
        if not self._waiting:
            self._since = now
        self._waiting.append(event)
        self._waiting_bytes += len(event)
