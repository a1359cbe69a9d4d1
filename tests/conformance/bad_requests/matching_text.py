"""Texts that match a pattern of the service model and have the length asked for."""

import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from random import Random
from typing import Any

_parser: Any = import_module("re._parser")
_c: Any = import_module("re._constants")

_ATTEMPTS = 8
_WORD = "abcdefghijklmnopqrstuvwxyz0123456789"
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
_UNBOUNDED = 1 << 20
_JAVA_ONLY = {r"\p{L}": "a-zA-Z", r"\p{Z}": " ", r"\p{N}": "0-9"}
_REPEATS = (_c.MAX_REPEAT, _c.MIN_REPEAT)
_ONE_CHARACTER = (_c.LITERAL, _c.NOT_LITERAL, _c.IN, _c.ANY)
_EMPTY = (_c.AT, _c.ASSERT, _c.ASSERT_NOT)

Tokens = Sequence[tuple[Any, Any]]


@cache
def python_pattern(pattern: str) -> re.Pattern[str]:
    """The model's (Java) pattern as near as `re` comes to it; exact for ASCII texts without line breaks."""
    for java, python in _JAVA_ONLY.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern, re.ASCII)


def matching_text(pattern: str, length: int, rng: Random) -> str | None:
    """A text of that length that the pattern matches as a whole; None when none was found."""
    compiled = python_pattern(pattern)
    tokens = _parser.parse(compiled.pattern, re.ASCII)
    for _ in range(_ATTEMPTS):
        text = _sequence(tokens, length, rng)
        if text is not None and compiled.fullmatch(text):
            return text
    return None


def shortest_length(pattern: str) -> int:
    """How short a matching text may be."""
    low, _ = _parser.parse(python_pattern(pattern).pattern, re.ASCII).getwidth()
    return int(low)


def _width(token: tuple[Any, Any]) -> tuple[int, int]:
    operator, argument = token
    if operator in _EMPTY:
        return 0, 0
    if operator in _REPEATS:
        low, high, body = argument
        body_low, body_high = _widths(body)
        return int(low) * body_low, min(_UNBOUNDED, int(high) * body_high)
    if operator is _c.SUBPATTERN:
        return _widths(argument[-1])
    if operator is _c.BRANCH:
        widths = [_widths(branch) for branch in argument[1]]
        return min(low for low, _ in widths), max(high for _, high in widths)
    return 1, 1


def _widths(tokens: Tokens) -> tuple[int, int]:
    widths = [_width(token) for token in tokens]
    return sum(low for low, _ in widths), min(_UNBOUNDED, sum(high for _, high in widths))


def _sequence(tokens: Tokens, length: int, rng: Random) -> str | None:
    lengths = _shares([_width(token) for token in tokens], length, rng)
    if lengths is None:
        return None
    parts = []
    for token, share in zip(tokens, lengths, strict=True):
        part = _token(token, share, rng)
        if part is None:
            return None
        parts.append(part)
    return "".join(parts)


def _shares(widths: list[tuple[int, int]], length: int, rng: Random) -> list[int] | None:
    """How much of `length` each part takes, within its width."""
    lengths = [low for low, _ in widths]
    rest = length - sum(lengths)
    if rest < 0:
        return None
    for index in rng.sample(range(len(widths)), len(widths)):
        more = min(rest, widths[index][1] - widths[index][0])
        lengths[index] += more
        rest -= more
    return lengths if rest == 0 else None


def _token(token: tuple[Any, Any], length: int, rng: Random) -> str | None:
    operator, argument = token
    if operator in _EMPTY:
        return ""
    if operator in _REPEATS:
        return _repeat(argument, length, rng)
    if operator is _c.SUBPATTERN:
        return _sequence(argument[-1], length, rng)
    if operator is _c.BRANCH:
        fitting = [branch for branch in argument[1] if _widths(branch)[0] <= length <= _widths(branch)[1]]
        return _sequence(rng.choice(fitting), length, rng) if fitting else None
    return rng.choice(_characters(token))


def _repeat(argument: Any, length: int, rng: Random) -> str | None:
    low, high, body = argument
    body_low, body_high = _widths(body)
    if length == 0 and int(low) * body_low == 0:
        return ""
    count = max(int(low), -(-length // max(1, body_high)))
    if count > int(high) or count * body_low > length or count == 0:
        return None
    if len(body) == 1 and body[0][0] in _ONE_CHARACTER:
        return "".join(rng.choices(_characters(body[0]), k=length))
    shares = _shares([(body_low, body_high)] * count, length, rng) if body_high > 1 else [1] * count
    if shares is None or sum(shares) != length:
        return None
    parts = [_sequence(body, share, rng) for share in shares]
    return None if None in parts else "".join(part or "" for part in parts)


def _characters(token: tuple[Any, Any]) -> str:
    """The printable characters that a one-character token takes; everyday ones if it takes any of them."""
    operator, argument = token
    if operator is _c.LITERAL:
        return chr(argument)
    one = re.compile(_source_of(operator, argument), re.ASCII)
    taken = "".join(filter(one.fullmatch, _PRINTABLE))
    return "".join(letter for letter in taken if letter in _WORD) or taken or "a"


def _source_of(operator: Any, argument: Any) -> str:
    if operator is _c.NOT_LITERAL:
        return f"[^{re.escape(chr(argument))}]"
    if operator is _c.IN:
        return "[" + "".join(_set_member(kind, value) for kind, value in argument) + "]"
    return "."


def _set_member(kind: Any, value: Any) -> str:
    if kind is _c.NEGATE:
        return "^"
    if kind is _c.RANGE:
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    if kind is _c.CATEGORY:
        return _CATEGORIES[value]
    return re.escape(chr(value))


_CATEGORIES = {
    _c.CATEGORY_DIGIT: r"\d",
    _c.CATEGORY_NOT_DIGIT: r"\D",
    _c.CATEGORY_SPACE: r"\s",
    _c.CATEGORY_NOT_SPACE: r"\S",
    _c.CATEGORY_WORD: r"\w",
    _c.CATEGORY_NOT_WORD: r"\W",
}
