"""Constraints of the model, checked, and said in the words of AWS's server. One plan an operation, worked out once."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from lampion.aws.errors import ValidationException
from lampion.aws.java_regex import compile_java
from lampion.aws.java_text import enum_order, java_double, java_text
from lampion.aws.model import Operation, Shape

_MATCHED_CHARACTERS: Final = 65_536
"""Longer texts are never given to a pattern."""
_REMEMBERED: Final = 1024
_REMEMBERED_CHARACTERS: Final = 256
_ERRORS_COUNTED: Final = 1000
"""A request with more faults than this is answered with this many."""


class Fault(NamedTuple):
    """A constraint that a value breaks, and where in the request it is; `value` is how a message quotes it."""

    value: str
    at: str
    constraint: str


_Check = Callable[[Any, str, list[Fault]], None]
_Test = Callable[[Any], bool]
_Shapes = Mapping[str, Shape]
_NUMBERS: Final = frozenset({"integer", "long", "double", "float"})
_NOT_NULL: Final = "Member must not be null"


def validate(operation: Operation, members: Mapping[str, Any]) -> None:
    """Raises ValidationException naming every constraint that `members` break."""
    errors = faults(operation, members)
    if errors:
        raise refusal(errors)


def refusal(errors: Sequence[Fault]) -> ValidationException:
    """What AWS's server says of them."""
    count = min(len(errors), _ERRORS_COUNTED)
    noun = "error" if count == 1 else "errors"
    told = "; ".join(
        f"{value} at '{at}' failed to satisfy constraint: {constraint}" for value, at, constraint in errors[:count]
    )
    return ValidationException(f"{count} validation {noun} detected: {told}")


def faults(operation: Operation, members: Mapping[str, Any]) -> list[Fault]:
    """Every constraint that `members` break, in the order in which AWS names them."""
    errors: list[Fault] = []
    for name, required, at, check in _plan(operation):
        value = members.get(name)
        if value is not None:
            check(value, at, errors)
        elif required:
            errors.append(Fault("Value null", at, _NOT_NULL))
    return errors


def _shown(shape: Shape, value: Any) -> str:
    """How a message quotes a value; a sensitive one is not quoted."""
    return "Value" if shape.sensitive else f"Value '{java_text(value)}'"


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


@cache
def _plan(operation: Operation) -> list[tuple[str, bool, str, _Check]]:
    """Each member's name, whether it is required, its path and check. AWS names what the query carries first."""
    if operation.input is None:
        return []
    shape = operation.shapes[operation.input]
    names = sorted(
        shape.members, key=lambda name: (shape.members[name].location != "querystring", name in shape.named_last)
    )
    known: dict[str, _Check] = {}
    plan = []
    for name in names:
        required = name in shape.required
        check = _check(shape.members[name].shape, operation.shapes, known)
        if required or check is not _accept:
            plan.append((name, required, _lower_first(name), check))
    return plan


def _accept(value: Any, at: str, errors: list[Fault]) -> None:
    """Nothing is asked of the value."""


def _check(name: str, shapes: _Shapes, known: dict[str, _Check]) -> _Check:
    if name not in known:
        shape = shapes[name]
        if shape.type in _COMPOUND:
            made: list[_Check] = []
            known[name] = _deferred(made)
            made.append(_COMPOUND[shape.type](shape, shapes, known))
            known[name] = made[0]
        else:
            known[name] = _scalar_check(shape)
    return known[name]


def _deferred(made: list[_Check]) -> _Check:
    """Stands for a check that is still being made, so that a shape may hold itself."""

    def check(value: Any, at: str, errors: list[Fault]) -> None:
        made[0](value, at, errors)

    return check


def _scalar_check(shape: Shape) -> _Check:
    constraints = _constraints(shape)
    if not constraints:
        return _accept
    if len(constraints) == 1 and shape.enum:
        accepted = frozenset((*shape.enum, *shape.accepted))
        words = constraints[0][0]

        def check_enum(value: Any, at: str, errors: list[Fault]) -> None:
            if value not in accepted:
                errors.append(Fault(_shown(shape, value), at, words))

        return check_enum
    accepts = _remembering(constraints) if shape.pattern is not None and not shape.sensitive else None

    def check(value: Any, at: str, errors: list[Fault]) -> None:
        if accepts is not None and len(value) <= _REMEMBERED_CHARACTERS and accepts(value):
            return
        broken = [words for words, holds in constraints if not holds(value)]
        if broken:
            quoted = _shown(shape, value)
            errors += [Fault(quoted, at, words) for words in broken]

    return check


def _remembering(constraints: list[tuple[str, _Test]]) -> _Test:
    """Whether all of them hold for a short text; names of functions come with every request, and patterns are slow."""

    @lru_cache(maxsize=_REMEMBERED)
    def accepts(value: str) -> bool:
        return all(holds(value) for _, holds in constraints)

    return accepts


