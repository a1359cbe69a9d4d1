"""Who gets room on a host that has too little: pure decisions over the pools that want some.

What a starved host has is divided equally between the functions that want it, whoever came first or wants most; between
versions and tenants of one function likewise; and one after the other where there is less than one for each.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lampion.domain.arn import FunctionKey
from lampion.environments.version_pool import VersionPool

PATIENCE_SECONDS: Final = 1.0
"""How long one waits before another with no more than it has makes room: each such change costs a cold start."""

Work = Counter[FunctionKey]
"""Environments that functions have at work."""


def work_of(pools: Iterable[VersionPool]) -> Work:
    work: Work = Counter()
    for pool in pools:
        if pool.at_work:
            work[pool.key[0]] += pool.at_work
    return work


def least_served(starved: Sequence[VersionPool], work: Work) -> VersionPool:
    """Who gets the next piece of room, of those for whom somebody waits."""
    return min(starved, key=lambda one: (work[one.key[0]], one.at_work, one.waiting[0].since))


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """What one who wants room has at work, and since when it waits."""

    share: int
    since: float


def gives_way(holder: VersionPool, starved: Iterable[VersionPool], work: Work, now: float) -> bool:
    """Whether an environment that has just come back to `holder` ends for others. `work` is without it."""
    mine = holder.key[0]
    others = [one for one in starved if one.waiting and one is not holder]
    foreign = [Claim(work[one.key[0]], one.waiting[0].since) for one in others if one.key[0] != mine]
    own = [Claim(one.at_work, one.waiting[0].since) for one in others if one.key[0] == mine]
    return _yields(work[mine], foreign, now) or _yields(holder.at_work, own, now)


def _yields(share: int, claims: Sequence[Claim], now: float) -> bool:
    if not claims:
        return False
    first = min(claims)
    return share > first.share or (share == first.share and now - first.since >= PATIENCE_SECONDS)
