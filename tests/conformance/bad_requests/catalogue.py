"""All cases that the service model gives: every operation, every member, every constraint."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel

import lampion.aws.overrides
from tests.conformance.bad_requests.case import Case, Expect
from tests.conformance.bad_requests.odd_texts import ODD_TEXTS
from tests.conformance.bad_requests.rendering import Raw, rendered
from tests.conformance.bad_requests.scribbling import scribbled
from tests.conformance.bad_requests.valid import Texts, asked_rightly
from tests.conformance.bad_requests.wrong import Variant, Wrongs, lower_first, wrong_texts

Known = Mapping[str, Mapping[str, Any]]
"""Members with which an operation works on a certain server, by operation; under "" those for all that require them."""

Ways = Mapping[str, Sequence[Mapping[str, Any]]]
"""Members with which an operation works as well, each instead of those known of it."""


_PART_SCRIBBLED = 0.2
_PART_FITTING = 0.5
"""Of the mixtures: these pass validation, and reach the operations' own rules."""


@cache
def service_model() -> ServiceModel:
    return botocore.session.Session().get_service_model("lambda")


class Catalogue:
    """Cases are made of `known`, `ways`, the model and the seed alone: the same for the same four."""

    def __init__(self, *, known: Known, seed: int, ways: Ways = MappingProxyType({})) -> None:
        self.model = service_model()
        self.rng = Random(seed)
        self._known = known
        self._ways = ways
        self._texts = Texts(self.rng)
        self._wrongs = Wrongs(self._texts, _overridden())

    def cases(self, name: str) -> Iterator[Case]:
        """All cases of one operation, in each way in which it can be asked rightly."""
        operation = self.model.operation_model(name)
        for members in self._right(operation):
            yield from self._cases(operation, members)

    def asked_rightly(self, name: str) -> Iterator[Case]:
        """The operation in all its ways."""
        operation = self.model.operation_model(name)
        for members in self._right(operation):
            yield self._case(operation, "asked rightly", members, Expect.ANYTHING)

    def mixed(self, name: str, rng: Random) -> Case:
        """Several members wrong at once, or each right by the model; anything may be answered that is an answer."""
        operation = self.model.operation_model(name)
        members = rng.choice(list(self._right(operation)))
        labels, fitting_alone = [], rng.random() < _PART_FITTING
        names = list(operation.input_shape.members) if operation.input_shape is not None else []
        for member in rng.sample(names, min(len(names), rng.randint(1, 4))):
            variants = list(self._variants(operation, member))
            fitting = [variant for variant in variants if variant.expect is Expect.FITS]
            variant = rng.choice(fitting if fitting_alone and fitting else variants)
            members[member] = variant.value
            labels.append(f"{member} {variant.label}")
        case = self._case(operation, " and ".join(labels), members, Expect.ANYTHING)
        if case.request.body and rng.random() < _PART_SCRIBBLED:
            return replace(case, label=f"{case.label}, scribbled over", request=scribbled(case.request, rng))
        return case

    def _right(self, operation: OperationModel) -> Iterator[dict[str, Any]]:
        yield asked_rightly(operation, self._texts, self._known)
        for members in self._ways.get(operation.name, ()):
            yield asked_rightly(operation, self._texts, {**self._known, operation.name: members})

    def _cases(self, operation: OperationModel, members: dict[str, Any]) -> Iterator[Case]:
        yield self._case(operation, "asked rightly", members, Expect.ANYTHING)
        yield self._case(operation, "unknown member", {**members, "NoSuchMember": [{"x": None}]}, Expect.ANYTHING)
        if operation.input_shape is None:
            return
        for missing in operation.input_shape.required_members:
            yield from self._without(operation, members, missing)
        for member in operation.input_shape.members:
            for variant in self._variants(operation, member):
                at = lower_first(member) + variant.at
                label = f"{member} {variant.label}"
                yield self._case(operation, label, {**members, member: variant.value}, variant.expect, at)

    def _without(self, operation: OperationModel, members: dict[str, Any], missing: str) -> Iterator[Case]:
        shape = operation.input_shape.members[missing]
        rest = {name: value for name, value in members.items() if name != missing}
        at = lower_first(missing)
        if shape.serialization.get("location") == "uri":
            yield self._case(operation, f"{missing} empty", {**members, missing: ""}, Expect.ANYTHING)
            return
        expect = Expect.ANYTHING if missing == operation.input_shape.serialization.get("payload") else Expect.VIOLATION
        yield self._case(operation, f"without {missing}", rest, expect, at)
        if shape.serialization.get("location") is None:
            yield self._case(operation, f"{missing} null", {**members, missing: None}, expect, at)

    def _variants(self, operation: OperationModel, member: str) -> Iterator[Variant]:
        shape = operation.input_shape.members[member]
        location = shape.serialization.get("location")
        if member == operation.input_shape.serialization.get("payload"):
            yield from _payloads()
        elif location is None:
            yield from self._wrongs.of(shape)
        else:
            for variant in (*self._wrongs.within_type(shape), *wrong_texts(shape)):
                yield _in_text(variant, location)
            yield from (Variant(f"any {label}", text, Expect.ANYTHING) for label, text in ODD_TEXTS.items())

    def _case(
        self, operation: OperationModel, label: str, members: Mapping[str, Any], expect: Expect, member: str = ""
    ) -> Case:
        return Case(
            label=f"{operation.name}: {label}",
            operation=operation.name,
            request=rendered(operation, members),
            expect=expect,
            member=member,
        )


def _in_text(variant: Variant, location: str) -> Variant:
    """A label may be lost in its path, a header may lose its blanks, and any text reads as a text."""
    value = variant.value
    text = value if isinstance(value, str) else ""
    fragile = location == "uri" and (text in {"", ".", ".."} or "/" in text)
    trimmed = location == "header" and (text != text.strip() or not text or not text.isprintable())
    untyped = variant.expect is Expect.REFUSED and (isinstance(value, list) or value == Raw(b"007"))
    if fragile or trimmed or untyped or value == []:
        return Variant(variant.label, value, Expect.ANYTHING, variant.at)
    return variant


def _payloads() -> Iterator[Variant]:
    texts = {
        "nothing": b"",
        "cut short": b'{"a": ',
        "not UTF-8": b'"\xff\xfe"',
        "NaN": b"NaN",
        "byte order mark": b"\xef\xbb\xbf{}",
        "NUL": b"\0",
        "lone surrogate": b'"\\ud800"',
        "repeated key": b'{"a":1,"a":2}',
        "two documents": b"{} {}",
        "nested 100000 deep": b"[" * 100_000 + b"]" * 100_000,
        "5000 digits": b"9" * 5000,
        "UTF-16": '{"a": 1}'.encode("utf-16"),
        "single quotes": b"{'a': 1}",
        "control character": b'"\x01"',
    }
    return (Variant(label, text, Expect.ANYTHING) for label, text in texts.items())


def _overridden() -> frozenset[str]:
    """Shapes, and shapes of members, of which the server's table of recorded differences says something."""
    text = Path(lampion.aws.overrides.__file__).with_name("overrides.toml").read_text(encoding="utf-8")
    names = set()
    model = service_model()
    for row in tomllib.loads(text)["lambda"]:
        owner, _, place = row["of"].partition(".")
        shape = model.shape_for(owner)
        if place:
            shape = shape.member if place == "member" else shape.members[place]
        names.add(shape.name)
    return frozenset(names)
