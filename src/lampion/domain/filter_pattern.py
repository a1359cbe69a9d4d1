"""The patterns by which a mapping filters records: whether one is an EventBridge pattern at all. Pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

_NUMBER_MAX: Final = 5.0e9
_LOWER: Final = frozenset((">", ">="))
_UPPER: Final = frozenset(("<", "<="))


def is_pattern(text: str, *, json_key: str | None = None) -> bool:
    """Whether `text` is a JSON object that says of every field what it may be.

    What stands under `json_key` describes data that is JSON, so it must say what the data's own fields may be.
    """
    try:
        pattern = json.loads(text, parse_constant=_refuse_constant)
        return _is_object(pattern) and isinstance(pattern.get(json_key, {}), dict)
    except (ValueError, RecursionError):
        return False


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(_is_field(name, part) for name, part in value.items())


def _is_field(name: str, value: Any) -> bool:
    if name == "$or":
        return isinstance(value, list) and len(value) > 1 and all(map(_is_object, value))
    if isinstance(value, list):
        return bool(value) and all(map(_is_match, value))
    return _is_object(value)


def _is_match(value: Any) -> bool:
    """One of the alternatives for a field: a value to be equal to, or a comparison."""
    if not isinstance(value, dict):
        return _is_scalar(value)
    if len(value) != 1:
        return False
    ((operator, operand),) = value.items()
    check = _OPERANDS.get(operator)
    return check is not None and check(operand)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | bool) or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _NUMBER_MAX


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_affix(value: Any) -> bool:
    """A text, or one that is compared without regard to case."""
    return _is_text(value) or (
        isinstance(value, dict) and value.keys() == {"equals-ignore-case"} and _is_text(value["equals-ignore-case"])
    )


def _is_numeric(value: Any) -> bool:
    """`["=", 1]`, `[">", 1]`, or a range: `[">", 1, "<=", 2]`."""
    if not isinstance(value, list) or len(value) not in (2, 4):
        return False
    operators, numbers = value[::2], value[1::2]
    if not all(map(_is_number, numbers)) or not all(map(_is_text, operators)):
        return False
    if len(operators) == 1:
        return operators[0] in _LOWER | _UPPER | {"="}
    is_range = operators[0] in _LOWER and operators[1] in _UPPER
    return is_range and all(low < high for low, high in pairwise(numbers))


def _is_texts(value: Any) -> bool:
    return _is_text(value) or (isinstance(value, list) and bool(value) and all(map(_is_text, value)))


def _is_anything_but(value: Any) -> bool:
    """Values of one type, or what a text must not begin with, end in, equal or look like."""
    if isinstance(value, dict):
        if len(value) != 1:
            return False
        ((operator, operand),) = value.items()
        return operator in ("prefix", "suffix", "equals-ignore-case", "wildcard") and _is_texts(operand)
    if isinstance(value, list):
        return bool(value) and (all(map(_is_text, value)) or all(map(_is_number, value)))
    return _is_text(value) or _is_number(value)


_OPERANDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "prefix": _is_affix,
    "suffix": _is_affix,
    "equals-ignore-case": _is_text,
    "wildcard": _is_text,
    "cidr": _is_text,
    "exists": _is_flag,
    "numeric": _is_numeric,
    "anything-but": _is_anything_but,
}
