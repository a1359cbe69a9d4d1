"""Which versions are to have how many environments ahead of invocations, and which none any more: a pure decision."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lampion.domain.arn import FunctionKey
from lampion.environments.provisioned import Provisioned

Place = tuple[FunctionKey, str]
"""A function and a qualifier: of a configuration, or of a version."""


@dataclass(frozen=True, slots=True)
class Config:
    """What is wanted for a qualifier, since when, and the version that it stands for now."""

    place: Place
    version: str
    executions: int
    since_epoch_ms: int


@dataclass(frozen=True, slots=True)
class Served:
    """The version that a configuration of `since_epoch_ms` counted for when last looked at, and former ones whose
    environments are kept until there are as many of the new one.
    """

    version: str
    since_epoch_ms: int
    outgoing: frozenset[str] = frozenset()

    def until(self, version: str) -> "Served":
        """As it is when the configuration counts for `version`."""
        if version == self.version:
            return self
        return Served(version, self.since_epoch_ms, (self.outgoing | {self.version}) - {version})


@dataclass(frozen=True, slots=True)
class Plan:
    """What to keep, what to end, and what to know of each configuration next time; `anew`: what was asked for since."""

    targets: Mapping[Place, int]
    anew: frozenset[Place]
    given_up: Sequence[Place]
    served: Mapping[Place, Served]


def plan(
    configs: Iterable[Config],
    served: Mapping[Place, Served],
    before: Mapping[Place, int],
    standing: Callable[[FunctionKey, str], Provisioned],
) -> Plan:
    """`before` is what was kept until now, `standing` how far each version's environments have got.

    When an alias moves, what serves its former version goes as soon as the new one is served; or when that fails or has
    no room, for then keeping it would help nobody.
    """
    targets: dict[Place, int] = {}
    now: dict[Place, Served] = {}
    kept: dict[Place, int] = {}
    anew: set[Place] = set()
    for config in configs:
        key = config.place[0]
        last = served.get(config.place)
        if last is None or (last.version, last.since_epoch_ms) != (config.version, config.since_epoch_ms):
            anew.add((key, config.version))
        one = standing(key, config.version)
        has_failed = one.failure is not None and (key, config.version) not in anew
        is_served = one.ready >= config.executions or has_failed or one.lacks_room
        outgoing = frozenset[str]() if is_served or last is None else last.until(config.version).outgoing
        now[config.place] = Served(config.version, config.since_epoch_ms, outgoing)
        targets[key, config.version] = config.executions
        kept |= {(key, version): before[key, version] for version in outgoing if (key, version) in before}
    targets = kept | targets
    return Plan(targets, frozenset(anew), [place for place in before if place not in targets], now)
