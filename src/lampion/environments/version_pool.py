"""The environments of one version, or of one tenant of it, and who waits for one. State only; `pool` acts on it."""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lampion.clock.clock import Timer
from lampion.domain.arn import FunctionKey
from lampion.domain.function import Function
from lampion.environments.courtesy import Courtesy
from lampion.environments.environment import Environment
from lampion.environments.outlook import Outlook

if TYPE_CHECKING:
    import asyncio

PoolKey = tuple[FunctionKey, str, str | None]
"""Function, version and tenant id: environments are shared by nothing less."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A request in line, since when (monotonic, in seconds)."""

    environment: "asyncio.Future[Environment]"
    since: float


@dataclass(slots=True)
class Ahead:
    """Environments that are initialised ahead of invocations: `wanted` of them.

    `ready` ones have been initialised; of these, `free` ones have no work, and `worn` ones are to be replaced: each
    works on until a successor is ready, at most until its timer goes off. `surplus` ones aren't wanted any more and end
    with their work. After a failure nothing is started before the `pause` is over.
    """

    wanted: int = 0
    starting: set[Environment] = field(default_factory=set)
    ready: dict[Environment, None] = field(default_factory=dict)  # in order, for what happens to depend on nothing else
    free: list[Environment] = field(default_factory=list)
    worn: dict[Environment, Timer] = field(default_factory=dict)
    surplus: set[Environment] = field(default_factory=set)
    failure: str | None = None
    failures: int = 0
    pause: Timer | None = None
    lacks_room: bool = False

    @property
    def missing(self) -> int:
        """How many are to be started now."""
        fresh = len(self.ready) - len(self.worn)
        return 0 if self.pause is not None else max(0, self.wanted - len(self.starting) - fresh)

    def lose(self, environment: Environment) -> None:
        """It isn't one of those that are ready any more."""
        self.ready.pop(environment, None)
        timer = self.worn.pop(environment, None)
        if timer is not None:
            timer.cancel()


@dataclass(slots=True, eq=False)
class VersionPool:
    """The environments of one version in its present configuration and code. `size_mib` is what each counts at work."""

    key: PoolKey
    function: Function
    size_mib: int
    idle: list[Environment] = field(default_factory=list)  # the last one is the most recently used
    waiting: deque[Turn] = field(default_factory=deque)
    outlook: Outlook = field(default_factory=Outlook)
    starting: int = 0  # for those who wait
    launching: set[Environment] = field(default_factory=set)  # those that are started and have no sandbox yet
    busy: int = 0
    courtesy: Courtesy | None = None  # of the environment that ended last
    ahead: Ahead | None = None
    is_current: bool = True

    def __repr__(self) -> str:
        function, version, tenant_id = self.key
        ahead = f", {len(self.ahead.free)}/{self.ahead.wanted} ahead" if self.ahead is not None else ""
        return (
            f"{function.name}:{version}{'' if tenant_id is None else '/' + tenant_id} {len(self.idle)} idle, "
            f"{self.busy} busy, {self.starting} starting, {len(self.waiting)} waiting{ahead}"
        )

    def runs_the_same(self, function: Function) -> bool:
        """Whether its environments do for `function`, another state of the same version."""
        return self.function.configuration == function.configuration and self.function.package == function.package

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be lost with it."""
        return not (self.idle or self.waiting or self.starting or self.launching or self.busy or self.ahead)

    @property
    def unserved(self) -> int:
        """Requests in line that no environment is started for."""
        return len(self.waiting) - self.starting

    @property
    def at_work(self) -> int:
        """Environments that somebody waits for or uses."""
        return self.busy + self.starting

    def hand_over(self, environment: Environment) -> None:
        """To the first in line."""
        self.busy += 1
        self.outlook.served += 1
        self.waiting.popleft().environment.set_result(environment)
