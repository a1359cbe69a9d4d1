"""How many invocations run at once in an account and of a function, and the refusal beyond what each may.

A function that reserves concurrency never runs more than that, and always may run as many: what is reserved is taken
from all others; so is what is provisioned. AWS: developer guide, "Understanding Lambda function scaling".
"""

from typing import TYPE_CHECKING, Any, Final

from lampion.clock.clock import Clock
from lampion.domain.concurrency import Commitments, Shares, divided
from lampion.domain.errors import TooManyRequestsException
from lampion.domain.function import Function
from lampion.domain.limits import REQUESTS_PER_SECOND
from lampion.environments.rates import TokenBucket
from lampion.store.cached_resources import CachedResources
from lampion.store.concurrency import COMMITMENTS

if TYPE_CHECKING:
    import asyncio

_NOTHING: Final = Commitments(reserved={}, provisioned={})


class Concurrency:
    """Concurrent executions. `async with concurrency.admit(function):` holds one of them."""

    def __init__(self, limit: int, resources: CachedResources, clock: Clock) -> None:
        self._limit = limit
        self._resources = resources
        self._clock = clock
        self._divisions: dict[tuple[str, str], Division] = {}

    def running(self, account_id: str, region: str) -> int:
        """Invocations of the account that are in progress."""
        division = self._divisions.get((account_id, region))
        return 0 if division is None else division.running

    def admit(self, function: Function, *, is_event: bool = False) -> "Admission":
        """One concurrent execution of a function; entering raises TooManyRequestsException when none is left, or when
        there were too many in the last second. Of events that were accepted before (`is_event`) there can't be.
        """
        return Admission(self, function, is_event)

    async def take(self, function: Function, is_event: bool) -> "Division":
        """What is reserved and provisioned is at hand until it changes: the warm path awaits nothing."""
        key = function.key
        account_id, region = key.account_id, key.region
        commitments = self._resources.seen(COMMITMENTS, account_id, region)
        if commitments is None:
            commitments = await self._resources.see(COMMITMENTS, account_id, region)
        division = self._divisions.get((account_id, region))
        now = self._clock.monotonic()
        if division is None:
            division = self._divisions[account_id, region] = Division(self._limit, now)
        division.divide(commitments, now)
        division.take(key.name, function.version, None if is_event else now)
        return division


