"""Every way to get a value of a shape wrong, and the edges at which it is still right."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from typing import Any

from botocore.model import Shape

from tests.conformance.bad_requests.case import Expect
from tests.conformance.bad_requests.matching_text import python_pattern
from tests.conformance.bad_requests.odd_texts import ODD_TEXTS, OFF_PATTERN
from tests.conformance.bad_requests.rendering import Raw
from tests.conformance.bad_requests.valid import Texts, valid

_DEPTH = 6
_LONGEST_LIST = 1200
_LONGEST_TEXT = 200_000
_NUMBERS = ("integer", "long", "double", "float")
_RANGES = {"integer": 2**31, "long": 2**63}

Path = str


@dataclass(frozen=True, slots=True)
class Variant:
    """A value put in a shape's place. `at` is the path under that place of the member at fault ("" = itself)."""

    label: str
    value: Any
    expect: Expect
    at: Path = ""


@dataclass(frozen=True, slots=True)
class Wrongs:
    """`lenient` names shapes of which AWS's server asks less, or other things, than the published model says."""

    texts: Texts
    lenient: Set[str]

    def of(self, shape: Shape, depth: int = 0) -> Iterator[Variant]:
        """All variants of a value that travels in a JSON body."""
        yield from _wrong_types(shape)
        yield from self.within_type(shape, depth)

    def within_type(self, shape: Shape, depth: int = 0) -> Iterator[Variant]:
        """Values of the right type, at, inside and beyond each constraint."""
        if depth < _DEPTH:
            match shape.type_name:
                case "structure":
                    yield from self._structures(shape, depth)
                case "list":
                    yield from self._lists(shape, depth)
                case "map":
                    yield from self._maps(shape, depth)
                case "string":
                    yield from self._strings(shape)
                case "blob":
                    yield from _blobs()
                case "timestamp":
                    yield from _timestamps()
                case number if number in _NUMBERS:
                    yield from _numbers(shape)

    def _structures(self, shape: Shape, depth: int) -> Iterator[Variant]:
        whole = valid(shape, self.texts)
        yield Variant("unknown member", {**whole, "NoSuchMember": {"x": [1]}}, Expect.ANYTHING)
        yield Variant("member with another case", {name.swapcase(): value for name, value in whole.items()}, _ANY)
        for name in shape.required_members:
            rest = {key: value for key, value in whole.items() if key != name}
            yield Variant(f"without {name}", rest, Expect.VIOLATION, f".{lower_first(name)}")
            yield Variant(f"{name} null", {**whole, name: None}, Expect.VIOLATION, f".{lower_first(name)}")
        for name, member in shape.members.items():
            for variant in self.of(member, depth + 1):
                at = f".{lower_first(name)}{variant.at}"
                yield Variant(f"{name} {variant.label}", {**whole, name: variant.value}, variant.expect, at)

    def _lists(self, shape: Shape, depth: int) -> Iterator[Variant]:
        item = valid(shape.member, self.texts)
        for size, expect in _sizes(shape):
            if size <= _LONGEST_LIST:
                yield Variant(f"of {size} elements", [item] * size, expect)
        yield Variant("with a null element", [item, None], _ANY)
        is_structure = shape.member.type_name == "structure"
        for variant in self.of(shape.member, depth + 1):
            if variant.value is None:
                continue
            at = f".1.member{variant.at}" if is_structure and variant.at else ""
            expect = self._element_expectation(shape, variant.expect)
            yield Variant(f"element {variant.label}", [variant.value], expect, at)

    def _maps(self, shape: Shape, depth: int) -> Iterator[Variant]:
        key, item = self.texts.any(shape.key), valid(shape.value, self.texts)
        for size, expect in _sizes(shape):
            if size <= _LONGEST_LIST:
                entries = {f"{key}{n}": item for n in range(size)}
                fitting = expect is not Expect.FITS or _are_keys(shape.key, entries)
                yield Variant(f"of {size} entries", entries, expect if fitting else _ANY)
        yield Variant("empty", {}, _ANY)
        yield Variant("with a null value", {key: None}, _ANY)
        yield Variant("repeated key", Raw(b'{"ab":"1","ab":"2"}'), _ANY)
        for variant in self._strings(shape.key):
            yield Variant(
                f"key {variant.label}", {variant.value: item}, self._element_expectation(shape, variant.expect)
            )
        for variant in self.of(shape.value, depth + 1):
            if variant.value is not None:
                expect = Expect.ANYTHING if variant.expect is Expect.VIOLATION and variant.at else variant.expect
                yield Variant(f"value {variant.label}", {key: variant.value}, expect)

    def _element_expectation(self, shape: Shape, expect: Expect) -> Expect:
        """The list itself may break its own bounds when it holds one element."""
        inside = int(shape.metadata.get("min", 0)) <= 1 <= int(shape.metadata.get("max", 1))
        return expect if inside or expect is not Expect.FITS else Expect.ANYTHING

    def _strings(self, shape: Shape) -> Iterator[Variant]:
        for label, text in ODD_TEXTS.items():
            yield Variant(label, text, _ANY)
        lenient = shape.name in self.lenient
        for variant in self._enum(shape) if shape.enum else self._lengths_and_pattern(shape):
            yield replace(variant, expect=_ANY) if lenient else variant

    def _enum(self, shape: Shape) -> Iterator[Variant]:
        for text in shape.enum:
            yield Variant(f"enum {text}", text, Expect.FITS)
        for text in ("", "nope", f"{shape.enum[0]} ", str(shape.enum[0]).swapcase()):
            if text not in shape.enum:
                yield Variant(f"enum {text!r}", text, Expect.VIOLATION)

    def _lengths_and_pattern(self, shape: Shape) -> Iterator[Variant]:
        for length, expect in _sizes(shape):
            fitting = self.texts.of_length(shape, length) if length <= _LONGEST_TEXT else None
            if fitting is not None:
                yield Variant(f"of {length} characters", fitting, expect)
            elif expect is Expect.VIOLATION:
                yield Variant(f"of {length} characters", "x" * length, expect)
        pattern = shape.metadata.get("pattern")
        for text in OFF_PATTERN if pattern is not None else ():
            if not python_pattern(pattern).fullmatch(text):
                yield Variant(f"off the pattern {text[:12]!r}", text, Expect.VIOLATION)


