"""Values that a shape of the service model takes, and members with which each operation is asked rightly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from botocore.model import OperationModel, Shape

from tests.conformance.bad_requests.matching_text import matching_text, shortest_length

_NUMBERS = ("integer", "long", "double", "float")


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts for string shapes; remembers them, for the same few shapes are asked for all the time."""

    rng: Random
    known: dict[tuple[str, int], str | None] = field(default_factory=dict)

    def of_length(self, shape: Shape, length: int) -> str | None:
        """A text of that length that the shape's pattern matches; None when there is none."""
        pattern = shape.metadata.get("pattern")
        if pattern is None:
            return "x" * length
        key = (pattern, length)
        if key not in self.known:
            self.known[key] = matching_text(pattern, length, self.rng)
        return self.known[key]

    def any(self, shape: Shape) -> str:
        """A short one that fits."""
        if shape.enum:
            return str(shape.enum[0])
        pattern = shape.metadata.get("pattern")
        low = max(int(shape.metadata.get("min", 0)), 0 if pattern is None else shortest_length(pattern))
        for length in range(low, low + 16):
            text = self.of_length(shape, length)
            if text:
                return text
        return "x" * low


def valid(shape: Shape, texts: Texts) -> Any:
    """The least that the shape takes."""
    match shape.type_name:
        case "structure":
            return {name: valid(shape.members[name], texts) for name in shape.required_members}
        case "list":
            return [valid(shape.member, texts)] * max(1, int(shape.metadata.get("min", 1)))
        case "map":
            return {texts.any(shape.key): valid(shape.value, texts)}
        case "boolean":
            return False
        case "blob":
            return b"{}"
        case "timestamp":
            return 1_700_000_000
        case number if number in _NUMBERS:
            return shape.metadata.get("min", 1)
    return texts.any(shape)


def asked_rightly(operation: OperationModel, texts: Texts, known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Members for the operation: those that `known` has for it, and the required ones of the model."""
    shape = operation.input_shape
    if shape is None:
        return {}
    members = {name: valid(shape.members[name], texts) for name in shape.required_members}
    shared = {name: value for name, value in known.get("", {}).items() if name in shape.required_members}
    return {**members, **shared, **known.get(operation.name, {})}
