"""Patterns of policies: wildcards, policy variables, ARNs. Pure.

Docs: IAM user guide, "IAM policy elements: Variables and tags", "IAM JSON policy elements: Resource". A pattern is read
once; what its variables stand for is asked at each match, and matches literally, whatever characters it has.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

Lookup = Callable[[str], str | None]
"""The one value of a condition key in lower case; None when it has none, or several."""

_VARIABLE: Final = re.compile(r"\$\{([^{},']+)(?:,\s*'([^']*)'\s*)?\}")
_ESCAPED: Final = frozenset("*?$")
_STAR: Final = re.compile(r"\*+")
_ARN_SEGMENTS: Final = 6


@dataclass(frozen=True, slots=True)
class _Variable:
    key: str
    default: str | None


@dataclass(frozen=True, slots=True)
class _Literal:
    """Text in which nothing is special."""

    text: str


_Part = str | _Literal | _Variable
"""A text has wildcards."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a policy says of a value: read once. `_compiled` is None where variables are to be filled in first."""

    _parts: tuple[_Part, ...]
    _literal: str | None
    _compiled: re.Pattern[str] | None

    def matches(self, value: str, lookup: Lookup) -> bool:
        """A variable without a value, and without a default, makes the pattern match nothing."""
        if self._literal is not None:
            return self._literal == value
        compiled = self._compiled
        if compiled is None:
            parts = self._filled(lookup)
            if parts is None:
                return False
            if not any(_has_wildcards(part) for part in parts):  # most: spares them the compiling
                return "".join(map(_text, parts)) == value
            compiled = re.compile(_expression(parts))
        return compiled.fullmatch(value) is not None

    def spelt(self, lookup: Lookup) -> str | None:
        """The text for operators that know no wildcards, with values for its variables; None where one has no value."""
        if self._literal is not None:
            return self._literal
        parts = self._filled(lookup)
        return None if parts is None else "".join(map(_text, parts))

    def _filled(self, lookup: Lookup) -> list[str | _Literal] | None:
        filled: list[str | _Literal] = []
        for part in self._parts:
            if not isinstance(part, _Variable):
                filled.append(part)
                continue
            value = lookup(part.key)
            value = part.default if value is None else value
            if value is None:
                return None
            filled.append(_Literal(value))
        return filled


def pattern(text: str, *, variables: bool) -> Pattern:
    """`variables`: whether the policy's version knows them (2012-10-17 does)."""
    if not variables or "${" not in text:
        is_literal = "*" not in text and "?" not in text
        return Pattern((text,), text, None) if is_literal else Pattern((text,), None, re.compile(_expression([text])))
    parts: list[_Part] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        parts.append(text[end : found.start()])
        end = found.end()
        name = found[1].rstrip()
        parts.append(_Literal(name) if name in _ESCAPED else _Variable(name.lower(), found[2]))
    parts.append(text[end:])
    return Pattern(tuple(parts), None, None)


def _text(part: str | _Literal) -> str:
    return part if isinstance(part, str) else part.text


def _has_wildcards(part: str | _Literal) -> bool:
    return isinstance(part, str) and ("*" in part or "?" in part)


def _expression(parts: Sequence[str | _Literal]) -> str:
    """Every star but the last takes as little as it can and never thinks again, so that no pattern takes long."""
    pieces = [""]
    for part in parts:
        if isinstance(part, _Literal):
            pieces[-1] += re.escape(part.text)
            continue
        first, *others = _STAR.split(part)
        pieces[-1] += _without_stars(first)
        pieces += map(_without_stars, others)
    first, *others = pieces
    if not others:
        return f"(?s:{first})"
    *middle, last = others
    return f"(?s:{first}{''.join(f'(?>.*?{piece})' for piece in middle)}.*{last})"


def _without_stars(text: str) -> str:
    return ".".join(map(re.escape, text.split("?")))


@dataclass(frozen=True, slots=True)
class ArnPattern:
    """A pattern for ARNs: `segments` one by one, so that a wildcard in one doesn't reach into the next, or the `whole`.

    One with neither matches nothing.
    """

    segments: tuple[Pattern, ...] = ()
    whole: Pattern | None = None

    def matches(self, arn: str, lookup: Lookup) -> bool:
        if self.whole is not None:
            return self.whole.matches(arn, lookup)
        parts = arn.split(":", _ARN_SEGMENTS - 1)
        return len(parts) == len(self.segments) and all(
            segment.matches(part, lookup) for segment, part in zip(self.segments, parts, strict=True)
        )


def arn_pattern(text: str, *, variables: bool) -> ArnPattern:
    """As conditions have it: all six segments, or it matches nothing."""
    segments = _split(text)
    if len(segments) != _ARN_SEGMENTS:
        return ArnPattern()
    return ArnPattern(tuple(pattern(segment, variables=variables) for segment in segments))


def resource_pattern(text: str, *, variables: bool) -> ArnPattern:
    """As the element Resource has it: what is missing at the end is a wildcard, variables are only in the last segment.

    A star at the end of a segment reaches beyond it. Where there is such a one before the last, all stars do.
    """
    segments = _split(text)
    if text == "*" or any(segment.endswith("*") and segment != "*" for segment in segments[:-1]):
        return ArnPattern(whole=pattern(text, variables=variables))
    if len(segments) < _ARN_SEGMENTS and text.endswith("*"):
        return ArnPattern(whole=pattern(text, variables=variables))
    segments += ["*"] * (_ARN_SEGMENTS - len(segments))
    first = (pattern(segment, variables=False) for segment in segments[:-1])
    return ArnPattern((*first, pattern(segments[-1], variables=variables)))


def _split(text: str) -> list[str]:
    """At the colons that aren't a variable's, as those of `${aws:username}` are."""
    hidden = _VARIABLE.sub(lambda found: found[0].replace(":", "\0"), text)
    return [part.replace("\0", ":") for part in hidden.split(":", _ARN_SEGMENTS - 1)]
