"""What always holds of a simulated server, judged by what its fakes see and not by what it counts itself."""

from collections import Counter

from lampion.domain.arn import LATEST
from lampion.domain.provisioned_concurrency import Status
from tests.simulation.world import World


class Invariants:
    """Remembers what was configured, and holds it against what runs. Call `check` at every moment that matters.

    When a limit falls below what runs already, that may end in peace: the limit is then what runs, until that is less.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._reserved: dict[str, int] = {}
        self._provisioned: dict[tuple[str, str], int] = {}
        self._bounds: dict[str, int] = {}
        self._unreserved_bound = world.limits.concurrency

    def configured(self, reserved: dict[str, int], provisioned: dict[tuple[str, str], int]) -> None:
        """From now on functions reserve this, and have this provisioned, by function and version."""
        self._reserved, self._provisioned = reserved, provisioned
        admitted = self._by_function()
        self._bounds = {name: max(most, admitted[name]) for name, most in reserved.items()}
        self._unreserved_bound = max(self._unreserved, self._beyond())

    def check(self) -> None:
        """Everything that can be said without asking the server."""
        admitted = self._by_function()
        for name, most in self._reserved.items():
            bound = self._bounds[name]
            assert admitted[name] <= bound, f"{name} reserves {most} and runs {admitted[name]}"
            self._bounds[name] = max(most, min(bound, admitted[name]))
        assert sum(admitted.values()) <= self._world.limits.concurrency
        beyond = self._beyond()
        assert beyond <= self._unreserved_bound, f"{beyond} run on {self._unreserved} that nobody reserves"
        self._unreserved_bound = max(self._unreserved, min(self._unreserved_bound, beyond))
        self._check_host()

    async def check_allocations(self) -> None:
        """Nothing is called READY that isn't there, and no count is greater than what is there."""
        for (name, qualifier), (said, version, wanted) in (await self._world.allocations()).items():
            there = self._world.ready_ahead(name, version)
            if said.status is Status.READY:
                assert there >= wanted, f"{name}:{qualifier} is READY with {there} of {wanted}"
            assert 0 <= said.available <= said.allocated <= wanted

    def check_rest(self) -> None:
        """Nothing is left of all that ran."""
        assert sum(self._world.pool.admitted.values()) == 0
        division = self._world.concurrency
        assert division.running("123456789012", "us-east-1") == 0
        text = repr(self._world.pool)
        for word in ("busy", "starting", "waiting"):
            assert all(part.endswith("0") for part in text.split(f" {word}")[:-1]), text

    @property
    def _unreserved(self) -> int:
        alone = sum(most for (name, _), most in self._provisioned.items() if name not in self._reserved)
        return max(0, self._world.limits.concurrency - sum(self._reserved.values()) - alone)

    def _by_function(self) -> Counter[str]:
        counted: Counter[str] = Counter()
        for (name, _), admitted in self._world.pool.admitted.items():
            counted[name] += admitted
        return counted

    def _beyond(self) -> int:
        """What runs of functions that reserve nothing, beside what is provisioned."""
        return sum(
            max(0, admitted - self._provisioned.get((name, version), 0))
            for (name, version), admitted in self._world.pool.admitted.items()
            if name not in self._reserved
        )

    def _check_host(self) -> None:
        live, limits = self._world.environments.live, self._world.limits
        assert len(live) <= limits.environments, f"{len(live)} environments on a host for {limits.environments}"
        used_mib = sum(one.claims_mib for one in live)
        assert used_mib <= limits.memory_mib, f"{used_mib} MiB of {limits.memory_mib} may be in use"
        for one in live:
            assert len(one.tenants) <= 1
            assert not (one.is_ahead and one.function.version == LATEST)
