"""The room that this host has for environments: a number of them, and memory. Pure bookkeeping.

An environment that works, or is being started, may use all of its function's memory, and counts as if it did. One
that is idle and frozen can't take more than it has: it counts what it has used at most so far. So all that exist
always fit, and none is started, or set to work, that wouldn't. Processors aren't counted: who has too
few of them runs slower.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final, Protocol

_MIB: Final = 1024 * 1024


class Occupant(Protocol):
    """An environment, as far as it is needed here. `used_bytes` is its high-water mark, 0 when that can't be told."""

    memory_mib: int
    used_bytes: int


@dataclass(frozen=True, slots=True)
class Space:
    """So many environments and so much memory."""

    places: int
    memory_mib: int

    def fits(self, memory_mib: int) -> int:
        """How many environments of this size it holds."""
        return max(0, min(self.places, self.memory_mib // memory_mib))


NO_SPACE: Final = Space(0, 0)


class Room:
    """Who takes how much of the host. A function that may use more than all of it counts as using all of it."""

    def __init__(self, whole: Space) -> None:
        self.whole = whole
        self._charges: dict[Occupant, int] = {}
        self._used_mib = 0
        self._leaving: set[Occupant] = set()

    def __len__(self) -> int:
        return len(self._charges)

    @property
    def used_mib(self) -> int:
        return self._used_mib

    @property
    def free(self) -> Space:
        """What is free now; less than nothing when there is less of it than there was."""
        return Space(self.whole.places - len(self._charges), self.whole.memory_mib - self._used_mib)

    @property
    def soon_free(self) -> Space:
        """What those will leave that are ending."""
        return Space(len(self._leaving), sum(self._charges[one] for one in self._leaving))

    def size_of(self, memory_mib: int) -> int:
        """What an environment of a function with so much memory counts while it works."""
        return min(memory_mib, self.whole.memory_mib)

    def growth_of(self, occupant: Occupant) -> int:
        """How much more it counts when it works."""
        return self.size_of(occupant.memory_mib) - self._charges[occupant]

    def charge_of(self, occupant: Occupant) -> int:
        """What it counts now, and leaves when it ends."""
        return self._charges[occupant]

    def enter(self, occupant: Occupant) -> None:
        """It is being started."""
        size = self._charges[occupant] = self.size_of(occupant.memory_mib)
        self._used_mib += size

    def work(self, occupant: Occupant) -> bool:
        """It is to run an invocation: whether that fits. It counts all that it may use from now on, if so."""
        size, charge = occupant.memory_mib, self._charges[occupant]
        if size == charge:
            return True
        used = self._used_mib + self.size_of(size) - charge
        if used > self.whole.memory_mib:
            return False
        self._used_mib = used
        self._charges[occupant] = self.size_of(size)
        return True

    def rest(self, occupant: Occupant) -> None:
        """It is idle and frozen from now on."""
        used_bytes = occupant.used_bytes
        charge = self._charges[occupant]
        if used_bytes > 0:
            resting = min(charge, ceil(used_bytes / _MIB))
            self._charges[occupant] = resting
            self._used_mib += resting - charge

    def leave_soon(self, occupant: Occupant) -> None:
        """It is ending."""
        self._leaving.add(occupant)

    def leave(self, occupant: Occupant) -> None:
        """It has ended. Idempotent."""
        self._leaving.discard(occupant)
        self._used_mib -= self._charges.pop(occupant, 0)
