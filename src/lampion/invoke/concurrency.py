"""How many invocations run at once in an account and of a function, and the refusal beyond what each may.

A function that reserves concurrency never runs more than that, and always may run as many: what is reserved is taken
from all others. AWS: developer guide, "Understanding Lambda function scaling".
"""

from collections.abc import Mapping, Sequence
from types import TracebackType

from lampion.domain.arn import FunctionKey
from lampion.domain.concurrency import ReservedConcurrency, unreserved
from lampion.domain.errors import TooManyRequestsException
from lampion.store.cached_resources import CachedResources
from lampion.store.concurrency import RESERVED, by_function


class Concurrency:
    """Concurrent executions. `async with concurrency.admit(key):` holds one of them."""

    def __init__(self, limit: int, resources: CachedResources) -> None:
        self._limit = limit
        self._resources = resources
        self._divisions: dict[tuple[str, str], Division] = {}

    def running(self, account_id: str, region: str) -> int:
        """Invocations of the account that are in progress."""
        division = self._divisions.get((account_id, region))
        return 0 if division is None else division.running

    def admit(self, key: FunctionKey) -> "Admission":
        """One concurrent execution of a function; entering raises TooManyRequestsException when none is left."""
        return Admission(self, key)

    async def take(self, key: FunctionKey) -> "Division":
        """Reservations are at hand until one changes: the warm path awaits nothing."""
        account_id, region = key.account_id, key.region
        reserved = self._resources.every_at_hand(RESERVED, account_id, region)
        if reserved is None:
            reserved = await self._resources.every(RESERVED, account_id, region)
        division = self._divisions.get((account_id, region))
        if division is None:
            division = self._divisions[account_id, region] = Division(self._limit)
        division.divide(reserved)
        division.take(key.name)
        return division


class Division:
    """The invocations of one account in one region, each counted with its function or with the unreserved rest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._source: Sequence[ReservedConcurrency] = ()
        self._reserved: Mapping[str, int] = {}
        self._unreserved = limit
        self._running: dict[str, int] = {}
        self._running_unreserved = 0

    @property
    def running(self) -> int:
        return sum(self._running.values())

    def divide(self, reserved: Sequence[ReservedConcurrency]) -> None:
        """Go by these reservations from now on; what runs already is counted where it belongs by them."""
        if reserved is self._source:
            return
        self._source, self._reserved = reserved, by_function(reserved)
        self._unreserved = unreserved(self._limit, self._reserved)
        self._running_unreserved = sum(n for name, n in self._running.items() if name not in self._reserved)

    def take(self, name: str) -> None:
        running = self._running.get(name, 0)
        most = self._reserved.get(name)
        if most is None:
            if self._running_unreserved >= self._unreserved:
                raise _throttled("ConcurrentInvocationLimitExceeded")
            self._running_unreserved += 1
        elif running >= most:
            raise _throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
        self._running[name] = running + 1

    def release(self, name: str) -> None:
        running = self._running[name] - 1
        if running:
            self._running[name] = running
        else:
            del self._running[name]
        if name not in self._reserved:
            self._running_unreserved -= 1


def _throttled(reason: str) -> TooManyRequestsException:
    return TooManyRequestsException("Rate Exceeded.", Reason=reason)


class Admission:
    """The context manager of `Concurrency.admit`."""

    __slots__ = ("_concurrency", "_division", "_key")

    def __init__(self, concurrency: Concurrency, key: FunctionKey) -> None:
        self._concurrency = concurrency
        self._key = key

    async def __aenter__(self) -> None:
        self._division = await self._concurrency.take(self._key)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._division.release(self._key.name)
