"""Values as Java prints them: AWS's validation messages quote what toString() gives, and name enums in hash order."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

_PRINTED_CHARACTERS: Final = 65_536
_ENUM_BUCKETS: Final = 32


def java_text(value: Any) -> str:
    """`value` in the words of Java's toString(), cut off at 65,536 characters."""
    text = _text(value)
    return text if len(text) <= _PRINTED_CHARACTERS else text[:_PRINTED_CHARACTERS]


def java_double(number: float) -> str:
    """A double as Double.toString() prints it: 2.0, 0.5, 1.0E10, 1.0E-5."""
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(float(number))
    sign, digits, exponent = Decimal(repr(float(number))).as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{len(digits) - 1 + int(exponent)}"


def enum_order(values: Sequence[str]) -> list[str]:
    """`values`, given as the model declares them, in the order in which AWS's messages name them.

    It is that of a table of 32 buckets by String.hashCode(), in which the last one declared comes first in its bucket.
    """
    latest_first = values[::-1]
    return sorted(latest_first, key=lambda value: _hash_code(value) % _ENUM_BUCKETS)


def _hash_code(text: str) -> int:
    """String.hashCode(), unsigned, of a text of the Basic Multilingual Plane."""
    code = 0
    for character in text:
        code = (31 * code + ord(character)) & 0xFFFF_FFFF
    return code


def _text(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return java_double(value)
        case list():
            return f"[{', '.join(map(_text, value))}]"
        case dict():
            return "{" + ", ".join(f"{key}={_text(item)}" for key, item in value.items()) + "}"
        case bytes():
            return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
        case _:
            return str(value)