def _constraints(shape: Shape) -> list[tuple[str, _Test]]:
    """The constraints on a value itself, each as AWS words it with a test, in the order in which AWS names them."""
    tests = _number_constraints(shape) if shape.type in _NUMBERS else _length_constraints(shape)
    if shape.pattern is not None:
        matches = compile_java(shape.pattern).fullmatch
        bounded = shape.max is not None

        def holds(value: str) -> bool:
            return matches(value) is not None if len(value) <= _MATCHED_CHARACTERS else bounded

        tests.append((f"Member must satisfy regular expression pattern: {shape.pattern}", holds))
    if shape.enum:
        accepted = frozenset((*shape.enum, *shape.accepted))
        named = shape.enum if shape.accepted else enum_order(shape.enum)  # an override has AWS's order already
        tests.append((f"Member must satisfy enum value set: [{', '.join(named)}]", accepted.__contains__))
    return tests


def _number_constraints(shape: Shape) -> list[tuple[str, _Test]]:
    tests: list[tuple[str, _Test]] = []
    if (high := shape.max) is not None:
        tests.append((f"Member must have value less than or equal to {_limit(shape, high)}", lambda v: v <= high))
    if (low := shape.min) is not None:
        tests.append((f"Member must have value greater than or equal to {_limit(shape, low)}", lambda v: v >= low))
    return tests


def _limit(shape: Shape, number: float) -> str:
    return java_double(number) if shape.type in {"double", "float"} else str(int(number))


def _length_constraints(shape: Shape) -> list[tuple[str, _Test]]:
    tests: list[tuple[str, _Test]] = []
    if (high := shape.max) is not None:
        tests.append((f"Member must have length less than or equal to {int(high)}", lambda v: len(v) <= high))
    if (low := shape.min) is not None:
        tests.append((f"Member must have length greater than or equal to {int(low)}", lambda v: len(v) >= low))
    return tests


def _structure_check(shape: Shape, shapes: _Shapes, known: dict[str, _Check]) -> _Check:
    plan = [
        (name, name in shape.required, _lower_first(name), _check(member.shape, shapes, known))
        for name, member in shape.members.items()
    ]

    def check(value: Mapping[str, Any], at: str, errors: list[Fault]) -> None:
        for name, required, path, check_member in plan:
            item = value.get(name)
            if item is not None:
                check_member(item, f"{at}.{path}", errors)
            elif required:
                errors.append(Fault("Value null", f"{at}.{path}", _NOT_NULL))

    return check


def _element_check(shape: Shape, element: Shape, lead: str) -> Callable[[Any, Any, str, list[Fault]], None]:
    """A check of scalar elements, keys or map values: one message for all, naming every constraint of the element."""
    constraints = _constraints(element)
    words = [text for text, _ in constraints]
    if shape.null_named and lead != _KEYS:
        words.append(_NOT_NULL)
    constraint = words[0] if shape.bare_constraint else f"{lead}: [{', '.join(words)}]"
    secret = shape.sensitive or element.sensitive

    def check(whole: Any, items: Any, at: str, errors: list[Fault]) -> None:
        for item in items:
            if item is None or not all(holds(item) for _, holds in constraints):
                errors.append(Fault("Value" if secret else _shown(shape, whole), at, constraint))
                return

    return check


_ELEMENTS: Final = "Member must satisfy constraint"
_KEYS: Final = "Map keys must satisfy constraint"
_VALUES: Final = "Map value must satisfy constraint"


def _list_check(shape: Shape, shapes: _Shapes, known: dict[str, _Check]) -> _Check:
    element = shapes[shape.member]
    check_itself = _scalar_check(shape)
    check_elements = _element_check(shape, Shape("structure") if element.type in _COMPOUND else element, _ELEMENTS)
    check_element = _check(shape.member, shapes, known) if element.type in _COMPOUND else None

    def check(value: list[Any], at: str, errors: list[Fault]) -> None:
        check_itself(value, at, errors)
        check_elements(value, value, at, errors)
        if check_element is not None:
            for number, item in enumerate(value, start=1):
                if len(errors) > _ERRORS_COUNTED:
                    return
                if item is not None:
                    check_element(item, f"{at}.{number}.member", errors)

    return check


def _map_check(shape: Shape, shapes: _Shapes, known: dict[str, _Check]) -> _Check:
    item_shape = shapes[shape.value]
    check_itself = _scalar_check(shape)
    check_keys = _element_check(shape, shapes[shape.key], _KEYS)
    check_values = _element_check(shape, Shape("structure") if item_shape.type in _COMPOUND else item_shape, _VALUES)
    check_item = _check(shape.value, shapes, known) if item_shape.type in _COMPOUND else None

    def check(value: dict[str, Any], at: str, errors: list[Fault]) -> None:
        check_itself(value, at, errors)
        check_keys(value, value, at, errors)
        check_values(value, value.values(), at, errors)
        if check_item is not None:
            for key, item in value.items():
                if len(errors) > _ERRORS_COUNTED:
                    return
                if item is not None:
                    check_item(item, f"{at}.{key}.member", errors)

    return check


_COMPOUND: Final[dict[str, Callable[[Shape, _Shapes, dict[str, _Check]], _Check]]] = {
    "structure": _structure_check,
    "list": _list_check,
    "map": _map_check,
}
