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
    there is room later; `short` is for how many it is needed."""

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
    unserved = max(0, demand.waiting - reuse - demand.starting)
    blocked = demand.growths[reuse : min(demand.waiting, reuse + unserved)]
    launches = max(0, min(unserved - len(blocked), demand.launches))
    start = min(launches, Space(demand.free.places, free_mib).fits(demand.memory_mib))
    needs = [*(Space(0, growth) for growth in blocked), *[Space(1, demand.memory_mib)] * (launches - start)]
    if not needs:
        return Assignment(reuse, start)
    places = demand.free.places - start + demand.soon_free.places
    memory_mib = free_mib - start * demand.memory_mib + demand.soon_free.memory_mib
    return Assignment(reuse, start, _evictions(needs, Space(places, memory_mib), demand.evictable), len(needs))


def _evictions(needs: Sequence[Space], coming: Space, evictable: Iterable[int]) -> int:
    """The least number after which as many of the needs, in their order, are met as can be."""
    met, evict, evicted = 0, 0, 0
    places, memory_mib = coming.places, coming.memory_mib
    leaving = iter(evictable)
    while met < len(needs):
        if needs[met].places <= max(0, places) and needs[met].memory_mib <= memory_mib:
            places, memory_mib = places - needs[met].places, memory_mib - needs[met].memory_mib
            met, evict = met + 1, evicted
        elif (charge := next(leaving, None)) is not None:
            places, memory_mib, evicted = places + 1, memory_mib + charge, evicted + 1
        else:
            break
    return evict
