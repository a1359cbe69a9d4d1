"""Compares what a server answered with what AWS answered, under the rules that the recordings' placeholders follow."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.recorded.placeholders import (
    DATE,
    LISTS,
    NUMBERED_WHOLE_NUMBER,
    WHOLE_NUMBERS,
    Literal,
    Numbered,
    Piece,
    Place,
    pieces,
    whole_placeholder,
)

ABSENT = "(absent)"
_IGNORED_MEMBERS = {"HTTPHeaders"}
_IN_TEXT = re.compile(r"(^|\.)(Policy|Statement)\b")
"""Where an answer has text that was recorded parsed, in the order in which it was written."""
_BARE = {"code-sha256": "<code-sha256>", "function-url": "<function-url>", "lambda-url": "<function-url>"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the two answers disagree."""

    path: str
    recorded: Any
    got: Any

    def __str__(self) -> str:
        return f"{self.path or 'the answer'}: recorded {_short(self.recorded)}, got {_short(self.got)}"


@dataclass(slots=True)
class CaseComparison:
    """Compares the answers of one case; remembers what its numbered placeholders stand for."""

    place: Place
    values: dict[Numbered, str] = field(default_factory=dict)

    def compare(self, recorded: Any, answer: Any, path: str = "") -> list[Difference]:
        """All disagreements between a recorded value and one in the recorded form (answers.recorded_form)."""
        if isinstance(recorded, Mapping):
            return self._members(recorded, answer, path)
        if isinstance(recorded, str):
            return self._text(recorded, answer, path)
        if isinstance(recorded, Sequence):
            return self._elements(recorded, answer, path)
        same = type(recorded) is type(answer) and recorded == answer
        return [] if same else [Difference(path, recorded, answer)]

    def _members(self, recorded: Mapping[str, Any], answer: Any, path: str) -> list[Difference]:
        if not isinstance(answer, Mapping):
            return [Difference(path, recorded, answer)]
        found: list[Difference] = []
        for name in [*recorded, *(name for name in answer if name not in recorded)]:
            if name in _IGNORED_MEMBERS:
                continue
            member = f"{path}.{name}" if path else name
            if name not in answer:
                found.append(Difference(member, recorded[name], ABSENT))
            elif name not in recorded:
                found.append(Difference(member, ABSENT, answer[name]))
            else:
                found += self.compare(recorded[name], answer[name], member)
        if not found and _IN_TEXT.search(path) and list(recorded) != list(answer):
            found.append(Difference(f"{path} (order of members)", list(recorded), list(answer)))
        return found

    def _elements(self, recorded: Sequence[Any], answer: Any, path: str) -> list[Difference]:
        if not isinstance(answer, list) or len(answer) != len(recorded):
            return [Difference(path, recorded, answer)]
        pairs = enumerate(zip(recorded, answer, strict=True))
        return [one for index, (left, right) in pairs for one in self.compare(left, right, f"{path}[{index}]")]

    def _text(self, recorded: str, answer: Any, path: str) -> list[Difference]:
        name = whole_placeholder(recorded)
        if type(answer) is int and NUMBERED_WHOLE_NUMBER.fullmatch(recorded):
            answer = str(answer)
        if name in WHOLE_NUMBERS:
            right = type(answer) is int and answer > 0
        elif name in LISTS:
            right = isinstance(answer, list) and bool(answer)
        elif recorded == "datetime":
            right = isinstance(answer, dt.datetime)
        elif recorded == "date":
            right = isinstance(answer, str) and DATE.fullmatch(answer) is not None
        elif not isinstance(answer, str):
            right = False
        else:
            return self._pieces(pieces(_full_name(recorded), self.place), recorded, answer, path)
        return [] if right else [Difference(path, recorded, answer)]

    def _pieces(self, parts: list[Piece], recorded: str, answer: str, path: str) -> list[Difference]:
        groups: dict[Numbered, str] = {}
        match = re.fullmatch("".join(self._pattern(part, groups) for part in parts), answer)
        if match is None:
            return [Difference(path, self._with_values(parts, recorded), answer)]
        found = []
        for placeholder, group in groups.items():
            other = self._other_number(placeholder, match[group])
            if other is None:
                self.values[placeholder] = match[group]
            else:
                found.append(Difference(path, f"{recorded}, where {placeholder} is another than {other}", answer))
        return found

    def _pattern(self, part: Piece, groups: dict[Numbered, str]) -> str:
        if isinstance(part, Literal):
            return re.escape(part.text)
        if not isinstance(part, Numbered):
            return f"(?:{part.pattern})"
        if part in self.values:
            return re.escape(self.values[part])
        if part in groups:
            return f"(?P={groups[part]})"
        groups[part] = f"value{len(groups)}"
        return f"(?P<{groups[part]}>{part.pattern})"

    def _other_number(self, placeholder: Numbered, value: str) -> Numbered | None:
        """The placeholder of the same family that has this value already."""
        for other, taken in self.values.items():
            if taken == value and other.family == placeholder.family and other != placeholder:
                return other
        return None

    def _with_values(self, parts: list[Piece], recorded: str) -> str:
        known = {str(part): self.values[part] for part in parts if isinstance(part, Numbered) and part in self.values}
        where = ", ".join(f"{name} is {value}" for name, value in known.items())
        return f"{recorded} (where {where})" if where else recorded


def _full_name(recorded: str) -> str:
    """Some of the recordings write these placeholders without their brackets."""
    return _BARE.get(recorded, recorded)


def _short(value: Any, limit: int = 600) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit // 2]} ... {text[-limit // 2 :]} ({len(text)} characters)"