_ANY = Expect.ANYTHING


def _are_keys(shape: Shape, keys: Iterable[str]) -> bool:
    longest = shape.metadata.get("max", _LONGEST_TEXT)
    matches = python_pattern(shape.metadata.get("pattern", ".*")).fullmatch
    return not shape.enum and all(len(key) <= longest and matches(key) for key in keys)


def lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


def wrong_texts(shape: Shape) -> Iterator[Variant]:
    """Texts in path, query or header that don't read as the shape's type."""
    match shape.type_name:
        case number if number in _NUMBERS:
            wrong: tuple[str, ...] = ("", "abc", "1_0", "0x10", "\u0663", "1,5", "9" * 500, "NaN", "true", "--1", "1\0")
            expect = Expect.REFUSED
        case "boolean":
            wrong, expect = ("", "TRUE", "1", "yes", "\u2713", "null"), Expect.REFUSED
        case "timestamp":
            wrong, expect = ("", "yesterday", "2024-13-45T99:99:99Z", "1e999", "-" * 50, "NaN"), Expect.REFUSED
        case _:
            return
    for text in wrong:
        yield Variant(f"text {text[:12]!r}", text, expect)


def _wrong_types(shape: Shape) -> Iterator[Variant]:
    """One value of every JSON type that isn't the shape's, and nesting beyond reason."""
    refused = Expect.REFUSED
    right = {
        "structure": dict,
        "map": dict,
        "list": list,
        "boolean": bool,
        "integer": int,
        "long": int,
        "double": int,
        "float": int,
        "timestamp": int,
    }.get(shape.type_name, str)
    values: tuple[Any, ...] = ("text", 7, True, [], {})
    for value in values:
        if type(value) is not right:
            expect = _ANY if shape.type_name == "timestamp" and value == "text" else refused
            yield Variant(f"as {type(value).__name__}", value, expect)
    yield Variant("null", None, _ANY)
    yield Variant("nested 50000 deep", Raw(b"[" * 50_000 + b"]" * 50_000), refused)


def _sizes(shape: Shape) -> Iterator[tuple[int, Expect]]:
    """Lengths at -1, edge and +1 of the shape's bounds."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None:
        yield int(low), Expect.FITS
        if low > 0:
            yield int(low) - 1, Expect.VIOLATION
        if high is None or low < high:
            yield int(low) + 1, Expect.FITS
    if high is not None:
        yield int(high), Expect.FITS
        yield int(high) + 1, Expect.VIOLATION
        if high - 1 > (low or 0):
            yield int(high) - 1, Expect.FITS


def _numbers(shape: Shape) -> Iterator[Variant]:
    whole = shape.type_name in _RANGES
    for size, expect in _number_sizes(shape):
        yield Variant(f"number {size}", size, expect)
    limit = _RANGES.get(shape.type_name, 10**400)
    for value in (limit, -limit - 1, 10**400):
        yield Variant(f"number of {len(str(value))} digits", value, Expect.REFUSED)
    yield Variant("1e400", Raw(b"1e400"), Expect.REFUSED)
    yield Variant("5000 digits", Raw(b"9" * 5000), Expect.REFUSED)
    yield Variant("NaN", float("nan"), Expect.REFUSED)
    yield Variant("Infinity", float("-inf"), Expect.REFUSED)
    yield Variant("1.5", 1.5, Expect.REFUSED if whole else _ANY)
    yield Variant("-0", Raw(b"-0"), _ANY)
    yield Variant("leading zero", Raw(b"007"), Expect.REFUSED)


def _number_sizes(shape: Shape) -> Iterator[tuple[int | float, Expect]]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None:
        yield from ((low - 1, Expect.VIOLATION), (low, Expect.FITS))
        if high is None or low < high:
            yield low + 1, Expect.FITS
    if high is not None:
        yield from ((high - 1 if low is None or high > low else high, Expect.FITS), (high, Expect.FITS))
        # One more than the type itself holds isn't a violation but unreadable.
        yield high + 1, Expect.REFUSED if high + 1 >= _RANGES.get(shape.type_name, 10**400) else Expect.VIOLATION


def _blobs() -> Iterator[Variant]:
    for text in ("*", "YQ", "Y===", "YQ==YQ==", "YQ==\n", "Y Q = =", "\u00e9", "-_-_", "=", "A" * 33, "\0\0\0\0"):
        yield Variant(f"base64 {text[:12]!r}", text, Expect.REFUSED)
    yield Variant("empty", b"", _ANY)
    yield Variant("base64 of NUL", b"\0" * 300, _ANY)
    yield Variant("base64 of a zip's end alone", b"PK\x05\x06" + b"\0" * 18, _ANY)
    yield Variant("base64 of a zip's start alone", b"PK\x03\x04" + b"\xff" * 60, _ANY)


def _timestamps() -> Iterator[Variant]:
    for text in ("", "yesterday", "2024-13-45T99:99:99Z", "\u0662\u0660\u0662\u0664", "2024-01-01", "9" * 400):
        yield Variant(f"time {text[:12]!r}", text, _ANY)
    for number in (-1, 0, 1e18, -1e18, 253402300800, 1.5):
        yield Variant(f"time {number}", number, _ANY)
