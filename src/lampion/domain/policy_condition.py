"""Conditions of policy statements: whether what is known of a request meets them. Pure.

Docs: IAM user guide, "IAM JSON policy elements: Condition operators", "Conditions with multiple keys or values".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, Final

from lampion.domain.policy_document import matches

Context = Mapping[str, Sequence[str]]
"""What is known of a request: values by condition key in lower case. What isn't known isn't in it."""

_Test = Callable[[str, str], bool]
"""Whether a request's value passes, given the policy's."""

_ARN_PARTS: Final = 6
_SETS: Final = {"forallvalues": all, "foranyvalue": any}


def meets(condition: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether every test of a statement's Condition passes. An operator nobody knows passes nothing."""
    return all(
        _passes(operator.lower(), key.lower(), _texts(value), context)
        for operator, tests in condition.items()
        for key, value in tests.items()
    )


def _passes(operator: str, key: str, wanted: Sequence[str], context: Context) -> bool:
    values = context.get(key)
    if operator == "null":
        return any((text == "true") == (values is None) for text in wanted)
    over, _, name = operator.rpartition(":")
    if name.endswith("ifexists"):
        if values is None:
            return True
        name = name.removesuffix("ifexists")
    test, is_negated = _tests(name)
    if test is None:
        return False
    if values is None:
        return over == "forallvalues" or (is_negated and not over)
    passed = (any(_holds(test, value, text) for text in wanted) != is_negated for value in values)
    return _SETS.get(over, any)(passed)


def _tests(name: str) -> tuple[_Test | None, bool]:
    """The test of an operator, and whether it is turned round: `StringNotEquals` is `StringEquals` turned round."""
    if name in _TESTS:
        return _TESTS[name], False
    return _TESTS.get(name.replace("not", "", 1)), True


def _holds(test: _Test, value: str, wanted: str) -> bool:
    """A value that isn't of the operator's type passes no test."""
    try:
        return test(value, wanted)
    except (ValueError, OverflowError):
        return False


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def _moment(text: str) -> float:
    """Seconds since the epoch, of ISO 8601 or of a number. Raises ValueError."""
    if re.fullmatch(r"\d{1,12}(\.\d+)?", text, re.ASCII):
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _in_network(value: str, wanted: str) -> bool:
    return ip_address(value) in ip_network(wanted, strict=False)


def _arn_like(value: str, wanted: str) -> bool:
    """Part by part: a wildcard in one part doesn't reach into the next."""
    parts, patterns = value.split(":", _ARN_PARTS - 1), wanted.split(":", _ARN_PARTS - 1)
    return len(parts) == len(patterns) == _ARN_PARTS and all(
        matches(*pair) for pair in zip(patterns, parts, strict=True)
    )


_TESTS: Final[dict[str, _Test]] = {
    "stringequals": lambda value, wanted: value == wanted,
    "stringequalsignorecase": lambda value, wanted: value.lower() == wanted.lower(),
    "stringlike": lambda value, wanted: matches(wanted, value),
    "numericequals": lambda value, wanted: float(value) == float(wanted),
    "numericlessthan": lambda value, wanted: float(value) < float(wanted),
    "numericlessthanequals": lambda value, wanted: float(value) <= float(wanted),
    "numericgreaterthan": lambda value, wanted: float(value) > float(wanted),
    "numericgreaterthanequals": lambda value, wanted: float(value) >= float(wanted),
    "dateequals": lambda value, wanted: _moment(value) == _moment(wanted),
    "datelessthan": lambda value, wanted: _moment(value) < _moment(wanted),
    "datelessthanequals": lambda value, wanted: _moment(value) <= _moment(wanted),
    "dategreaterthan": lambda value, wanted: _moment(value) > _moment(wanted),
    "dategreaterthanequals": lambda value, wanted: _moment(value) >= _moment(wanted),
    "bool": lambda value, wanted: value.lower() == wanted.lower(),
    "binaryequals": lambda value, wanted: value == wanted,
    "ipaddress": _in_network,
    "arnequals": _arn_like,
    "arnlike": _arn_like,
}
