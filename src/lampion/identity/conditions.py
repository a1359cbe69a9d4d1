"""Conditions of policy statements: whether what is known of a request meets them. Pure.

Docs: IAM user guide, "IAM JSON policy elements: Condition operators", "Conditions with multiple keys or values".
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final, Protocol

from lampion.identity.patterns import ArnPattern, Lookup, Pattern, arn_pattern, pattern

_SETS: Final = {"forallvalues": all, "foranyvalue": any}


class Known(Protocol):
    """What is known of a request, by condition key in lower case. A mapping is one."""

    def get(self, key: str, /) -> Sequence[str] | None:
        """None when the key isn't in the request."""


Compared = Callable[[str, Any, Lookup], bool]
"""Whether a request's value passes a policy's, which is prepared. May raise ValueError for what isn't of the type."""


@dataclass(frozen=True, slots=True)
class _Operator:
    compare: Compared
    prepare: Callable[[str, bool], Any]
    """From the policy's text, and whether it may have variables, to what `compare` takes."""


@dataclass(frozen=True, slots=True)
class Test:
    """One key of one operator of a Condition. `over` is how a set of values is taken, None for single ones."""

    key: str
    operator: _Operator | None
    wanted: tuple[Any, ...]
    is_negated: bool = False
    if_exists: bool = False
    over: str | None = None

    def passes(self, known: Known, lookup: Lookup) -> bool:
        values = known.get(self.key)
        if values is None:
            return self.if_exists or (self.over == "forallvalues" if self.over else self.is_negated)
        if self.operator is None:
            return False
        passed = (self._one(value, lookup) for value in values)
        return _SETS[self.over](passed) if self.over else any(passed)

    def _one(self, value: str, lookup: Lookup) -> bool:
        assert self.operator is not None
        compare = self.operator.compare
        return any(_holds(compare, value, wanted, lookup) for wanted in self.wanted) != self.is_negated


@dataclass(frozen=True, slots=True)
class Absence:
    """The operator Null: whether the key must be missing (True) or there, one of `wanted` being enough."""

    key: str
    wanted: tuple[bool, ...]

    def passes(self, known: Known, lookup: Lookup) -> bool:
        return (known.get(self.key) is None) in self.wanted


Condition = tuple[Test | Absence, ...]


def condition(element: Mapping[str, Mapping[str, Any]], *, variables: bool) -> Condition:
    """The element Condition of a statement, read. An operator nobody knows passes nothing."""
    return tuple(
        _test(operator.lower(), key.lower(), _texts(value), variables=variables)
        for operator, tests in element.items()
        for key, value in tests.items()
    )


def meets(tests: Condition, known: Known) -> bool:
    """Whether every test passes."""
    if not tests:
        return True
    lookup = lookup_in(known)
    return all(test.passes(known, lookup) for test in tests)


def keys_of(tests: Condition) -> frozenset[str]:
    """What they look at."""
    return frozenset(test.key for test in tests)


def lookup_in(known: Known) -> Lookup:
    """What variables stand for."""

    def lookup(key: str) -> str | None:
        values = known.get(key)
        return values[0] if values is not None and len(values) == 1 else None

    return lookup


def _test(operator: str, key: str, wanted: Sequence[str], *, variables: bool) -> Test | Absence:
    if operator == "null":
        return Absence(key, tuple(text.lower() == "true" for text in wanted))
    over, _, name = operator.rpartition(":")
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    is_negated = name not in _OPERATORS and name.replace("not", "", 1) in _OPERATORS
    found = _OPERATORS.get(name.replace("not", "", 1) if is_negated else name)
    if found is None or over not in ("", *_SETS):
        return Test(key, None, (), over="foranyvalue")
    prepared = tuple(found.prepare(text, variables) for text in wanted)
    return Test(key, found, prepared, is_negated, if_exists, over or None)


def _holds(compare: Compared, value: str, wanted: Any, lookup: Lookup) -> bool:
    """A value that isn't of the operator's type passes no test."""
    try:
        return compare(value, wanted, lookup)
    except (ValueError, OverflowError):
        return False


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def _pattern(text: str, variables: bool) -> Pattern:
    return pattern(text, variables=variables)


def _arn(text: str, variables: bool) -> ArnPattern:
    return arn_pattern(text, variables=variables)


def _spelt(compare: Callable[[str, str], bool]) -> _Operator:
    """An operator that compares with the policy's text, in which variables have got their values."""

    def compared(value: str, wanted: Pattern, lookup: Lookup) -> bool:
        text = wanted.spelt(lookup)
        return text is not None and compare(value, text)

    return _Operator(compared, _pattern)


def _moment(text: str) -> float:
    """Seconds since the epoch, of ISO 8601 or of a number. Raises ValueError."""
    if re.fullmatch(r"\d{1,12}(\.\d+)?", text, re.ASCII):
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


@lru_cache(maxsize=1024)
def _address(text: str) -> IPv4Address | IPv6Address:
    """Remembered, for a policy that asks for it asks at every request. Raises ValueError."""
    return ip_address(text)


@lru_cache(maxsize=1024)
def _network(text: str) -> IPv4Network | IPv6Network:
    """Remembered likewise. Raises ValueError."""
    return ip_network(text, strict=False)


_OPERATORS: Final[dict[str, _Operator]] = {
    "stringequals": _spelt(lambda value, wanted: value == wanted),
    "stringequalsignorecase": _spelt(lambda value, wanted: value.lower() == wanted.lower()),
    "stringlike": _Operator(lambda value, wanted, lookup: wanted.matches(value, lookup), _pattern),
    "numericequals": _spelt(lambda value, wanted: float(value) == float(wanted)),
    "numericlessthan": _spelt(lambda value, wanted: float(value) < float(wanted)),
    "numericlessthanequals": _spelt(lambda value, wanted: float(value) <= float(wanted)),
    "numericgreaterthan": _spelt(lambda value, wanted: float(value) > float(wanted)),
    "numericgreaterthanequals": _spelt(lambda value, wanted: float(value) >= float(wanted)),
    "dateequals": _spelt(lambda value, wanted: _moment(value) == _moment(wanted)),
    "datelessthan": _spelt(lambda value, wanted: _moment(value) < _moment(wanted)),
    "datelessthanequals": _spelt(lambda value, wanted: _moment(value) <= _moment(wanted)),
    "dategreaterthan": _spelt(lambda value, wanted: _moment(value) > _moment(wanted)),
    "dategreaterthanequals": _spelt(lambda value, wanted: _moment(value) >= _moment(wanted)),
    "bool": _spelt(lambda value, wanted: value.lower() == wanted.lower()),
    "binaryequals": _spelt(lambda value, wanted: _bytes(value) == _bytes(wanted)),
    "ipaddress": _spelt(lambda value, wanted: _address(value) in _network(wanted)),
    "arnequals": _Operator(lambda value, wanted, lookup: wanted.matches(value, lookup), _arn),
    "arnlike": _Operator(lambda value, wanted, lookup: wanted.matches(value, lookup), _arn),
}
