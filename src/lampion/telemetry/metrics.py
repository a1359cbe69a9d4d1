"""What functions did since the server started, by the names of AWS's metrics. In memory; CloudWatch builds on it.

Counting is a few dictionary updates on the event loop; sums over a function are made when somebody asks.
Source: Lambda developer guide, "Types of metrics for Lambda functions".
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from lampion.domain.arn import FunctionKey

Count = Literal[
    "Invocations",
    "Errors",
    "Throttles",
    "RecursiveInvocationsDropped",
    "AsyncEventsReceived",
    "AsyncEventsDropped",
    "DeadLetterErrors",
    "DestinationDeliveryFailures",
]
"""Metrics that are counted; their value is a sum."""

Measure = Literal["Duration", "PostRuntimeExtensionsDuration", "ConcurrentExecutions", "AsyncEventAge"]
"""Metrics whose values are observed. Milliseconds but for ConcurrentExecutions, which is a number of invocations."""

_SERIES: Final = 10_000


class Observed(msgspec.Struct):
    """The values that were observed of a measure. `minimum` and `maximum` are 0 when there were none."""

    count: int = 0
    total: float = 0.0
    minimum: float = 0.0
    maximum: float = 0.0

    def add(self, value: float) -> None:
        if self.count == 0 or value < self.minimum:
            self.minimum = value
        if self.count == 0 or value > self.maximum:
            self.maximum = value
        self.count += 1
        self.total += value


class Totals(msgspec.Struct, frozen=True):
    """Metrics by name; those that never occurred are missing."""

    counts: Mapping[str, int]
    measures: Mapping[str, Observed]


class Executions:
    """How many invocations of a function, or of an account in a region, are in progress; observed at each beginning."""

    __slots__ = ("observed", "running", "series")

    def __init__(self) -> None:
        self.running = 0
        self.series = 0  # how many count here
        self.observed = Observed()

    def begin(self) -> None:
        self.running += 1
        self.observed.add(self.running)

    def end(self) -> None:
        self.running -= 1


class Series:
    """The metrics of one function as invoked with one qualifier, and of the version that ran for it.

    AWS's dimensions FunctionName, Resource (function:qualifier) and ExecutedVersion.
    """

    __slots__ = ("_account", "_counts", "_function", "_measures", "key", "qualifier", "version")

    def __init__(
        self, key: FunctionKey, qualifier: str | None, version: str, *, function: Executions, account: Executions
    ) -> None:
        self.key = key
        self.qualifier = qualifier
        self.version = version
        self._function = function
        self._account = account
        self._counts: dict[str, int] = {}
        self._measures: dict[str, Observed] = {}

    @property
    def resource(self) -> str:
        return self.key.name if self.qualifier is None else f"{self.key.name}:{self.qualifier}"

    def count(self, name: Count, by: int = 1) -> None:
        self._counts[name] = self._counts.get(name, 0) + by

    def observe(self, name: Measure, value: float) -> None:
        observed = self._measures.get(name)
        if observed is None:
            observed = self._measures[name] = Observed()
        observed.add(value)

    def begin(self) -> None:
        """An invocation begins to run: ConcurrentExecutions of the function and of the account."""
        self._function.begin()
        self._account.begin()

    def end(self) -> None:
        """It has ended."""
        self._function.end()
        self._account.end()

    @property
    def totals(self) -> Totals:
        return Totals(self._counts, self._measures)


class Metrics:
    """All series; of more than `most_series` those that were least recently used are forgotten."""

    def __init__(self, *, most_series: int = _SERIES) -> None:
        self._most_series = most_series
        self._series: OrderedDict[tuple[FunctionKey, str | None, str], Series] = OrderedDict()
        self._functions: dict[FunctionKey, Executions] = {}
        self._accounts: dict[tuple[str, str], Executions] = {}

    def of(self, key: FunctionKey, qualifier: str | None, version: str) -> Series:
        """Where to count what was invoked as `qualifier` and ran, or would have run, as `version`."""
        identity = (key, qualifier, version)
        series = self._series.get(identity)
        if series is None:
            return self._new(identity)
        self._series.move_to_end(identity)
        return series

    def series(self, account_id: str, region: str) -> Sequence[Series]:
        """Those of one account in one region, by function, qualifier and version."""
        found = [one for one in self._series.values() if (one.key.account_id, one.key.region) == (account_id, region)]
        return sorted(found, key=lambda one: (one.key.name, one.qualifier or "", one.version))

    def executions(self, key: FunctionKey) -> Executions:
        """Those of a function; nothing is kept of one that was never invoked."""
        return self._functions.get(key) or Executions()

    def account_executions(self, account_id: str, region: str) -> Executions:
        """Those of all functions of an account in a region."""
        return self._accounts.get((account_id, region)) or Executions()

    def _new(self, identity: tuple[FunctionKey, str | None, str]) -> Series:
        key = identity[0]
        function = self._functions.setdefault(key, Executions())
        account = self._accounts.setdefault((key.account_id, key.region), Executions())
        function.series += 1
        series = self._series[identity] = Series(*identity, function=function, account=account)
        if len(self._series) > self._most_series:
            self._forget()
        return series

    def _forget(self) -> None:
        """The oldest series, and its function's executions when it has no other."""
        (key, _, _), _ = self._series.popitem(last=False)
        function = self._functions[key]
        function.series -= 1
        if not function.series:
            del self._functions[key]


def summed(series: Iterable[Series]) -> Totals:
    """One sum over several series."""
    counts: dict[str, int] = {}
    measures: dict[str, Observed] = {}
    for totals in (one.totals for one in series):
        for name, value in totals.counts.items():
            counts[name] = counts.get(name, 0) + value
        for name, observed in totals.measures.items():
            measures[name] = _merged(measures.get(name), observed)
    return Totals(counts, measures)


def _merged(one: Observed | None, other: Observed) -> Observed:
    if one is None:
        return Observed(other.count, other.total, other.minimum, other.maximum)
    minimum, maximum = min(one.minimum, other.minimum), max(one.maximum, other.maximum)
    return Observed(one.count + other.count, one.total + other.total, minimum, maximum)
