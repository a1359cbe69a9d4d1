"""Whatever a handler returns: the same JSON text, or the same complaint, as from AWS's own client."""

import collections
import enum
import importlib
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.component.python_runtime.runtime_process import RUNTIME

Pair = collections.namedtuple("Pair", ["left", "right"])


class Colour(enum.StrEnum):
    RED = "réd"


class Level(enum.IntEnum):
    LOW = 1


class Weight(float):
    def __repr__(self) -> str:
        return "heavy"


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.decimals()
    | st.binary(max_size=3)
    | st.just({1})
)
keys = (
    texts
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.binary(max_size=2)
    | st.decimals(allow_nan=False)
    | st.sampled_from([Colour.RED, Level.LOW, Weight(2.5), Weight("nan")])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.builds(Pair, inner, inner)
        | st.dictionaries(keys, inner, max_size=4)
        | st.dictionaries(texts, inner, max_size=4).map(collections.OrderedDict)
    ),
    max_leaves=12,
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module", params=["AWS_Lambda_python3.11", "AWS_Lambda_python3.13"])
def codecs(request: pytest.FixtureRequest) -> Iterator[tuple[ModuleType, Any]]:
    """Our codec and AWS's encoder, for a runtime that escapes non-ASCII text and for one that doesn't."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_EXECUTION_ENV", request.param)
        patch.syspath_prepend(RUNTIME)
        marshaller = importlib.import_module("awslambdaric.lambda_runtime_marshaller").LambdaMarshaller()
        for name in ("_lampion_json", "_lampion_marshal"):
            sys.modules.pop(name, None)
        yield importlib.import_module("_lampion_json"), marshaller


@given(values)
@example(Decimal("-NaN"))
@example([Decimal("sNaN"), Decimal("1E-30"), float("-inf")])
@example({b"\xff": 1})
@example("\u2028\x7f\x00/")
def test_writing(codecs: tuple[ModuleType, Any], value: object) -> None:
    ours, theirs = codecs
    assert outcome(ours.dumps, value) == outcome(theirs.jsonEncoder.encode, value)


def test_writing_after_a_failure(codecs: tuple[ModuleType, Any]) -> None:
    """What was being written when it failed isn't taken for part of what is written next."""
    ours, _ = codecs
    inner: list[object] = []
    outer = {"inner": inner}
    inner.append(outer)
    for _ in range(2):
        assert outcome(ours.dumps, outer) == ("ValueError", "Circular reference detected")
    inner[0] = {(): 1}
    assert outcome(ours.dumps, outer)[0] == "TypeError"
    inner[0] = 1
    assert ours.dumps(outer) == '{"inner": [1]}'


@given(documents, st.sampled_from([None, 2]), st.booleans())
def test_reading(codecs: tuple[ModuleType, Any], value: object, indent: int | None, ensure_ascii: bool) -> None:
    ours, theirs = codecs
    text = json.dumps(value, indent=indent, ensure_ascii=ensure_ascii).encode("utf-8", "replace")
    for before, after in ((b"", b""), (b" ", b"\n"), (b"\r\n\t", b" \n ")):
        surrounded = before + text + after
        assert ours.loads(surrounded) == theirs.unmarshal_request(surrounded)


@pytest.mark.parametrize("document", [b"{", b" [1, 2", b"\n\n nul", b"1 2", b" 1\n 2", b"", b" ", b'"\n"'])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_reading_what_is_no_json(codecs: tuple[ModuleType, Any], document: bytes, mark: bytes) -> None:
    """The complaint's positions count from the document's beginning; a byte order mark is no part of it."""
    ours, _ = codecs
    assert outcome(ours.loads, mark + document) == outcome(json.loads, document.decode())


@pytest.mark.parametrize("document", [b"[1]", b" [1]", b"\n[1]\n"])
def test_reading_after_a_byte_order_mark(codecs: tuple[ModuleType, Any], document: bytes) -> None:
    ours, _ = codecs
    assert ours.loads(b"\xef\xbb\xbf" + document) == [1]


def outcome(encode: Any, value: object) -> tuple[str, str]:
    try:
        return "text", encode(value)
    except Exception as error:
        return type(error).__name__, str(error)