class Division:
    """The invocations of one account in one region. Each counts with what is provisioned for its version as long as
    there is some, else with the rest of what its function reserves, or with what nobody reserves.
    """

    def __init__(self, limit: int, now: float) -> None:
        self._limit = limit
        self._source: Commitments = _NOTHING
        self._shares: Shares = divided(limit, _NOTHING)
        self.running = 0
        self._running: dict[tuple[str, str], int] = {}
        self._whole: dict[str, int] = {}  # of functions that reserve: all that runs
        self._beyond: dict[str, int] = {}  # and what of it runs beside what is provisioned
        self._unreserved = 0  # the same of all other functions together
        self._rate = _bucket(limit, now)
        self._rates: dict[str, TokenBucket] = {}  # of functions that reserve

    def divide(self, commitments: Commitments, now: float) -> None:
        """Go by these from now on; what runs already is counted where it belongs by them."""
        if commitments is self._source:
            return
        self._source, self._shares = commitments, divided(self._limit, commitments)
        self._whole, self._beyond, self._unreserved = dict.fromkeys(commitments.reserved, 0), {}, 0
        for (name, version), running in self._running.items():
            if name in self._whole:
                self._whole[name] += running
            self._count(name, max(0, running - self._shares.provisioned.get((name, version), 0)))
        reserved = commitments.reserved
        rest = max(0, self._limit - sum(reserved.values()))
        self._rate.change(rest * REQUESTS_PER_SECOND, rest * REQUESTS_PER_SECOND, now)
        before, self._rates = self._rates, {}
        for name, most in reserved.items():
            bucket = self._rates[name] = before.get(name) or _bucket(most, now)
            bucket.change(most * REQUESTS_PER_SECOND, most * REQUESTS_PER_SECOND, now)

    def take(self, name: str, version: str, now: float | None = None) -> None:
        """Without `now`, requests in a second don't count. Raises TooManyRequestsException, and has taken nothing."""
        identity = (name, version)
        running = self._running.get(identity, 0)
        provisioned = self._shares.provisioned
        is_beyond = not provisioned or running >= provisioned.get(identity, 0)
        if is_beyond:
            self._check_rest(name)
        whole = self._whole.get(name)  # others may still run on what was provisioned, or set aside, meanwhile
        if whole is not None and whole >= self._source.reserved[name]:
            raise _throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
        if self.running >= self._limit:
            raise _throttled("ConcurrentInvocationLimitExceeded")
        if now is not None:
            self._check_rate(name, now)
        if is_beyond:
            self._count(name, 1)
        self._running[identity] = running + 1
        if whole is not None:
            self._whole[name] = whole + 1
        self.running += 1

    def release(self, name: str, version: str) -> None:
        self.running -= 1
        identity = (name, version)
        running = self._running[identity] - 1
        if running:
            self._running[identity] = running
        else:
            del self._running[identity]
        if running >= self._shares.provisioned.get(identity, 0):
            self._count(name, -1)
        if name in self._whole:
            self._whole[name] -= 1

    def _check_rest(self, name: str) -> None:
        """Whether there is something left beside what is provisioned."""
        most = self._shares.reserved.get(name)
        if most is None:
            if self._unreserved >= self._shares.unreserved:
                raise _throttled("ConcurrentInvocationLimitExceeded")
        elif self._beyond.get(name, 0) >= most:
            raise _throttled("ReservedFunctionConcurrentInvocationLimitExceeded")

    def _count(self, name: str, more: int) -> None:
        if name in self._shares.reserved:
            self._beyond[name] = self._beyond.get(name, 0) + more
        else:
            self._unreserved += more

    def _check_rate(self, name: str, now: float) -> None:
        """Developer guide, "Lambda quotas": ten synchronous requests in a second for each unit of concurrency."""
        bucket = self._rates.get(name)
        if bucket is None:
            if not self._rate.take(now):
                raise _throttled("FunctionInvocationRateLimitExceeded", retry_after_seconds=1)
        elif not bucket.take(now):
            raise _throttled("ReservedFunctionInvocationRateLimitExceeded", retry_after_seconds=1)


def _bucket(concurrency: int, now: float) -> TokenBucket:
    return TokenBucket(concurrency * REQUESTS_PER_SECOND, concurrency * REQUESTS_PER_SECOND, now)


def _throttled(reason: str, *, retry_after_seconds: int | None = None) -> TooManyRequestsException:
    """AWS's answer has no Retry-After where others have to end first: nobody knows when."""
    if retry_after_seconds is None:
        return TooManyRequestsException("Rate Exceeded.", Reason=reason)
    return TooManyRequestsException("Rate Exceeded.", Reason=reason, retryAfterSeconds=str(retry_after_seconds))


class Admission:
    """The context manager of `Concurrency.admit`; a class, for the warm path's sake.

    It holds for as long as what is set as `outlasted_by` isn't done, if that is longer.
    """

    __slots__ = ("_concurrency", "_division", "_function", "_is_event", "outlasted_by")

    def __init__(self, concurrency: Concurrency, function: Function, is_event: bool) -> None:
        self._concurrency = concurrency
        self._function = function
        self._is_event = is_event
        self.outlasted_by: asyncio.Future[Any] | None = None

    async def __aenter__(self) -> "Admission":
        self._division = await self._concurrency.take(self._function, self._is_event)
        return self

    async def __aexit__(self, *failure: object) -> None:
        if self.outlasted_by is None:
            self._division.release(self._function.key.name, self._function.version)
        else:
            self.outlasted_by.add_done_callback(self._release)

    def _release(self, _: object) -> None:
        self._division.release(self._function.key.name, self._function.version)
