"""Which environments serve whom: pure decisions from counts, so that every case is a row of a table test."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lampion.environments.room import NO_SPACE, Space


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One version's requests and environments, and the room that the host still has.

    `waiting` requests have no environment; `starting` environments will be idle soon, `launches` more may begin now,
    of `memory_mib` each. `growths` says how much more each idle one takes when it works, the most recently used first.
    `soon_free` is left by environments that are ending, and each of the `evictable` would leave its part, that which
    is to go first in front.
    """

    waiting: int
    starting: int
    launches: int
    memory_mib: int
    growths: Sequence[int] = ()
    free: Space
    soon_free: Space = NO_SPACE
    evictable: Iterable[int] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """How many waiting requests get an idle environment, how many environments to start now, how many to evict, so that
    there is room later; `short` is how many starts have to wait for it."""

    reuse: int = 0
    start: int = 0
    evict: int = 0
    short: int = 0


def assign(demand: Demand) -> Assignment:
    """Reuse what is idle; start one environment for each request beyond those under way; evict only for room, and only
    as many as give some."""
    reuse, free_mib = 0, demand.free.memory_mib
    for growth in demand.growths[: demand.waiting]:
        if growth > free_mib:
            break
        free_mib -= growth
        reuse += 1
    missing = max(0, demand.waiting - reuse - demand.starting)
    launches = max(0, min(missing, demand.launches))
    start = min(launches, Space(demand.free.places, free_mib).fits(demand.memory_mib))
    short = launches - start
    if not short:
        return Assignment(reuse, start)
    places = demand.free.places - start + demand.soon_free.places
    memory_mib = free_mib - start * demand.memory_mib + demand.soon_free.memory_mib
    return Assignment(reuse, start, _evictions(demand, short, Space(places, memory_mib)), short)


def _evictions(demand: Demand, wanted: int, coming: Space) -> int:
    """The least number after which as many of the `wanted` ones fit as can be."""
    served, evict = min(wanted, coming.fits(demand.memory_mib)), 0
    places, memory_mib = coming.places, coming.memory_mib
    for number, charge in enumerate(demand.evictable, 1):
        if served == wanted:
            break
        places, memory_mib = places + 1, memory_mib + charge
        fitting = min(wanted, Space(places, memory_mib).fits(demand.memory_mib))
        if fitting > served:
            served, evict = fitting, number
    return evict
