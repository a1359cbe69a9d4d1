"""Which environments serve whom: a pure decision from counts, so that every case is a row of a table test."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One version's requests and environments, and the room that the host still has.

    `waiting` requests have no environment; `starting` environments will be idle soon; `environments` counts
    all of the host, `evictable` those of other versions that are idle; `launches` more may begin now.
    """

    waiting: int
    idle: int
    starting: int
    environments: int
    capacity: int
    evictable: int
    launches: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """How many waiting requests get an idle environment, how many environments to start, how many to evict first."""

    reuse: int = 0
    start: int = 0
    evict: int = 0


def assign(demand: Demand) -> Assignment:
    """Reuse what is idle; start one environment for each request beyond those under way; evict only for room."""
    reuse = min(demand.waiting, demand.idle)
    missing = max(0, demand.waiting - reuse - demand.starting)
    room = max(0, demand.capacity - demand.environments)
    start = min(missing, room + demand.evictable, demand.launches)
    return Assignment(reuse=reuse, start=start, evict=max(0, start - room))
