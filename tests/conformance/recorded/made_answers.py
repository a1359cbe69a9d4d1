"""Answers that the recordings made out of other answers: wrapped, taken apart, or subtracted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.conformance.recorded.placeholders import Literal, Place, pieces

_VALIDATION = re.compile(r"(\d+) validation errors? detected: (.*)", re.DOTALL)
_DIFFERENCE = re.compile(r"(is_)?total_code_size_diff_\w+?(?:_more_than_(\d+))?")


class NoRule(Exception):
    """Nothing here makes an answer of this name."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One call and its answer as boto3 gave it: the output, or a ClientError's response."""

    operation: str
    answer: Mapping[str, Any]
    form: Mapping[str, Any]

    @property
    def error(self) -> Mapping[str, Any] | None:
        return self.answer.get("Error") if "Error" in self.answer else None


def made(names: Sequence[str], recorded: Mapping[str, Any], calls: Sequence[Answered]) -> dict[str, Any]:
    """The made answers by name; `names` in the order of the recording: differences are counted along them.

    Raises NoRule. KeyError, StopIteration or IndexError when the server's answers don't have what is needed.
    """
    differences = [name for name in names if _DIFFERENCE.fullmatch(name)]
    answers: dict[str, Any] = {}
    for name in names:
        if name in differences:
            answers[name] = _size_difference(name, differences.index(name), calls)
        elif isinstance(recorded[name], Mapping) and "CreateFunctionResponse" in recorded[name]:
            answers[name] = wrapped_creation(_first(calls, "CreateFunction").form)
        elif name.endswith("_exception"):
            answers[name] = taken_apart(calls[-1].error or calls[-1].form)
        else:
            raise NoRule(name)
    return answers


def wrapped_creation(answer: Mapping[str, Any]) -> dict[str, Any]:
    """CreateFunction's answer as it was recorded together with the (absent) one of an event source mapping."""
    return {"CreateEventSourceMappingResponse": None, "CreateFunctionResponse": answer}


def taken_apart(error: Mapping[str, Any]) -> dict[str, Any]:
    """Code and message; of validation errors the count, and each one, sorted: AWS's order is its own."""
    match = _VALIDATION.fullmatch(str(error.get("Message", "")))
    if match is None:
        return dict(error)
    return {"Code": error["Code"], "Count": int(match[1]), "Errors": sorted(re.split(r"; (?=Value ')", match[2]))}


def in_order(recorded: Any, place: Place) -> Any:
    """A recorded answer with its validation errors sorted as `taken_apart` sorts those of the server."""

    def literal_text(error: str) -> str:
        return "".join(piece.text for piece in pieces(error, place) if isinstance(piece, Literal))

    if isinstance(recorded, Mapping) and "Errors" in recorded:
        return {**recorded, "Errors": sorted(recorded["Errors"], key=literal_text)}
    return recorded


def _first(calls: Sequence[Answered], operation: str) -> Answered:
    return next(call for call in calls if call.operation == operation)


def _size_difference(name: str, index: int, calls: Sequence[Answered]) -> int | bool:
    sizes = [call.answer["AccountUsage"]["TotalCodeSize"] for call in calls if call.operation == "GetAccountSettings"]
    difference: int = sizes[index + 1] - sizes[index]
    match = _DIFFERENCE.fullmatch(name)
    assert match is not None
    return difference > int(match[2]) if match[1] else difference
